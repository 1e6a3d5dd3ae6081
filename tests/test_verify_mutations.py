"""A changed digit is noticed, and reports that build itself wrote raise no false alarm."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from ngt_report.build import Request, build
from ngt_report.store import Store
from ngt_report.verify.check import check, evidence
from ngt_report.verify.claims import World
from ngt_report.verify.evidence import Evidence
from ngt_report.verify.verdict import MATCH, MISMATCH
from tests.conftest import LOGS
from tests.groups import W3_25M, expected, random_group, write_group

COPIES = 50
PROSE = """
Seed 42, 8 layers, dropout 0.1. All runs reached step 15000.

- Best overall: vanilla_25m, val loss 4.5554 (ppl 95.14)
- Best variant: ngt_mass_in_value, val loss 4.6635 (ppl 106.01); +0.1081 loss, +11.4% ppl against vanilla_25m

NGT runs do 0.83-0.86 steps/s, vanilla 4.96 steps/s. The best loss of no_radius is 4.7772, reached at step 13000.
"""


def published() -> str:
    """The published tables with sentences around them."""
    tables = (getattr(expected(W3_25M), name) for name in ("fixed_step", "best_vs_last", "ranking", "throughput"))
    return PROSE + "\n\n".join("\n".join("| " + " | ".join(r) + " |" for r in [t[0], ["---"] * len(t[0]), *t[1:]]) for t in tables)


def test_one_changed_digit_becomes_a_mismatch() -> None:
    source, rng = published(), Random("digits")
    with evidence(Request((str(LOGS),))) as data:
        world = World(data)
        right = [c for c in check(source, world) if c.verdict == MATCH and any(d.isdigit() for d in c.text)]
        assert len(right) > 70
        missed = []
        for _ in range(COPIES):
            claim = rng.choice([c for c in right if c.text[:1] in "+-.0123456789"])
            at = rng.choice([i for i in range(claim.start, claim.end) if source[i].isdigit()])
            digit = rng.choice([d for d in "0123456789" if d != source[at]])
            found = check(source[:at] + digit + source[at + 1 :], world)
            if not any(c.verdict == MISMATCH for c in found if c.start <= at < c.end):
                missed.append((claim.text, digit))
    assert len(missed) <= COPIES * 0.05, missed  # a ppl of a loss with four decimals, or another step that was evaluated


@pytest.mark.parametrize("seed", range(2))
def test_a_report_of_build_raises_no_false_alarm(tmp_path: Path, seed: int) -> None:
    rng = Random(f"own report {seed}")
    group = random_group(rng)
    write_group(tmp_path, group, rng)
    folder = build(Request((str(tmp_path / "logs" / group.name),), out=str(tmp_path / "out"), dashboard=False)).folder
    store = Store(str(folder / "report.duckdb"), read_only=True)
    try:
        found = check((folder / "Summary.md").read_bytes().decode(), World(Evidence(store)))
    finally:
        store.close()
    assert [(c.line, c.text, c.claim) for c in found if c.verdict == MISMATCH] == []
    assert sum(c.verdict == MATCH for c in found) > 80
