"""`ngttrain bench gravity`: its forms compute the same model, its table has a row a context length."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

torch = pytest.importorskip("torch")

from ngt_train import bench_gravity, blocks  # noqa: E402
from ngt_train.commands import main  # noqa: E402
from ngt_train.gravity import gravity_attention  # noqa: E402
from tests.test_gravity import MODE_NAMES, MODES, case  # noqa: E402


@pytest.mark.parametrize("mode", [mode for mode in MODES if not mode["rsqrt"]], ids=[name for name in MODE_NAMES if name.endswith("False")])
def test_the_published_formula_is_the_same_law(mode: dict[str, object]) -> None:
    torch.testing.assert_close(bench_gravity.direct(**case(), **mode, dropout=0.0), gravity_attention(**case(), **mode))


def test_materialised_attention_is_the_same_attention() -> None:
    q, k, v = torch.randn(3, 2, 2, 9, 4, generator=torch.Generator().manual_seed(0)).unbind()
    torch.testing.assert_close(bench_gravity.materialised(q, k, v), blocks.causal_attention(q, k, v))


def test_forms_are_put_back() -> None:
    kept = bench_gravity.ngt.gravity_attention, blocks.causal_attention
    for form in bench_gravity.FORMS:
        with bench_gravity.attention(form):
            changed = (bench_gravity.ngt.gravity_attention, blocks.causal_attention) != kept
        assert changed == (form in ("direct", "materialised"))
        assert (bench_gravity.ngt.gravity_attention, blocks.causal_attention) == kept


def test_the_direct_form_is_left_out_where_it_would_fill_the_memory() -> None:
    assert [bench_gravity.affordable("direct", length, 2, 4) for length in (512, 1024, 2048)] == [True, True, False]
    assert bench_gravity.affordable("ngt", 1 << 20, 16, 8)


def test_the_command_prints_a_row_a_context_length(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_gravity, "peak", lambda form, **shape: 12.0)
    monkeypatch.setattr(
        bench_gravity, "seconds", lambda forms, rounds, **shape: {form: [2.0 if form == "direct" else 1.0] * rounds for form in forms}
    )
    result = CliRunner().invoke(main, ["bench", "gravity", "--length", "512", "--length", "4096", "--rounds", "3"])
    assert result.exit_code == 0
    assert result.stdout.splitlines()[2:] == [
        "| 512 | 1000 | 1.00 | 1.00 | 2.00 | 12 | 12 | 12 |",
        "| 4096 | 1000 | 1.00 | - | - | 12 | 12 | - |",
    ]


def test_a_step_of_every_form_runs_and_is_timed() -> None:
    taken = bench_gravity.seconds(bench_gravity.FORMS, 1, length=16, batch=1, layers=1, dropout=0.1)
    assert all(len(rounds) == 1 and rounds[0] > 0 for rounds in taken.values())


def test_a_length_that_cannot_be_is_a_usage_error() -> None:
    result = CliRunner().invoke(main, ["bench", "gravity", "--length", "1"])
    assert result.exit_code == 2
    assert re.search(r"1 is not in the range x>=2", result.stderr)
