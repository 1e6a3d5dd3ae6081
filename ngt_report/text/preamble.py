"""Lines above the first data line of a run: the configuration that they say, in pairs, tables, sentences and flags."""

from __future__ import annotations

import json
import re
import sys
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Sequence
from operator import itemgetter
from typing import Any

from ngt_report import names
from ngt_report.sections import told_apart
from ngt_report.sources._scalars import flatten
from ngt_report.text.configs import Said, as_pair, setting, whole
from ngt_report.text.late import late
from ngt_report.text.loglines import ENDINGS, kind_of, record
from ngt_report.text.owned import ELSEWHERE, key_of, of_evaluation, path_of, tell_apart
from ngt_report.text.places import dataset_of
from ngt_report.text.sentences import parameters, told
from ngt_report.text.values import parsed, value_of
from ngt_report.waist import Fact, Reading

CODE = re.compile(r"^(?:import |from \w[\w.]* import |def |class |@\w|if |for |while |with |try:|return |elif |else:)")
RULER = re.compile(r"^[=\-*#]{20,}$")
GPU = re.compile(r"\|\s+\d+\s+((?:NVIDIA|Tesla|GeForce|AMD|Quadro)[^|]*?)\s+(?:On|Off)\s")
PAIR = re.compile(
    r"(?:^|[\s(,{\[;|])['\"]?(?P<key>[A-Za-z][\w.\-]*(?: [a-z]\w*)?)['\"]?[ \t]*[:=](?!=)[ \t]*(?!(?<=\s)\w+=\w)"
    r"(?P<value>'[^']*'|\"[^\"]*\"|\d+(?:,\d{3})+(?!\d)|(?:[^\s,;(){}\[\]'\":]|:(?!\s|$))++(?![ \t]*[:=][ \t]))"
)
EPOCH = re.compile(r"^\W*epoch\W*\d+(?:[ \t]*/[ \t]*\d+)?\W*$", re.IGNORECASE)
TENSORS = re.compile(r"num (?P<kind>(?:non-)?decayed) parameter tensors: \d+, with (?P<count>[\d,]+) parameters")
FLAGS = re.compile(r"(?:^|\s)(?:flags?|args?|command|cmd|cli)\b[^:=\-]*[:=][ \t]*(?P<flags>.*--\w.*)$", re.IGNORECASE)
BEFORE = late(r"(?:[A-Za-z][\w\-]*[ \t]+){1,4}$")
OVERRIDES = late(r"^\W*overrid\w*\W+", re.IGNORECASE)  # Overriding: n_layer = 8
DEVICE = late(r"[^,;|()]+?(?=[ \t]*(?:$|[,;|()]|\s\s|\s\w+[=:]))")  # of several words
CLOSING = late(r"\b(?:results?|summary|summaries|final|best|done|finished|completed?|ended|took|elapsed)\b", re.IGNORECASE)
OTHERS = ELSEWHERE | frozenset("min minimum final end padded warmup".split())  # words before a setting that make it another
WORDS = frozenset("model dataset tokenizer flags hardware git_commit precision val_loss_unit".split())  # keys whose values are words

MAKER = late(r"NVIDIA|Tesla|GeForce|Quadro|AMD Instinct|[ABHL][0-9]{2,3}\b")  # of a GPU
MAKERS = ("AMD", "Intel", "Intel(R", "ARM", "Apple")  # of a CPU, whose model is none

LONG, SHORT = 8000, 400  # characters of a line that are kept: of a namespace of all arguments, and where there are many long lines
MOST_LONG = 200
MOST_QUIET = 1000  # lines that are kept for a run that may begin below them


class Preamble:
    """Lines before the first data line of a run, of which its configuration is read."""

    def __init__(self, totals: Collection[str] = ()) -> None:
        """`totals`: settings that are the number of steps of the run."""
        self.totals = totals
        self.lines: list[tuple[int, str]] = []
        self.long = 0
        self.second = False

    def keep(self, lines: Sequence[tuple[int, str]]) -> None:
        """Remember lines; of a very long preamble, its beginning and its end."""
        for at, text in lines:
            self.long += len(text) > SHORT
            self.lines.append((at, _begin(text, SHORT if self.long > MOST_LONG else LONG)))
        if len(self.lines) > 20_000:
            del self.lines[5_000:10_000]

    def between(self, lines: Sequence[tuple[int, str]]) -> None:
        """Lines between the data of two runs, where no marker says which of them the second one's are."""
        if not self.lines:
            self.keep(lines)
            self.second = bool(lines)

    def end(self, reading: Reading, trial: int) -> None:
        """Put what the lines say into the reading, when there is a trial that they are of."""
        if self.lines and trial >= 0:
            own = Reading()
            harvest(own, trial, self.lines, self.totals)
            latest = {fact.key: fact for fact in own.facts}  # in a file of several runs the last that is said counts
            reading.facts += latest.values() if self.second else own.facts
            for at, text in self.lines:
                if (kind := kind_of(text.encode())) in ("resume", "stop", *ENDINGS):
                    record(reading, trial, kind, text, at, None)
            self.lines = []
            self.long, self.second = 0, False


