"""Settings in sections: what ends alike and differs is kept under names that tell it apart, whatever the file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ngt_report.assemble.ran import WHAT_RAN
from ngt_report.names import known_config
from ngt_report.sections import told_apart
from ngt_report.text.owned import path_of
from tests.readings import report, written

POINTS = [(s, 4 - s / 1000) for s in range(100, 501, 100)]
CURVE = "".join(f"step {s}: train loss {v - 0.1:.4f}, val loss {v:.4f}\n" for s, v in POINTS)
MODEL = {"encoder": {"num_layers": 6, "ff_size": 512}, "decoder": {"num_layers": 4, "ff_size": 256}}
APART = {"encoder.num_layers": 6, "decoder.num_layers": 4}


def config(tmp_path: Path, files: dict[str, str]) -> dict[str, Any]:
    import duckdb

    report(written(tmp_path, {f"in/{name}": text for name, text in files.items()}) / "in", tmp_path / "out")
    with duckdb.connect(str(tmp_path / "out" / "report.duckdb"), read_only=True) as db:
        ((text,),) = db.execute("SELECT config FROM runs").fetchall()
    return dict(json.loads(text))


def test_a_configuration_file_keeps_both_sections(tmp_path: Path) -> None:
    found = config(tmp_path, {"a.log": CURVE, "config.json": json.dumps({"model": MODEL, "seed": 1, "batch_size": 8, "lr": 0.1}, indent=1)})
    assert found.items() >= (APART | {"encoder.ff_size": 512, "decoder.ff_size": 256}).items() and "layers" not in found


def test_a_first_line_of_jsonl_keeps_both_sections(tmp_path: Path) -> None:
    lines = [{"config": MODEL}, *({"step": s, "val_loss": v} for s, v in POINTS)]
    found = config(tmp_path, {"a.jsonl": "".join(json.dumps(line) + "\n" for line in lines)})
    assert found == APART | {"encoder.ff_size": 512, "decoder.ff_size": 256}


def test_a_row_of_results_keeps_both_sections(tmp_path: Path) -> None:
    found = config(tmp_path, {"a.json": json.dumps({"config": MODEL, "seed": 1, "val_loss": 3.3})})
    assert found == APART | {"encoder.ff_size": 512, "decoder.ff_size": 256, "seed": 1}


@pytest.mark.parametrize(
    "above",
    [
        "cfg.model.encoder.num_layers : 6\ncfg.model.decoder.num_layers : 4\n",
        "Net(\n  encoder=Stack(num_layers=6, num_heads=2),\n  decoder=Stack(num_layers=4, num_heads=2))\n",
        "Net(\n  (encoder): Stack(num_layers=6)\n  (decoder): Stack(num_layers=4)\n)\n",
        "cfg.model.encoder.num_layers : 6\ncfg.model.decoder.num_layers : 4\nencoder=Stack(num_layers=6) decoder=Stack(num_layers=4)\n",
    ],
)
def test_a_text_keeps_both_sections(above: str, tmp_path: Path) -> None:
    found = config(tmp_path, {"a.log": above + CURVE})
    assert {key: value for key, value in found.items() if "layers" in key} == APART


def test_runs_that_differ_in_one_section_differ_by_its_name(tmp_path: Path) -> None:
    above = "cfg.model.encoder.num_layers : {}\ncfg.model.decoder.num_layers : 4\ncfg.training.learning_rate : 0.1\n"
    files = {f"in/{n}.log": above.format(n) + CURVE.replace("val loss 3.", f"val loss {n}.") for n in (6, 8)}
    made = report(written(tmp_path, files) / "in", tmp_path / "out")
    assert "encoder.num" in made.text.replace("\\", "") and not made.kinds("error")


def test_one_section_alone_has_the_plain_name(tmp_path: Path) -> None:
    assert config(tmp_path, {"a.log": "cfg.training.learning_rate : 0.1\ncfg.testing.batch_size : 8\n" + CURVE}) == {"learning_rate": 0.1}


def test_equal_values_are_one_setting() -> None:
    values = {"a/lr": 1, "b/lr": 1, "c/seed": 1, "d/seed": 2, "args/x": 1, "e/x": 2}
    short = {"a/lr": "learning_rate", "b/lr": "learning_rate", "c/seed": "seed", "d/seed": "seed", "args/x": "config.x", "e/x": "config.x"}
    assert told_apart(short, values) == {"c/seed": "config.c.seed", "d/seed": "config.d.seed", "e/x": "config.e.x"}


def test_an_end_is_as_long_as_it_must_be() -> None:
    values = {"m/a/b/n": 1, "m/c/b/n": 2, "m/c/n": 3}
    assert sorted(told_apart(dict.fromkeys(values, "layers"), values).values()) == ["config.a.b.n", "config.c.b.n", "config.c.n"]


def test_what_stands_behind_a_closed_call_is_of_no_call() -> None:
    assert path_of("lr", "Adam(betas=(0.9, 0.95), ") == "adam/lr"
    assert path_of("lr", "made Adam(eps=1) with ") == "lr"


@pytest.mark.parametrize("key", WHAT_RAN)
def test_a_setting_is_known_by_its_own_name(key: str) -> None:
    """Our own trainer writes `hidden` and `accumulation`: a report of its runs must not call them not recorded."""
    assert known_config(key) == key


def what_ran(tmp_path: Path, rows: list[dict[str, Any]]) -> str:
    text = report(written(tmp_path, {"in/s.jsonl": "".join(json.dumps(row) + "\n" for row in rows)}) / "in", tmp_path / "out").text
    return text[text.index("## What ran") :].split("\n## ")[0]


def test_what_ran_shows_the_values_of_other_settings_that_vary(tmp_path: Path) -> None:
    rows = [
        {"optimizer": "muon", "beta2": 0.95, "alpha": 0.1, "batch_size": 8, "sequence_length": 512, "val_loss": 3.5},
        {"optimizer": "adamw", "beta2": 0.95, "alpha": 0.2, "batch_size": 8, "sequence_length": 512, "val_loss": 3.4},
        {"optimizer": "adamw", "beta2": 0.95, "batch_size": 16, "sequence_length": 512, "clip": 1.0, "val_loss": 3.3},
    ]
    ran = what_ran(tmp_path, rows)
    assert "| optimizer | adamw (2), muon (1) |\n" in ran and "| alpha | 0.1 (1), 0.2 (1), not recorded (1) |\n" in ran
    assert "| batch tokens | 4096 (2), 8192 (1) |\n" in ran
    assert "beta2" not in ran and "clip" not in ran  # equal in all, or recorded once: it does not vary


def test_of_many_settings_that_vary_some_are_shown_and_the_rest_is_counted(tmp_path: Path) -> None:
    rows = [{f"knob_{chr(97 + k)}": run + k for k in range(15)} | {"val_loss": 3.5 - run} for run in range(2)]
    ran = what_ran(tmp_path, rows)
    assert ran.count("| knob_") == 12 and "| others that vary | 3 more, in summary.json |" in ran


def test_what_ran_calls_a_run_without_flags_by_none_and_names_a_model_once(tmp_path: Path) -> None:
    rows = [{"model": m, "flags": f, "model.variant": m, "val_loss": v} for m, f, v in (("ngt", "rsqrt", 3.4), ("vanilla", "", 3.5))]
    ran = what_ran(tmp_path, rows)
    assert "| model | ngt (1), vanilla (1) |" in ran and "variant" not in ran
    assert "| flags | none (1), rsqrt (1) |" in ran


def test_a_variant_that_is_not_the_models_name_is_a_setting_that_varies(tmp_path: Path) -> None:
    rows = [{"model": "gpt", "model_variant": v, "val_loss": x} for v, x in (("gated", 3.4), ("plain", 3.5))]
    assert "| model_variant | gated (1), plain (1) |" in what_ran(tmp_path, rows)
