"""MMEngine's lines: `Epoch(train)  [2][ 50/100]  loss: 3.2`, `Epoch(val) [2][10/10]  loss: 3.3`, `Iter(train) [  50/1000] ...`."""

from __future__ import annotations

import re

from msgspec import Struct

from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.sources._rewritten import STAMP, Rewritten, rewritten, shows
from ngt_report.text.firstdata import first_data_line
from ngt_report.text.late import late
from ngt_report.text.reader import read_text
from ngt_report.text.tokens import Dialect
from ngt_report.waist import Reading

DIALECT = Dialect(keys={"time": "@drop", "data_time": "@drop", "eta": "@drop", "memory": "@drop"})  # time: a mean over some iterations
SIGN = late(rb"(?:Epoch\(train\)[ \t]*\[[ \t]*[0-9]{1,9}\]|Iter\(train\))[ \t]*\[[ \t]*[0-9]{1,9}[ \t]*/[ \t]*[0-9]{1,9}\][ \t]")
LINE = late(
    rb"(?m)^" + STAMP + rb"(?:Epoch\((?P<of_epoch>train|val)\)[ \t]*\[[ \t]*(?P<epoch>[0-9]{1,9})\]|Iter\((?P<of_all>train|val)\))"
    rb"[ \t]*\[[ \t]*(?P<at>[0-9]{1,9})[ \t]*/[ \t]*(?P<total>[0-9]{1,9})\][ \t]++"
)  # fmt: skip


class Steps(Struct):
    """Counts on over the epochs: an epoch has as many iterations as its lines of training say."""

    length: int | None = None  # of the latest epoch

    def rewrite(self, block: bytes) -> bytes:
        """The block with plain steps; lines of a validation that is not over stay as they are."""
        return LINE.sub(self._line, block) if b"(train)" in block or b"(val)" in block else block

    def _line(self, found: re.Match[bytes]) -> bytes:
        at, total = int(found["at"]), int(found["total"])
        if found["of_all"] == b"train":
            return b"step %d/%d " % (at, total)
        if found["of_epoch"] == b"train":
            self.length = total
            return b"step %d " % ((int(found["epoch"]) - 1) * total + at)
        if at != total:
            return found[0]
        if found["of_all"]:
            return b"val: "
        return found[0] if self.length is None else b"val step %d " % (int(found["epoch"]) * self.length)


def _plain(file: InputFile) -> Rewritten:
    return rewritten(file, lambda: Steps().rewrite)


def sniff(file: InputFile) -> str | None:
    """Lines of training that say so in brackets, with values."""
    found = first_data_line(_plain(file), DIALECT) if shows(file, b"(train)", SIGN) else None
    return f"line {found[0]} on: `Epoch(train) [epoch][at/of]` or `Iter(train) [at/of]`" if found else None


def read(file: InputFile) -> Reading:
    """As any text log, with steps over the run."""
    reading = read_text(_plain(file), DIALECT)
    reading.state = None  # how long an epoch is, its lines of training say
    return reading


FORMAT = Format(
    name="mmengine",
    title="MMEngine text log",
    example="Epoch(train)  [1][ 50/100]  lr: 1.0000e-04  eta: 0:01:00  time: 0.1012  data_time: 0.0101  memory: 1203  loss: 4.1012\n"
    "Epoch(train)  [1][100/100]  lr: 1.0000e-04  eta: 0:00:50  time: 0.1012  data_time: 0.0101  memory: 1203  loss: 3.9012\n"
    "Epoch(val)  [1][10/10]    loss: 4.0012  data_time: 0.0101  time: 0.0512",
    clock="none; the time on a line is a mean over some iterations",
    sniff=sniff,
    read=read,
    rank=65,
)
