"""A report that build wrote is decided nearly throughout, a changed number in it is noticed, and what people add is no part of it."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from math import exp
from pathlib import Path
from typing import Any

import pytest

from ngt_report.build import Request, build
from ngt_report.verify import numbers
from ngt_report.verify.check import check, evidence, verify
from ngt_report.verify.claims import World
from ngt_report.verify.verdict import MATCH, MISMATCH, UNDECIDABLE, Checked
from tests.conftest import LOGS

SAMPLE = LOGS.parents[1]
NUMBER = re.compile(r"[-+~]?\.?\d")


def seeds(folder: Path) -> Path:
    """Three configurations of three seeds each, one of them the baseline."""
    for i, gate in enumerate(("none", "headwise", "elementwise")):
        for seed in (1, 2, 3):
            config = {"attn_gate": gate, "n_layer": 6, "learning_rate": 3e-4, "seed": seed, "max_steps": 1000}
            losses = {s: 4.4 - 0.07 * i + 0.011 * (seed * 3 % 7) + 3 * exp(-s / 300) + s % 7 / 900 for s in range(50, 1001, 50)}
            lines = [f"step {s}/1000 | val_loss {loss:.4f} | elapsed {s * (0.2 + i / 30 + seed / 900):.1f}s" for s, loss in losses.items()]
            (folder / f"gate-{gate}-seed{seed}.log").write_text("\n".join([f"Config: {json.dumps(config)}", *lines]) + "\n")
    return folder


Report = tuple[str, World]


@pytest.fixture(scope="module", params=["sample", "seeds"])
def own(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    out = tmp_path_factory.mktemp("own")
    (out / "gates").mkdir()
    asked = Request((str(SAMPLE if request.param == "sample" else seeds(out / "gates")),), out=str(out / "report"), dashboard=False)
    text = (build(asked).folder / "Summary.md").read_text(encoding="utf-8")
    with evidence(asked) as data:
        yield text, World(data)


def of(text: str, world: World, verdict: str) -> list[Checked]:
    return [c for c in check(text, world) if c.verdict == verdict]


def alarms(text: str, world: World) -> list[tuple[int, str, str]]:
    return [(c.line, c.text, c.claim) for c in of(text, world, MISMATCH)]


def test_a_report_of_build_is_decided_throughout(own: Report) -> None:
    text, world = own
    assert alarms(text, world) == []
    assert len(of(text, world, MATCH)) > 190
    left = {text.splitlines()[c.line - 1] for c in of(text, world, UNDECIDABLE)}
    assert all(re.match(r"\d+ files were used", line) for line in left)  # where Markdown lies beside the data, which is no evidence


# -- a changed number is noticed ------------------------------------------------------------------------------------------
def rounds(text: str, right: list[Checked]) -> Iterator[list[Checked]]:
    """One number of each line at a time; of headings and of headers by themselves, since what is below them hangs on them."""
    rows = text.splitlines()
    kinds: dict[int, dict[int, list[Checked]]] = {0: defaultdict(list), 1: defaultdict(list), 2: defaultdict(list)}
    for c in right:
        header = rows[c.line - 1].startswith("|") and rows[c.line].startswith("|--")
        kinds[0 if rows[c.line - 1].startswith("#") else 1 if header else 2][c.line].append(c)
    for lines in kinds.values():
        most = max((len(v) for v in lines.values()), default=0)
        for k in range(most):
            yield [v[(k + i) % most] for i, v in enumerate(lines.values()) if (k + i) % most < len(v)]


def changed(text: str, chosen: list[Checked]) -> str:
    """The text with the last digit of some numbers one up, or one down."""
    chars = list(text)
    for c in chosen:
        at = max(i for i in range(c.start, c.end) if text[i].isdigit())
        chars[at] = "8" if text[at] == "9" else str(int(text[at]) + 1)
    return "".join(chars)


def tells(value: float | None, right: Checked) -> bool:
    """Whether the value that a mismatch gives is that of the number before it was changed."""
    return value is not None and numbers.find(right.text)[0].rounds(value)


def test_every_number_that_is_off_by_one_of_its_last_digit_is_noticed_with_the_right_one(own: Report) -> None:
    text, world = own
    right = [c for c in of(text, world, MATCH) if NUMBER.match(c.text) and not re.search(r"[a-z_]{3}", c.text)]
    missed = []
    for chosen in rounds(text, right):
        found = {c.start: c for c in check(changed(text, chosen), world)}
        for c in chosen:
            now = found[c.start]
            if now.verdict != MISMATCH or not tells(now.value, c):
                missed.append((c.line, c.text, now.verdict, now.value))
    assert missed == []


# -- what people do to such a report --------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def gates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    out = tmp_path_factory.mktemp("gates")
    asked = Request((str(seeds(out)),), out=str(out / "report"), dashboard=False)
    text = (build(asked).folder / "Summary.md").read_text(encoding="utf-8")
    with evidence(asked) as data:
        yield text, World(data)


def edited(own: Report, *changes: tuple[str, str]) -> dict[str, list[str]]:
    """The verdicts on each number after some changes."""
    text, world = own
    for old, new in changes:
        assert re.search(old, text), old
        text = re.sub(old, new, text, count=1)
    out: dict[str, list[str]] = defaultdict(list)
    for c in check(text, world):
        out[c.verdict].append(c.text)
    return out


VERDICT = r"\| headwise \(n = 3\) \| - \(n = 3\) \| (?P<d>\S+) \| (?P<ci>\S+) \| (?P<p>\S+) \|"


def test_fewer_digits_sections_moved_and_another_title_change_nothing(gates: Report) -> None:
    text, world = gates
    start, end = text.index("## Throughput"), text.index("## What ran")
    moved = text[:start] + text[end:] + "\n" + text[start:end]
    moved = re.sub("# gates: 9 runs", "# What the gates do\n\nBy hand, after the tool.", moved)
    moved = re.sub(r"(±0\.\d\d)(\d\d)", lambda m: f"±{float(m[0][1:]):.3f}", moved)
    before = of(text, world, MATCH)
    assert len(of(moved, world, MATCH)) >= len(before) - 1 and alarms(moved, world) == []


def test_rows_and_columns_may_go(gates: Report) -> None:
    text, world = gates
    rows = [r for r in text.splitlines() if not r.startswith(("| headwise |", "| gate-none-seed2"))]
    assert alarms("\n".join(rows), world) == []
    cut = [r.rpartition(" | ")[0] + " |" if r.startswith("| ") and r.endswith((" finished |", " schedule |")) else r for r in rows]
    assert alarms("\n".join(cut), world) == []


def test_a_row_of_another_run_is_held_against_nothing_of_ours(gates: Report) -> None:
    added = edited(gates, (r"(\| gate-none-seed1 \| \S+ \| \d+ \| (?:un)?finished \|)", r"\1\n| llama-7b | 2.1234 | 777 | finished |"))
    assert not added[MISMATCH] and {"2.1234", "777"} <= set(added[UNDECIDABLE])


def test_a_row_of_which_most_is_other_is_left_open(gates: Report) -> None:
    row = r"\| (`gate-headwise-seed1.log`) \| keyvalue \| 20 / 21 \|"
    assert edited(gates, (row, r"| \1 | keyvalue | 17 / 21 |"))[MISMATCH] == ["17"]
    assert not edited(gates, (row, r"| \1 | keyvalue | 17 / 18 |"))[MISMATCH]


def test_the_same_words_elsewhere_are_no_words_of_ours(gates: Report) -> None:
    assert (
        "0.9"
        in edited(gates, (r"## Seeds", r"## Seeds of others\n\n| group | p |\n|---|---|\n| headwise (n = 3) | 0.9 |\n\n## Seeds"))[
            UNDECIDABLE
        ]
    )


def test_under_another_heading_all_but_one_number_must_be_ours(gates: Report) -> None:
    renamed = ("## Throughput", "## How fast they are")
    text, world = gates
    assert len(edited(gates, renamed)[MATCH]) >= len(of(text, world, MATCH)) - 1  # a sentence of one number may be anybody's
    assert edited(gates, renamed, (r"(\| `gate-none-seed1.log` \| keyvalue \|) 20 /", r"\1 19 /"))[MISMATCH] == ["19"]
    assert not edited(gates, ("## Source artefacts", "## Files of others"), (r"keyvalue \| 20 / 21", "keyvalue | 17 / 18"))[MISMATCH]


def test_notes_are_held_against_the_data_and_not_against_themselves(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    asked = Request((str(seeds(tmp_path / "logs")),), out=str(tmp_path / "out"), dashboard=False)
    folder = build(asked).folder
    (folder / "NOTES.md").write_text("gate-none-seed1 ended at 3.9999. The lab has 17 chairs.\n", encoding="utf-8")
    text = (build(asked).folder / "Summary.md").read_text(encoding="utf-8")
    with evidence(asked) as data:
        found = {c.text: c.verdict for c in check(text, World(data))}
    assert found["3.9999"] == MISMATCH and found["17"] == UNDECIDABLE


def test_a_report_of_other_options_is_not_held_against_ours(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    logs = str(seeds(tmp_path / "logs"))
    text = (build(Request((logs,), out=str(tmp_path / "out"), dashboard=False, step=500)).folder / "Summary.md").read_text(encoding="utf-8")
    unsigned = "\n".join(line for line in text.splitlines() if "ebuild: " not in line)
    with evidence(Request((logs,))) as data:
        assert alarms(text, World(data)) == []
        assert alarms(unsigned, World(data)) == []


OPTIONS = [{"step": 500}, {"group_by": ("attn_gate",)}, {"baseline": "gate-headwise-seed1", "target": 4.6}, {"except_keys": ("seed",)}]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_report_is_verified_with_the_options_that_it_was_built_with(tmp_path: Path, options: dict[str, Any]) -> None:
    (tmp_path / "logs").mkdir()
    logs = (str(seeds(tmp_path / "logs")),)
    report = build(Request(logs, out=str(tmp_path / "out"), dashboard=False, **options)).folder / "Summary.md"
    assert verify(str(report), Request(logs)).counts.keys() == {MATCH}


@pytest.mark.parametrize("options", ["--step 999", "--baseline nobody", "--step many", "--tea 3", "--baseline 'open"])
def test_options_that_mean_nothing_here_are_left_aside(tmp_path: Path, options: str) -> None:
    (tmp_path / "logs").mkdir()
    logs = (str(seeds(tmp_path / "logs")),)
    text = f"<!-- rebuild: ngtreport build logs {options} -->\n\ngate-none-seed1 ended at 3.9999.\n"
    (tmp_path / "r.md").write_text(text, encoding="utf-8")
    assert verify(str(tmp_path / "r.md"), Request(logs)).counts == {MISMATCH: 1}
