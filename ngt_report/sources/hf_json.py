"""Hugging Face style documents: metrics.json with sections, all_results.json, eval_results.json, trainer_state.json."""

from __future__ import annotations

from typing import Any

from ngt_report import names
from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.sources._curve import CurveReader
from ngt_report.sources._document import Document, head_keys, load, pointer
from ngt_report.sources._scalars import STRONG, flatten, load_json, metrics_of, number, plain, printed, run_stem, whole
from ngt_report.sources._shape import Shape
from ngt_report.waist import Block, Column, Reading, Trial

SECTIONS = {
    "eval": "val", "val": "val", "valid": "val", "validation": "val", "evaluation": "val", "test": "test", "predict": "test",
    "train": "train", "training": "train",
}  # fmt: skip
ARGS = ("args", "config", "training_args", "hparams", "hyperparameters")
PREFIXES = ("eval_", "train_", "test_", "predict_")
STATE_FACTS = {
    "max_steps": "total_steps",
    "global_step": "checkpoint.step",
    "best_metric": "value.best_metric",
    "best_model_checkpoint": "checkpoint.path",
    "num_train_epochs": "config.num_train_epochs",
    "train_batch_size": "device_batch_size",
}
NOT_METRICS = frozenset("total_flos num_input_tokens_seen step global_step".split())


def sniff(file: InputFile) -> str | None:
    """One JSON object with a log_history, with sections of metrics, or with eval_loss beside eval_runtime."""
    keys = head_keys(file)
    top = {k[1:] for k in keys if k.count("/") == 1}
    if not top or top & {"_wandb", "_timestamp"}:
        return None
    if "log_history" in top:
        return "a JSON object with a log_history"
    sections = [s for s in SECTIONS if s in top and _strong([k.split("/")[2] for k in keys if k.startswith(f"/{s}/")], SECTIONS[s])]
    if sections and _has_points(file):
        return f"a JSON object with metrics in the sections {', '.join(sections)}"
    timed = any(k.endswith(("_runtime", "_samples_per_second")) and k.startswith(PREFIXES) for k in top)
    flat = [k for k in top if k.startswith(PREFIXES)]
    if _strong(flat, None) and (timed or top & {"epoch", "total_flos", "perplexity"}) and not any(names.role(k) == "total" for k in top):
        return "a JSON object with eval_ or train_ metrics, as Hugging Face's Trainer writes"
    return None


def _has_points(file: InputFile) -> bool:
    """Whether the sections hold numbers; a configuration may have {"train": {"loss": "mse"}}. Not asked of long files."""
    if len(file.raw_head) < file.size:
        return True
    reading = Reading()
    try:
        _sections(Document(load_json(file.text_head), {}, 0), reading)
    except ValueError:
        return True  # read() says what is wrong
    return any(b.columns.keys() & STRONG for b in reading.blocks)


def _strong(keys: list[str], split: str | None) -> bool:
    """Whether a result is among these keys."""
    return bool(set(metrics_of(tuple(keys), split).values()) & STRONG)


def read(file: InputFile) -> Reading:
    """One trial."""
    reading = Reading()
    document = load(file, reading)
    if document is None:
        return reading
    if isinstance(document.value.get("log_history"), list):
        return _trainer_state(document, reading)
    args: dict[str, Any] = next((document.value[a] for a in ARGS if isinstance(document.value.get(a), dict)), {})
    output = args.get("output_dir")
    name = run_stem(output) or None if isinstance(output, str) else None
    reading.trials.append(Trial(0, "row", name, 1, name is not None))
    _sections(document, reading)
    _arguments(document, reading)
    reading.lines_used = document.total
    if not reading.blocks:
        reading.status = "no metrics"
    return reading


def _sections(document: Document, reading: Reading) -> None:
    """Points of all sections, one block a value so that each keeps its own pointer and line."""
    value = document.value
    step = next((s for k in ("global_step", "step") if (s := whole(value.get(k))) is not None), None)
    seconds = _runtime(value)
    if seconds is not None:
        reading.fact("clock.scope", "training", 0, *_train_runtime_at(document))
    top = {k: v for k, v in value.items() if not isinstance(v, dict | list)}
    _points(document, reading, top, [], None, step, seconds)
    for key, section in value.items():
        if isinstance(section, dict) and key not in ARGS:
            _points(document, reading, section, [key], SECTIONS.get(key.lower()), step, seconds)


def _runtime(value: dict[str, Any]) -> float | None:
    """Seconds of training, where the document says."""
    places = [value, *(value[s] for s in ("train", "training") if isinstance(value.get(s), dict))]
    return next((s for p in places if (s := number(p.get("train_runtime"))) is not None), None)


def _train_runtime_at(document: Document) -> tuple[int | None, str]:
    """Line and pointer of train_runtime."""
    places = ("/train_runtime", "/training/train_runtime", "/train/train_runtime")
    found = next((p for p in places if p in document.lines), places[-1])
    return document.lines.get(found), found


