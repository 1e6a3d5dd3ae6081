"""The sample runs: what is committed is what the generator writes, and it holds the published figures."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from tests.data.make_w3_25m import make
from tests.groups import Group, Run, random_group, write_group

SAMPLE = Path(__file__).parent / "data" / "w3_25m"
LINE = re.compile(r"^step (\d+)/\d+ .*val_loss=([\d.]+) .*elapsed=([\d.]+)s$", re.MULTILINE)
# run: best, its step, at 15000, perplexity of the best, steps per second, seconds per step
PUBLISHED = {
    "vanilla_25m": ("4.5524", "13500", "4.5554", "94.86", "4.964", "0.20"),
    "ngt_mass_in_value": ("4.6451", "13000", "4.6635", "104.07", "0.852", "1.17"),
    "ngt_no_repulsion": ("4.7214", "15000", "4.7214", "112.33", "0.829", "1.21"),
    "ngt_repulsion_interval_8": ("4.7748", "13000", "4.7889", "118.48", "0.830", "1.21"),
    "ngt_default": ("4.7762", "13000", "4.7915", "118.66", "0.829", "1.21"),
    "ngt_no_radius": ("4.7772", "13000", "4.7940", "118.77", "0.855", "1.17"),
}


def tree(top: Path) -> dict[str, bytes]:
    return {p.relative_to(top).as_posix(): p.read_bytes() for p in sorted(top.rglob("*")) if p.is_file()}


def test_the_generator_writes_the_committed_sample_byte_for_byte(tmp_path: Path) -> None:
    make(tmp_path)
    made, committed = tree(tmp_path), tree(SAMPLE)
    assert sorted(made) == sorted(committed)
    assert [name for name in made if made[name] != committed[name]] == []


def test_the_expected_tables_hold_the_published_figures(tmp_path: Path) -> None:
    tables = make(tmp_path)
    names = list(PUBLISHED)
    assert tables.best_vs_last[1:] == [[f"screen_{n}", *PUBLISHED[n][:3]] for n in names]
    assert tables.fixed_step[1:] == [[f"screen_{n}", PUBLISHED[n][2]] for n in names]
    assert [[row[3], row[5], row[4]] for row in tables.ranking[1:]] == [[PUBLISHED[n][0], PUBLISHED[n][1], PUBLISHED[n][3]] for n in names]
    assert {row[0]: tuple(row[1:]) for row in tables.throughput[1:]} == {f"w3_25m_screen_{n}.log": PUBLISHED[n][4:] for n in names}


def test_the_sample_is_small_and_says_what_it_is() -> None:
    files = tree(SAMPLE)
    assert sum(map(len, files.values())) < 400_000
    logs = [data.decode() for name, data in files.items() if name.endswith((".log", ".out"))]
    assert len(logs) == 8
    assert all(log.startswith("# RECONSTRUCTION of w3_25m, not real data") for log in logs)


def holds(out: Path, group: Group, run: Run) -> bool:
    """The log has the run's best once, at its step, and its last at the end, on a clock that only rises."""
    text = (out / "logs" / group.name / f"{group.log(run)}.log").read_text(encoding="utf-8")
    rows = [(float(loss), int(step), float(clock)) for step, loss, clock in LINE.findall(text)]
    losses, clocks = [row[0] for row in rows], [row[2] for row in rows]
    best = min(rows)
    ends = losses[-1] == run.last and rows[-1][1] == group.total and round(clocks[-1] - clocks[0], 1) == run.seconds
    return best[:2] == (round(run.best, 4), run.best_step) and losses.count(best[0]) == 1 and clocks == sorted(set(clocks)) and ends


@pytest.mark.parametrize("seed", range(5))
def test_a_random_group_holds_the_figures_it_states(seed: int, tmp_path: Path) -> None:
    rng = Random(seed)
    group = random_group(rng)
    write_group(tmp_path, group, rng)
    assert [run.name for run in group.runs if not holds(tmp_path, group, run)] == []
