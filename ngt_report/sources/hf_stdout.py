"""What Hugging Face's Trainer prints: `{'loss': 1.453, 'learning_rate': 4.7e-05, 'epoch': 0.19}` among progress bars."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ngt_report.files import InputFile
from ngt_report.late import late
from ngt_report.loglines import kind_of, plain, record
from ngt_report.sources import Format
from ngt_report.sources._curve import CurveReader
from ngt_report.sources._lines import lines_of, torn_line
from ngt_report.sources._shape import Shape
from ngt_report.textlog import NUMBER
from ngt_report.waist import Reading

PAIR = late(rf"'(?P<key>[A-Za-z_][\w/.@\- ]*)': '?(?P<number>{NUMBER})'?(?=[,}}])")
PRINTED = late(r"\{'[A-Za-z_][^{}]*\}")
SHAPE = Shape("curve", "'epoch' advances", "epoch")
SIGN = late(rb"\{'(?:[\w/]*loss|train_runtime|eval_runtime)':")


def sniff(file: InputFile) -> str | None:
    """A printed dict with a loss and an epoch; it may come long after the head."""
    if file.encoding == "binary":
        return None
    for block, line in file.blocks():
        for found in SIGN.finditer(block) if b"{" in block else ():
            end = block.find(b"\n", found.start())
            values = values_of(block[found.start() : len(block) if end < 0 else end].decode("utf-8", "replace"))
            if "epoch" in values and any("loss" in key for key in values):
                return f"line {line + block.count(bytes([10]), 0, found.start())} prints a dict with a loss and an epoch"
    return None


def values_of(text: str) -> dict[str, str]:
    """The numbers of the last dict that a line prints, as printed."""
    printed = PRINTED.findall(text) if len(text) < 1 << 16 else []
    return {m["key"]: m["number"] for m in PAIR.finditer(printed[-1])} if printed else {}


def read(file: InputFile) -> Reading:
    """One run; a fall of the epoch to its start begins another."""
    reading = Reading()
    curve = CurveReader(reading, SHAPE)
    closing: list[tuple[int, int, dict[str, str]]] = []
    said: list[tuple[int, int, str, str]] = []
    for line, text in _lines(file, reading):
        values = values_of(text)
        if "train_runtime" in values and reading.trials:
            closing.append((reading.trials[-1].index, line, values))
        elif values and curve.add(_record(values), line):
            pass
        elif reading.trials and (kind := kind_of(plain(text).encode())):
            said.append((reading.trials[-1].index, line, kind, plain(text)))
        else:
            reading.ignore("no metrics" if text.strip() else "blank")
            continue
        reading.lines_used += 1
    curve.finish()
    for trial, line, values in closing:
        _close(reading, trial, line, values)
    for trial, line, kind, text in said:
        record(reading, trial, kind, text, line, None)
    return reading


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


def _record(values: dict[str, str]) -> dict[str, Any]:
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
    clock="train_runtime at the end is the train time, evaluations included; no step is printed, so points are ordered by epoch",
    sniff=sniff,
    read=read,
    rank=44,
)
