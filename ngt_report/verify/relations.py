"""What no single line says of runs: loss at equal time, time to a target, intervals and tests, as the report's own relations have them."""

from __future__ import annotations

import re
from functools import cached_property
from math import floor
from typing import TYPE_CHECKING

from msgspec import Struct

from ngt_report.stats import perplexity
from ngt_report.verify import numbers
from ngt_report.verify.evidence import Value

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from ngt_report.assemble.facts import Facts
    from ngt_report.model import VerdictRow
    from ngt_report.verify.evidence import Evidence
    from ngt_report.verify.grid import Grid
    from ngt_report.verify.numbers import Number
    from ngt_report.verify.recompute import Options
    from ngt_report.verify.rows import Row
    from ngt_report.verify.subjects import Runs
    from ngt_report.verify.terms import Term

EQUAL = re.compile(r"(?i)\bequal(?:\s+\w+)?\s+(?P<of>time|tokens)\b")
REACH = re.compile(r"(?i)\btime[\s-]+to[\s-]+(?:target|reach|loss|val|a\b|\d)|\b(?:steps|time|tokens) (?:needed )?to (?:reach|get to)\b")
TARGET = re.compile(r"(?i)\W*target(?: (?:val )?loss)?\W*")
METHOD = re.compile(
    r"(?i)\bwelch|\bholm\b|\bt[- ](?:interval|test)|\blinear|\binterpolat"
)  # how the report makes such numbers; others may differ
TESTED = frozenset({"p", "paired p", "seen"})  # of two groups
COLUMN = {"n_steps": "steps", "step": "steps", "best_step": "steps", "train_time": "seconds", "tokens": "tokens"}


class Frame(Struct, frozen=True):
    """What stands above a table makes of its numbers: values at equal time or tokens, or what it took to reach a target."""

    kind: str = ""  # time, tokens, target
    said: Sequence[Number] = ()  # numbers above the table: the time, the tokens or the target

    @staticmethod
    def of(above: Iterable[str], grid: Grid) -> Frame:
        """The frame of a table; an empty one for values that are logged."""
        above = list(above)
        equal = next((m for text in above if (m := EQUAL.search(text))), None)
        if equal:
            return Frame(equal["of"].lower(), [n for n in numbers.find(equal.string) if n.start > equal.end()])
        if any(TARGET.fullmatch(h.text) for h in grid.heads) or any(map(REACH.search, above)):
            return Frame("target", [n for text in above for n in numbers.find(text) if n.kind == "plain" and n.half < 0.1])
        return Frame()


class Relations:
    """The relations of the report, asked once and only where a table needs them."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence

    @cached_property
    def facts(self) -> Facts:
        """All rows."""
        from ngt_report.assemble.facts import Facts

        return Facts(self.evidence.store)

    def _value(self, value: float | None, runs: Runs, what: str) -> list[Value]:
        known = (self.evidence.best_last.get(r, {}).get("last_path") or next(iter(self.evidence.runs[r].files), "") for r in sorted(runs))
        return [] if value is None else [Value(value, next(known, ""), what)]

    # -- made values of one run ---------------------------------------------------------------------------------------------
    def framed(self, frame: Frame, grid: Grid, row: Row, column: int, term: Term | None) -> Options:
        """What a cell of such a table may be."""
        if len(row.runs) != 1:
            return {}
        if frame.kind == "target":
            return self._reached(frame, grid, row, column, term)
        rows = [r for r in self.facts.rows[f"equal_{frame.kind}"] if r["run"] in row.runs]
        at = "time_s" if frame.kind == "time" else "at_tokens"
        if not rows or term is None or frame.said and not any(n.rounds(rows[0][at]) for n in frame.said):
            return {}
        loss, step = rows[0]["loss"], rows[0]["step"]
        # a step is the last one that was finished, or where the line between two evaluations is
        made = {"val/loss": [loss], "step": [floor(step), step], "val/perplexity": [perplexity(loss)]}
        what = f"linear between evaluations, at {rows[0][at]:.9g} {'s' if frame.kind == 'time' else 'tokens'}"
        quantity = "step" if COLUMN.get(term.quantity) == "steps" else term.quantity
        values = [v for value in made.get(quantity, ()) for v in self._value(value, row.runs, what)]
        return {f"at equal {frame.kind}": values}

    def _reached(self, frame: Frame, grid: Grid, row: Row, column: int, term: Term | None) -> Options:
        """What it took a run to reach the target of its row, or of all rows."""
        own = [numbers.find(c.plain) for h, c in zip(grid.heads, row.cells, strict=False) if TARGET.fullmatch(h.text)]
        said = own[0] if own else frame.said
        key = COLUMN.get(term.quantity) if term else "tokens" if re.search(r"(?i)token", grid.heads[column].text) else None
        rows = [r for r in self.facts.rows["time_to_target"] if r["run"] in row.runs and len(said) == 1 and said[0].rounds(r["target"])]
        if len(rows) != 1 or key is None:
            return {}
        return {"to the target": self._value(rows[0][key], row.runs, f"linear between evaluations, to {rows[0]['target']:.9g}")}

    # -- groups of seeds ------------------------------------------------------------------------------------------------------
    def interval(self, runs: Runs, step: int | None) -> Options:
        """Half the width of the 95 % interval of a group's mean: at a step, at the common step, and at best."""
        of = "half width of the 95 % t interval of the mean"
        group = next((r for r in self.facts.rows["seeds"] if frozenset(r["runs"]) == runs), None)
        if group is None:
            return {}
        curve = [c["ci95_loss"] for c in self.facts.rows["mean_curves"] if c["seed_group"] == group["seed_group"] and c["step"] == step]
        ends = {"last": group["ci95_loss"], "best": group["ci95_best"], "at": next(iter(curve), None)}
        return {end: self._value(value, runs, of) for end, value in ends.items() if value is not None}

    def tested(self, ours: Runs, theirs: Runs, quantity: str) -> Options:
        """A p-value, the half width of the interval of a difference, or the smallest difference that is seen."""
        found = self._verdicts.get((ours, theirs)) or self._verdicts.get((theirs, ours))
        if found is None:
            return {}
        value = {"p": found.p, "paired p": found.paired_p, "ci": found.ci, "seen": found.seen}[quantity]
        return {"at the common step": self._value(value, ours, f"{found.n} against {found.n_against} runs, Welch's t test, Holm")}

    @cached_property
    def _verdicts(self) -> dict[tuple[Runs, Runs], VerdictRow]:
        """The tests of the report by the runs of both sides."""
        from ngt_report.assemble.seeds import stages

        out: dict[tuple[Runs, Runs], VerdictRow] = {}
        for budget in {r["budget"] for r in self.facts.rows["seeds"]}:
            for stage in stages(self.facts, budget):
                rows = [r for r in self.facts.of("seeds", budget) if r["stage"] == stage.table]
                runs = self._by_cells(rows)
                out |= {(runs[v.group], runs[v.against]): v for v in stage.verdicts}
        return out

    def _by_cells(self, rows: list[dict[str, Any]]) -> dict[str, Runs]:
        """The runs of groups by what the report calls them."""
        from ngt_report.assemble.seeds import telling

        return {", ".join(cells): frozenset(r["runs"]) for r, cells in zip(rows, telling(self.facts, rows)[1], strict=True)}
