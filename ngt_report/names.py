"""Canonical names: the one place where a raw metric or configuration key gets the project's name.

Raw names die here. `metric("Val Loss")` is "val/loss"; what is not known keeps a cleaned form of its own name.
"""

from __future__ import annotations

import re
from functools import cache

from ngt_report.incidental import PLACES, incidental

# canonical -> what people call it, after cleaning (lower case, words joined by _)
METRICS: dict[str, str] = {
    "val/loss": (
        "val_loss valid_loss validation_loss dev_loss val_ce valid_ce val_ce_loss eval_ce_loss val_cross_entropy tel "
        "val_cross_entropy_loss loss_val loss_validation val_lm_loss validation_ce val_nll"
    ),
    "val/objective": ("val_objective eval_objective"),
    "eval_loss": ("eval_loss loss_eval eval_epoch_loss"),  # val/loss, unless an explicit cross-entropy stands beside it
    "train/loss": (
        "train_loss training_loss loss lm_loss trl loss_train train_ce train_ce_loss tr_loss train_loss_step train_cross_entropy_loss "
        "reduced_train_loss"
    ),
    "final/loss": "final_val_loss final_loss final_validation_loss final_val final_eval_loss last_val_loss",
    "final/train_loss": "final_train_loss",
    "best/loss": "best_val_loss best_val best_loss best_validation_loss best_valid_loss best_eval_loss min_val_loss",
    "val/perplexity": "val_ppl val_perplexity eval_perplexity eval_ppl valid_ppl validation_ppl dev_ppl dev_perplexity",
    "train/perplexity": "train_ppl train_perplexity ppl perplexity",
    "val/accuracy": (
        "val_acc val_accuracy eval_acc eval_accuracy eval_token_acc val_token_acc valid_acc validation_accuracy dev_acc dev_accuracy"
    ),
    "train/accuracy": "train_acc train_accuracy acc accuracy token_acc",
    "val/bpb": "val_bpb eval_bpb valid_bpb validation_bpb bpb bits_per_byte val_bits_per_byte eval_bits_per_byte",
    "val/bits_per_char": "bpc bits_per_char bits_per_character val_bpc eval_bpc val_bits_per_character eval_bits_per_character",
    "val/bits_per_token": "bpt bits_per_token val_bpt eval_bpt val_bits eval_bits val_loss_bits eval_loss_bits",
    "test/loss": "test_loss test_ce_loss test_ce",
    "test/objective": "test_objective",
    "test/perplexity": "test_ppl test_perplexity",
    "test/accuracy": "test_acc test_accuracy test_token_acc",
    "lr": "lr learning_rate",
    "grad_norm": "grad_norm norm gnorm gradient_norm",
    "tokens_per_s": (
        "tokens_per_s tokens_per_sec tokens_per_second tok_per_s tok_per_sec tok_s tok_sec tps tokens_sec throughput"
        " tokens_per_second_per_gpu"
    ),
    "step_ms": "step_avg ms_per_step iter_dt iter_time step_time",
    "mfu": "mfu",
    "epoch": "epoch",
    "memory_gib": "memory_gib",
    "rep_loss": "rep_loss repulsion_loss",
}

# clocks: cleaned raw name -> seconds per unit (a unit printed beside the number wins)
CLOCKS: dict[str, float] = {
    "elapsed": 1.0, "elapsed_s": 1.0, "elapsed_time": 1.0, "elapsed_sec": 1.0, "time_elapsed": 1.0, "train_time": 1.0,
    "train_time_ms": 1e-3, "train_time_s": 1.0, "training_time": 1.0, "training_time_ms": 1e-3, "time_seconds": 1.0, "total_time": 1.0,
    "train_runtime": 1.0, "wall_time": 1.0, "wallclock": 1.0, "time_s": 1.0, "time_ms": 1e-3, "elapsed_ms": 1e-3, "runtime": 1.0,
    "training_time_s": 1.0, "duration_s": 1.0, "train_seconds": 1.0,
}  # fmt: skip

STEPS = frozenset(
    "step steps_done iter iteration iterations_done global_step current_step current_steps s it it_num step_num trainer_global_step"
    " global_batch_idx".split()
)
TOTALS = frozenset(
    "steps total total_steps num_iterations max_steps max_iters num_steps train_steps n_steps iterations total_iters num_train_steps"
    " train_iters".split()
)
TOKENS = frozenset("tokens tokens_seen total_tokens consumed_tokens num_tokens tokens_processed n_tokens".split())

# configuration: canonical -> raw names after cleaning
CONFIG: dict[str, str] = {
    "seed": "seed random_seed manual_seed rng_seed seed_everything global_seed",
    "model": "model model_type arch architecture model_name model_name_or_path",
    "flags": "flags ablation_flags ablation",
    "dataset": "dataset dataset_name data corpus",
    "tokenizer": "tokenizer tokenizer_type tokenizer_name tokenizer_path",
    "vocab_size": "vocab_size vocabulary_size n_vocab bpe_vocab_size",
    "params": "params n_params num_params parameters total_parameters num_parameters parameter_count",
    "learning_rate": "learning_rate lr max_lr peak_lr",
    "batch_size": "batch_size total_train_batch_size",
    "global_batch_size": "global_batch_size",
    "batch_tokens": "batch_tokens tokens_per_iteration tokens_per_step tokens_per_batch total_desired_batch_size",
    "device_batch_size": (
        "device_batch_size micro_batch_size per_device_train_batch_size device_bs local_batch_size per_device_batch_size"
        " instantaneous_batch_size_per_device"
    ),
    "accumulation": "accumulation gradient_accumulation_steps grad_accum grad_accum_steps accumulation_steps accum",
    "sequence_length": "sequence_length seq_len seq_length block_size max_seq_len context_length ctx_len n_ctx",
    "layers": "num_layers n_layer n_layers layers num_hidden_layers nlayers",
    "hidden": "hidden hidden_dim n_embd d_model hidden_size dim embed_dim model_dim channels",
    "heads": "num_heads n_head n_heads heads num_attention_heads nhead",
    "dropout": "dropout",
    "hardware": "gpu_name gpu hardware device_name",
    "gpus": "gpus n_gpus num_gpus gpu_count",
    "processes": "world_size ddp_world_size num_processes n_processes",
    "git_commit": "git_commit commit git_sha git_hash git_rev",
    "precision": "precision dtype amp_dtype compute_dtype",
    "bytes_per_token": "bytes_per_token bytes_per_tok",
    "weight_decay": "weight_decay wd",
    "eval_iters": "eval_iters eval_batches n_eval_batches",
    "val_loss_unit": "val_loss_unit loss_unit loss_units unit_of_loss metric_unit",
    "val_tokens": "val_tokens eval_tokens validation_tokens",
}

