"""What the report's surroundings say: which runs, which step, how many seeds a table or a sentence speaks of."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property
from math import fsum
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from ngt_report import names
from ngt_report.verify import numbers
from ngt_report.verify.document import Context, Document, Prose, Text
from ngt_report.verify.evidence import Value
from ngt_report.verify.phrases import attach
from ngt_report.verify.recompute import Options, groups_of, measure
from ngt_report.verify.relations import Relations
from ngt_report.verify.subjects import BASELINE, Mention, Runs, Subjects, tokens
from ngt_report.verify.terms import AT, Term, Terms, step_of
from ngt_report.verify.verdict import MATCH, Outcome, agrees, hold
from ngt_report.verify.wording import DECLARES, TRAINED

if TYPE_CHECKING:
    from ngt_report.verify.evidence import Evidence
    from ngt_report.verify.numbers import Number

HORIZON = re.compile(r"\d[\d,]*\s?k?\s*(?:->|→|to|-|--|\.\.)\s*(?:step\s*)?\d", re.I)
UNITS = {
    "min": 60.0, "mins": 60.0, "minutes": 60.0, "h": 3600.0, "hr": 3600.0, "hrs": 3600.0, "hours": 3600.0, "ms": 1e-3, "s": 1.0,
    "sec": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "million": 1e6, "billion": 1e9, "thousand": 1e3,
}  # fmt: skip
HEAD_UNIT = re.compile(
    r"[\[(,]\s*(?:in\s+)?(min|mins|minutes|h|hrs?|hours|ms|s|sec|k|m|b|million|billion|thousand)(?:\s?tok(?:ens)?/s)?\s*[\])]"
    r"|[_\s](min|h|ms|hours|minutes)$",
    re.I,
)


ALSO = {"setting:batch_size": ("setting:global_batch_size", "setting:device_batch_size")}  # where a setting has another usual name


class Constraint(Struct, frozen=True):
    """Runs that a heading or a lead is about, by one of their settings ('' for a name)."""

    key: str
    runs: Runs


class Setting(Struct, frozen=True):
    """What stands above says of what follows."""

    everything: Runs
    constraints: tuple[Constraint, ...]
    step: int | None
    n: int | None
    quantities: tuple[Term, ...]
    unknown: bool = False  # it is about something that the data does not have

    @property
    def runs(self) -> Runs:
        """All runs that what follows is about."""
        return self.runs_without(set())

    def runs_without(self, keys: set[str]) -> Runs:
        """The same, leaving aside settings that are said again below."""
        if self.unknown:
            return frozenset()
        runs = self.everything
        for c in self.constraints:
            if c.key not in keys:
                runs = runs & c.runs or runs
        return runs


class World:
    """The data, the words, and the report as a whole."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.terms = Terms(evidence)
        self.subjects = Subjects(evidence)
        self.relations = Relations(evidence)
        self.scope: Runs = frozenset()
        self.declared: Runs = frozenset()  # what is called the baseline outright: by the report, else by an option
        self.recent: list[str] = []  # runs in the order in which headings named them
        self.labelled = False  # whether several labels are totals of steps
        self.settings: dict[int, Setting] = {}
        self.steps: dict[Runs, dict[int, Value]] = {}
        self.named_headings: dict[tuple[int, ...], Runs] = {}
        self.siblings: dict[tuple[tuple[int, ...], int], bool] = {}

    def open(self, document: Document) -> World:
        """Take in which data files with several runs the report itself names."""
        text = "\n".join(self._texts(document))
        found: set[str] = set()
        for file in self.evidence.files:
            name = file.rpartition("/")[2]
            owned = frozenset(r for r, run in self.evidence.runs.items() if file in run.files)
            if len(owned) > 1 and re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", text):
                found |= owned
        self.scope = self.subjects.scope = frozenset(found)
        self.settings, self.recent = {}, []
        sentences = [s.plain for b in document.blocks if isinstance(b, Prose) for s in b.sentences()]
        labels = {n.value for s in sentences if (m := TRAINED.match(s)) for n in numbers.find(s) if n.start == m.end()}
        self.labelled = len(labels & {v.value for v in self.totals}) > 1
        self.declared = frozenset(r for s in sentences for r in self._declared(s)) or self.evidence.named_baselines
        self._read_headings(document)
        return self

    def _declared(self, sentence: str) -> Runs:
        """The run of a sentence such as `Baseline: NAME`."""
        said = DECLARES.match(sentence)
        if said is None:
            return frozenset()
        name = re.split(r"\s\(|[`*]|$", sentence[said.end() :], maxsplit=1)[0].strip()
        if name in self.subjects.literal:
            return self.subjects.current(frozenset(self.subjects.literal[name]))
        found = [m.runs for m in self.subjects.scan(sentence) if said.end() <= m.start <= said.end() + 1 and m.strength > 1]
        return found[0] if found and self.one_group(found[0]) else frozenset()

    @staticmethod
    def _texts(document: Document) -> Iterable[str]:
        for block in document.blocks:
            if isinstance(block, Prose):
                yield block.text.plain
            else:
                yield from (c.plain for row in block.rows for c in row)

    def _read_headings(self, document: Document) -> None:
        """Which headings name runs, so that one that names none, among others that do, is about something else."""
        self.named_headings, self.siblings = {}, {}
        paths = {tuple((*h.places[:1], len(h.plain)) for h in b.context.headings): b.context.headings for b in document.blocks}
        for key, headings in paths.items():
            if not headings:
                continue
            runs = self.label(headings[-1].plain)
            flat = tuple(x for part in key for x in part)
            parent = tuple(x for part in key[:-1] for x in part)
            self.named_headings[flat] = runs
            kind = (parent, len(headings))
            self.siblings[kind] = self.siblings.get(kind, False) or bool(runs) and len(runs) < len(self.everyone)

    @cached_property
    def everyone(self) -> Runs:
        """All runs that count: no continuations."""
        return self.subjects.all

    def label(self, text: str) -> Runs:
        """The runs that a heading or a list item names; the first of several that contradict each other."""
        runs: Runs = frozenset()
        at = 0
        for mention in self.said(text)[1]:
            own = self.prefer(mention.runs)
            alone = tokens(mention.text) == tuple(w for w in tokens(text) if not w.isdigit())
            weak = mention.strength < 2 and not alone and not (own <= self.scope and not mention.key)
            if weak or len(own) >= len(self.everyone):
                continue
            several = runs and re.search(r"(?i)\b(?:vs|versus|and|or|against|to)\b|[,&+]", text[at : mention.start])
            runs = runs | own if several else runs & own or runs or own
            at = mention.end
        return runs

    def said(self, text: str) -> tuple[list[Term], list[Mention]]:
        """Quantities and runs that a text names; where words are both, a setting with its value is one, else the longer name wins."""
        terms, mentions = self.terms.scan(text), self.subjects.scan(text)
        named = []
        for m in mentions:
            inside = [t for t in terms if t.start < m.end and m.start < t.end]
            spelled = m.text in self.subjects.literal or len(tokens(m.text)) > 2
            valued = re.match(r"\W{0,2}[=:]", text[m.end :])
            if not any(
                t.start <= m.start and m.end <= t.end and not (self.subjects.is_name(tokens(m.text)) and spelled and not valued)
                for t in inside
            ):
                named.append(m)
        return [t for t in terms if not any(m.start < t.end and t.start < m.end for m in named)], named

    def prefer(self, runs: Runs) -> Runs:
        """Among runs of several files, those of the files that the report names."""
        return runs & self.scope or runs

    def setting(self, context: Context) -> Setting:
        """What stands above a block."""
        key = hash((tuple(t.places[:1] for t in (*context.headings, *context.parents)), context.lead.places[:1]))
        if key not in self.settings:
            self.settings[key] = self._setting(context)
        return self.settings[key]

    def _setting(self, context: Context) -> Setting:
        constraints: list[Constraint] = []
        n: int | None = None
        step: int | None = None
        above = [*context.headings, *context.parents, context.lead]
        for text in above:
            said, seeds = self.constraints(text.plain)
            constraints += said
            n = seeds if seeds is not None else n
            step = self.step(text.plain) or step
        quantities = next(
            (tuple(t) for text in reversed(above) if (t := [q for q in self.terms.scan(text.plain) if "/" in q.quantity])), ()
        )
        return Setting(self.everyone, tuple(constraints), step, n, quantities, self._elsewhere(context))

    def _elsewhere(self, context: Context) -> bool:
        """Whether a heading names no run although its siblings do."""
        path: tuple[int, ...] = ()
        for depth, heading in enumerate(context.headings, 1):
            parent = path
            path = (*path, *heading.places[:1], len(heading.plain))
            if self.siblings.get((parent, depth)) and not self.named_headings.get(path) and re.search(r"\d", heading.plain):
                return True
        return False

    def step(self, text: str) -> int | None:
        """The one step that a text names; none for a horizon."""
        return None if HORIZON.search(text) else step_of(text)

    def constraints(self, text: str) -> tuple[list[Constraint], int | None]:
        """Settings and names that a text restricts what follows to, and how many seeds it says."""
        found, terms = numbers.find(text), self.terms.scan(text)
        out: list[Constraint] = []
        n = None
        for link in attach(text, found, terms):
            if link.term is None or not link.tight or link.number.bound:
                continue
            if link.term.quantity == "n":
                n = int(link.number.value) if link.number.value == int(link.number.value) and not link.number.scaled else n
            elif link.term.is_setting or link.term.quantity == "n_steps" or link.term.quantity == "step" and link.right:
                quantity = "n_steps" if link.term.quantity == "step" else link.term.quantity  # (1,500 steps)
                runs = self.having(quantity, link.number)
                if runs:
                    out.append(Constraint(quantity.removeprefix("setting:"), runs))
        runs = self.label(text)
        if runs and len(runs) < len(self.everyone):
            out.append(Constraint("", runs))
        return out, n

    def having(self, quantity: str, number: Number) -> Runs:
        """Runs whose setting is this number."""
        return frozenset(r for r in self.evidence.runs if any(agrees(number, v.value) for v in self.evidence.values(r, quantity, "")))

    # -- helpers of tables and sentences --------------------------------------------------------------------------------------
    def key_of(self, text: str) -> str | None:
        """The setting that a header names, exactly."""
        known = names.known_config(text) or names.config_key(text)
        return known if known in self.evidence.keys else None

    def one_group(self, runs: Runs) -> bool:
        """Whether runs are one run, or seeds of one configuration."""
        return len(runs) < 2 or len(groups_of(self.evidence, runs)) == 1

    def is_sweep(self, runs: Runs) -> bool:
        """Whether runs are all of one file that holds several."""
        shared = frozenset.intersection(*(frozenset(self.evidence.runs[r].files) for r in runs)) if runs else frozenset()
        return any(sum(f in run.files for run in self.evidence.runs.values()) == len(runs) > 1 for f in shared)

    def who(self, runs: Runs) -> str:
        """Runs in words."""
        if len(runs) == 1:
            return self.evidence.runs[next(iter(runs))].name
        return f"{len(runs)} runs" if runs else "an unknown run"

    def meant(self, mention: Mention, setting: Setting) -> Runs:
        """The runs of a mention where it stands: of several that it may mean those the headings named last."""
        own = self.declared and (mention.strength > 2 or mention.text.lower() != "baseline") and mention.key != "baseline"  # a run's name
        if mention.text.lower() in BASELINE and mention.key != "model" and not own:
            found = self.baseline(setting)
            if found:
                return found
        within = self.subjects.current(mention.runs & setting.runs or self.prefer(mention.runs))
        if not mention.key and mention.strength < 3 and not self.one_group(within) and not self.is_sweep(within):
            recent = next((r for r in reversed(self.recent) if r in within), None)
            return frozenset({recent}) if recent else within
        return within

    def widely(self, mention: Mention, setting: Setting) -> Runs:
        """All runs that a mention may mean anywhere, with what continues them."""
        runs = self.meant(mention, setting) | (self.subjects.neutral if mention.text.lower() in BASELINE else mention.runs)
        return runs | frozenset(r for r, run in self.evidence.runs.items() if run.row["parent"] in runs)

    def baseline(self, setting: Setting) -> Runs:
        """The baseline among the runs that a text is about: as said, by its name, by a setting that says none, or the build's."""
        runs = setting.runs or self.everyone
        if self.declared & runs:
            return self.subjects.current(self.declared & runs)
        named = frozenset(r for r in runs if BASELINE & set(tokens(self.evidence.runs[r].name)))
        if named:
            recent = next((r for r in reversed(self.recent) if r in named), None)
            return frozenset({recent}) if recent and not self.one_group(named) else self.subjects.current(named)
        neutral = self.subjects.neutral & runs
        return self.subjects.current(neutral or frozenset(self.evidence.baselines) & runs)

    def around(self, setting: Setting) -> Runs:
        """The runs that a sentence without a name is about: those of its surroundings, else those of the files that the report names."""
        return setting.runs if setting.constraints or setting.unknown or not self.scope else self.scope

    def parent_runs(self, setting: Setting) -> Runs:
        """The runs that a nested item, or a section about one run, speaks of."""
        runs = setting.runs
        return runs if self.one_group(runs) and len(runs) < len(self.everyone) else frozenset()

    def of_size(self, runs: Runs, n: int | None) -> Runs | None:
        """The only group of so many seeds among some runs."""
        groups = [g for g in groups_of(self.evidence, runs) if n is not None and len(g) == n]
        return frozenset(groups[0]) if len(groups) == 1 else None

    def counted(self, mention: Mention | None, setting: Setting, total: bool) -> Runs:
        """The runs that a count is about."""
        if mention is not None and mention.strength > 1:
            return self.meant(mention, setting)
        if total and self.scope:
            return self.scope
        return setting.runs

    def setting_values(self, quantity: str, runs: Runs) -> list[Value]:
        """The different values of a setting among runs."""
        found: dict[float, Value] = {}
        keys = [quantity, *ALSO.get(quantity, ())]
        for key in keys:
            for run in sorted(runs):
                for v in self.evidence.values(run, key, ""):
                    found.setdefault(v.value, v)
            if found:
                break
        return list(found.values())

    def total(self, quantity: str, runs: Runs) -> Value | None:
        """A quantity summed over runs; None unless each of them has it."""
        runs = self.scope or self.subjects.current(runs)
        values = [v[0] for r in sorted(runs) if (v := self.evidence.values(r, quantity, ""))]
        if not values or len(values) != len(runs):
            return None
        how = "throughput x time" if quantity == "tokens" else "times"
        return Value(fsum(v.value for v in values), f"{values[0].where} and {len(values) - 1} more", f"sum of {how} of {len(values)} runs")

    def counted_as(self, runs: Runs, seeds: bool) -> list[Value]:
        """What a count of runs may be; of seeds, how many a configuration has."""
        if not runs:
            return []
        found = self.counts(self.subjects.current(runs))["runs"]
        found = [v for v in found if v.value > 1] or found  # one run is no mean
        return found[1:] if seeds and len(found) > 2 else found

    def counts(self, runs: Runs) -> Options:
        """How many runs are meant."""
        done = self.subjects.current(runs)
        where = "; ".join(sorted({f for r in done for f in self.evidence.runs[r].files})[:2])
        out: Options = {"runs": [Value(len(done), where, "runs")]}
        compared = sum(self.evidence.runs[r].budget is not None for r in done)
        if 0 < compared < len(done):  # a report may count only those that it compares
            out["runs"].append(Value(compared, where, "runs that are compared"))
        for group in groups_of(self.evidence, done):
            out["runs"].append(Value(len(group), where, "runs of one configuration"))
        return out

    def readings(
        self, term: Term, number: Number, runs: Runs, step: int | None, n: int | None, setting: Setting, unit: str = ""
    ) -> Options:
        """All readings of a quantity, in the unit that is printed."""
        options = self._readings(term, number, runs, step, n, setting)
        factor = self._factor(term, number, unit)
        if factor == 1.0:
            return options
        return {label: [_scaled(v, factor) for v in values] for label, values in options.items()}

    def _readings(self, term: Term, number: Number, runs: Runs, step: int | None, n: int | None, setting: Setting) -> Options:
        at = step if step is not None else setting.step if term.stat not in ("best", "last") and "/" in term.quantity else None
        options = measure(self.evidence, runs, term.quantity, term.stat, at, n)
        if step is None and at is not None:
            options = {**options, **measure(self.evidence, runs, term.quantity, term.stat, None, n)}
        if term.quantity == "final/loss":
            options = {**options, **{f"val/loss {k}": v for k, v in measure(self.evidence, runs, "val/loss", "last", None, n).items()}}
        if term.quantity == "tokens_per_s" and "tok" not in term.text.lower() and not number.scaled:
            options = {**options, **{f"steps {k}": v for k, v in measure(self.evidence, runs, "steps_per_s", "", None, n).items()}}
        return options

    def _factor(self, term: Term, number: Number, unit: str) -> float:
        """Our unit over the printed one."""
        if term.quantity.endswith("/accuracy"):
            return 100.0 if number.kind == "percent" or "%" in unit else 1.0
        if number.kind == "time" or number.scaled:
            return 1.0
        match = HEAD_UNIT.search(unit)
        word = (match[1] or match[2]).lower() if match else ""
        timed = term.quantity in ("train_time", "s_per_step") or term.quantity.endswith("runtime")
        if timed:
            return 1 / (term.scale if term.scale != 1.0 else UNITS[word]) if word or term.scale != 1.0 else 1.0
        return 1 / UNITS[word] if word in ("k", "m", "b", "million", "billion", "thousand") else 1.0

    def steps_said(self, text: Text, runs: Runs) -> list[tuple[Number, Outcome]]:
        """Verdicts on the steps that a header names with @ or 'step': the runs must have been evaluated there."""
        spans = [m.span("a") if m["a"] else m.span("b") for m in AT.finditer(text.plain)]
        out = []
        for number in numbers.find(text.plain):
            if any(s <= number.start + (number.text[:1] in "+-") and number.end >= e for s, e in spans):
                out.append((number, self.step_exists(number, runs)))
        return out

    def step_exists(self, number: Number, runs: Runs) -> Outcome:
        """Whether any of the runs was evaluated at, or ends at, a step."""
        return hold(number, self.near_steps(number, runs), "a step of " + self.who(runs))

    @cached_property
    def totals(self) -> list[Value]:
        """The steps that runs were trained for."""
        found = [v for r in sorted(self.evidence.runs) for q in ("n_steps", "last_step") for v in self.evidence.values(r, q, "")[:1]]
        return list({v.value: v for v in found}.values())

    def total_said(self, number: Number) -> Outcome:
        """Whether runs were trained for so many steps; a label that is no total is wrong where others are."""
        total = hold(number, sorted(self.totals, key=lambda v: abs(v.value - number.value)), "a total of steps")
        return total if total.verdict == MATCH or self.labelled else self.step_exists(number, self.everyone)

    def horizon(self, runs: Runs, edge: str) -> list[Value]:
        """Where the steps begin or end over which the throughput of runs is measured."""
        return [v for r in sorted(runs) for v in self.evidence.horizon(r)[edge == "low" :][:1]]

    def near_steps(self, number: Number, runs: Runs) -> list[Value]:
        """The step itself, when a run was evaluated or logged there, else the nearest one."""
        values = self._steps_of(runs)
        exact = [values[int(number.value)]] if number.value in values else self._trained_at(int(number.value), runs)
        return exact or sorted(values.values(), key=lambda v: abs(v.value - number.value))[:1]

    def _steps_of(self, runs: Runs) -> dict[int, Value]:
        """The steps at which runs were evaluated, and at which they end."""
        if runs not in self.steps:
            found: dict[int, Value] = {}
            for run in sorted(runs):
                for r in self.evidence.points(run, "val/loss"):
                    if r["step"] is not None and r["step"] not in found:
                        found[r["step"]] = Value(r["step"], f"{r['path']}:{r['line']}")
                total = self.evidence.runs[run].total
                if total is not None:
                    found.setdefault(total, Value(total, "; ".join(sorted(self.evidence.runs[run].files)[:1])))
            self.steps[runs] = found
        return self.steps[runs]

    def _trained_at(self, step: int, runs: Runs) -> list[Value]:
        """The step, if a run logged a training loss there."""
        return [replace(v[0], value=step) for r in sorted(runs) if (v := self.evidence.values(r, "train/loss", "at", step))][:1]


def _scaled(v: Value, factor: float) -> Value:
    """A value in another unit."""
    return replace(v, value=v.value * factor, low=v.low * factor, high=v.high * factor)