def _points(
    document: Document,
    reading: Reading,
    section: dict[str, Any],
    path: list[str | int],
    split: str | None,
    step: int | None,
    seconds: float | None,
) -> None:
    """A block for each number of a section; a section that is no data split names its metrics by path."""
    found = metrics_of(tuple(section), split) if split or not path else {}
    names_ = _final(found, tuple(section))
    for key, value in flatten(section).items() if path and not split else section.items():
        figure = number(value)
        if figure is None or key in NOT_METRICS or key == "train_runtime" or not path and key not in found and not key.startswith(PREFIXES):
            continue
        name = names_.get(key) or _path_name(key, path, split)
        if name == "epoch" and any("epoch" in b.columns for b in reading.blocks):
            continue  # each section repeats it
        at = pointer([*path, *key.split("/")])
        line = document.lines.get(at)
        columns = {name: Column([figure], printed(value))}
        reading.blocks.append(Block(0, 0, [step], columns, None if line is None else [line], [at], None if seconds is None else [seconds]))


def _final(found: dict[str, str], keys: tuple[str, ...]) -> dict[str, str]:
    """Names for closing figures: train_loss is the mean of the training, a bare perplexity beside eval_loss is its own."""
    renamed = {"train/loss": "final/train_loss"}
    if "eval_loss" in keys or "eval_perplexity" in keys:
        renamed |= {"train/perplexity": "val/perplexity"}
    return {raw: renamed.get(name, name) for raw, name in found.items()}


def _path_name(key: str, path: list[str | int], split: str | None) -> str:
    """A metric nobody knows, named by where it stands."""
    if key == "epoch":
        return "epoch"
    if split:
        base = names.clean(key)
        return f"{split}/" + next((base.removeprefix(p) for p in PREFIXES if base.startswith(p)), base)
    return "/".join(names.clean(str(p)) for p in [*path, *key.split("/")]) if path else names.metric(key)


def _arguments(document: Document, reading: Reading) -> None:
    """Configuration facts; a canonical key is given once."""
    taken: set[str] = set()
    for raw, value in document.value.items():
        if names.known_config(raw) and not isinstance(value, dict | list):
            taken.add(names.config_key(raw))
            reading.fact(names.config_key(raw), plain(value), 0, document.lines.get(pointer([raw])), pointer([raw]))
    for group in ARGS:
        section = document.value.get(group)
        for raw, value in flatten(section).items() if isinstance(section, dict) else ():
            at = pointer([group, *raw.split("/")])
            if names.role(raw) == "total":
                if (whole(value) or 0) > 0:
                    reading.fact("total_steps", whole(value), 0, document.lines.get(at), at)
                continue
            key = names.known_config(raw) or "config." + names.clean(raw)
            key = "config." + names.clean(raw) if key in taken else key
            taken.add(key)
            reading.fact(key, plain(value), 0, document.lines.get(at), at)


def _trainer_state(document: Document, reading: Reading) -> Reading:
    """A curve from log_history; its closing summary has no step of its own and is left out."""
    state = document.value
    shape = Shape("curve", "log_history", "step", ("run",), True)
    curves = CurveReader(reading, shape, typed=True)
    best = state.get("best_model_checkpoint")
    run = run_stem(best) if isinstance(best, str) else ""
    history: list[Any] = state["log_history"]
    left_out = 0
    for i, entry in enumerate(history):
        at = f"/log_history/{i}"
        line = document.lines.get(at, 1)
        summary = isinstance(entry, dict) and "train_runtime" in entry
        record = {k: v for k, v in entry.items() if v is not None and k != "total_flos"} if isinstance(entry, dict) and not summary else {}
        if not curves.add({**record, "run": run}, line, at):
            last = max((document.lines.get(f"{at}/{k}", line) for k in entry) if isinstance(entry, dict) and entry else (line,))
            lines = last - line + 2 if last > line else 0  # with its closing bracket
            reading.ignore("closing summary" if summary else "no values", lines)
            left_out += lines
    curves.finish()
    reading.lines_used = document.total - left_out
    if reading.trials:
        _state_facts(document, reading)
    return reading


def _state_facts(document: Document, reading: Reading) -> None:
    """What trainer_state.json says beside its history."""
    for raw, key in STATE_FACTS.items():
        value = document.value.get(raw)
        if value is not None and not (raw == "max_steps" and (whole(value) or 0) <= 0):
            reading.fact(key, plain(value), 0, document.lines.get("/" + raw), "/" + raw)


FORMAT = Format(
    name="hf_json",
    title="Hugging Face JSON (metrics.json, all_results.json, trainer_state.json)",
    example='{"args": {"seed": 1, "output_dir": "runs/a"}, "eval": {"eval_loss": 3.61}, "train": {"train_runtime": 122.1}}',
    clock="train_runtime, the time of the whole training, of the last session only after a resume; trainer_state.json has no clock",
    sniff=sniff,
    read=read,
    rank=20,
    precedence=2,
    version=3,
)