class Quiet:
    """The latest lines that hold neither data nor anything else that is known: another run's settings may stand there."""

    def __init__(self) -> None:
        self.held: list[tuple[int, bytes]] = []

    def keep(self, lines: Sequence[tuple[int, bytes]]) -> None:
        """Remember lines, of which the last ones count."""
        self.held = [*self.held[-MOST_QUIET:], *lines]

    def lines(self, since: int, until: int) -> list[tuple[int, str]]:
        """Those between two lines that are below what sums up the run before them."""
        low, high = bisect_right(self.held, since, key=itemgetter(0)), bisect_left(self.held, until, key=itemgetter(0))
        texts = [(at, text.decode("utf-8", "replace")) for at, text in self.held[low:high] if kind_of(text) is None]
        closed = max((at for at, text in texts if CLOSING.search(text)), default=since)
        return [(at, text) for at, text in texts if at > closed]

    def tell(self, since: int) -> bool:
        """Whether those below a line tell settings: of a run, if one begins below them."""
        trial = Reading()
        harvest(trial, 0, self.lines(since, sys.maxsize))
        return bool(trial.facts)


# -- configuration ------------------------------------------------------------------------------------------------
def harvest(reading: Reading, trial: int, preamble: Sequence[tuple[int, str]], totals: Collection[str] = ()) -> None:
    """Configuration from the lines before the first data line; a pasted program's defaults are not configuration."""
    lines = preamble[_program_end([text for _, text in preamble]) :]
    inside = 0
    gpus: Counter[str] = Counter()
    buffer: list[str] = []
    first = 0
    said: list[tuple[str, Fact]] = []
    words: list[tuple[int, str]] = []  # lines that may tell a setting in words
    begun = False  # below a heading of an epoch stands what it measured: a rate there is of a schedule
    for at, text in lines:
        if match := GPU.search(text):
            gpus[match[1]] += 1
        if not inside and text.strip() == "{":
            inside, buffer, first = 1, ["{"], at
        elif inside:
            buffer.append(text)
            if text.rstrip() == "}":
                _json_config(reading, trial, "\n".join(buffer), first)
                inside = 0
        elif not begun:
            said += _line_config(reading, trial, at, _begin(text), totals)
            words.append((at, text))
        begun = begun or bool(EPOCH.match(text))
    configured = whole(words)
    _drop_evaluations(reading, said, configured)
    tell_apart(said)
    _whole(reading, trial, configured)
    _sum_of_tensors(reading, trial, lines)
    _in_words(reading, trial, [(at, _begin(text)) for at, text in words])
    if gpus:
        name, count = gpus.most_common(1)[0]
        reading.fact("hardware", name, trial, lines[0][0])
        reading.fact("gpus", count, trial, lines[0][0])


def _begin(text: str, room: int = SHORT) -> str:
    """The begin of a line, which is all that most lines are, without a word that is cut."""
    return text if len(text) <= room else text[: max(text.rfind(end, 0, room) for end in " ,") + 1]


def _drop_evaluations(reading: Reading, said: list[tuple[str, Fact]], configured: Sequence[Said]) -> None:
    """Take back what pairs said on lines of a configuration that are of its evaluation alone."""
    training, other = set[int](), set[int]()
    for at, path, _ in configured:
        (other if of_evaluation(path.rpartition("/")[0]) else training).add(at)
    dropped = {id(fact) for _, fact in said if fact.line in other - training}
    reading.facts = [f for f in reading.facts if id(f) not in dropped] if dropped else reading.facts


def _whole(reading: Reading, trial: int, configured: Sequence[Said]) -> None:
    """The settings of configurations that are printed whole, whatever they are called, where no line said them before."""
    said = {fact.key for fact in reading.facts if fact.trial == trial}
    values: dict[str, Any] = {}
    where: dict[str, int] = {}
    short: dict[str, str] = {}
    for at, path, text in configured:
        value = value_of(text)
        key = setting(path, value)
        if key and value == value and path not in values and (key not in names.CONFIG or _fits(key, value)):
            values[path], where[path], short[path] = value, at, key
    for path, key in (short | told_apart(short, values)).items():
        if key not in said:
            reading.fact(key, values[path], trial, where[path])
            said.add(key)
    places = ((at, name) for at, path, text in configured if (name := dataset_of(path.rpartition("/")[2], value_of(text))))
    if "dataset" not in said and (found := next(places, None)):
        reading.fact("dataset", found[1], trial, found[0])


