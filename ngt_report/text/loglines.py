"""Lines of a text log that are not data points but say something: markers, configuration, closing values, crashes."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from ngt_report import names
from ngt_report.text.late import late
from ngt_report.text.lone import values_of
from ngt_report.text.tokens import NUMBER
from ngt_report.waist import Block, Column, Reading

ANSI_TEXT = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x00")
_NAME = r"[\w.+=\-/:@]+"
_COUNT = r"(?:[ \t]*#?\d+(?:[ \t]*(?:/|of)[ \t]*\d+)?)"
MARKER = late(
    rf"^[\W_]*(?:\[RUN\][ \t]*|(?:[\w\-]+ ){{0,3}}(?:Experiment|Trial|Variant){_COUNT}?[ \t]*(?::|#\d+:?)[ \t]*"
    rf"|(?:Starting |Training )?Run(?:{_COUNT}|[ _]name)?[ \t]*[:=][ \t]*)(?P<name>{_NAME})[\W_]*$",
    re.IGNORECASE,
)
FINAL = late(
    rf"^[\W\d]*(?<!\d)(?:final[ _]?\w{{0,80}}[ _:|]+(?:(?P<split1>val|validation|test)[ _]?loss)?|(?P<split2>validation|val|test)[ _]loss"
    rf" at the end of training(?: (?:for|on) (?:the )?(?P<split3>val|validation|test)[^|]*)?[ |]*lm loss value)[ \t]*[:=]?[ \t]*"
    rf"(?:val_loss:)?(?P<value>{NUMBER})(?=$|[\s;)(|]|,(?!\d))",
    re.IGNORECASE,
)
OVERALL = late(  # a heading: what stands below is not of the run above
    r"^\W*best[ _](?:trial|run|experiment|variant|config(?:uration)?|hyper[ _-]?param(?:eter)?s)\b\W*[\w#.+\-]{0,60}\W*$", re.IGNORECASE
)
STATED = late(rf"best[ _](?:val(?:idation)?[ _])?loss[ \t]*[:=]?[ \t]*(?P<value>{NUMBER})(?=$|[\s,;)])", re.IGNORECASE)
TIMES = late(
    rf"^\W*(?:total )?(?:training|train|elapsed)[ _](?:time|took)[ \t]*[:=]?[ \t]*(?P<value>{NUMBER})[ \t]*"
    r"(?P<unit>ms|seconds|sec|s|minutes|min|m|hours|h)\b",
    re.IGNORECASE,
)
THROUGHPUT = late(rf"^\W*throughput[ \t]*[:=]?[ \t]*(?P<value>{NUMBER})[ \t]*(?:tok|tokens)/s", re.IGNORECASE)
RESULTS = late(r"^\W*results? (?:saved|written|appended) to (?P<path>\S+)", re.IGNORECASE)
RESUME = late(
    r"resum(?:ing|ed|e)\b[^\n]{0,200}?(?:from|at)\b[ \t]*(?P<rest>[^\n]*)"
    r"|\b(?:load(?:ed|ing)|restor(?:ed|ing))\b"
    r"(?P<loaded>[^\n]{0,200}?(?:\.pth?\b|checkpoint)[^\n]{0,200}?(?:step|iter(?:ation)?)s?[ \t]*[=:]?[ \t]*\d[^\n]*)",
    re.IGNORECASE,
)
RESUME_STEP = late(r"(?:step|iter(?:ation)?)s?[ \t]*[=:]?[ \t]*(?P<step>\d[\d,]*)", re.IGNORECASE)
STOP = late(r"^\W*(?:early[ _-]?stop(?:ping|ped)?|stopping[ _]early|stopped early|target (?:loss )?reached)\b", re.IGNORECASE)
TRACE = late(r"Traceback \(most recent call last\)")
CAUSE = late(
    r"^(?:\[?rank ?\d+\]?:?[ \t]*)?(?P<error>(?:[A-Za-z_][\w]*\.)*[A-Z]\w*(?:Error|Exception|Interrupt|Exit|Killed))\b"
    r"(?::[ \t]*(?P<text>.*))?$"
)
KILL = late(
    r"\b(?:Killed|Terminated|Segmentation fault|Bus error|core dumped|oom-kill|SIG(?:TERM|KILL|SEGV|ABRT)|CANCELLED AT)\b|Out of memory:"
    r"|No space left on device|CUDA out of memory|^(?:Aborted\b|terminate called )|Watchdog caught collective"
)
_ANY = re.compile(  # on the lower-cased line: a hundred times more lines than kinds
    rb"\[run\]|experiment|trial|variant|(?<![a-z])run(?![a-z])|final|valid|\b(?:val|dev|test)[ _:|\])]|\beval|best"
    rb"|(?:train(?:ing)?|elapsed)[ _](?:time|took)|throughput|result|resum|stop|target|traceback|error|exception|interrupt|exit|killed"
    rb"|oom-kill|terminate|segmentation|bus error|core dumped|memory|no space|cancelled|aborted|sig|watchdog|load|restor"
)


class Kind(Struct, frozen=True):
    """Lines that say something: what they are called, how they look, and words of which such a line has one."""

    name: str
    pattern: re.Pattern[str]
    words: tuple[bytes, ...]


KINDS = (
    Kind("overall", OVERALL, (b"best",)),
    Kind("marker", MARKER, (b"run", b"experiment", b"trial", b"variant")),
    Kind("final", FINAL, (b"final", b"end of training")),
    Kind("stated", STATED, (b"best",)),
    Kind("time", TIMES, (b" time", b"_time", b" took", b"_took")),
    Kind("throughput", THROUGHPUT, (b"throughput",)),
    Kind("results", RESULTS, (b"result",)),
    Kind("resume", RESUME, (b"resum", b"load", b"restor")),
    Kind("stop", STOP, (b"stop", b"target")),
    Kind("traceback", TRACE, (b"traceback",)),
    Kind("crash", CAUSE, (b"error", b"exception", b"interrupt", b"exit", b"killed")),
    Kind("kill", KILL, (
        b"killed", b"terminate", b"segmentation", b"bus error", b"dumped", b"oom-kill", b"sig", b"cancelled", b"memory", b"no space",
        b"aborted", b"watchdog",
    )),
)  # fmt: skip
UNIT_SECONDS = {"ms": 1e-3, "s": 1.0, "sec": 1.0, "seconds": 1.0, "m": 60.0, "min": 60.0, "minutes": 60.0, "h": 3600.0, "hours": 3600.0}


ENDINGS = ("traceback", "crash", "kill")  # kinds that say why a run ended


def last_lines(texts: Sequence[str]) -> str:
    """The last lines that say something, as one text: at most three, 110 characters of each."""
    said = [" ".join(t.split())[:110] for t in texts if t.strip() and not t.startswith("Traceback ")]
    return " / ".join(said[-3:])


def plain(text: str) -> str:
    """A line as a person sees it: no colours, no NUL, the last drawing of a redrawn line."""
    return ANSI_TEXT.sub("", text).rstrip("\r\n").rsplit("\r", 1)[-1]


def kind_of(raw: bytes) -> str | None:
    """What a line without data is, or None."""
    low = raw.lower()
    if len(raw) > 4096 or not _ANY.search(low):
        return None
    text = raw.decode("utf-8", "replace")
    found = next((kind.name for kind in KINDS if any(word in low for word in kind.words) and kind.pattern.search(text)), None)
    return found or ("lone" if values_of(text) else None)


def marker_name(text: str) -> str:
    """The run's name in a marker line, as a plain name: without directories and log endings."""
    match = MARKER.search(text)
    name = match["name"] if match else text.strip()
    return re.sub(r"\.(?:log|txt|out)$", "", name.rstrip("/").rsplit("/", 1)[-1])


