"""Which runs a text means: by name in the usual variants, by a setting's value, or as the baseline."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from ngt_report.verify.evidence import Evidence

Runs = frozenset[str]
WORD = re.compile(r"[^\W_]+(?:\.\d+)*(?:(?<=\de)-\d+)?")
ENDINGS = frozenset("log txt out csv json jsonl pt pth md yaml bin err ckpt safetensors".split())
BASELINE = frozenset({"baseline", "vanilla", "control"})
NEUTRAL = ("none", "baseline", "vanilla", "off", "control")
# words of the language and of the field that never name a run by themselves
COMMON = frozenset(
    (
        "a an the and or of in on at to by for from with without is are was were be been it its this that these those all any each"
        " every both no not none run runs best last final worst first second third next same other more less than then so as if but"
        " only over under between after before loss val validation train training test eval step steps iter epoch epochs seed seeds"
        " mean std min max avg lr rate learning batch size model models config configs default true false result results table report"
        " summary experiment experiments screen screening resume full long short small large big new old time times speed token tokens"
        " number value values data dataset log logs set group stage phase sweep main comparison fixed ranking rank headline findings"
        " target overall throughput continuation equal quality progress index details analysis methods method discussion background"
        " related work introduction appendix todo plan current status cost costs hardware software setup optimal project paper finding note"
        " notes key total one two three up down low high base text word words"
    ).split()
)


class Mention(Struct, frozen=True):
    """Runs that a piece of text means."""

    start: int
    end: int
    runs: Runs
    strength: int  # 3: the whole name, 2: words of it, 1: one word of it, a setting's value or a role
    key: str = ""  # the setting, where it is one
    text: str = ""


def tokens(text: str) -> tuple[str, ...]:
    """Words of a name, lower case: 'w3_25m_screen_vanilla.log' -> w3 25m screen vanilla."""
    words = [w.lower() for w in WORD.findall(text)]
    while len(words) > 1 and words[-1] in ENDINGS:
        words.pop()
    return tuple(words)


ROLES = frozenset("best last final worst first second third next same other new old each every any all no".split())
ASKS = re.compile(
    r"(?i)\b(?:best|baseline|winner|lowest)\b[^:|]{0,60}:\s+[`*\"']*|(?P<list>[,:]\s+[`*]*|^[\s`*]*)|\b(?:against|run)\s+[`*]*"
)  # a name stands behind it
ENDS = re.compile(r"[`*\"']*(?:[,:]|\s\(|;|$|\s(?:is|was|has|had|of|does|did)\b)")
ASSIGNED = re.compile(r"[A-Za-z_ ]+[=:]\s?[\d.]+$")  # seed=10
ONE_RUN = re.compile(r"(?i)[`\"'*]*\s+(?:run|variant|model|config|configuration)s?\b")  # behind a word that names a run only here
THE_RUN = re.compile(
    r"(?i)[`\"'*]*(?:\s+(?:by|is|was|has|had|ends|ended|reaches|reached|loses|beats)\b|[,.;)]?\s*$)"
)  # the same behind `the`


class Subjects:
    """Finds runs in texts."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.all: Runs = frozenset(r for r, run in evidence.runs.items() if not run.continuation)
        self.exact: dict[tuple[str, ...], set[str]] = defaultdict(set)
        self.parts: dict[tuple[str, ...], set[str]] = defaultdict(set)  # part of a name -> runs
        self.ends: dict[tuple[str, ...], set[str]] = defaultdict(set)
        self.literal: dict[str, set[str]] = defaultdict(set)  # names as they are spelled, a run's own before what files call it
        for run in evidence.runs.values():
            for name in run.names:
                self._add(run.id, name)
            for name in (run.name, run.id):
                self.literal[name].add(run.id)
        own = set(self.literal)
        for run in evidence.runs.values():
            for name in run.names - own:
                self.literal[name].add(run.id)
        self.longest = max((len(k) for k in self.parts), default=0)
        self.scanned: dict[str, list[Mention]] = {}
        self.scope: Runs = frozenset()  # runs of the data files that the report names

    def _add(self, run: str, name: str) -> None:
        words = tokens(re.sub(r"\.pt(?=[_.]|$).*", "", name.rpartition("/")[2]) or name)[:24]
        whole = tokens(name)[:24]
        for full in {words, whole} - {()}:
            self.exact[full].add(run)
            for start in range(len(full)):
                self.ends[full[start:]].add(run)
                for end in range(start + 1, min(len(full), start + 10) + 1):
                    self.parts[full[start:end]].add(run)

    @cached_property
    def values(self) -> dict[tuple[str, ...], list[tuple[str, Runs]]]:
        """Words of a setting's value -> the settings that have it, with their runs; only settings that vary."""
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        spread: dict[str, set[str]] = defaultdict(set)
        for run in self.evidence.runs.values():
            for key, value in run.settings.items():
                if isinstance(value, str) and len(value) < 40 and "/" not in value:
                    found[key, value].add(run.id)
                    spread[key].add(value)
        out: dict[tuple[str, ...], list[tuple[str, Runs]]] = defaultdict(list)
        for (key, value), runs in found.items():
            if len(spread[key]) > 1 and tokens(value):
                out[tokens(value)].append((key, frozenset(runs)))
        return out

    @cached_property
    def key_words(self) -> frozenset[str]:
        """Words of the settings' names: alone they name no run."""
        return frozenset(w for key in self.evidence.keys for w in tokens(key))

    @cached_property
    def neutral(self) -> Runs:
        """Runs of which a setting that varies says none, off or baseline."""
        return frozenset(r for word in NEUTRAL for _, runs in self.values.get((word,), []) for r in runs)

    def named(self, text: str) -> Runs:
        """The runs that a whole cell or label means; empty when it is no name."""
        if text.strip() in self.literal:
            return self.current(frozenset(self.literal[text.strip()]))
        words = tokens(text)
        if not words:
            return frozenset()
        for table in (self.exact, self.ends, self.parts):
            if words in table:
                return self.current(frozenset(table[words]))
        inside = [m for m in self.scan(text) if m.strength > 1 or not m.key and m.runs & self.scope]
        if self.scope:
            inside = [replace(m, runs=m.runs & self.scope or m.runs) for m in inside]
        return frozenset.intersection(*(m.runs for m in inside)) if inside else self._scattered(words)

    def is_name(self, words: tuple[str, ...]) -> bool:
        """Whether words are a run's name, or its end."""
        return len(words) > 1 and (words in self.exact or words in self.ends)

    def spelled(self, runs: set[str], text: str, start: int, stop: int) -> Runs:
        """Of runs whose names have the same words (`a,b` and `a_b`) those that stand in a text letter for letter; all where none does."""
        if len(runs) > 1:
            said = text[start:stop]
            names = {n: n.find(said) for r in sorted(runs) for n in self.evidence.runs[r].names if said in n}
            there = [n for n, at in names.items() if start >= at and text.startswith(n, start - at)]
            if there:
                return frozenset(self.literal[max(there, key=len)]) & runs or frozenset(runs)
        return frozenset(runs)

    def _scattered(self, words: tuple[str, ...]) -> Runs:
        """Runs whose name or settings have all words that any name has."""
        telling = [w for w in words if (w,) in self.parts and (w not in COMMON or len(words) == 1)]
        if not telling or len(telling) < len([w for w in words if w not in COMMON]):
            return frozenset()
        return self.current(frozenset.intersection(*(frozenset(self.parts[(w,)]) for w in telling)))

    def current(self, runs: Runs) -> Runs:
        """Without continuations and unfinished runs, where others are meant as well."""
        runs = frozenset(r for r in runs if not self.evidence.runs[r].continuation) or runs
        return frozenset(r for r in runs if self.evidence.runs[r].finished) or runs

    def scan(self, text: str) -> list[Mention]:
        """Every mention of runs in a text, longest first, none inside another."""
        if text not in self.scanned:
            self.scanned[text] = self._scan(text)
        return self.scanned[text]

    def _scan(self, text: str) -> list[Mention]:
        found = self._spelled_out(text)
        words = [(m.start(), m.end(), m[0].lower()) for m in WORD.finditer(text)]
        words = [w for w in words if not any(m.start < w[1] and w[0] < m.end for m in found)]
        at = 0
        while at < len(words):
            mention = self._longest(text, words, at)
            if mention is None:
                at += 1
                continue
            found.append(mention)
            while at < len(words) and words[at][0] < mention.end:
                at += 1
        return sorted(found, key=lambda m: m.start)

    def _spelled_out(self, text: str) -> list[Mention]:
        """Names that nothing but their spelling tells from words or numbers (`best`, `a;b`, `1.00`), where a name must stand."""
        found: list[Mention] = []
        for place in ASKS.finditer(text):
            ends = [m.start() for m in ENDS.finditer(text, place.end()) if m.start() > place.end()]
            name = next((n for e in reversed(ends[:6]) if (n := text[place.end() : e]) in self.odd), None)
            taken = name is not None and not self._no_name(name, text[place.end() :], bool(place["list"]))
            if name is not None and taken and not (found and found[-1].end > place.end()):
                found.append(Mention(place.end(), place.end() + len(name), self.current(frozenset(self.literal[name])), 3, text=name))
        return found

    @staticmethod
    def _no_name(name: str, text: str, listed: bool) -> bool:
        """Whether a setting, or a number in a list, is what it looks like: its values in brackets behind it make it a name."""
        if text.startswith(name + " (") and (len(name) > 5 or ASSIGNED.match(name)):
            return False
        return bool(ASSIGNED.match(name)) or listed and not re.search(r"[^\W\d_]{2}", name)

    @cached_property
    def odd(self) -> frozenset[str]:
        """Names that are common words or numbers, read like a setting, or hold what parts words."""
        return frozenset(
            n for n in self.literal
            if set(tokens(n)) <= COMMON or not re.search(r"[^\W\d_]{2}", n) or ASSIGNED.match(n) or re.search(r"[^\w\s./\\:=#`*,+-]", n)
        )  # fmt: skip

    def _longest(self, text: str, words: list[tuple[int, int, str]], at: int) -> Mention | None:
        for end in range(min(len(words), at + max(self.longest, 1)), at, -1):
            part = tuple(w for _, _, w in words[at:end])
            start, stop = words[at][0], words[end - 1][1]
            if any(
                not re.fullmatch(r"[\s_./\\:=#`*,+-]{1,3}", text[a[1] : b[0]])
                for a, b in zip(words[at : end - 1], words[at + 1 : end], strict=True)
            ):
                continue
            mention = self._mention(part, start, stop, text)
            if mention is not None:
                return mention
        return None

    @staticmethod
    def _one_run(text: str, start: int, stop: int) -> bool:
        """Whether a word that many texts have means a run here: `the default run`, `beats the default by`."""
        if text[start:stop].lower() in ROLES or text[start:stop].isdigit():  # `all 3 runs` are not run 3
            return False
        the = re.search(r"(?i)\bthe[\s`\"'*]+$", text[:start]) and text[start:stop].isalpha()
        return bool(ONE_RUN.match(text, stop) or the and THE_RUN.match(text, stop))

    def _mention(self, part: tuple[str, ...], start: int, stop: int, text: str) -> Mention | None:
        said = text[start:stop]
        assigned = ASSIGNED.match(said) and part[0] in self.key_words
        if part in self.exact and not assigned and (len(part) > 1 or part[0] not in COMMON and re.search(r"[^\W\d_]{2}", part[0])):
            return Mention(start, stop, self.current(self.spelled(self.exact[part], text, start, stop)), 3, text=said)
        if part in self.values and (len(part) > 1 or part[0] not in COMMON):
            key, runs = max(self.values[part], key=lambda v: len(v[1]))
            return Mention(start, stop, runs, 1, key, said)
        if len(part) == 1 and part in self.ends and self._one_run(text, start, stop):
            return Mention(start, stop, self.current(frozenset(self.ends[part])), 1, text=said)
        telling = [w for w in part if w not in COMMON and re.search(r"[^\W\d_]{3}|[a-z]\d|\d[a-z]{2}", w)]
        if len(part) == 1 and part[0] in self.key_words:
            return None  # a word of the settings
        if part in self.parts and telling and (len(part) > 1 or len(telling) == 1):
            table = self.ends if part in self.ends else self.parts
            runs = self.current(frozenset(table[part]))
            if len(runs) < len(self.all) and not assigned:
                return Mention(start, stop, runs, 2 if len(part) > 1 else 1, text=said)
        if len(part) == 1 and part[0] in BASELINE:
            return Mention(start, stop, frozenset(self.evidence.baselines), 1, "baseline", said)
        return None
