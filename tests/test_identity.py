"""Which files are the same run: by name, by a suffix at an underscore, by an equal curve; and which only look like it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ngt_report.build import Request, build
from tests import torch_zip
from tests.readings import Report, report, written
from tests.test_rules import ROWS, log
from tests.text_samples import SAMPLES

HERE = Path(__file__).parent
HIGHER = [(s, v + 0.3, e) for s, v, e in ROWS]
LOGS = {"in/w3_screen_vanilla.log": log(ROWS), "in/w3_screen_ngt.log": log(HIGHER)}


def built(tmp_path: Path, files: dict[str, str]) -> Report:
    return report(written(tmp_path, files) / "in", tmp_path / "out")


def rows(*lines: str) -> str:
    return "name,best_val_loss,final_val_loss\n" + "".join(line + "\n" for line in lines)


def jsonl(values: list[tuple[int, float, float]], clock: bool, more: float = 0.0) -> str:
    return "".join(json.dumps({"step": s, "val_loss": v + more} | ({"elapsed": e} if clock else {})) + "\n" for s, v, e in values)


@pytest.mark.parametrize("names", [("w3_screen_vanilla", "w3_screen_ngt"), ("screen_vanilla", "screen_ngt"), ("vanilla", "ngt")])
def test_rows_join_by_name_and_by_suffix(names: tuple[str, str], tmp_path: Path) -> None:
    made = built(tmp_path, LOGS | {"in/results.csv": rows(f"{names[0]},3.900012,3.9", f"{names[1]},4.200013,4.2")})
    assert sorted(made.runs) == ["w3_screen_ngt", "w3_screen_vanilla"]
    assert made.best("w3_screen_vanilla") == (3.900012, 500)
    assert all("in/results.csv" in r["sources"] or "results.csv" in r["sources"] for r in made.runs.values())


@pytest.mark.parametrize("name", ["van", "anilla", "w3_screen", "w3", "nilla", "w3_screen_vanilla_x"])
def test_rows_of_other_names_stay_apart(name: str, tmp_path: Path) -> None:
    made = built(tmp_path, LOGS | {"in/results.csv": rows(f"{name},3.9,3.9", "other,4.2,4.2")})
    assert len(made.runs) == 4
    assert made.best("w3_screen_vanilla") == (3.9, 500)


def test_a_row_that_contradicts_its_log_stays_apart_with_an_error(tmp_path: Path) -> None:
    made = built(tmp_path, LOGS | {"in/results.csv": rows("vanilla,3.5,3.5", "ngt,4.2,4.2")})
    assert sorted(made.runs) == ["results#vanilla", "w3_screen_ngt", "w3_screen_vanilla"]
    assert made.best("w3_screen_vanilla") == (3.9, 500)
    (text,) = [f["text"] for f in made.summary["findings"] if f["severity"] == "error"]
    assert "3.5" in text and "3.9" in text and "kept apart" in text


def test_a_row_may_not_choose_between_two_logs(tmp_path: Path) -> None:
    made = built(tmp_path, {"in/a_base.log": log(ROWS), "in/b_base.log": log(HIGHER), "in/results.csv": rows("base,3.9,3.9", "z,5.0,5.0")})
    assert {"a_base", "b_base"} <= set(made.runs)
    assert made.best("a_base") == (3.9, 500) and made.best("b_base") == (pytest.approx(4.2), 500)


@pytest.mark.parametrize("clock", [True, False])
@pytest.mark.parametrize("more", [0.0, 0.00001234])
def test_a_json_twin_of_a_log_is_no_run(clock: bool, more: float, tmp_path: Path) -> None:
    made = built(tmp_path, {"in/a.log": log(ROWS), "in/a.jsonl": jsonl(ROWS, clock, more), "in/b.log": log(HIGHER)})
    assert sorted(made.runs) == ["a", "b"]
    assert made.runs["a"]["sources"] == ["a.jsonl", "a.log"]
    assert made.best("a") == (pytest.approx(3.9 + more), 500)
    assert made.runs["a"]["train_time_s"] == 50
    assert made.runs["a"]["status"] == "finished"


def test_a_file_of_the_same_name_with_another_curve_is_another_run(tmp_path: Path) -> None:
    made = built(tmp_path, {"in/a.log": log(ROWS), "in/a.jsonl": jsonl(HIGHER, True), "in/b.log": log(HIGHER[:4])})
    assert len(made.runs) == 3
    assert "contradiction" in made.kinds("error")


def test_folders_with_a_log_and_its_metrics_are_one_run_each(tmp_path: Path) -> None:
    files = {f"in/{n}/log.txt": log(r) for n, r in (("a", ROWS), ("b", HIGHER))} | {
        f"in/{n}/metrics.jsonl": jsonl(r, False) for n, r in (("a", ROWS), ("b", HIGHER))
    }
    made = built(tmp_path, files)
    assert sorted(made.runs) == ["a", "b"]


def test_a_curve_csv_joins_its_logs(tmp_path: Path) -> None:
    table = "run,step,val_loss\n" + "".join(f"{n},{s},{v:.4f}\n" for n, r in (("vanilla", ROWS), ("more", HIGHER)) for s, v, _ in r)
    made = built(tmp_path, LOGS | {"in/curves.csv": table})
    assert sorted(made.runs) == ["curves#more", "w3_screen_ngt", "w3_screen_vanilla"] or sorted(made.runs) == [
        "w3_screen_ngt",
        "w3_screen_vanilla",
    ]
    assert made.best("w3_screen_vanilla") == (3.9, 500)


def test_the_concatenated_log_adds_no_run_beside_its_logs_and_gives_six_alone(tmp_path: Path) -> None:
    logs = HERE / "data" / "w3_25m" / "logs"
    assert len(report(logs, tmp_path / "all").runs) == 7
    assert len(report(logs / "budget15k.out", tmp_path / "one").runs) == 6


def test_the_same_names_in_two_folders_are_two_runs(tmp_path: Path) -> None:
    made = built(
        tmp_path, {"in/x/a.log": log(ROWS), "in/y/a.log": log(HIGHER), "in/x/log.txt": log(HIGHER[:3]), "in/y/train.log": log(ROWS[:4])}
    )
    assert sorted(made.runs) == ["x", "x/a", "y", "y/a"]


def test_a_row_twice_is_one_run_and_other_values_are_two(tmp_path: Path) -> None:
    made = built(tmp_path, {"in/r.csv": "name,seed,val_loss\na,1,4.5\na,1,4.5\nb,2,4.4\nb,3,4.6\n"})
    assert len(made.runs) == 3
    assert "duplicate_name" in made.kinds("warning")


def test_a_folder_of_every_format_holds_every_run_once(tmp_path: Path) -> None:
    files = {f"in/f{i}.log": s.text for i, s in enumerate(SAMPLES.values())}
    made = built(tmp_path, files | {"in/readme.md": "# notes\nstep 5 was good\n", "in/empty.log": "", "in/s.json": "{}"})
    runs = {tuple(p) for p in ([s.text, t] for s in SAMPLES.values() for t in range(len(s.val)))}
    same = 2  # the two samples with a pasted program hold the same numbers as the one without
    assert len(made.runs) == len(runs) - same, sorted(made.runs)
    assert len(made.texts("repeated")) == same


def test_a_setting_that_two_files_nest_otherwise_is_one(tmp_path: Path) -> None:
    of = {"run": "a", "segment": 0, "ts": 0, "step": 0}
    start = {"kind": "run_start", **of, "seq": 0, "schema": 1, "config": {"model": {"cutoff": "hard", "width": 2}, "width": 3}}
    points = [{"kind": "eval", **of, "seq": n, "step": n, "elapsed_s": n, "val/loss": 3.0} for n in (1, 2)]
    written(tmp_path, {"in/a.jsonl": "".join(json.dumps(e) + "\n" for e in (start, *points))})
    torch_zip.save(tmp_path / "in" / "a.pt_best.pt", {"step": 2, "best_val": 3.0, "config": {"cutoff": "hard"}})
    build(Request((str(tmp_path / "in"),), out=str(tmp_path / "out"), dashboard=False))
    [run] = json.loads((tmp_path / "out" / "summary.json").read_text())["runs"]
    assert {k: v for k, v in run["config"].items() if "cutoff" in k or "width" in k} == {
        "model.cutoff": "hard",
        "model.width": 2,
        "width": 3,
    }
