"""Runs whose validation is in bits alone: each measure by itself, lowest first, never beside losses in nats."""

from __future__ import annotations

from ngt_report.assemble.facts import Facts, Row
from ngt_report.kinds import kinds_of, said_of
from ngt_report.model import BitsRow

OF_TOKENS = ("tokenizer", "vocab_size", "val_tokens")  # bits per byte or character do not depend on these
UNITS = {"val/bpb": "bits per byte", "val/bits_per_char": "bits per character", "val/bits_per_token": "bits per token"}


def bits(facts: Facts) -> tuple[BitsRow, ...]:
    """Lowest and last bits of each run, with the lowest of each kind marked."""
    found: dict[tuple[str, str], list[Row]] = {}
    for metric, rows in _by_metric(facts).items():
        kinds = _kinds(facts, metric, rows)
        for row in rows:
            found.setdefault((metric, kinds[row["run"]]), []).append(row)
    return tuple(_row(facts, row, kind, row is rows[0], len(rows)) for (_, kind), rows in found.items() for row in rows)


def _by_metric(facts: Facts) -> dict[str, list[Row]]:
    out: dict[str, list[Row]] = {}
    for row in facts.rows["bits"]:
        out.setdefault(row["metric"], []).append(row)
    return out


def _kinds(facts: Facts, metric: str, rows: list[Row]) -> dict[str, str]:
    """What the bits of each run are of, where that differs."""
    left = () if metric == "val/bits_per_token" else OF_TOKENS
    return kinds_of({r["run"]: {k: v for k, v in said_of(facts.runs[r["run"]]).items() if k not in left} for r in rows})


def unit(metric: str) -> str:
    """What a metric measures, in words."""
    return UNITS.get(metric, metric)


def _row(facts: Facts, r: Row, kind: str, lowest: bool, of: int) -> BitsRow:
    return BitsRow(
        facts.name(r["run"]), unit(r["metric"]), kind, r["best"], r["best_decimals"], r["best_step"], r["last"],
        r["last_decimals"], r["last_step"], lowest, of,
    )  # fmt: skip