def _fits(key: str, value: Any) -> bool:
    """Whether a value is of the kind that this setting has."""
    if key == "model" and value in MAKERS:
        return False
    return key != "params" and not isinstance(value, bool) and isinstance(value, str) == (key in WORDS)  # --lr without a number is no rate


def _sum_of_tensors(reading: Reading, trial: int, lines: Sequence[tuple[int, str]]) -> None:
    """The parameters of a model whose optimiser says how many are decayed and how many are not."""
    found: dict[str, set[int]] = {}
    for _, text in lines:
        if match := TENSORS.search(text):
            found.setdefault(match["kind"], set()).add(int(match["count"].replace(",", "")))
    if len(found) == 2 and all(len(counts) == 1 for counts in found.values()):
        at = next(at for at, text in lines if TENSORS.search(text))
        reading.fact("params", sum(min(counts) for counts in found.values()), trial, at)


def _in_words(reading: Reading, trial: int, lines: Sequence[tuple[int, str]]) -> None:
    """What is told in words, where nothing else says it."""
    said = {fact.key for fact in reading.facts if fact.trial == trial}
    counts = []
    for at, text in lines:
        low = text.lower()
        counts += [(rank, at, count) for rank, count in parameters(text, low)]
        for key, value in told(text, low):
            if key not in said:
                reading.fact(key, parsed(value), trial, at)
                said.add(key)
    if counts and "params" not in said:
        _, at, count = min(counts)
        reading.fact("params", count, trial, at)


def _program_end(texts: Sequence[str]) -> int:
    """Where a pasted program ends: at the first ruler after its last line of code."""
    code = [i for i, t in enumerate(texts) if CODE.match(t)]
    if len(code) < 3:
        return 0
    return next((i + 1 for i in range(code[-1], len(texts)) if RULER.match(texts[i])), len(texts))


def _json_config(reading: Reading, trial: int, text: str, line: int) -> None:
    """The settings of a JSON document that a log prints over several lines."""
    try:
        config = json.loads(text)
    except ValueError:
        return
    values = flatten(config) if isinstance(config, dict) else {}
    short = {path: key for path, value in values.items() if (key := _json_key(path, value))}
    for path, key in (short | told_apart(short, values)).items():
        reading.fact(key, values[path], trial, line)


def _json_key(path: str, value: Any) -> str | None:
    """What a setting of a document is called: at its top whatever it is, below that as in any configuration."""
    if "/" in path or isinstance(value, list):
        return setting(path, value)
    canonical = names.known_config(path)
    return canonical or ("total_steps" if names.role(path) == "total" else "config." + names.clean(path))


def _line_config(reading: Reading, trial: int, line: int, text: str, totals: Collection[str]) -> list[tuple[str, Fact]]:
    """Known keys in `key: value` or `key=value` form, each with its path, and command-line flags."""
    said: list[tuple[str, Fact]] = []
    if match := FLAGS.search(text):
        reading.fact("command.flags", match["flags"].strip(), trial, line)
        text = text[: match.start()]
    elif text.count(" --") >= 2:
        reading.fact("command.flags", text[text.index("--") :].strip()[:400], trial, line)
        return said
    text = as_pair(text)
    if override := OVERRIDES.match(text) if "verrid" in text else None:
        text = text[override.end() :]
    for pair in PAIR.finditer(text):
        path = path_of(pair["key"], text[: pair.start("key")])
        key = "total_steps" if pair["key"] in totals else _key(pair["key"], path, text[: pair.start("key")])
        if pair["key"] == "device" and MAKER.match(text, pair.start("value")):
            key = "hardware"
        value = parsed(_value(key, text, pair).strip("'\"*`"))
        if text[pair.end() : pair.end() + 1] == "(":
            continue  # of a call, whose members are settings
        if override and value is not None:
            key = key or names.other_config(pair["key"], value)
        if key and value is not None and value == value and (key not in names.CONFIG or _fits(key, value)):
            if override:
                reading.facts = [f for f in reading.facts if (f.trial, f.key) != (trial, key)]
            reading.fact(key, value, trial, line)
            said.append((path, reading.facts[-1]))
    return said


def _key(raw: str, path: str, before: str) -> str | None:
    """The canonical key of a setting, with as many of the words before it as make a known one; None where they make it another."""
    words = match[0].split() if before[-1:] in (" ", "\t") and (match := BEFORE.search(before)) else []
    for n in range(len(words)):
        if key := names.known_config(" ".join((*words[n:], raw))):
            return key
    return None if OTHERS.intersection(w.lower() for w in words[-2:]) else key_of(path)


def _value(key: str | None, text: str, pair: re.Match[str]) -> str:
    """What stands behind a key; the name of a device may have several words."""
    if key == "hardware" and pair["value"][0] not in "'\"" and (match := DEVICE.match(text, pair.start("value"))):
        return match[0]
    return pair["value"]
