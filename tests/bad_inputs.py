"""Odd inputs by name: each writes something below a folder and returns the path to build, and what must come out."""

from __future__ import annotations

import gzip
import json
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LOG = "".join(
    f"step {s}/1500 train_loss={t} val_loss={v} elapsed={e}s\n"
    for s, t, v, e in ((500, 6.1, 6.2517, 617.4), (1000, 5.1, 5.2517, 1217.4), (1500, 4.1, 5.3517, 1817.4))
)
BEST, LAST = (5.2517, 1000), (5.3517, 1500)
Make = Callable[[Path], Path]


def numbered(number: int) -> tuple[str, dict[str, Any]]:
    """The log with losses of its own, so that several beside each other are several runs; and what must come out."""
    code = f"{number:04d}"
    best, last = (float(f"5.{code}1"), 1000), (float(f"5.{code}2"), 1500)
    text = LOG.replace("6.2517", f"6.{code}3").replace("5.2517", str(best[0])).replace("5.3517", str(last[0]))
    return text, {"runs": 1, "best": best, "last": last}


@dataclass(frozen=True)
class Odd:
    """One odd input. `says`: words of the one sentence that refuses it, or of a finding; `runs`: how many; best and last of the first."""

    make: Make
    runs: int | None = None
    best: tuple[float, int | None] | None = None
    last: tuple[float, int | None] | None = None
    finding: str | None = None  # a kind
    refused: str | None = None  # words of the error
    family: str = ""  # those of one are built together, each in a folder of its own


ODD: dict[str, Odd] = {}


def odd(name: str, make: Make, **wanted: Any) -> None:
    assert name not in ODD, name
    ODD[name] = Odd(make, **wanted)


def file(data: bytes | str, name: str = "a.log") -> Make:
    """Writes one file and builds it."""

    def make(top: Path) -> Path:
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data)
        return path

    return make


def folder(**files: bytes | str) -> Make:
    """Writes files (in keywords: _ for .) and builds the folder."""

    def make(top: Path) -> Path:
        for name, data in files.items():
            file(data, "in/" + name.replace("_", "."))(top)
        return top / "in"

    return make


def beside(make_odd: Callable[[Path], object]) -> Make:
    """A folder with a healthy log and something odd beside it."""

    def make(top: Path) -> Path:
        file(LOG, "in/good.log")(top)
        make_odd(top / "in")
        return top / "in"

    return make


GOOD = {"runs": 1, "best": BEST, "last": LAST}


# -- what a path is ---------------------------------------------------------------------------------------------------
def _socket(top: Path) -> None:
    here = os.getcwd()
    os.chdir(top)  # a socket's path is short
    try:
        with socket.socket(socket.AF_UNIX) as s:
            s.bind("s.log")
    finally:
        os.chdir(here)


def _fifo(top: Path) -> Path:
    os.mkfifo(top / "a.log")
    return top / "a.log"


def _out_of_tree(top: Path) -> None:
    (top.parent / "secret.log").write_text(LOG)
    (top / "b.log").symlink_to(top.parent / "secret.log")


def _linked_folder_out(top: Path) -> None:
    file(LOG, "elsewhere/secret.log")(top.parent)
    (top / "more").symlink_to(top.parent / "elsewhere", target_is_directory=True)


def _inside(top: Path) -> None:
    (top / "good2.log").symlink_to("good.log")


def _missing(top: Path) -> Path:
    return top / "nothing"


def _empty_folder(top: Path) -> Path:
    (top / "in").mkdir()
    return top / "in"


def _deep(top: Path) -> Path:
    return file(LOG, "in/" + "d/" * 60 + "a.log")(top) and top / "in"


