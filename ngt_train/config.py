"""The configuration of one run: frozen dataclasses, checked on construction; docs/training.md explains every key.

TOML tables and `--set section.key=value` name the fields below. `model.*` beside `variant` goes to that variant's own Config
(ngt_train/variants/), checked when the model is built, so nothing here needs torch.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from ngt_train import settings
from ngt_train.errors import ConfigError

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+=-]{0,199}")
Role = Literal["matrix", "embedding", "head", "vector"]


def _require(held: bool, text: str) -> None:
    if not held:
        raise ConfigError(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelConfig:
    """Which variant, and the settings of its own Config; vocab_size and block come from the data unless they are given."""

    variant: str = "vanilla"
    settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DataConfig:
    """The prepared tokens, and how they are prepared where they are missing."""

    dataset: str = "stdlib"
    tokenizer: str = "bpe"
    vocabulary: int = 8192
    folder: str = ""  # prepared shards and their manifest; empty: data/DATASET_TOKENIZER
    options: dict[str, Any] = field(default_factory=dict)  # of the dataset and the filters, for preparing it here
    block: int = 512  # tokens a sequence
    order: Literal["shuffled", "sequential"] = "shuffled"

    def __post_init__(self) -> None:
        _require(self.block > 0, f"data.block must be at least 1 token, not {self.block}")
        _require(self.vocabulary > 0, f"data.vocabulary must be at least 1, not {self.vocabulary}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LossConfig:
    """Cross-entropy, or alpha (1 - cos(E[embedding], target embedding)) + (1 - alpha) cross-entropy."""

    kind: Literal["cross_entropy", "mixed"] = "cross_entropy"
    alpha: float = 0.5
    alpha_ramp: int = 0  # steps over which alpha rises from 0
    temperature: float = 1.0
    topk: int | None = None
    detach: bool = True  # no gradient into the embedding table through the cosine
    chunk: int = 0  # tokens whose logits exist at a time; 0: what is fast on the device

    def __post_init__(self) -> None:
        _require(0 <= self.alpha <= 1, f"loss.alpha must be between 0 and 1, not {self.alpha}")
        _require(self.temperature > 0, f"loss.temperature must be above 0, not {self.temperature}")
        _require(self.topk is None or self.topk > 0, f"loss.topk must be at least 1, not {self.topk}")
        _require(self.chunk >= 0, f"loss.chunk must not be negative: {self.chunk}")
        _require(self.alpha_ramp >= 0, f"loss.alpha_ramp must not be negative: {self.alpha_ramp}")


@dataclass(frozen=True, slots=True, kw_only=True)
class OptimConfig:
    """AdamW for all roles, or Muon for the matrices and AdamW for the rest; each role's rate is lr times its scale."""

    kind: Literal["adamw", "muon"] = "adamw"
    lr: float = 3e-4
    matrix_scale: float = 1.0
    embedding_scale: float = 1.0
    head_scale: float = 1.0
    vector_scale: float = 1.0
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    weight_decay: float = 0.01
    decay: tuple[Role, ...] = ("matrix", "embedding", "head", "vector")  # roles that decay
    fused: bool = True  # AdamW's fused kernel, where the device has one
    momentum: float = 0.95  # Muon
    nesterov: bool = True
    ns_steps: int = 5
    adjust_lr: Literal["original", "match_rms_adamw"] = "original"

    def __post_init__(self) -> None:
        _require(self.lr > 0, f"optim.lr must be above 0, not {self.lr}")
        for key in ("beta1", "beta2", "momentum"):
            value = getattr(self, key)
            _require(0 <= value < 1, f"optim.{key} must be at least 0 and below 1, not {value}")
        for key in ("matrix_scale", "embedding_scale", "head_scale", "vector_scale", "weight_decay", "eps"):
            _require(getattr(self, key) >= 0, f"optim.{key} must not be negative: {getattr(self, key)}")
        _require(self.ns_steps > 0, f"optim.ns_steps must be at least 1, not {self.ns_steps}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleConfig:
    """The factor on every learning rate, a function of the step: warm-up, then the kind."""

    kind: Literal["constant", "cosine", "linear", "trapezoid"] = "cosine"  # trapezoid: warm-up, constant, warm-down
    warmup: int = 0  # steps
    warmup_ratio: float | None = None  # of all steps, instead of warmup
    warmdown: int = 0  # steps; trapezoid only
    minimum: float = 0.0  # factor at the end of cosine, linear and trapezoid

    def __post_init__(self) -> None:
        _require(self.warmup >= 0, f"schedule.warmup must not be negative: {self.warmup}")
        _require(self.warmdown >= 0, f"schedule.warmdown must not be negative: {self.warmdown}")
        _require(0 <= self.minimum <= 1, f"schedule.minimum must be between 0 and 1, not {self.minimum}")
        ratio = self.warmup_ratio
        _require(ratio is None or 0 <= ratio <= 1, f"schedule.warmup_ratio must be between 0 and 1, not {ratio}")
        _require(ratio is None or not self.warmup, "schedule.warmup and schedule.warmup_ratio are both given; keep one")
        _require(self.kind == "trapezoid" or not self.warmdown, f"schedule.warmdown belongs to kind trapezoid, not to {self.kind}")

    def warmup_steps(self, steps: int) -> int:
        """Length of the warm-up in a run of `steps`."""
        return self.warmup if self.warmup_ratio is None else math.ceil(self.warmup_ratio * steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """How long, in which portions, in which precision."""

    steps: int = 1000  # optimizer steps
    epochs: float | None = None  # instead of steps
    batch: int = 16  # sequences a micro-step and process
    accumulation: int = 1  # micro-steps an optimizer step
    clip: float = 1.0  # largest gradient norm; 0: none
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    device: str = "auto"  # auto, cpu, cuda, cuda:1
    compile: bool = False
    threads: int = 0  # of the CPU; 0: torch decides
    deterministic: bool = False  # refuse operations that are not
    target_loss: float | None = None  # stop once val/loss is at or below it
    timeout: int = 600  # seconds without word from another rank until the run ends

    def __post_init__(self) -> None:
        for key in ("steps", "batch", "accumulation", "timeout"):
            _require(getattr(self, key) > 0, f"train.{key} must be at least 1, not {getattr(self, key)}")
        _require(self.epochs is None or self.epochs > 0, f"train.epochs must be above 0, not {self.epochs}")
        _require(self.clip >= 0, f"train.clip must not be negative: {self.clip}")
        _require(self.threads >= 0, f"train.threads must not be negative: {self.threads}")
        _require(
            bool(re.fullmatch(r"auto|cpu|cuda(:\d+)?|mps", self.device)),
            f"train.device {self.device!r} is not auto, cpu, cuda, cuda:N or mps",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EvalConfig:
    """Validation: fixed, sequential, the same tokens for every run."""

    interval: int = 500  # steps; 0: only at the end
    tokens: int = 819_200  # validation tokens at most
    batch: int = 16  # sequences at a time
    at_start: bool = False  # also before the first step
    test: bool = False  # evaluate the test split at the end
    coords: bool = False  # write coordinates of `text` at every evaluation (ngt)
    text: str = ""  # probe text of the coordinates; empty: the start of the validation tokens
    samples: int = 0  # texts generated at the end
    prompt: str = ""
    semantic: int = 0  # texts whose generated continuation is compared with the real one at the end, by sentence embeddings
    semantic_model: str = "sentence-transformers/all-MiniLM-L6-v2"  # the encoder: a folder or a name on the hub
    semantic_tokens: int = 64  # of a continuation

    def __post_init__(self) -> None:
        for key, least in (("interval", 0), ("tokens", 1), ("batch", 1), ("samples", 0), ("semantic", 0), ("semantic_tokens", 1)):
            _require(getattr(self, key) >= least, f"eval.{key} must be at least {least}, not {getattr(self, key)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogConfig:
    """Where the run tells what it does."""

    interval: int = 10  # steps between train events
    folder: str = "logs"  # FOLDER/GROUP/NAME.jsonl and NAME.log
    results: str = "results"  # FOLDER/GROUP/results.csv
    tensorboard: str = ""  # folder for event files; empty: none
    human: bool = True  # the log for people beside the events

    def __post_init__(self) -> None:
        _require(self.interval > 0, f"log.interval must be at least 1, not {self.interval}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointConfig:
    """FOLDER/GROUP/NAME.pt_best.pt, NAME.pt_last.pt and, every N steps, NAME.pt_step_N.pt."""

    folder: str = "checkpoints"
    interval: int = 0  # steps between saves of last; 0: at evaluations
    keep: int = 0  # steps between checkpoints that are kept; 0: none
    best: bool = True

    def __post_init__(self) -> None:
        for key in ("interval", "keep"):
            _require(getattr(self, key) >= 0, f"checkpoint.{key} must not be negative: {getattr(self, key)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """One run, whole."""

    name: str = "run"
    group: str = "default"
    seed: int = 42
    model: ModelConfig = ModelConfig()
    data: DataConfig = DataConfig()
    loss: LossConfig = LossConfig()
    optim: OptimConfig = OptimConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    train: TrainConfig = TrainConfig()
    eval: EvalConfig = EvalConfig()
    log: LogConfig = LogConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()

    def __post_init__(self) -> None:
        for key in ("name", "group"):
            value = getattr(self, key)
            _require(
                bool(NAME.fullmatch(value)), f"{key} {value!r} must be letters, digits and . _ + = -, beginning with a letter or digit"
            )
        _require(0 <= self.seed < 2**63, f"seed must be between 0 and 2^63, not {self.seed}")
        s, steps = self.schedule, self.train.steps
        if self.train.epochs is None:
            warmup = s.warmup_steps(steps)
            _require(warmup <= steps, f"schedule.warmup {warmup} is longer than the run of {steps} steps")
            _require(s.warmdown <= steps, f"schedule.warmdown {s.warmdown} is longer than the run of {steps} steps")
            told = f"schedule.warmup {warmup}" + ("" if s.warmup_ratio is None else f" (warmup_ratio {s.warmup_ratio:g})")
            _require(warmup + s.warmdown <= steps, f"{told} and warmdown {s.warmdown} overlap in a run of {steps} steps")

    # -- paths -------------------------------------------------------------------------------------------------------
    def events_path(self) -> Path:
        """The event log."""
        return Path(self.log.folder) / self.group / f"{self.name}.jsonl"

    def checkpoint_path(self, kind: str) -> Path:
        """NAME.pt_best.pt, NAME.pt_last.pt or NAME.pt_step_N.pt."""
        return Path(self.checkpoint.folder) / self.group / f"{self.name}.pt_{kind}.pt"

    def data_folder(self) -> Path:
        """Where the prepared tokens are."""
        return Path(self.data.folder or f"data/{self.data.dataset.replace('/', '-').replace(':', '-')}_{tokenizer_label(self.data)}")


def tokenizer_label(data: DataConfig) -> str:
    """`bpe_8192` where the vocabulary is ours to choose, else the tokenizer's name."""
    kind = data.tokenizer.rpartition("/")[2].replace(":", "-")
    return f"{kind}_{data.vocabulary}" if data.tokenizer == "bpe" else kind


# -- from and to plain data -----------------------------------------------------------------------------------------------
def from_dict(values: Mapping[str, Any]) -> RunConfig:
    """A configuration from nested dicts as TOML gives them: `model` is flat there, with `variant` among its keys.

    Raises:
        ConfigError: an unknown key, a value of another type or out of its range, with the nearest known word.
    """
    tree = dict(values)
    model = tree.get("model", {})
    if isinstance(model, Mapping):
        tree["model"] = {
            "settings": {k: v for k, v in model.items() if k != "variant"},
            **{k: v for k, v in model.items() if k == "variant"},
        }
    return settings.build(RunConfig, tree)


def to_dict(config: RunConfig) -> dict[str, Any]:
    """The nested plain data from which `from_dict` makes the same configuration."""
    tree: dict[str, Any] = settings.plain(config)
    tree["model"] = {"variant": config.model.variant, **tree["model"]["settings"]}
    return tree


def override(config: RunConfig, assignments: Iterable[str]) -> RunConfig:
    """The configuration with `section.key=value` texts applied in order."""
    tree = to_dict(config)
    for assignment in assignments:
        settings.put(tree, assignment)
    return from_dict(tree)


def load(path: str | Path) -> RunConfig:
    """The configuration in a TOML file."""
    try:
        return from_dict(settings.read_toml(path))
    except ConfigError as e:
        text = str(e)
        raise ConfigError(text if text.startswith(str(path)) else f"{path}: {text}") from e


def resolve_steps(config: RunConfig, tokens: int, world: int = 1) -> RunConfig:
    """`train.epochs` as steps over this many training tokens; unchanged where steps are given."""
    if config.train.epochs is None:
        return config
    samples = max(0, tokens - 1) // config.data.block
    per_step = config.train.batch * config.train.accumulation * world
    steps = max(1, int(config.train.epochs * samples / per_step))
    return replace(config, train=replace(config.train, steps=steps, epochs=None))


def model_config(config: RunConfig, vocab_size: int) -> Any:
    """The variant's own Config, from `model.*` and what the data says.

    Args:
        vocab_size: tokens the tokenizer knows.

    Raises:
        ConfigError: an unknown variant or setting, or a vocabulary or block smaller than the data's.
    """
    from ngt_train import variants

    _, _, path = config.model.variant.partition(":")  # hf:PATH
    given = {**({"path": path} if path else {}), **config.model.settings}
    cls = variants.load(config.model.variant).Config
    made = settings.build(cls, {"vocab_size": vocab_size, "block": config.data.block, **given}, "model")
    _require(
        made.vocab_size >= vocab_size,
        f"model.vocab_size {made.vocab_size} is smaller than the tokenizer's vocabulary of {vocab_size} tokens",
    )
    _require(made.block >= config.data.block, f"model.block {made.block} is shorter than data.block {config.data.block}")
    return made