def unnamed(text: str) -> bool:
    """Whether a closing loss does not say of which data it is."""
    return not any(word in text.lower() for word in ("val", "test", "dev"))


def record(reading: Reading, trial: int, kind: str, text: str, line: int, last_step: int | None) -> None:
    """Put what a line says into the reading."""
    match = next((k.pattern.search(text) for k in KINDS if k.name == kind), None)
    if match is None:
        return
    if kind in ("final", "throughput"):
        _point(reading, trial, kind, match, line, last_step)
    elif kind == "stated":
        reading.fact("stated.best_val_loss", match["value"], trial, line)
    elif kind == "time":
        reading.fact("train_time_s", float(match["value"].replace(",", "")) * UNIT_SECONDS[match["unit"].lower()], trial, line)
    elif kind == "results":
        reading.fact("results_file", match["path"].rstrip(".,;"), trial, line)
    elif kind == "resume":
        _resume(reading, trial, match["rest"] or match["loaded"] or "", line)
    elif kind == "stop":
        reading.fact("stopped", text.strip()[:200], trial, line)
    else:
        cause = (f"{match['error']}: {match['text'] or ''}".rstrip(": ") if kind == "crash" else text.strip())[:300]
        reading.fact("crash", {"kind": kind, "cause": cause}, trial, line)


def _point(reading: Reading, trial: int, kind: str, match: re.Match[str], line: int, step: int | None) -> None:
    """A closing evaluation or a closing throughput, at the last step printed."""
    name = "tokens_per_s"
    if kind == "final":
        split = (match["split1"] or match["split3"] or match["split2"] or "val").lower()
        name = "test/loss" if split == "test" else "final/loss"
    text = match["value"]
    value = float(text.replace(",", ""))
    reading.blocks.append(Block(trial, 0, [step], {name: Column([value], names.decimals(text))}, [line]))


def _resume(reading: Reading, trial: int, rest: str, line: int) -> None:
    path = re.search(r"[\w./\\\-]+\.(?:pt|pth|ckpt|bin|safetensors)\b|[\w.\-]*/[\w./\-]+", rest)
    step = RESUME_STEP.search(rest)
    if path or step:
        where = {"path": path[0] if path else None, "step": int(step["step"].replace(",", "")) if step else None}
        reading.fact("resumed_from", where, trial, line)
