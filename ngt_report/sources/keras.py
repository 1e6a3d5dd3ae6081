"""What Keras prints: `Epoch 1/3`, then a bar that ends as `100/100 [===] - 12s 120ms/step - loss: 4.1 - val_loss: 3.9`."""

from __future__ import annotations

from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.sources._above import settings_above
from ngt_report.sources._curve import CurveReader
from ngt_report.sources._drawn import drawings
from ngt_report.sources._shape import Shape
from ngt_report.text.late import late
from ngt_report.text.tokens import NUMBER
from ngt_report.waist import Reading

EPOCH = late(r"[ \t]*Epoch (?P<epoch>[0-9]{1,9})(?:/(?P<total>[0-9]{1,9}))?[ \t]*")
BAR = late(r"[ \t]*(?P<at>[0-9]{1,9})/(?P<of>[0-9]{1,9})[ \t]+(?=[^\n]*\bloss: )[^\n]*")
VALUE = late(rf" - (?P<key>[A-Za-z_]\w{{0,60}}): (?P<number>{NUMBER})(?=\s|$)")
SIGN = late(rb"(?:\A|\n)[ \t]*Epoch [0-9]+(?:/[0-9]+)?[ \t\r]*\n[^\n]{0,20000}?[0-9]+/[0-9]+[^\n]{0,400}? - loss: [0-9]")
SHAPE = Shape("curve", "'epoch' advances", "epoch")


def sniff(file: InputFile) -> str | None:
    """A line with an epoch of several and nothing else, above a bar with a loss."""
    if file.encoding == "binary":
        return None
    found = SIGN.search(file.head) if b"Epoch " in file.head else None
    return f"line {file.head.count(bytes([10]), 0, found.start() + 1) + 1} is an epoch, with a bar and its loss below" if found else None


def read(file: InputFile) -> Reading:
    """A run; the last drawing of an epoch's bar counts, when it is full."""
    reading = Reading()
    curve = CurveReader(reading, SHAPE)
    epoch, total, last = None, None, None
    for line, drawn in drawings(file, reading):
        used = False
        for text in drawn:
            if head := EPOCH.fullmatch(text):
                _put(curve, epoch, last)
                epoch, total, last, used = head["epoch"], head["total"], None, True
            elif epoch is not None and (bar := BAR.fullmatch(text)):
                used = True
                if bar["at"] == bar["of"]:
                    last = line, {m["key"]: m["number"] for m in VALUE.finditer(text)}
        if used:
            reading.lines_used += 1
        else:
            reading.ignore("no metrics" if drawn else "blank")
    _put(curve, epoch, last)
    curve.finish()
    settings_above(file, reading)
    if total and reading.trials:
        reading.fact("total_steps", int(total), reading.trials[-1].index)
    return reading


def _put(curve: CurveReader, epoch: str | None, last: tuple[int, dict[str, str]] | None) -> None:
    """An epoch's values."""
    if epoch is not None and last is not None:
        curve.add({"epoch": epoch, **last[1]}, last[0])


FORMAT = Format(
    name="keras",
    title="Keras, as printed",
    example="Epoch 1/3\n100/100 [==============================] - 12s 120ms/step - loss: 4.1012 - val_loss: 3.9012",
    clock="none; epochs count as steps",
    sniff=sniff,
    read=read,
    rank=43,
    version=2,
)
