"""The whole report model, section by section."""

from __future__ import annotations

from typing import Any

from ngt_report import __version__
from ngt_report.assemble.bits import bits
from ngt_report.assemble.campaign import campaign
from ngt_report.assemble.cites import cites
from ngt_report.assemble.compared import best_row, group, speed_row
from ngt_report.assemble.facts import TOP, Facts
from ngt_report.assemble.noticed import noticed
from ngt_report.assemble.ran import artefacts, other_metrics, settings, source_rows
from ngt_report.assemble.unranked import of_one, parted, unranked
from ngt_report.formatting import number
from ngt_report.model import AccuracyRow, Excluded, FindingRow, MetricTable, Report, TrainRow
from ngt_report.queries import header, metric_names

PRINTED = frozenset(
    "common_step best_last fixed_step throughput train_time ranking perplexity delta equal_time time_to_target seeds other_metrics"
    " train_only recorded_speed accuracy mean_curves spread equal_tokens bits".split()
)  # metrics that sections of Summary.md print; any other gets a table of its own
RUNS = ("run", "baseline")  # columns that name runs


def assemble(facts: Facts, title: str, notes: str | None, command: str) -> Report:
    """The whole report model."""
    groups = [group(facts, row) for row in facts.rows["common_step"] if row["runs"] > 1]
    alone = [r["budget"] for r in facts.rows["common_step"] if r["runs"] == 1]
    single = [run for run, c in facts.compared.items() if c["budget"] in alone]
    apart = [run for run, c in facts.compared.items() if c["budget"] is None and facts.runs[run]["is_continuation"]]
    continuations = sum(bool(r["is_continuation"]) for r in facts.runs.values())
    left_out = _excluded(facts)
    excluded, silent = parted(tuple(e for run, e in left_out if not facts.runs[run]["is_continuation"]))
    singles = tuple(best_row(facts, run) for run in single if run in facts.best and facts.best[run]["best_loss"] is not None)
    trained, accuracy, in_bits = _train_only(facts), _accuracy(facts), bits(facts)
    apart_rows, runs = tuple(e for _, e in left_out), len(facts.runs) - continuations
    why = of_one(runs, apart_rows, bool(in_bits)) if len(singles) == 1 else unranked(singles, apart_rows, accuracy, trained)
    recorded, missing = settings(facts)
    columns, dropped, others = other_metrics(facts)
    places = cites(facts)
    found = tuple(FindingRow(**f) for f in facts.findings)
    return Report(
        title=title,
        runs=runs,
        continuations=continuations,
        groups=tuple(groups),
        singles=singles,
        single_speed=tuple(speed_row(facts, run) for run in [*single, *apart] if run in facts.speed),
        continued=tuple(e for run, e in left_out if facts.runs[run]["is_continuation"]),
        excluded=excluded,
        silent=silent,
        unranked=None if groups else why,
        train_only=trained,
        accuracy=accuracy,
        bits=in_bits,
        unknown=tuple(k for k in groups[0].unknown if all(k in g.unknown for g in groups)) if groups else (),
        baseline_missing=not facts.baselines and not any(g.baseline_groups for g in groups),
        other=others,
        other_columns=columns,
        other_columns_dropped=dropped,
        more=tuple(_more(facts, name) for name in metric_names() if name not in PRINTED),
        campaign=campaign(facts),
        grouping=_grouping(facts),
        settings=recorded,
        missing=missing,
        notes=notes,
        coords=facts.coords,
        findings=found,
        noticed=noticed(found),
        sources=tuple(source_rows(facts)),
        artefacts=tuple(artefacts(facts)),
        unused=sum(s["status"] != "read" for s in facts.sources),
        cites=tuple(places[: TOP * 6]),
        cites_dropped=max(0, len(places) - TOP * 6),
        command=command,
        version=__version__,
    )


def _grouping(facts: Facts) -> str:
    """What makes runs a group of seeds, in words."""
    if facts.group_by:
        return f"{' and '.join(facts.group_by)} {'is' if len(facts.group_by) == 1 else 'are'} equal"
    return f"recorded configurations are equal but for {' and '.join(facts.except_keys) or 'the seed'}"


def _train_only(facts: Facts) -> tuple[TrainRow, ...]:
    """Runs that were only trained."""
    rows = [r for r in facts.rows["train_only"] if _without_validation(facts, r["run"])]
    return tuple(TrainRow(facts.name(r["run"]), r["last"]["v"], r["last"]["d"], r["last_step"]) for r in rows)


def _accuracy(facts: Facts) -> tuple[AccuracyRow, ...]:
    """Runs whose validation is an accuracy alone."""
    keys = ("best_accuracy", "best_step", "last_accuracy", "last_step")
    return tuple(AccuracyRow(facts.name(a["run"]), *(a[key] for key in keys)) for a in facts.rows["accuracy"])


def _without_validation(facts: Facts, run: str) -> bool:
    """Whether a run was only trained: finished or not, but with no other validation than none."""
    if facts.compared[run]["excluded"] == "no validation loss":
        return True
    if "validated" not in facts.memo:
        facts.memo["validated"] = {r["run"] for r in facts.rows["other_metrics"] if r["metric"].startswith("val/")}
    return not facts.runs[run]["is_continuation"] and run not in facts.memo["validated"]


def _excluded(facts: Facts) -> list[tuple[str, Excluded]]:
    """Runs in no comparison, with the reason and what they reached."""
    out = []
    for run, c in facts.compared.items():
        if c["budget"] is not None or c["excluded"] == "no validation loss" and any(t["run"] == run for t in facts.rows["train_only"]):
            continue
        b = facts.best.get(run)
        has = b is not None and b["best_loss"] is not None
        out.append((run, Excluded(
            facts.name(run), c["excluded"] or "no validation loss", b["best_logged"] if has and b else None,
            b["best_decimals"] if has and b else None,
            b["best_step"] if has and b else None, b["last_logged"] if b else None, b["last_decimals"] if b else None,
            b["last_step"] if b else None,
        )))  # fmt: skip
    return out


def _more(facts: Facts, name: str) -> MetricTable:
    """A metric as a plain table, with runs by their display names."""
    rows = facts.rows[name]
    columns = tuple(c for c in (rows[0] if rows else ()) if any(r[c] is not None for r in rows[:TOP]))
    right = tuple(all(isinstance(r[c], int | float | None) for r in rows[:TOP]) for c in columns)

    def cell(column: str, value: Any) -> str:
        name = column in RUNS and value in facts.runs
        return "-" if value is None else facts.name(value) if name else f"{value:.6g}" if isinstance(value, float) else number(value)

    cells = tuple(tuple(cell(c, r[c]) for c in columns) for r in rows[:TOP])
    return MetricTable(header(name).get("title", name), header(name).get("unit", ""), columns, right, cells, max(0, len(rows) - TOP), name)
