"""verify holds sentences against logs: what a number claims is read from its own words, and what is not said is never guessed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ngt_report.build import Request
from ngt_report.verify.check import check, evidence
from ngt_report.verify.claims import World
from ngt_report.verify.verdict import MATCH, MISMATCH, UNDECIDABLE
from tests.conftest import LOGS

SHARED = Path(__file__).parents[2] / "shared"


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with evidence(Request((str(LOGS),))) as data:
        yield World(data)


def verdicts(text: str, world: World) -> list[tuple[str, str]]:
    return [(c.text, c.verdict) for c in check(text, world)]


TRUE = [
    "The vanilla run ends at a validation loss of 4.5554.",
    "`ngt_mass_in_value` reached val_loss=4.6451 at step 13000.",
    "Vanilla’s final perplexity is 95.14 – the lowest.",
    "no_radius: best 4.7772 (ppl 118.77)",
    "mass_in_value is +0.1081 loss (+11.4% ppl) against vanilla at step 15000.",
    "The no_repulsion run does 0.829 steps/s, vanilla 4.964 steps/s.",
    "NGT runs do 0.83-0.86 steps/sec vs vanilla 4.96 steps/sec (~5.8–6.0x slower).",
    "mass_in_value is 5.8x slower than vanilla.",
    "hidden_dim=512, num_layers=8, dropout=0.1, seed 42",
    "All 6 runs reached step 15000.",
    "At step 15000 the loss of ngt_default was 4.7915, and 4.5554 for vanilla.",
]
FALSE = [
    ("The vanilla run ends at a validation loss of 4.5654.", "4.5654"),
    ("`ngt_mass_in_value` reached val_loss=4.6461.", "4.6461"),
    ("Vanilla’s final perplexity is 96.14.", "96.14"),
    ("mass_in_value is +0.1181 loss against vanilla at step 15000.", "+0.1181"),
    ("mass_in_value has a val loss 4.6635, 0.2 higher than vanilla.", "0.2"),
    ("NGT runs do 0.73-0.86 steps/sec.", "0.73"),
    ("NGT runs are ~5.8-7.0x slower than vanilla.", "7.0x"),
    ("dropout=0.2", "0.2"),
    ("The best step of vanilla was 13000.", "13000"),
]  # fmt: skip
UNSAID = [
    "We had great fun for 3 days.",
    "The loss was about 4.2 in the paper.",
    "Next: try lr=0.01 and 12 layers.",
    "llama_7b reached a validation loss of 2.1.",
    "The curve went to 4.9 somewhere.",
    "Batch size was 16.",
]


@pytest.mark.parametrize("text", TRUE)
def test_a_true_sentence_matches(world: World, text: str) -> None:
    found = check(text, world)
    assert found and [(c.text, c.claim, c.note) for c in found if c.verdict != MATCH] == []


@pytest.mark.parametrize(("text", "wrong"), FALSE)
def test_a_false_number_is_a_mismatch(world: World, text: str, wrong: str) -> None:
    assert [c for c, verdict in verdicts(text, world) if verdict == MISMATCH] == [wrong]


@pytest.mark.parametrize("text", UNSAID)
def test_what_is_not_said_is_not_guessed(world: World, text: str) -> None:
    assert {verdict for _, verdict in verdicts(text, world)} == {UNDECIDABLE}


def test_an_order_is_held_against_the_runs(world: World) -> None:
    assert verdicts("mass_in_value > no_repulsion; no_radius beats no_repulsion", world) == [
        ("mass_in_value > no_repulsion", MATCH),
        ("no_radius beats no_repulsion", MISMATCH),
    ]


def test_of_a_loss_the_smaller_is_better(world: World) -> None:
    assert verdicts("validation loss: vanilla < mass_in_value", world) == [("vanilla < mass_in_value", MATCH)]


def test_who_is_best(world: World) -> None:
    assert verdicts("**Best overall**: `no_radius`", world) == [("no_radius", MISMATCH)]
    assert verdicts("Best NGT variant: mass_in_value", world) == [("mass_in_value", MATCH)]


def test_a_nested_item_speaks_of_its_parent(world: World) -> None:
    text = "- `--mass-in-value` is a variant\n  - best val loss 4.6451\n  - delta vs vanilla (@15000): +0.1081 loss\n"
    assert verdicts(text, world) == [("4.6451", MATCH), ("15000", MATCH), ("+0.1081", MATCH)]


def test_a_section_about_a_run(world: World) -> None:
    text = "## ngt_no_radius\n\nFinal loss: 4.7940, best 4.7872.\n"
    assert verdicts(text, world) == [("4.7940", MATCH), ("4.7872", MISMATCH)]


@pytest.mark.parametrize(("total", "verdict"), [("14.7%", MATCH), ("14.1%", MISMATCH)])
def test_a_total_is_the_sum_of_the_list_above_it(world: World, total: str, verdict: str) -> None:
    text = f"1. data: -3.4%\n2. size: -1.6%\n3. other: (above)\n4. rest: -9.7%\n\n**Total:** {total} better\n"
    assert verdicts(text, world)[-1] == (total, verdict)


def test_a_plan_is_no_claim(world: World) -> None:
    assert verdicts("## Next steps\n\n- vanilla to a val loss of 4.1\n", world) == [("4.1", UNDECIDABLE)]


# -- another group: accuracies, seeds, units in the header ------------------------------------------------------------------------
@pytest.fixture(scope="module")
def sweep(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Two architectures at two sizes, three seeds each, as one results file."""
    folder = tmp_path_factory.mktemp("sweep")
    rows = [
        {"run_id": f"{arch}_d{depth}_s{seed}", "arch": arch, "n_layers": depth, "seed": seed,
         "steps": 3000, "val_loss": loss + seed / 100, "val_acc": acc + seed / 1000,
         "tokens_per_sec": 96000 / depth + seed, "time_seconds": 75.0 * depth + seed}
        for arch, depth, loss, acc in (
            ("resmlp", 4, 2.30, 0.60), ("resmlp", 8, 2.25, 0.61), ("mixer", 4, 2.20, 0.62), ("mixer", 8, 2.10, 0.63),
        )
        for seed in (1, 2, 3)
    ]  # fmt: skip
    (folder / "sweep.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    with evidence(Request((str(folder),))) as data:
        yield World(data)


BY_SETTINGS = """
| Layers | Time (min) | Architecture | Val loss (mean ± std) | Acc. (%) | tok/s (K) | n |
|---|---|---|---|---|---|---|
| 4 | 5.03 | resmlp | 2.320 ± 0.010 | 60.2 | 24.0 | 3 |
| 8 | 10.03 | mixer | 2.120 ± 0.010 | 63.2% | 12.0 | 3 |
"""


def test_means_and_units_of_a_header(sweep: World) -> None:
    found = check(BY_SETTINGS, sweep)
    assert len(found) == 14
    assert [(c.text, c.claim, c.value) for c in found if c.verdict != MATCH] == []
    wrong = BY_SETTINGS.replace("63.2%", "63.8%").replace("10.03", "10.63").replace("± 0.010 | 60.2", "± 0.020 | 60.2")
    assert [c.text for c in check(wrong, sweep) if c.verdict == MISMATCH] == ["0.020", "10.63", "63.8%"]


def test_sentences_about_configurations(sweep: World) -> None:
    text = "Mixer > resmlp. At 8 layers the mixer has a mean val loss of 2.120 ± 0.010 and 63.2% accuracy, 2 points above resmlp (61.2%)."
    found = check(text, sweep)
    assert {c.verdict for c in found if "point" not in c.text} == {MATCH}
    assert [c.text for c in check(text.replace("2.120", "2.190").replace("61.2%", "61.9%"), sweep) if c.verdict == MISMATCH] == [
        "2.190",
        "61.9%",
    ]


def test_a_run_of_a_sweep_by_its_name(sweep: World) -> None:
    assert verdicts("mixer_d8_s2: loss 2.1200, 63.2% acc, 12.0k tok/s", sweep) == [("2.1200", MATCH), ("63.2%", MATCH), ("12.0k", MATCH)]


# -- the references, where they are at hand ---------------------------------------------------------------------------------
def reference(number: str, corpus: str) -> list[tuple[str, str]]:
    found = sorted((SHARED / "reference").glob(f"{number}_*.txt"))
    if not found:
        pytest.skip("the references are not here")
    path = LOGS if corpus == "w3_25m" else SHARED / "corpus" / corpus
    with evidence(Request((str(path),))) as data:
        return verdicts(found[0].read_text(encoding="utf-8"), World(data))


@pytest.mark.parametrize(
    ("number", "corpus", "wrong", "fewest"),
    [
        ("000", "w3_25m", [], 95),
        ("001", "w3_25m", [], 9),
        ("002", "mixed_loss", [], 86),
        ("003", "ngpt_sweeps", ["18B", "-4.7%", "14.1%"], 50),
        ("004", "ese_gate", ["sigmoid > ns-sigmoid"], 84),
    ],
)
def test_the_references_come_out_as_their_claims_were_checked_by_hand(number: str, corpus: str, wrong: list[str], fewest: int) -> None:
    found = reference(number, corpus)
    assert [text for text, verdict in found if verdict == MISMATCH] == wrong
    assert sum(verdict == MATCH for _, verdict in found) >= fewest
    if number == "003":
        assert {verdict for text, verdict in found if text == "7.25"} == {UNDECIDABLE}
