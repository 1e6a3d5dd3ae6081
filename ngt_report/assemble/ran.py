"""What ran, and which files said so."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any

from ngt_report.assemble.confounds import SPOKEN, confound_value, differs
from ngt_report.assemble.facts import Facts, Row
from ngt_report.formatting import decimals_text, number
from ngt_report.model import Artefacts, OtherRow, Setting, SourceRow
from ngt_report.names import METRICS
from ngt_report.sources import named
from ngt_report.store import to_json

WHAT_RAN = (
    "dataset", "tokenizer", "vocab_size", "model", "layers", "hidden", "heads", "sequence_length", "dropout", "params", "batch_size",
    "device_batch_size", "accumulation", "batch_tokens", "learning_rate", "precision", "seed", "hardware", "gpus", "val_tokens",
    "git_commit",
)  # fmt: skip
VARIED = 12  # other settings that vary are shown, at most


def settings(facts: Facts) -> tuple[tuple[Setting, ...], tuple[str, ...]]:
    """Recorded settings with their values and runs, and those that no input records."""
    runs = [r for r in facts.runs.values() if not r["is_continuation"]] or list(facts.runs.values())
    rows, missing = [], []
    if not runs:
        return (), ()
    for key in WHAT_RAN:
        values = [confound_value(r, key) for r in runs]
        spoken = SPOKEN.get(key, key.replace("_", " "))
        if all(v is None for v in values):
            missing.append(spoken)
        else:
            rows.append(Setting(spoken, _counted(values), "declared" if any(key in r["declared"] for r in runs) else "recorded"))
    rows += _varied(facts, runs)
    totals = [r["total_steps"] for r in runs]
    if any(t is not None for t in totals):
        rows.append(Setting("declared steps", _counted(totals), "recorded"))
    return tuple(rows), tuple(missing)


def _varied(facts: Facts, runs: list[Row]) -> list[Setting]:
    """Other settings of which several values are recorded, by their own names."""
    told = {key: [confound_value(r, key) for r in runs] for key in differs(facts, [r["run"] for r in runs]) if key not in WHAT_RAN}
    several = [(key, values) for key, values in told.items() if len({to_json(v) for v in values} - {"null"}) > 1]
    rows = [Setting(key, _counted(values), "recorded") for key, values in several[:VARIED]]
    more = len(several) - len(rows)
    return [*rows, Setting("others that vary", f"{more} more, in summary.json", "recorded")] if more else rows


def _counted(values: list[Any]) -> str:
    counts = Counter("not recorded" if v is None else number(v) or "none" for v in values)
    if len(counts) == 1:
        return next(iter(counts))
    numbers = {v for v in values if isinstance(v, int | float) and not isinstance(v, bool) and v == v}
    if len(numbers) > 8 and all(v is None or v in numbers for v in values):
        absent = counts.get("not recorded", 0)
        return f"{number(min(numbers))} to {number(max(numbers))}, {len(numbers)} values" + (f"; not recorded ({absent})" if absent else "")
    shown = sorted(counts.items(), key=lambda c: (-c[1], c[0]))
    text = ", ".join(f"{v} ({n})" for v, n in shown[:8])
    return text + (f", and {len(shown) - 8} more" if len(shown) > 8 else "")


def other_metrics(facts: Facts) -> tuple[tuple[str, ...], int, tuple[OtherRow, ...]]:
    """Metrics beside the validation loss that any run has, as one table."""
    told = {(r["run"], r["metric"]) for r in facts.rows["bits"]}  # in a table of their own
    rows = [
        r
        for r in facts.rows["other_metrics"]
        if not re.search(r"runtime|_per_s(?:ec(?:ond)?)?$", r["metric"]) and (r["run"], r["metric"]) not in told
    ]
    known = list(METRICS)
    order = sorted({r["metric"] for r in rows}, key=lambda m: (known.index(m) if m in known else len(known), m))
    columns = tuple(order[:8])
    table: dict[str, dict[str, str]] = {}
    for r in rows:
        table.setdefault(r["run"], {})[r["metric"]] = decimals_text(r["last"]["v"], r["last"]["d"])
    others = tuple(OtherRow(facts.name(run), tuple(values.get(c, "-") for c in columns)) for run, values in sorted(table.items()))
    return columns, len(order) - len(columns), others


def artefacts(facts: Facts) -> list[Artefacts]:
    """Input files by format."""
    used: dict[str, list[str]] = {}
    for s in facts.sources:
        if s["status"] == "read" and s["format"]:
            used.setdefault(s["format"], []).append(s["path"])
    return [
        Artefacts(name, form.title if (form := named(name)) else name, len(paths), paths[0])
        for name, paths in sorted(used.items(), key=lambda u: (-len(u[1]), u[0]))
    ]


def source_rows(facts: Facts) -> list[SourceRow]:
    """Files that were read."""
    rows = [s for s in facts.sources if s["status"] == "read"]
    return [SourceRow(s["path"], s["format"], s["status"], s["lines_used"], s["lines_read"], (s["fingerprint"] or "")[:12]) for s in rows]
