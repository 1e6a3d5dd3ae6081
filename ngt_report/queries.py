"""Builds the relations of sql/ layer by layer and hands out their rows; nothing here knows a format or a template."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from ngt_report import tailor
from ngt_report.asked import refuse_unknown_step
from ngt_report.config import Settings
from ngt_report.errors import UsageError
from ngt_report.kinds import write_kinds
from ngt_report.present import of_row, of_tables
from ngt_report.store import Store, sql, sql_names, to_json
from ngt_report.summaries import audits_of
from ngt_report.tailor import applies, tailored

# tables, in the order in which they rest on each other, before and after the evaluations; these, which rest on each other in the order of
# STEPS, are one view on disk
BEFORE = ("origins", "long_curves")
STEPS = ("stated", "chosen", "settled")
AFTER = ("ends", "clocks", "compared")
SEGMENTS = "source BIGINT, trial INTEGER, segment INTEGER, superseded_from BIGINT, reset_line BIGINT, clock_offset_s DOUBLE"
SETTLED = (
    "run VARCHAR, metric VARCHAR, step BIGINT, value DOUBLE, decimals TINYINT, clock_s DOUBLE, tokens BIGINT, source BIGINT, path VARCHAR,"
    " line BIGINT, pointer VARCHAR, is_final BOOLEAN"
)
FIRST = ("common_step", "best_last", "fixed_step", "throughput", "train_time")  # metrics that others rest on, in order
HEADER = ("title", "unit", "better", "grain")  # that the header of every metric has
AFTER_BASELINES = "delta"  # this metric and all later ones may use the tables baselines, targets and kinds
THINNED = (
    "curve VARCHAR, metric VARCHAR, stretch BIGINT, high DOUBLE, low DOUBLE, peak_step BIGINT, path VARCHAR, line BIGINT, step BIGINT,"
    " clock_s DOUBLE"
)
UNCHOSEN = "FROM stated"  # where nothing is said twice, there is nothing to choose
BASELINE_WORDS = (("vanilla", "baseline"), ("none",))


@cache
def metric_names() -> tuple[str, ...]:
    """All metrics, one .sql file each, those that others rest on first."""
    rest = [n for n in sql_names("metrics") if n not in FIRST and n != AFTER_BASELINES]
    return (*FIRST, AFTER_BASELINES, *rest)


@cache
def finding_names() -> tuple[str, ...]:
    """All rules that notice something, one .sql file each."""
    return tuple(sql_names("findings"))


@cache
def header(name: str) -> dict[str, str]:
    """The comment header of a metric: title, unit, better, grain, and its columns where it may have nothing to compute."""
    return tailor.header(sql(f"metrics/{name}.sql"), HEADER, f"sql/metrics/{name}.sql")


def build_relations(store: Store, settings: Settings, present: set[str]) -> None:
    """Make staging and metric tables, baselines, targets and findings from the raw tables, layer by layer.

    `present` is what there is to compute from, in words, as far as the runs tell (present.py).
    """
    store.clear("params")
    store.run("INSERT INTO params VALUES (?, ?, ?)", [settings.step, settings.target, bool(settings.group_by or settings.except_keys)])
    store.run("DELETE FROM meta WHERE key IN ('phases', 'group_by', 'except')")
    for key, declared in (("phases", settings.phases), ("group_by", settings.group_by), ("except", settings.except_keys)):
        if declared:
            store.run("INSERT INTO meta VALUES (?, ?)", [key, to_json(declared)])
    if store.run("SELECT 1 FROM raw_segments LIMIT 1"):
        present.add("restarts")
    _make(store, "segments", _staging("segments", present) if "restarts" in present else None, SEGMENTS)
    for name in BEFORE:
        if _make(store, name, _staging(name, present)) and name == "long_curves":
            present.add("long curves")
    _gather(store, present)
    for name in AFTER:
        _make(store, name, _staging(name, present))
    present |= of_tables(store)
    for name in metric_names():
        if name == AFTER_BASELINES:
            baselines = _baselines(store, settings)
            write_kinds(store)
            targets = _targets(store, settings)
            present |= {word for word, rows in (("baselines", baselines), ("targets", targets)) if rows}
        text = sql(f"metrics/{name}.sql")
        if not applies(text, present):
            store.unmade.add(name)
        _make(store, name, tailored(text, present) if name not in store.unmade else None, header(name).get("columns", ""))
        if name == "common_step" and "long curves" in present:
            _mark(store, present)
        if name == "fixed_step" and settings.step is not None:
            refuse_unknown_step(store, settings.step)
    _audit(store, present)
    present |= of_row(store, _staging("audited", present))
    for name in finding_names():
        text = sql(f"findings/{name}.sql")
        if applies(text, present):
            store.run(f"INSERT INTO findings BY NAME {tailored(text, present)}")


def _make(store: Store, table: str, query: str | None, columns: str = "") -> int:
    """Make a table anew, without rows where there is no query for them; returns how many it has."""
    if query is not None:
        return int(store.run(f"CREATE OR REPLACE TABLE {table} AS {query}")[0][0])
    if table not in store.empty:
        store.run(f"CREATE OR REPLACE TABLE {table} ({columns})")
    return 0


def _staging(name: str, present: Collection[str]) -> str:
    return tailored(sql(f"staging/{name}.sql"), present)


def _gather(store: Store, present: set[str]) -> None:
    """Compute the evaluations once, in memory; long plain curves stay where they lie. Adds what there is to what is present."""
    if "long curves" not in present or store.run("SELECT 1 FROM run_trials ANTI JOIN long_curves USING (source, trial) LIMIT 1"):
        present.add("short curves")
        _settle(store, present)
    else:
        store.run(f"CREATE OR REPLACE TEMP TABLE settled ({SETTLED})")
    store.run(f"CREATE OR REPLACE TEMP VIEW evals AS {_staging('evals', present)}")
    store.run(f"CREATE OR REPLACE TEMP MACRO losses_within(asked) AS TABLE {_staging('losses_within', present)}")
    steps = ", ".join(f"{name} AS ({_staging(name, present) if name != 'chosen' or 'restated' in present else UNCHOSEN})" for name in STEPS)
    store.run(f"CREATE OR REPLACE VIEW report.evals AS WITH {steps} {_staging('evals', present)}")


def _settle(store: Store, present: set[str]) -> None:
    """Compute the evaluations that are not those of long plain curves, in steps."""
    store.run(f"CREATE OR REPLACE TEMP TABLE stated AS {_staging('stated', present)}")
    if store.run(_staging("restated", present)):
        present.add("restated")
        store.run(f"CREATE OR REPLACE TEMP TABLE chosen AS {_staging('chosen', present)}")
    else:
        store.run(f"CREATE OR REPLACE TEMP VIEW chosen AS {UNCHOSEN}")
    store.run(f"CREATE OR REPLACE TEMP TABLE settled AS {_staging('settled', present)}")


def _mark(store: Store, present: set[str]) -> None:
    """Look up the evaluations at the common steps, and at the first and last with a clock."""
    found = store.run("SELECT DISTINCT unnest([common_step, clock_from, clock_to]) FROM common_step")
    steps = ", ".join(str(step) for (step,) in found if step is not None) or "NULL"
    store.run(f"CREATE OR REPLACE TEMP TABLE marked AS {_staging('marked', present).format(steps=steps)}")


def _audit(store: Store, present: set[str]) -> None:
    """Audit the curves whose audit is not kept with their content."""
    if store.run(_staging("short", present)):
        audits = audits_of(store, _staging("thinned", present))
    else:
        store.run(f"CREATE OR REPLACE TEMP TABLE thinned ({THINNED})")
        audits = "SELECT NULL::VARCHAR AS curve, * EXCLUDE (source, trial), false AS odd_clock FROM long_audits LIMIT 0"
    store.run(f"CREATE OR REPLACE TEMP TABLE audits AS {audits}")


def _baselines(store: Store, settings: Settings) -> int:
    """Name the baseline of every compared set, and why it is the one; returns how many have one."""
    store.clear("baselines")
    runs = store.rows("SELECT run, name, model, flags, budget, is_continuation FROM runs LEFT JOIN compared USING (run) ORDER BY run")
    budgets = list(dict.fromkeys(r["budget"] for r in runs if r["budget"] is not None))
    if settings.baseline:
        chosen = find_run([(r["run"], r["name"]) for r in runs], settings.baseline)
        rows = [(b, chosen, "it was named") for b in budgets if _in(runs, chosen, b)]
    else:
        rows = []
        everywhere = _say_baseline([r for r in runs if not r["is_continuation"]])
        for budget in budgets:
            own = [r for r in runs if r["budget"] == budget]
            found = everywhere if everywhere and any(r["run"] == everywhere[0] for r in own) else _say_baseline(own)
            if found and len(own) > 1:
                rows.append((budget, *found))
    store.insert("baselines", "budget VARCHAR, run VARCHAR, why VARCHAR", rows)
    return len(rows)


def _in(runs: list[dict[str, Any]], run: str, budget: str) -> bool:
    return any(r["run"] == run and r["budget"] == budget for r in runs)


def _say_baseline(runs: list[dict[str, Any]]) -> tuple[str, str] | None:
    """The one run that calls itself the baseline: by its model, its flags, or a word of its name."""
    for words in BASELINE_WORDS:
        found: dict[str, str] = {}
        for what in ("model", "flags", "name"):
            said = {r["run"]: word for r in runs if (word := _word_of(words, (r[what] or "").lower()))}
            if len(said) < len(runs):  # what all say tells none apart
                for run, word in said.items():
                    found.setdefault(run, f"its {what} says {word}" if what != "flags" else f"its flags say {word}")
        if len(found) == 1:
            return next(iter(found.items()))
        if found:
            return None
    return None


def _word_of(words: Sequence[str], text: str) -> str | None:
    """The first of these words that stands alone in a text."""
    return next((w for w in words if w in text and w in re.split(r"[^a-z]+", text)), None)


def _targets(store: Store, settings: Settings) -> int:
    """Default targets: the final losses of the baseline and of the best variant; returns how many there are."""
    store.clear("targets")
    if settings.target is not None:
        query = "INSERT INTO targets SELECT DISTINCT budget, ?, 'as asked' FROM compared WHERE budget IS NOT NULL AND total IS NOT NULL"
        return int(store.run(query, [settings.target])[0][0])
    made = store.run(
        """
        INSERT INTO targets
        WITH variants AS (
            SELECT g.budget, arg_min(g.run, (g.loss, g.run)) AS run
            FROM fixed_step AS g
            JOIN baselines AS b ON b.budget = g.budget AND b.run <> g.run
            JOIN kinds AS k ON k.run = g.run
            JOIN kinds AS bk ON bk.run = b.run AND bk.kind = k.kind
            GROUP BY g.budget
        )
        SELECT f.budget, f.loss, 'final loss of ' || r.name || CASE WHEN f.run = b.run THEN ', the baseline' ELSE ', the best variant' END
        FROM fixed_step AS f
        JOIN baselines AS b ON b.budget = f.budget
        JOIN runs AS r ON r.run = f.run
        LEFT JOIN variants AS v ON v.budget = f.budget
        WHERE f.step IS NOT NULL AND (f.run = b.run OR f.run = v.run)
        """
    )
    return int(made[0][0])


def find_run(runs: list[tuple[str, str]], text: str) -> str:
    """The run meant by any unique part of its id or display name; the nearest name on a typo."""
    import difflib

    for chosen in (
        [i for i, n in runs if text in (i, n)],
        [i for i, n in runs if i.endswith("_" + text) or n.endswith("_" + text) or i.endswith("#" + text)],
        [i for i, n in runs if text.lower() in i.lower() or text.lower() in n.lower()],
    ):
        if len(chosen) == 1:
            return chosen[0]
        if len(chosen) > 1:
            names = ", ".join(sorted(n for i, n in runs if i in chosen)[:6])
            raise UsageError(f"{text!r} may be any of {len(chosen)} runs ({names}{', ...' if len(chosen) > 6 else ''}); give a longer part")
    near = difflib.get_close_matches(text, [n for _, n in runs] + [i for i, _ in runs], 1, 0.4)
    raise UsageError(f"no run is called {text!r}" + (f"; did you mean {near[0]!r}?" if near else "; `ngtreport show` lists the runs"))
