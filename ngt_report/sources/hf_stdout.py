"""What Hugging Face's Trainer prints: `{'loss': 1.453, 'learning_rate': 4.7e-05, 'epoch': 0.19}` among progress bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from ngt_report import names
from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.sources._above import settings_above
from ngt_report.sources._curve import CurveReader
from ngt_report.sources._dicts import PRINTED, Printed, stretches, values_of
from ngt_report.sources._lines import lines_of, torn_line
from ngt_report.sources._scalars import is_result, number
from ngt_report.sources._shape import Shape
from ngt_report.text.late import late
from ngt_report.text.loglines import kind_of, plain, record
from ngt_report.waist import Reading

LONGEST = 1 << 14  # bytes of a dict that sniffing looks at
SIGN = late(rb"\{'(?:[\w/]*loss|train_runtime|eval_runtime)':")


class Said(Struct):
    """A line that says something else: a crash, a resume."""

    line: int
    kind: str
    text: str


def sniff(file: InputFile) -> str | None:
    """A printed dict with a loss and an epoch; it may come long after the head."""
    if file.encoding == "binary":
        return None
    for block, line in file.blocks():
        for found in SIGN.finditer(block) if b"{" in block else ():
            text = block[found.start() : found.start() + LONGEST].decode("utf-8", "replace")
            printed = PRINTED.match(text.replace("\r\n", "").replace("\n", ""))
            values = values_of(printed[0]) if printed else {}
            if "epoch" in values and any("loss" in key for key in values):
                return f"line {line + block.count(bytes([10]), 0, found.start())} prints a dict with a loss and an epoch"
    return None


def read(file: InputFile) -> Reading:
    """One run; a fall of the step, or of the epoch, to its start begins another."""
    reading = Reading()
    found, lost = _found(file, reading)
    curve = CurveReader(reading, _shape([f for f in found if isinstance(f, Printed)]), settings=False)
    closing: list[tuple[int, Printed]] = []
    said: list[tuple[int, Said]] = []
    used, unplaced = set[int](), set[int]()
    for item in found:
        if isinstance(item, Said):
            if reading.trials:
                said.append((reading.trials[-1].index, item))
                used.add(item.line)
        elif "train_runtime" in item.values and reading.trials:
            closing.append((reading.trials[-1].index, item))
            used.update(range(item.line, item.last + 1))
        elif curve.add(_record(item.values), item.line):
            used.update(range(item.line, item.last + 1))
        elif is_result(item.values):
            unplaced.add(item.line)
    curve.finish()
    lost |= dict.fromkeys(unplaced & used, "a printed dict with a loss has neither step nor epoch")
    _account(reading, found, used, lost)
    settings_above(file, reading)
    for trial, last in closing:
        _close(reading, trial, last.line, last.values)
    for trial, other in said:
        record(reading, trial, other.kind, other.text, other.line, None)
    return reading


def _found(file: InputFile, reading: Reading) -> tuple[list[Printed | Said], dict[int, str]]:
    """What the lines hold, in their order, and the lines of dicts that are never closed; lines that hold nothing are ignored."""
    found: list[Printed | Said] = []
    lost: dict[int, str] = {}
    for stretch in stretches(_lines(file, reading)):
        found += stretch.dicts
        lost |= {stretch.cut: "a printed dict is not closed"} if stretch.cut else {}
        held = {n for d in stretch.dicts for n in range(d.line, d.last + 1)} | {stretch.cut}
        for line, text in stretch.lines:
            if line in held:
                continue
            if kind := kind_of(plain(text).encode()):
                found.append(Said(line, kind, plain(text)))
            else:
                reading.ignore("no metrics" if text.strip() else "blank")
    return found, lost


def _account(reading: Reading, found: Sequence[Printed | Said], used: set[int], lost: dict[int, str]) -> None:
    """Count the lines that hold something: bad where a loss is lost, used where something of them is."""
    held = {n for f in found for n in range(f.line, (f.last if isinstance(f, Printed) else f.line) + 1)}
    reading.bad.extend(sorted(lost.items()))
    reading.lines_used += len(used.difference(lost))
    reading.ignore("no metrics", len(held.difference(used, lost)))


def _lines(file: InputFile, reading: Reading) -> Iterator[tuple[int, str]]:
    """Whole lines; the torn last one waits."""
    torn, held = torn_line(file), None
    for line, text in lines_of(file, reading):
        if held is not None:
            yield held
        held = line, text
    if held is not None and torn and held[0] == reading.lines_read:
        reading.pending += 1
    elif held is not None:
        yield held


def _shape(dicts: Sequence[Printed]) -> Shape:
    """Points stand at their step where every dict tells it or stands where another told it, else at their epoch."""
    dicts = [d for d in dicts if "epoch" in d.values and "train_runtime" not in d.values]
    keys = {k for d in dicts for k in d.values if names.role(k) == "step"}
    key = min(keys, key=lambda k: ("global" not in k, k), default="epoch")
    if key != "epoch" and None not in (steps := _steps(dicts, key)):
        for printed, step in zip(dicts, steps, strict=True):
            printed.values[key] = step or "0"
        return Shape("curve", f"{key!r} advances", key)
    return Shape("curve", "'epoch' advances", "epoch")


def _steps(dicts: Sequence[Printed], key: str) -> list[str | None]:
    """The step of each dict; one without a step has that of the dict before it at the same epoch, if that epoch is of one step only."""
    steps: list[str | None] = []
    told: list[tuple[str, str]] = []  # epoch and step
    for printed in dicts:
        epoch, step = printed.values["epoch"], printed.values.get(key)
        if step is not None:
            told.append((epoch, step))
        elif number(epoch) == 0:
            step = "0"
        elif told and told[-1][0] == epoch and all(a[1] == told[-1][1] for a in told[-2:] if a[0] == epoch):
            step = told[-1][1]
        steps.append(step)
    return steps


def _record(values: dict[str, str]) -> dict[str, str]:
    """A printed dict as columns: a bare `loss` is the training loss."""
    return {key: text for key, text in values.items() if not key.endswith("_runtime")}


def _close(reading: Reading, trial: int, line: int, values: dict[str, str]) -> None:
    """The last dict sums the run up."""
    reading.fact("train_time_s", float(values["train_runtime"].replace(",", "")), trial, line)
    if "train_loss" in values:
        reading.fact("summary.train_loss", float(values["train_loss"].replace(",", "")), trial, line)


FORMAT = Format(
    name="hf_stdout",
    title="Hugging Face Trainer, as printed",
    example="{'loss': 1.453, 'grad_norm': 2.4744, 'learning_rate': 4.68e-05, 'epoch': 0.1}\n"
    "{'eval_loss': 1.302, 'eval_runtime': 10.2, 'epoch': 0.1}\n{'train_runtime': 100.5, 'train_loss': 1.333, 'epoch': 0.1}",
    clock="train_runtime at the end is the train time, evaluations included; without a step, points are ordered by epoch",
    sniff=sniff,
    read=read,
    rank=44,
    version=4,
)