if hasattr(os, "mkfifo"):
    odd("a FIFO", _fifo, refused="neither a regular file nor a folder")
    odd("a FIFO in a folder", beside(lambda t: os.mkfifo(t / "f.log")), finding="not_a_file", **GOOD)
    odd("a socket in a folder", beside(_socket), finding="not_a_file", **GOOD)
    odd("a device", lambda _: Path("/dev/null"), refused="neither a regular file nor a folder")
    odd("an endless device", lambda _: Path("/dev/zero"), refused="neither a regular file nor a folder")
    odd("a link to a device", beside(lambda t: (t / "z.log").symlink_to("/dev/zero")), finding="link", **GOOD)
    odd("a link loop", beside(lambda t: (t / "l.log").symlink_to("l.log")), finding="unreadable", **GOOD)
    odd("a loop of folders", beside(lambda t: (t / "loop").symlink_to(t, target_is_directory=True)), finding="link", **GOOD)
    odd("a link out of the tree", beside(_out_of_tree), finding="link", **GOOD)
    odd("a folder linked from outside", beside(_linked_folder_out), finding="link", **GOOD)
    odd("a link inside the tree", beside(_inside), runs=1, best=BEST, last=LAST)
    odd("a dangling link", beside(lambda t: (t / "d.log").symlink_to("gone.log")), finding="unreadable", **GOOD)
odd("nothing there", _missing, refused="no such file or directory")
odd("an empty folder", _empty_folder, runs=0)
odd("a folder called a.log", beside(lambda t: (t / "b.log").mkdir()), **GOOD)
odd("sixty folders deep", _deep, **GOOD)
odd("a file as a folder", lambda t: file(LOG)(t) / "b.log", refused="not a directory")


# -- bytes ------------------------------------------------------------------------------------------------------------
odd("an empty file", file(b""), runs=0, finding="no_metrics")
odd("one newline", file(b"\n"), runs=0, finding="no_metrics")
odd("one byte", file(b"s"), runs=0)
odd("one NUL", file(b"\x00"), runs=0)
odd("binary", file(bytes(range(256)) * 200), runs=0, finding="no_metrics")
odd("binary with a log inside", file(bytes(range(256)) * 9 + b"\n" + LOG.encode()), runs=0)
odd("a PNG's beginning", file(b"\x89PNG\r\n\x1a\n" + b"\x00" * 500, "plot.log"), runs=0)
odd("an ELF's beginning", file(b"\x7fELF" + bytes(3000)), runs=0)
odd("a gzip", file(gzip.compress(LOG.encode(), mtime=0), "a.log.gz"), runs=0, finding="no_metrics")
odd("UTF-16 LE with BOM", file(b"\xff\xfe" + LOG.encode("utf-16-le")), **GOOD)
odd("UTF-16 BE with BOM", file(b"\xfe\xff" + LOG.encode("utf-16-be")), **GOOD)
odd("UTF-16 LE without BOM", file(LOG.encode("utf-16-le")), **GOOD)
odd("UTF-16 BE without BOM", file(LOG.encode("utf-16-be")), **GOOD)
odd("UTF-16 with half a character", file(b"\xff\xfe" + LOG.encode("utf-16-le") + b"s"), **GOOD)
odd(
    "UTF-16 with half a surrogate",
    file(b"\xff\xfe" + "run \ud83d x\n".encode("utf-16-le", "surrogatepass") + LOG.encode("utf-16-le")),
    **GOOD,
)
odd("UTF-32", file(LOG.encode("utf-32")), **GOOD)
odd("UTF-8 with BOM", file(b"\xef\xbb\xbf" + LOG.encode()), **GOOD)
odd("a BOM and nothing else", file(b"\xef\xbb\xbf"), runs=0)
odd("a UTF-16 BOM and nothing else", file(b"\xff\xfe"), runs=0)
odd("half a UTF-16 BOM", file(b"\xff"), runs=0)
odd("a BOM in the middle", file(LOG[:60].encode() + LOG[60:].replace("step", "\ufeffstep", 1).encode()), **GOOD)
odd("CRLF", file(LOG.replace("\n", "\r\n")), **GOOD)
odd("lone CR", file(LOG.replace("\n", "\r")), runs=0, finding="pending")
odd("mixed line ends", file(LOG.replace("\n", "\r\n", 1)), **GOOD)
odd("CR CR LF", file(LOG.replace("\n", "\r\r\n")), **GOOD)
odd("a redrawn line", file(LOG.replace("step 1000", "  0%|   |\r 50%|## |\rstep 1000")), **GOOD)
odd("vertical tabs and form feeds", file(LOG.replace("\n", "\x0b\n\x0c\n")), runs=1)
odd("Unicode line separators", file(LOG.replace("step 1000", "note\u2028\u2029\x85\nstep 1000")), **GOOD)
odd("colours", file(LOG.replace("step", "\x1b[1;32mstep\x1b[0m")), **GOOD)
odd("a terminal title", file("\x1b]0;evil title\x07" + LOG), **GOOD)
odd("an unfinished escape", file(LOG + "\x1b[31\n\x1b]0;never ends\n"), **GOOD)
odd("NUL bytes between lines", file(LOG.replace("\n", "\n\x00\x00")), **GOOD)
odd("NUL bytes inside numbers", file(LOG.replace("5.2517", "5.2\x00517")), **GOOD)
odd("a hole of NUL bytes", file(LOG.encode() + bytes(100_000) + b"\n"), **GOOD)
odd("a head of NUL bytes", file(bytes(100_000) + b"\n" + LOG.encode()), runs=None)
odd("Latin-1", file("Größe: 5\n".encode("latin-1") + LOG.encode()), **GOOD)
odd("broken UTF-8", file(b"\xff\xfeabc\x80\n".replace(b"\xff\xfe", b"\xfe\xfd") + LOG.encode()), **GOOD)
odd("no newline at the end", file(LOG.rstrip("\n")), runs=1, best=BEST, last=BEST, finding="pending")
odd("a line of 2 MB", file("x" * 2_000_000 + "\n" + LOG), finding="bad_lines", **GOOD)
odd("a data line of 2 MB", file(LOG + "step 1600/1600 val_loss=1.0 " + "y" * 2_000_000 + "\n"), finding="bad_lines", **GOOD)
odd("10 MB without a newline", file(b"step 5 val_loss=3 " * 600_000), runs=0)
odd("many short lines", file("\n" * 300_000 + LOG), **GOOD)
odd("10,000 runs of spaces", file((" " * 3000 + "\n") * 500 + LOG), **GOOD)
odd("a long line of words", file("step 1 " + "word " * 700 + "\n" + LOG), **GOOD)
odd("a long line of equals", file("step 1 " + "a=" * 1500 + "\n" + LOG), **GOOD)
odd("a long line of pairs", file("a=1 " * 900 + "b\n" + LOG), **GOOD)
odd("a long line of brackets", file("[" * 4000 + "\n" + "[a]" * 1300 + "step 1\n" + LOG), **GOOD)
odd("a long line of digits", file("step 1 val_loss=" + "9" * 4000 + "\n" + LOG), runs=None)
odd("half a megabyte of blanks after a step", file("step" + " " * 500_000 + "x\n" + LOG), **GOOD)
odd("blanks before a step", file((" " * 4000 + "step 1\n") * 20 + LOG), **GOOD)
odd("words without an end", file(("step 1 " + "w" * 4000 + "\n") * 200 + LOG), **GOOD)
odd("resumed, checkpoint, loaded, over and over", file(("loaded checkpoint " * 220 + "\n") * 50 + LOG), **GOOD)
odd("a ruler as long as a page", file("=" * 100_000 + "\n" + LOG), **GOOD)
for at in (1, 2, 3, 7):  # noise of a fixed kind at the head, in a folder
    odd(f"noise {at}", file(bytes((i * at * 37) % 251 for i in range(5000)) + b"\n"), runs=0)