_WORD = re.compile(r"[\w.+\-]{1,40}")
MOST_LISTED = 8  # values of a setting that is a list

_MEASURED = re.compile(r"_(?:mean|avg|average|warnings|errors|util|util_pct)$|(?:^|_)time_(?:s|sec|secs|seconds|ms)$")
_MEANT = re.compile(r"(?:^|_)(?:max|min|limit|budget|target|init|initial|use|data|timeout|allowed)(?:_|$)")  # of settings


def clean(raw: str) -> str:
    """Lower case, words joined by underscores: 'tok/sec' -> tok_sec, 'Val Loss (nats)' -> val_loss_nats."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", raw.strip().strip("'\""))
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def _inverse(table: dict[str, str]) -> dict[str, str]:
    return {raw: canonical for canonical, raws in table.items() for raw in raws.split()}


_METRIC_OF = _inverse(METRICS)
_CONFIG_OF = _inverse(CONFIG)


@cache
def metric(raw: str) -> str:
    """The canonical name of a metric; an unknown one keeps its cleaned name, with its split as a path."""
    name = clean(raw)
    known = _METRIC_OF.get(name) or _METRIC_OF.get(name.removesuffix("_is"))  # perplexity is 643.02
    if known:
        return known
    for split, canonical in (
        ("val", "val"),
        ("valid", "val"),
        ("validation", "val"),
        ("eval", "val"),
        ("train", "train"),
        ("test", "test"),
    ):
        if name.startswith(split + "_") and len(name) > len(split) + 1:
            return f"{canonical}/{name[len(split) + 1 :]}"
    return name or "unnamed"


@cache
def known_metric(raw: str) -> str | None:
    """The canonical name, or None when nobody has called a metric that."""
    return _METRIC_OF.get(clean(raw))


@cache
def config_key(raw: str) -> str:
    """The canonical name of a configuration key; an unknown one keeps its cleaned name."""
    name = clean(raw)
    return _CONFIG_OF.get(name, name)


@cache
def known_config(raw: str) -> str | None:
    """The canonical configuration key, or None."""
    return _CONFIG_OF.get(clean(raw))


def other_config(raw: str, value: object) -> str | None:
    """The key of a setting that has no canonical name: numbers, single words and short lists, but no places and no names of runs.

    A `name` in a section, optimizer/name, is what the section is.
    """
    name = clean(raw.rpartition("/")[2])
    counted = isinstance(value, int | float) and not isinstance(value, bool) and (known_metric(name) or name in CLOCKS)
    if not name or not _told(value) or measured(name) or counted or PLACES.search(name) and name != "class_path":
        return None
    if incidental(".".join(map(clean, raw.split("/"))), value):
        return None
    return section_named(raw) or f"config.{name}"


def section_named(raw: str) -> str | None:
    """The key of what a name in a section is the name of, optimizer/name; None for any other path, and for the name of a run."""
    *_, section, end = ("", *map(clean, raw.split("/")))
    if end != "name" or not section or incidental(f"{section}.name"):
        return None
    return known_config(section) or f"config.{section}"


def _told(value: object) -> bool:
    """Whether a value is one that settings have."""
    if isinstance(value, list):
        return 0 < len(value) <= MOST_LISTED and all(not isinstance(v, list) and _told(v) for v in value)
    return isinstance(value, int | float) or isinstance(value, str) and _WORD.fullmatch(value) is not None


@cache
def measured(raw: str) -> bool:
    """Whether a name tells that its number was measured, not set: a mean, a count of warnings, a time taken, a use of hardware."""
    name = clean(raw)
    return bool(_MEASURED.search(name)) and not _MEANT.search(name) and name not in _CONFIG_OF


@cache
def clock_scale(raw: str) -> float | None:
    """Seconds per unit of a cumulative clock called this; None when it is no clock."""
    return CLOCKS.get(clean(raw))


@cache
def role(raw: str) -> str | None:
    """'step', 'total' or 'tokens' for a counter called this; else None."""
    name = clean(raw)
    return "step" if name in STEPS else "total" if name in TOTALS else "tokens" if name in TOKENS else None


def decimals(text: str) -> int | None:
    """Decimals as printed: 4 for '4.7748', 0 for '12', counted after the exponent ('1.20e-3' has 5); no more than 60."""
    mantissa, _, exponent = text.strip().lower().partition("e")
    if not any(c.isdigit() for c in mantissa) or exponent and not exponent.lstrip("+-").isdigit():
        return None
    shift = int(exponent) if exponent and len(exponent) < 9 else 0
    return min(60, max(0, len(mantissa.partition(".")[2]) - shift))
