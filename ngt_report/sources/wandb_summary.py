"""W&B's wandb-summary.json: the last value that a run logged of each metric, one run a file, named after the run's folder."""

from __future__ import annotations

from typing import Any

from ngt_report import names
from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.sources._document import Document, head_keys, load, pointer
from ngt_report.sources._scalars import metrics_of, number, plain, printed, whole
from ngt_report.waist import Block, Column, Reading, Trial

OWN = frozenset(("_wandb", "_timestamp", "_runtime", "_step"))  # what W&B adds
SPLITS = ("train/", "val/", "test/")


def sniff(file: InputFile) -> str | None:
    """One JSON object in which W&B's own keys stand beside a metric."""
    top = {k[1:].replace("~1", "/") for k in head_keys(file) if k.count("/") == 1}
    own = top & OWN
    if len(own) < 2 or not own & {"_wandb", "_timestamp"}:
        return None
    found = sorted(raw for raw in top - OWN if _name(raw, metrics_of(tuple(top))))
    return f"W&B's {min(own)} beside {found[0]}" if found else None


def read(file: InputFile) -> Reading:
    """One row: closing values, and a best only where the file says so."""
    reading = Reading()
    document = load(file, reading)
    if document is None:
        return reading
    reading.trials.append(Trial(0, "row", None, 1))
    step, seconds = _step(document.value), number(document.value.get("_runtime"))
    found = metrics_of(tuple(document.value))
    for raw, value in document.value.items():
        if name := _name(raw, found):
            _value(document, reading, raw, name, value, step)
    if seconds is not None:
        reading.fact("train_time_s", seconds, 0, document.lines.get("/_runtime"), "/_runtime")
        reading.fact("clock.scope", "wall time", 0, document.lines.get("/_runtime"), "/_runtime")
    if (stamp := number(document.value.get("_timestamp"))) is not None:
        reading.fact("clock.written", plain(stamp), 0, document.lines.get("/_timestamp"), "/_timestamp")
    reading.lines_used = document.total
    return reading


def _name(raw: str, found: dict[str, str]) -> str | None:
    """The name of a metric: a known one, or one that names its split."""
    name = found.get(raw) or names.metric(raw)
    name = "final/loss" if name == "val/loss" else name
    known = raw in found or name.startswith(SPLITS)
    return name if known and raw not in OWN and names.role(raw.rpartition("/")[2]) is None else None


def _step(value: dict[str, Any]) -> int | None:
    """The training step that the run itself logged, else W&B's own count; none where several differ."""
    said = {s for raw, v in value.items() if raw not in OWN and _counts_steps(raw) and (s := whole(v)) is not None}
    return whole(value.get("_step")) if not said else said.pop() if len(said) == 1 else None


def _counts_steps(raw: str) -> bool:
    last = names.clean(raw.rpartition("/")[2])
    return names.role(last) == "step" or last in ("update_step", "train_step", "optimizer_step", "opt_step")


def _value(document: Document, reading: Reading, raw: str, name: str, value: Any, step: int | None) -> None:
    """The last value; of a metric that is summarised, its minimum is a stated best."""
    at = pointer([raw])
    pairs = [(name, value, at, step)] if not isinstance(value, dict) else [(name, value.get("last"), at + "/last", step)]
    if isinstance(value, dict) and name == "final/loss":
        pairs.append(("best/loss", value.get("min"), at + "/min", None))
    for metric, said, where, when in pairs:
        figure = number(said)
        if figure is not None and not isinstance(said, bool):
            line = document.lines.get(where)
            columns = {metric: Column([figure], printed(said))}
            reading.blocks.append(Block(0, 0, [when], columns, None if line is None else [line], [where]))


FORMAT = Format(
    name="wandb_summary",
    title="W&B summary (wandb-summary.json)",
    example='{"val/loss": 3.41, "train/loss": 3.37, "_step": 900, "_runtime": 61.5, "_timestamp": 1700000000.5, "_wandb": {"runtime": 61}}',
    clock="_runtime, the time of the whole run",
    sniff=sniff,
    read=read,
    rank=19,
    precedence=2,
)