# -- numbers ----------------------------------------------------------------------------------------------------------
def line(value: str, step: str = "750/1500", log: str = LOG) -> Make:
    """The log with one more line."""
    return file(log.replace("step 1000", f"step {step} train_loss=5.5 val_loss={value} elapsed=900.0s\nstep 1000"))


VALUES = ("nan", "NaN", "inf", "-inf", "Infinity", "-Infinity", "1e999", "-1e999", "NAN", "1e-999")
NO_VALUES = (
    "", "None", "n/a", "-", "--", "abc", "4.7.7", "4,77", "0x1F", "1_000", "1e", "e5", "4.77x", "٤.٥", "$5", "=5", "5=", "(5", "'5'",
    "NULL", "#REF!", "1/0",
)  # fmt: skip
for number, value in enumerate((*VALUES, *NO_VALUES)):
    text, good = numbered(number)
    if value in VALUES or "5" in value:
        del good["best"]
    name = value if value in VALUES else repr(value)
    odd(f"a validation loss of {name}", line(value, log=text), family="validation losses", **good)
STEPS = ("-750", "750.5", "7.5e2", "99999999999999999999", "9" * 500, "٧٥٠", "750k", "", "0x2EE", "nan", "inf", "1,00", "--750")
for number, step in enumerate(STEPS):
    text, good = numbered(number)
    odd(f"a step of {step[:24]!r}", line("9.9", step, text), family="steps", **good)
