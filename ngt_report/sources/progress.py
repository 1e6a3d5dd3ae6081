"""Progress bars that show a loss (tqdm, Lightning): `Epoch 0: 50%|##| 50/100 [00:10<00:10, 5.0it/s, loss=5.1, val_loss=5.2]`."""

from __future__ import annotations

import re
from typing import Any

from ngt_report.files import InputFile
from ngt_report.late import late
from ngt_report.sources import Format
from ngt_report.sources._curve import CurveReader
from ngt_report.sources._drawn import drawings
from ngt_report.sources._scalars import STRONG, duration, metrics_of
from ngt_report.sources._shape import Shape
from ngt_report.textlog import NUMBER
from ngt_report.waist import Reading

BAR = late(
    r"[0-9]{1,3}%\|[^|\n]{0,200}\|[ \t]*(?P<at>[0-9]{1,12})/(?P<of>[0-9]{1,12})[ \t]*"
    r"\[(?P<time>[0-9:]{4,12})<[^,\]\n]{1,20},[^,\]\n]{1,30},[ \t]*(?P<shown>[^\]\n]{1,400})\]"
)
VALUE = late(rf"(?:^|, ?)(?P<key>[A-Za-z_][\w/. ]{{0,60}}?)=(?P<number>{NUMBER})(?=,|$)")
EPOCH = late(r"\bep(?:och)?[ :#]*(?P<epoch>[0-9]{1,9})\b(?:/[0-9]+)?", re.IGNORECASE)
SIGN = re.compile(rb"%\|[^|\n]{0,800}\|[ \t]*[0-9]+/[0-9]+[ \t]*\[[0-9:]+<[^\]\n]{0,200}loss=")
SHAPE = Shape("curve", "the bars advance", "step")
REPEATED = ("val/", "test/", "eval_loss")  # shown until the next evaluation: only a change is one


def sniff(file: InputFile) -> str | None:
    """Bars that show a loss; asked after all formats that print one."""
    found = SIGN.search(file.head) if file.encoding != "binary" else None
    return f"line {file.head.count(bytes([10]), 0, found.start()) + 1} is a progress bar that shows a loss" if found else None


def read(file: InputFile) -> Reading:
    """One run a climb of the bar; bars that say their epoch are counted on over the epochs."""
    reading = Reading()
    curve = CurveReader(reading, SHAPE)
    bars = Bars()
    for line, drawn in drawings(file, reading):
        added = [curve.add(record, line) for text in drawn if (record := bars.record(text))]
        if any(added):
            reading.lines_used += 1
        else:
            reading.ignore("no metrics" if drawn else "blank")
    curve.finish()
    if reading.trials:
        text = "The losses are those that a progress bar showed, which may be averages; one that it shows again is no new evaluation."
        reading.note("info", "from_a_bar", text, None, reading.trials[0].line)
    return reading


class Bars:
    """What the bars of a file have shown."""

    def __init__(self) -> None:
        self.first: int | None = None  # epoch
        self.shown: dict[str, str] = {}

    def record(self, text: str) -> dict[str, Any] | None:
        """A drawing as a record with its step; None when it shows nothing new."""
        bar = BAR.search(text) if "%|" in text else None
        values = {m["key"].strip(): m["number"] for m in VALUE.finditer(bar["shown"])} if bar else {}
        found = {raw: name for raw, name in metrics_of(tuple(values)).items() if name in STRONG}
        if bar is None or not found:
            return None
        epoch = EPOCH.search(text, max(0, bar.start() - 80), bar.start())
        step = int(bar["at"])
        if epoch:
            self.first = min(int(epoch["epoch"]), 1) if self.first is None else self.first
            step += (int(epoch["epoch"]) - self.first) * int(bar["of"])
        if step == 0:
            return None
        record: dict[str, Any] = {"step": step}
        for raw, name in found.items():
            if name.startswith(REPEATED) and self.shown.get(name) == values[raw]:
                continue
            self.shown[name] = values[raw]
            record[raw] = values[raw]
        if len(record) == 1:
            return None
        if not epoch and (seconds := duration(bar["time"])) is not None:
            record["elapsed_s"] = seconds  # of the bar; with epochs it starts again each time
        return record


FORMAT = Format(
    name="progress",
    title="progress bars that show a loss",
    example="Epoch 0: 100%|##########| 100/100 [00:25<00:00, 4.0it/s, v_num=0, train_loss=4.101, val_loss=4.201]",
    clock="the bar's own elapsed time, evaluations included; with epochs none",
    sniff=sniff,
    read=read,
    rank=64,
)
