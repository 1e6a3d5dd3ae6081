"""From query rows to the report model: names, orders and limits; all arithmetic stays in SQL but for counts and ratios."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from ngt_report import __version__
from ngt_report.formatting import decimals_text, number
from ngt_report.model import (
    AccuracyRow,
    Artefacts,
    BestRow,
    Cite,
    Confound,
    EqualTimeRow,
    Excluded,
    FindingRow,
    FixedRow,
    Group,
    MetricTable,
    OtherRow,
    RankRow,
    Report,
    SeedRow,
    Setting,
    SourceRow,
    SpeedRow,
    TargetRow,
    TimeRow,
    TrainRow,
)
from ngt_report.names import METRICS
from ngt_report.queries import header, metric_names
from ngt_report.runs import UNTELLING, differing
from ngt_report.sources import formats
from ngt_report.store import Store

Row = dict[str, Any]
PRINTED = frozenset(
    "common_step best_last fixed_step throughput train_time ranking perplexity delta equal_time time_to_target seeds other_metrics"
    " train_only recorded_speed accuracy".split()
)  # metrics that sections of Summary.md print; any other gets a table of its own
TOP = 20  # rows of a table in Summary.md; all are in results.csv
CONFOUNDS = (
    "dataset",
    "tokenizer",
    "vocab_size",
    "val_tokens",
    "sequence_length",
    "batch_tokens",
    "params",
    "precision",
    "hardware",
    "gpus",
    "clock_scope",
)
DATA_BUDGET = re.compile(r"epochs?$|^subset_|^max_(?:train|eval|val|test)_samples$|_samples$|^max_steps$|^total_tokens$")
SPOKEN = {
    "vocab_size": "vocabulary size",
    "val_tokens": "validation tokens",
    "sequence_length": "sequence length",
    "batch_tokens": "batch tokens",
    "params": "parameters",
    "clock_scope": "clock scope",
}
SEVERITY = {"error": 0, "warning": 1, "info": 2}


class Facts:
    """All rows of all metrics, queried once, and the runs by id."""

    def __init__(self, store: Store) -> None:
        self.runs: dict[str, Row] = {r["run"]: r for r in store.rows("SELECT * FROM runs ORDER BY run")}
        for r in self.runs.values():
            r["config"] = json.loads(r["config"] or "{}")
            r["declared"] = json.loads(r["declared"] or "[]")
        self.rows: dict[str, list[Row]] = {n: store.rows(f"SELECT * FROM {n}") for n in metric_names()}
        self.compared: dict[str, Row] = {r["run"]: r for r in store.rows("SELECT * FROM compared ORDER BY run")}
        self.baselines: dict[str, Row] = {r["budget"]: r for r in store.rows("SELECT * FROM baselines ORDER BY budget")}
        self.best: dict[str, Row] = {r["run"]: r for r in self.rows["best_last"]}
        self.time: dict[str, Row] = {r["run"]: r for r in self.rows["train_time"]}
        self.speed: dict[str, Row] = {r["run"]: r for r in self.rows["throughput"]}
        self.delta: dict[str, Row] = {r["run"]: r for r in self.rows["delta"]}
        self.fixed: dict[str, Row] = {r["run"]: r for r in self.rows["fixed_step"]}
        self.final: dict[str, float] = {r["run"]: r["last"]["v"] for r in self.rows["other_metrics"] if r["metric"] == "final/loss"}
        self.findings = store.rows("SELECT * FROM findings ORDER BY severity, kind, text, source, line")
        self.findings.sort(key=lambda f: (SEVERITY.get(f["severity"], 3), f["kind"], f["text"], f["source"] or "", f["line"] or 0))
        self.sources = store.rows("SELECT * FROM sources ORDER BY path")
        self.checkpoints = store.rows("SELECT * FROM checkpoints ORDER BY path")
        self.coords = bool(store.run("SELECT 1 FROM raw_facts WHERE key = 'coords' LIMIT 1"))
        self.run_sources = store.rows(
            "SELECT DISTINCT t.run, s.path, s.format, t.precedence, t.main FROM run_trials AS t JOIN sources AS s ON s.id = t.source"
            " ORDER BY t.run, t.main DESC, t.precedence, s.path"
        )

    def name(self, run: str) -> str:
        """Display name of a run."""
        return str(self.runs[run]["name"])

    def of(self, metric: str, budget: str) -> list[Row]:
        """Rows of a metric that belong to one compared set."""
        return [r for r in self.rows[metric] if r["budget"] == budget]


def assemble(facts: Facts, title: str, notes: str | None, command: str) -> Report:
    """The whole report model."""
    groups = [_group(facts, row) for row in facts.rows["common_step"] if row["runs"] > 1]
    alone = [r["budget"] for r in facts.rows["common_step"] if r["runs"] == 1]
    single = [run for run, c in facts.compared.items() if c["budget"] in alone]
    apart = [run for run, c in facts.compared.items() if c["budget"] is None and facts.runs[run]["is_continuation"]]
    left_out = _excluded(facts)
    continuations = sum(bool(r["is_continuation"]) for r in facts.runs.values())
    settings, missing = _settings(facts)
    columns, other = _other(facts)
    cites = _cites(facts)
    return Report(
        title=title,
        runs=len(facts.runs) - continuations,
        continuations=continuations,
        groups=tuple(groups),
        singles=tuple(_best_row(facts, run) for run in single if run in facts.best and facts.best[run]["best_loss"] is not None),
        single_speed=tuple(_speed_row(facts, run) for run in [*single, *apart] if run in facts.speed),
        continued=tuple(e for run, e in left_out if facts.runs[run]["is_continuation"]),
        excluded=tuple(e for run, e in left_out if not facts.runs[run]["is_continuation"]),
        train_only=tuple(
            TrainRow(facts.name(r["run"]), r["last"]["v"], r["last"]["d"], r["last_step"])
            for r in facts.rows["train_only"]
            if facts.compared[r["run"]]["excluded"] == "no validation loss"
        ),
        accuracy=tuple(
            AccuracyRow(facts.name(a["run"]), a["best_accuracy"], a["best_step"], a["last_accuracy"], a["last_step"])
            for a in facts.rows["accuracy"]
        ),
        unknown=tuple(k for k in groups[0].unknown if all(k in g.unknown for g in groups)) if groups else (),
        baseline_missing=not facts.baselines,
        other=other[:TOP],
        other_columns=columns,
        more=tuple(_more(facts, name) for name in metric_names() if name not in PRINTED),
        settings=settings,
        missing=missing,
        notes=notes,
        coords=facts.coords,
        findings=tuple(FindingRow(**f) for f in facts.findings),
        sources=tuple(_source_rows(facts)),
        artefacts=tuple(_artefacts(facts)),
        unused=sum(s["status"] != "read" for s in facts.sources),
        cites=tuple(cites[: TOP * 6]),
        cites_dropped=max(0, len(cites) - TOP * 6),
        command=command,
        version=__version__,
    )


def _group(facts: Facts, row: Row) -> Group:
    budget = row["budget"]
    members = [run for run, c in facts.compared.items() if c["budget"] == budget]
    base = facts.baselines.get(budget)
    fixed = [_fixed_row(facts, r) for r in facts.of("fixed_step", budget)]
    ranking = facts.of("ranking", budget)
    told = _told_apart(facts, members)
    best_rows = [_best_row(facts, r["run"]) for r in ranking]
    all_last = bool(best_rows) and all(b.best_step == b.last_step for b in best_rows)
    speed = [_speed_row(facts, r["run"]) for r in ranking if r["run"] in facts.speed]
    equal = facts.of("equal_time", budget)
    variant = next((f for f in fixed if not f.is_baseline), None) if base else None
    seeds = [r for r in facts.of("seeds", budget) if r["n"] > 1]
    confounds, unknown = _confounds(facts, members)
    return Group(
        total=row["total"],
        size=row["runs"],
        step=row["common_step"],
        baseline=facts.name(base["run"]) if base else None,
        baseline_why=base["why"] if base else None,
        best=fixed[0] if fixed else None,
        variant=variant,
        variant_ratio=next((s.ratio for s in speed if variant and s.run == variant.run), None),
        fixed=tuple(fixed[:TOP]),
        ranking=tuple(_rank_row(facts, r, told) for r in ranking[:TOP]),
        best_last=() if all_last else tuple(best_rows[:TOP]),
        all_last=all_last,
        speed=tuple(speed[:TOP]),
        speed_from=row["clock_from"] if speed else None,
        speed_to=row["clock_to"] if speed else None,
        times=tuple(_times(facts, ranking)) if not speed else (),
        rule=_rule(speed, facts.name(base["run"]) if base else None),
        equal_time=tuple(_equal_row(facts, r, row["common_step"]) for r in equal[:TOP]) if len(equal) > 1 else (),
        equal_time_s=equal[0]["time_s"] if len(equal) > 1 else None,
        targets=tuple(_target_row(facts, r) for r in facts.of("time_to_target", budget) if r["reached"])[:TOP],
        seeds=tuple(_seed_row(facts, r) for r in seeds[:TOP]),
        confounds=confounds,
        differs=_differs(facts, members),
        unknown=unknown,
        dropped=max(0, len(ranking) - TOP),
    )


def _fixed_row(facts: Facts, r: Row) -> FixedRow:
    from math import exp

    delta = facts.delta.get(r["run"])
    is_base = delta is not None and delta["baseline"] == r["run"]
    return FixedRow(
        facts.name(r["run"]), r["loss"], r["decimals"], exp(min(r["loss"], 700.0)),
        None if delta is None or is_base else delta["delta_loss"], None if delta is None or is_base else delta["delta_ppl"], is_base,
    )  # fmt: skip


def _best_row(facts: Facts, run: str) -> BestRow:
    b = facts.best[run]
    return BestRow(
        facts.name(run), b["best_logged"], b["best_decimals"], b["best_step"], b["last_logged"], b["last_decimals"], b["last_step"],
        b["last_logged"] - b["best_logged"], facts.final.get(run),
    )  # fmt: skip


def _rank_row(facts: Facts, r: Row, told: dict[str, str]) -> RankRow:
    run, b = facts.runs[r["run"]], facts.best[r["run"]]
    flags = run["flags"] if run["flags"] is not None else told.get(r["run"])
    return RankRow(
        r["place"], run["name"], run["model"], flags, b["best_logged"], b["best_decimals"], r["ppl"], r["best_step"], r["checkpoint"]
    )


def _told_apart(facts: Facts, members: list[str]) -> dict[str, str]:
    """For runs without recorded flags: the configuration values that tell the compared runs apart."""
    keys = {k for run in members for k in facts.runs[run]["config"]} - {"seed"}
    columns = {k: {run: facts.runs[run]["config"].get(k) for run in members} for k in keys}
    words = differing(members, columns)
    out = {run: " ".join(w for w in own if w not in facts.name(run).split(" ")) for run, own in words.items()}
    return {run: text for run, text in out.items() if text}


def _speed_row(facts: Facts, run: str) -> SpeedRow:
    s, d = facts.speed[run], facts.delta.get(run)
    time = facts.time.get(run, {}).get("train_time_s")
    return SpeedRow(facts.name(run), s["steps_per_s"], s["s_per_step"], time, d["time_ratio"] if d else None)


def _times(facts: Facts, ranking: list[Row]) -> list[TimeRow]:
    recorded = {r["run"]: r["tokens_per_s"] for r in facts.rows["recorded_speed"]}
    rows = [TimeRow(facts.name(r["run"]), facts.time.get(r["run"], {}).get("train_time_s"), recorded.get(r["run"])) for r in ranking[:TOP]]
    return rows if any(t.train_time_s is not None or t.tokens_per_s is not None for t in rows) else []


def _rule(speed: list[SpeedRow], baseline: str | None) -> str | None:
    """The generated rule of thumb: the others' range of rates, the baseline's, and how many times slower."""
    base = next((s for s in speed if s.run == baseline), None)
    others = [s for s in speed if s.run != baseline]
    if base is None or not others:
        return None
    rates = _range([s.steps_per_s for s in others], 2)
    ratios = [s.ratio for s in others if s.ratio]
    if not ratios:
        return None
    slower = [r if min(ratios) >= 1 else 1 / r for r in ratios]
    word = "slower" if min(ratios) >= 1 else "faster" if max(ratios) <= 1 else None
    who = f"the other {len(others)} runs do" if len(others) > 1 else f"{others[0].run} does"
    tail = f" ({_range(slower, 1)}x {word})" if word else f" ({_range(ratios, 2)}x its time per step)"
    return f"{who} {rates} steps/s, {baseline} does {base.steps_per_s:.2f}{tail}"


def _range(values: list[float], places: int) -> str:
    low, high = f"{min(values):.{places}f}", f"{max(values):.{places}f}"
    return low if low == high else f"{low}-{high}"


def _equal_row(facts: Facts, r: Row, common: int | None) -> EqualTimeRow:
    return EqualTimeRow(facts.name(r["run"]), r["loss"], r["step"], common is not None and r["step"] >= common)


def _target_row(facts: Facts, r: Row) -> TargetRow:
    return TargetRow(facts.name(r["run"]), r["target"], r["why"], r["steps"], r["seconds"], r["tokens"])


def _seed_row(facts: Facts, r: Row) -> SeedRow:
    names = [facts.name(run) for run in r["runs"]]
    words = [n.split(" ") for n in names]
    common = [w for w in words[0] if all(w in other for other in words)] if len(words[0]) > 1 else [_common(names)]
    return SeedRow(
        " ".join(common) or names[0], r["n"], ", ".join(str(s) for s in r["seed_list"]), r["mean_loss"], r["std_loss"], r["min_loss"],
        r["max_loss"],
        r["mean_best"], r["mean_time_s"],
    )  # fmt: skip


def _common(names: list[str]) -> str:
    """What the names begin with, without a trailing separator or the s of a seed."""
    same = [a for a, b in zip(min(names), max(names), strict=False)]
    length = next((i for i, c in enumerate(same) if min(names)[i] != max(names)[i]), len(same))
    return names[0][:length].rstrip("_-.s ") or names[0]


# -- what may not be compared -----------------------------------------------------------------------------------------
def confound_value(run: Row, key: str) -> Any:
    """The value of a confound for a run, or None when it is not recorded."""
    config = run["config"]
    if key == "batch_tokens":
        batch, length = config.get("batch_size"), run["config"].get("sequence_length")
        if not isinstance(batch, int) or not isinstance(length, int):
            return None
        accumulation = config.get("accumulation")
        return batch * length * (accumulation if isinstance(accumulation, int) else 1)
    if key == "clock_scope":
        return None if run["clock_scope"] in (None, "unknown") else run["clock_scope"]
    value = run.get(key)
    return value if value is not None else config.get(key)


def _confounds(facts: Facts, members: list[str]) -> tuple[tuple[Confound, ...], tuple[str, ...]]:
    found, unknown = [], []
    budgets = sorted({k for run in members for k in facts.runs[run]["config"] if DATA_BUDGET.search(k)})
    for key in (*CONFOUNDS, *budgets):
        values = [confound_value(facts.runs[run], key) for run in members]
        if all(v is None for v in values):
            unknown.append(SPOKEN.get(key, key))
            continue
        counts = Counter("not recorded" if v is None else number(v) for v in values)
        if len(counts) > 1:
            said = ", ".join(
                f"{text} ({n} {'run' if n == 1 else 'runs'})" for text, n in sorted(counts.items(), key=lambda c: (-c[1], c[0]))[:6]
            )
            found.append(Confound(SPOKEN.get(key, key), said))
    return tuple(found), tuple(unknown)


def _differs(facts: Facts, members: list[str]) -> tuple[str, ...]:
    """Recorded settings, beside the confounds, that are not the same for all compared runs."""
    keys = {k for run in members for k in facts.runs[run]["config"] if not UNTELLING.match(k) and not DATA_BUDGET.search(k)} - {
        *CONFOUNDS,
        "batch_size",
    }
    found = sorted(k for k in keys if len({json.dumps(facts.runs[run]["config"].get(k), sort_keys=True) for run in members}) > 1)
    named = [k for k in ("model", "flags") if len({facts.runs[run][k] for run in members}) > 1]
    return tuple(named + [k for k in found if k not in named])


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
    columns = tuple(rows[0]) if rows else ()

    def cell(column: str, value: Any) -> str:
        return "-" if value is None else facts.name(value) if column == "run" and value in facts.runs else number(value)

    cells = tuple(tuple(cell(c, v) for c, v in r.items()) for r in rows[:TOP])
    return MetricTable(header(name).get("title", name), header(name).get("unit", ""), columns, cells)


# -- what ran ---------------------------------------------------------------------------------------------------------
WHAT_RAN = (
    "dataset", "tokenizer", "vocab_size", "model", "layers", "hidden", "heads", "sequence_length", "dropout", "params", "batch_size",
    "device_batch_size",
    "accumulation", "learning_rate", "precision", "seed", "hardware", "gpus", "val_tokens", "git_commit",
)  # fmt: skip


def _settings(facts: Facts) -> tuple[tuple[Setting, ...], tuple[str, ...]]:
    runs = [r for r in facts.runs.values() if not r["is_continuation"]] or list(facts.runs.values())
    rows, missing = [], []
    for key in WHAT_RAN:
        values = [r[key] if r.get(key) is not None else r["config"].get(key) for r in runs]
        if all(v is None for v in values):
            missing.append(SPOKEN.get(key, key.replace("_", " ")))
            continue
        rows.append(
            Setting(
                SPOKEN.get(key, key.replace("_", " ")),
                _counted(values),
                "declared" if any(key in r["declared"] for r in runs) else "recorded",
            )
        )
    totals = [r["total_steps"] for r in runs]
    if any(t is not None for t in totals):
        rows.append(Setting("declared steps", _counted(totals), "recorded"))
    return tuple(rows), tuple(missing)


def _counted(values: list[Any]) -> str:
    counts = Counter("not recorded" if v is None else number(v) for v in values)
    if len(counts) == 1:
        return next(iter(counts))
    shown = sorted(counts.items(), key=lambda c: (-c[1], c[0]))
    text = ", ".join(f"{v} ({n})" for v, n in shown[:8])
    return text + (f", and {len(shown) - 8} more" if len(shown) > 8 else "")


def _other(facts: Facts) -> tuple[tuple[str, ...], tuple[OtherRow, ...]]:
    """Metrics beside the validation loss that any run has, as one table."""
    rows = [r for r in facts.rows["other_metrics"] if not re.search(r"runtime|_per_s(?:ec(?:ond)?)?$", r["metric"])]
    known = list(METRICS)
    order = sorted({r["metric"] for r in rows}, key=lambda m: (known.index(m) if m in known else len(known), m))
    columns = tuple(order[:8])
    table: dict[str, dict[str, str]] = {}
    for r in rows:
        table.setdefault(r["run"], {})[r["metric"]] = decimals_text(r["last"]["v"], r["last"]["d"])
    return columns, tuple(OtherRow(facts.name(run), tuple(values.get(c, "-") for c in columns)) for run, values in sorted(table.items()))


def _artefacts(facts: Facts) -> list[Artefacts]:
    titles = {f.name: f.title for f in formats()}
    used: dict[str, list[str]] = {}
    for s in facts.sources:
        if s["status"] == "read" and s["format"]:
            used.setdefault(s["format"], []).append(s["path"])
    return [
        Artefacts(form, titles.get(form, form), len(paths), paths[0])
        for form, paths in sorted(used.items(), key=lambda u: (-len(u[1]), u[0]))
    ]


def _source_rows(facts: Facts) -> list[SourceRow]:
    rows = [s for s in facts.sources if s["status"] == "read"]
    return [SourceRow(s["path"], s["format"], s["status"], s["lines_used"], s["lines_read"], (s["fingerprint"] or "")[:12]) for s in rows]


# -- where the numbers come from ----------------------------------------------------------------------------------------
def locator(path: str | None, line: int | None, pointer: str | None) -> str:
    """file:line, or file and key where a line says too little."""
    if pointer and line:
        return f"{path}:{line} ({pointer})"
    return f"{path}:{line}" if line else f"{path} ({pointer})" if pointer else str(path)


def _cites(facts: Facts) -> list[Cite]:
    out = []
    for run, b in sorted(facts.best.items(), key=lambda item: facts.name(item[0])):
        name: Callable[[], str] = lambda run=run: facts.name(run)  # type: ignore[misc]  # noqa: E731
        if b["best_loss"] is None:
            continue
        at = f" @{b['best_step']}" if b["best_step"] is not None else ""
        out.append(
            Cite(
                name(),
                f"best{at}",
                decimals_text(b["best_logged"], b["best_decimals"]),
                locator(b["best_path"], b["best_line"], b["best_pointer"]),
            )
        )
        if b["refined_path"]:
            out.append(
                Cite(
                    name(),
                    "best, full precision",
                    number(b["best_loss"]),
                    locator(b["refined_path"], b["refined_line"], b["refined_pointer"]),
                )
            )
        if b["last_step"] != b["best_step"]:
            out.append(
                Cite(
                    name(),
                    f"last @{b['last_step']}",
                    decimals_text(b["last_logged"], b["last_decimals"]),
                    locator(b["last_path"], b["last_line"], b["last_pointer"]),
                )
            )
        fixed = facts.fixed.get(run)
        if fixed and fixed["step"] not in (b["best_step"], b["last_step"]):
            out.append(
                Cite(
                    name(),
                    f"loss @{fixed['step']}",
                    decimals_text(fixed["loss"], fixed["decimals"]),
                    locator(fixed["path"], fixed["line"], fixed["pointer"]),
                )
            )
        speed = facts.speed.get(run)
        if speed:
            out.append(
                Cite(
                    name(),
                    f"steps/s {speed['from_step']} -> {speed['to_step']}",
                    f"{speed['steps_per_s']:.3f}",
                    f"{speed['to_path']}:{speed['from_line']} and :{speed['to_line']}",
                )
            )
    return out