odd("a step with commas", line("9.9", "750/1,500"), **GOOD)
odd(
    "a step beyond 2^53",
    file(LOG.replace("/1500", "") + "step 9007199254740993 val_loss=5.0001\n"),
    runs=1,
    last=(5.0001, 9007199254740993),
)
odd("a total of 0", file(LOG.replace("/1500", "/0")), runs=1)
odd("a total below the step", file(LOG.replace("/1500", "/7")), **GOOD)
odd("a total that changes", file(LOG.replace("1500/1500", "1500/3000")), runs=1, best=BEST, last=LAST)
odd("a total beyond 2^63", file(LOG.replace("/1500", "/99999999999999999999")), runs=None)
odd("a clock of nan", file(LOG.replace("1217.4s", "nans")), **GOOD)
odd("a clock of inf", file(LOG.replace("1217.4s", "infs")), **GOOD)
odd("a clock of 1e999", file(LOG.replace("1217.4s", "1e999s")), **GOOD)
odd("a negative clock", file(LOG.replace("617.4s", "-617.4s")), **GOOD)
odd("a clock that never moves", file(LOG.replace("1217.4", "617.4").replace("1817.4", "617.4")), **GOOD)
odd("a clock that falls", file(LOG.replace("1817.4", "17.4")), **GOOD)
odd("tokens of nan", file(LOG.replace(" elapsed", " tokens=nan elapsed")), **GOOD)
odd("tokens beyond 2^63", file(LOG.replace(" elapsed", " tokens=1e30 elapsed")), **GOOD)
odd("all losses nan", file(LOG.replace("6.2517", "nan").replace("5.2517", "nan").replace("5.3517", "nan")), runs=1)
odd("all losses inf", file(LOG.replace("6.2517", "inf").replace("5.2517", "inf").replace("5.3517", "inf")), runs=1)
odd("negative losses", file(LOG.replace("val_loss=", "val_loss=-")), runs=1, best=(-6.2517, 500))
odd("a loss of 1000", file(LOG.replace("5.2517", "1000.0")), runs=1, best=LAST)
odd("a loss of 0", file(LOG.replace("5.2517", "0")), runs=1, best=(0.0, 1000))


# -- order ------------------------------------------------------------------------------------------------------------
LINES = LOG.splitlines(keepends=True)
odd("every line twice", file("".join(x * 2 for x in LINES)), **GOOD)
odd(
    "a step twice with other values",
    file(LOG.replace(LINES[1], LINES[1] + LINES[1].replace("5.2517", "5.9999"))),
    runs=1,
    finding="contradiction",
)
odd("the log backwards", file("".join(reversed(LINES))), runs=None)
odd("the log twice in a file", file(LOG + LOG), runs=None)
odd("the log in two files", folder(a_log=LOG, b_log=LOG), runs=1, best=BEST, last=LAST, finding="repeated")
WRITERS = "".join(
    f"step {s}/900 val_loss={9 - s / 200:.4f}\nstep {s + 5}/900 val_loss={8 - s / 200:.4f}\nstep {s - 50}/900 val_loss=7.{s}\n"
    for s in range(100, 900, 100)
)
odd("two writers", file(WRITERS), finding="two_writers")
odd(
    "two writers of the same steps",
    file("".join(f"step {s} val_loss={9 - s / 200:.4f}\nstep {s} val_loss={8 - s / 200:.4f}\n" for s in range(100, 900, 100))),
    finding="contradiction",
)
odd(
    "a restart",
    file(LOG + "step 1000/1500 val_loss=5.0001 elapsed=10.0s\nstep 1500/1500 val_loss=4.9001 elapsed=600.0s\n"),
    runs=1,
    best=(4.9001, 1500),
    finding="restarted",
)
odd("only a header", file("step train_loss val_loss\n"), runs=0)
odd("train only", file(LOG.replace("val_loss", "xx_loss")), runs=1)
odd("accuracy only", file(LOG.replace("val_loss", "val_acc").replace("train_loss", "train_acc")), runs=1)
odd("a crash at once", file('Traceback (most recent call last):\n  File "a.py", line 1\nValueError: no\n'), runs=0)
odd(
    "a crash at the end",
    file("".join(LINES[:2]) + 'Traceback (most recent call last):\n  File "a.py", line 1\nValueError: no\n'),
    runs=1,
    finding="crashed",
)
odd(
    "a warning that names an error",
    file(LINES[0] + "UserWarning: ValueError: no\nRuntimeError: caught, going on\n" + "".join(LINES[1:])),
    **GOOD,
)


# -- names ------------------------------------------------------------------------------------------------------------
NAMES = {
    "a pipe": "a|b.log",
    "a script": "<script>alert(1)<.log",
    "a link": "](javascript:alert(1)).log",
    "an image": "![x](http:evil).log",
    "a newline": "a\nb.log",
    "a tab": "a\tb.log",
    "an escape": "a\x1b[31mb.log",
    "emoji": "🔥💾.log",
    "a leading dash": "-rf.log",
    "dots": "...log",
    "a backtick": "a`b.log",
    "stars": "**a**_b_.log",
    "quotes": "a\"b'c.log",
    "a formula": "=cmd(1).log",
    "at": "@SUM(A1).log",
    "plus": "+1.log",
    "a hash": "a#b.log",
    "spaces": "  a  b  .log",
    "a percent": "100%s%n.log",
    "a brace": "{{ 7*7 }}.log",
    "a dollar": "$(id).log",
    "a glob": "a*?[b].log",
    "a backslash": "a\\b.log",
    "a right-to-left mark": "a\u202egol.log",
    "a combining mark": "e\u0301.log",
    "a zero width": "a\u200bb.log",
    "an entity": "&lt;b&gt;.log",
    "a semicolon": "a;DROP TABLE runs;--.log",
    "a colon": "C:a.log",
    "a comma": "a,b.log",
    "255 bytes": "n" * 251 + ".log",
    "a raw byte": os.fsdecode(b"a\xffb.log"),
    "CR": "a\rb.log",
    "a question": "??.log",
    "HTML comment": "<!-- a.log",
    "a heading": "# a.log",
    "a rule": "---.log",
    "details": "<details>.log",
    "an autolink": "https:x.log",
    "footnote": "[^1].log",
    "tilde": "~.log",
}
for what, name in NAMES.items():
    odd(f"a file name with {what}", file(LOG, "in/" + name), **GOOD)
NAMED = (
    "a pipe", "a script", "a link", "an image", "emoji", "a backtick", "a formula", "at", "stars", "a brace", "an entity", "HTML comment",
    "quotes", "a newline", "a comma",
)  # fmt: skip
for number, what in enumerate(NAMED):  # the run that is named so is the better one of the two, and in the tables
    name = NAMES[what].removesuffix(".log")
    text, other = numbered(number)[0], numbered(number + 1000)[0]
    odd(f"a run in a log with {what}", file(f"Experiment: {name}\n{text}Experiment: other\n{other}"), runs=2, family="runs in logs")
    low, high = f"4.5{number:02d}", f"4.6{number:02d}"
    rows = [json.dumps({"name": n, "alpha": 1, "val_loss": float(v)}) + "\n" for n, v in ((name, low), (f"b{number}", high))]
    odd(f"a run in JSONL with {what}", file("".join(rows), "a.jsonl"), runs=2, family="runs in JSONL")
    cell = '"' + name.replace('"', '""') + '"'
    table = f"name,seed,val_loss\n{cell},1,{low}\nb{number},2,{high}\n"
    odd(f"a run in CSV with {what}", file(table, "a.csv"), runs=2, family="runs in CSV")
odd("a flag with a pipe", file("flags: --a='x|y' --b=<script>\n" + LOG), **GOOD)
odd("a model with markup", file("model: <img/src=x> dataset: `|`\n" + LOG), **GOOD)
odd("a metric with markup", file(LOG.replace(" elapsed", " <b>=5 a|b=3 ](x)=2 elapsed")), runs=1)
odd(
    "an error with markup",
    file("".join(LINES[:2]) + "ValueError: | <script>alert(1)</script> ](javascript:x) `x`\n"),
    runs=1,
    finding="crashed",
)
