"""Sources with one run a record: result tables, sweeps, Hugging Face documents, and summaries that are no runs."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ngt_report.files import InputFile
from ngt_report.sources import curve_csv, curve_jsonl, hf_json, results_csv, summary_json, sweep_jsonl
from ngt_report.sources._document import outline
from ngt_report.sources._scalars import clock_seconds, duration, metrics_of, number, printed, run_stem, scalar, whole
from ngt_report.waist import Reading
from tests.readings import report, written

CORPUS = Path(__file__).parents[2] / "shared" / "corpus"
MODULES = (hf_json, summary_json, curve_jsonl, sweep_jsonl, curve_csv, results_csv)


def input_file(path: Path, complete: bool = False) -> InputFile:
    stat = path.stat()
    return InputFile(path=str(path), rel=path.name, size=stat.st_size, mtime_ns=stat.st_mtime_ns, complete=complete)


def write(folder: Path, content: str | bytes, name: str = "x") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def claims(path: Path) -> list[ModuleType]:
    return [m for m in MODULES if m.sniff(input_file(path))]


def read(path: Path, module: ModuleType, complete: bool = False) -> Reading:
    """Read with the module that must be the first to claim the file; every line must be accounted for."""
    assert [m.FORMAT.name for m in claims(path)][:1] == [module.FORMAT.name]
    reading: Reading = module.read(input_file(path, complete))
    assert reading.lines_read == reading.lines_used + sum(reading.ignored.values()) + len(reading.bad) + reading.pending
    return reading


def values(reading: Reading, trial: int = 0) -> dict[str, tuple[float, int | None, float | None]]:
    """metric -> (value, step, seconds) of a trial with one value a metric."""
    found = {}
    for block in reading.blocks:
        for name, column in block.columns.items() if block.trial == trial else ():
            assert name not in found
            found[name] = column.values[0], block.step[0], block.elapsed[0] if block.elapsed else None
    return found


def facts(reading: Reading, trial: int = 0) -> dict[str, object]:
    found = [(f.key, f.value) for f in reading.facts if f.trial == trial]
    assert len(found) == len(dict(found)), f"a fact twice in {found}"
    return dict(found)


def kinds(reading: Reading) -> list[str]:
    return [f.kind for f in reading.findings]


RESULTS = (
    "run_id,date,git_commit,seed,gate,learning_rate,num_iterations,final_val_loss,best_val_loss,train_time_ms,ms_per_step,notes\n"
    "a1,2030-01-02 03:04:05,0012345,7,none,0.01,400,3.25,3.1234567890123,61500.5,153.75,\n"
    'b2,2030-01-02 04:04:05,9e12345,8,headwise,0.01,400,nan,,60000,150,"slow, but\nfine"\n'
)


def test_a_results_row_is_a_run(tmp_path: Path) -> None:
    reading = read(write(tmp_path, RESULTS), results_csv)
    assert [(t.name, t.kind, t.shared, t.line) for t in reading.trials] == [("a1", "row", True, 2), ("b2", "row", True, 3)]
    assert {v[1:] for v in values(reading).values()} == {(400, 61.5005)}
    assert {k: v[0] for k, v in values(reading).items()} == {"final/loss": 3.25, "best/loss": 3.1234567890123, "step_ms": 153.75}
    assert {n: c.decimals for n, c in reading.blocks[0].columns.items()} == {"final/loss": 2, "best/loss": None, "step_ms": 2}
    assert math.isnan(values(reading, 1)["final/loss"][0]) and "best/loss" not in values(reading, 1)
    assert (reading.lines_read, reading.lines_used, reading.ignored) == (4, 3, {"header": 1})


def test_what_a_row_says_besides_are_facts(tmp_path: Path) -> None:
    reading = read(write(tmp_path, RESULTS), results_csv)
    assert facts(reading) == {
        "total_steps": 400, "config.date": "2030-01-02 03:04:05", "git_commit": "0012345", "seed": 7, "config.gate": "none",
        "learning_rate": 0.01,
    }  # fmt: skip
    assert facts(reading, 1)["git_commit"] == "9e12345" and facts(reading, 1)["config.notes"] == "slow, but\nfine"


def test_a_table_made_from_best_checkpoints_names_its_runs_by_path(tmp_path: Path) -> None:
    text = 'model_type,ablation_flags,seed,best_val_loss,total_steps,path\nngt,"a,b",1,4.552418,900,ckpt/g/plain_25m.pt_best.pt\n'
    reading = read(write(tmp_path, text), results_csv)
    assert (reading.trials[0].name, reading.trials[0].shared) == ("plain_25m", True)
    assert values(reading) == {"best/loss": (4.552418, 900, None)}
    assert facts(reading) == {
        "config.total_steps": 900, "model": "ngt", "flags": "a,b", "seed": 1, "checkpoint.path": "ckpt/g/plain_25m.pt_best.pt",
    }  # fmt: skip  # 900 is the best step, not the length of the run


def test_a_strangers_sweep_without_names_is_rows_and_the_best_step_stands_apart(tmp_path: Path) -> None:
    text = "lr;batch_size;best_step;steps;min_val_loss;val_loss;train_hours\n0,1;8;300;400;3,25;3,5;1,5\n0,2;8;400;400;3,5;3,5;1,25\n"
    reading = read(write(tmp_path, text), results_csv)
    assert [t.name for t in reading.trials] == [None, None] and not reading.trials[0].shared
    assert values(reading) == {"best/loss": (3.25, 300, 5400.0), "final/loss": (3.5, 400, 5400.0)}
    assert facts(reading)["learning_rate"] == 0.1


def test_concurrent_writers_and_misfits(tmp_path: Path) -> None:
    text = "run,steps,val_loss\na,5,3.5\nrun,steps,val_loss\nb,5,3.25\nb,5,3.25\n\n# note\nb,5,3\nc,5\nd,5,4,4\ne,5,oom\nf,5,3.7"
    reading = read(write(tmp_path, text), results_csv)
    assert reading.ignored == {"header": 1, "repeated header": 1, "repeated row": 1, "blank": 1, "comment": 1}
    assert [b[0] for b in reading.bad] == [9, 10] and reading.pending == 1
    assert [(t.name, t.shared) for t in reading.trials] == [("a", True), ("b", True), ("b-2", False), ("e", True)]
    assert kinds(reading) == ["duplicate_name", "unreadable_value"]
    assert read(write(tmp_path, text), results_csv, complete=True).trials[-1].name == "f"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_encodings_and_line_ends(tmp_path: Path, encoding: str) -> None:
    reading = read(write(tmp_path, "run\tsteps\tfinal_val_loss\r\nä\t5\t3.5\r\nb\t5\t3.25\r\n".encode(encoding)), results_csv)
    assert [t.name for t in reading.trials] == ["ä", "b"] and values(reading, 1)["final/loss"][0] == 3.25


def test_a_quote_that_is_never_closed_costs_one_line(tmp_path: Path) -> None:
    reading = read(write(tmp_path, 'run,val_loss,notes\na,3.5,"odd\nb,3.25,x\nc,3,y\n'), results_csv)
    assert [t.name for t in reading.trials] == ["b", "c"] and reading.bad == [(2, "a quote is not closed")]


@pytest.mark.parametrize(
    "text",
    [
        "gate,seeds,final_loss,train_time\nhead,2,3.5,10m 9.1s\nnone,2,3.6,9m 52.9s\n",
        "gate,learning_rate,final_loss,train_time\nhead,0.1,3.5,10m 9.1s\nnone,0.1,3.6,9m 52.9s\n",
        "model,val_loss_mean,val_loss_std\na,3.5,0.1\nb,3.4,0.1\n",
        "name,n_runs,val_loss\na,3,3.5\nb,3,3.4\n",
        "lr,mean_val_loss,val_acc\n0.1,3.5,0.5\n0.2,3.4,0.5\n",
    ],
)
def test_means_over_runs_are_no_runs(tmp_path: Path, text: str) -> None:
    reading = read(write(tmp_path, text), results_csv)
    assert (reading.status, reading.trials, kinds(reading)) == ("aggregate table", [], ["aggregate_table"])
    assert reading.ignored == {"header": 1, "aggregate table": 2}


@pytest.mark.parametrize(
    "text",
    [
        "gate,seed,final_loss,train_time\nhead,2,3.5,10m 9.1s\nnone,2,3.6,9m 52.9s\n",
        "run,n_seeds,val_loss\na,1,3.5\nb,1,3.4\n",
        "lr,steps,val_loss\n0.1,400,3.5\n0.2,400,3.4\n",
        "name,acc_stderr,val_acc\na,0.1,0.5\nb,0.1,0.5\n",
        "lr,init_std,val_loss\n0.1,0.02,3.5\n0.2,0.02,3.4\n",
    ],
)
def test_what_only_looks_like_means_are_runs(tmp_path: Path, text: str) -> None:
    assert len(read(write(tmp_path, text), results_csv).trials) == 2


@pytest.mark.parametrize(
    "text",
    [
        "Loss, accuracy and other things\nI wrote this, you see, that\n",
        "import os, sys\nloss, val_loss = 1, 2\nfor a, b in c:\n    print(a, b)\n",
        "step 1, val_loss 3.2, lr 0.1\nstep 2, val_loss 3.1, lr 0.1\n",
        "step:1,val_loss:3.2\nstep:2,val_loss:3.1\n",
        "id,text,label\n1,hello,0\n2,bye,1\n",
        "id,text,loss\n1,hello,0.5\n2,bye,0.25\n",
        '{"text": "hello", "loss": 2.5}\n{"text": "bye", "loss": 2.25}\n',
        '{"kind": "eval", "run": "a", "segment": 0, "seq": 1, "ts": 1, "step": 5, "val/loss": 3}\n',
        '{"name": "x", "scripts": {"test": "jest"}, "version": "1"}\n',
        '{"train": {"loss": "mse", "lr": 0.1}, "model": "gpt2"}\n',
        '{"version": "1", "model": {"type": "BPE", "vocab": {"loss": 1, "eval_loss": 4}}}\n',
        '{"_step": 100, "_runtime": 33.5, "_timestamp": 1.7e9, "val/loss": 3.5}\n',
        '{"eval":' * 3000,
        "[" * 100000,
        "",
    ],
)
def test_other_text_is_declined(tmp_path: Path, text: str) -> None:
    assert claims(write(tmp_path, text)) == []


def test_a_sweep_line_is_a_run(tmp_path: Path) -> None:
    rows = (
        '{"alpha": 0.1, "n_params": 12, "lr": 0.01, "steps": 500, "config": {"lr": 0.01, "gate": null}, "target_loss": 5.0, '
        '"time_to_target": Infinity, "final_step": 499, "final_train_loss": 3.25, "val_loss": 3.1234567890123, '
        '"train_loss_reduction": 9.5, "time_seconds": 20.5, "tokens_per_sec": 512.25}\n'
        '{"alpha": 0.2, "steps": 500, "val_loss": NaN}\n'
    )
    reading = read(write(tmp_path, rows), sweep_jsonl)
    assert [(t.name, t.shared, t.index, t.line) for t in reading.trials] == [(None, False, 0, 1), (None, False, 1, 2)]
    assert values(reading) == {
        "final/train_loss": (3.25, 499, 20.5), "final/loss": (3.1234567890123, 499, 20.5), "tokens_per_s": (512.25, 499, 20.5),
    }  # fmt: skip
    assert facts(reading) == {
        "total_steps": 500, "config.alpha": 0.1, "params": 12, "learning_rate": 0.01, "config.lr": 0.01, "config.gate": None,
        "target_loss": 5.0, "time_to_target": None, "config.final_step": 499, "config.train_loss_reduction": 9.5,
    }  # fmt: skip
    assert math.isnan(values(reading, 1)["final/loss"][0])


def test_torn_lines_and_equal_names(tmp_path: Path) -> None:
    text = '{"name":"a","val_loss":3}\n{"name":"b","val_lo\n\n{"name":"a","val_loss":2.5}\n{"name":"a","val_loss":3}\n{"name":"c","val_'
    reading = read(write(tmp_path, text), sweep_jsonl)
    assert [(t.name, t.shared) for t in reading.trials] == [("a", True), ("a-2", False)]
    assert reading.bad == [(2, "not a JSON object")] and reading.pending == 1
    assert reading.ignored == {"blank": 1, "repeated row": 1} and kinds(reading) == ["duplicate_name"]
    assert [b[0] for b in read(write(tmp_path, text), sweep_jsonl, complete=True).bad] == [2, 6]


def test_a_last_object_without_newline_counts(tmp_path: Path) -> None:
    assert len(read(write(tmp_path, '{"name":"a","val_loss":3}\n{"name":"b","val_loss":3.5}'), sweep_jsonl).trials) == 2


METRICS = {
    "args": {"model_name": "small", "block_size": 64, "output_dir": "out/mix_a/", "seed": 4, "max_steps": -1, "alpha": 0.5},
    "eval": {"eval_loss": 2.5, "eval_ce_loss": 3.5, "eval_perplexity": 33.1, "eval_token_acc": 0.25, "epoch": 2.0},
    "test": {"eval_loss": 2.75, "eval_ce_loss": 3.75, "eval_perplexity": 42.5, "eval_token_acc": 0.2, "epoch": 2.0},
    "train": {"train_loss": 3.0, "train_runtime": 12.5, "epoch": 2.0, "total_flos": 5.0},
    "semantic": {"model": "x", "cosine": {"mean": 0.5}},
}


@pytest.mark.parametrize("indent", [None, 2])
def test_sections_of_metrics(tmp_path: Path, indent: int | None) -> None:
    reading = read(write(tmp_path, json.dumps(METRICS, indent=indent)), hf_json)
    assert [(t.name, t.kind, t.shared) for t in reading.trials] == [("mix_a", "row", True)]
    assert {k: v[0] for k, v in values(reading).items()} == {
        "val/objective": 2.5, "val/loss": 3.5, "val/perplexity": 33.1, "val/accuracy": 0.25, "epoch": 2.0, "test/objective": 2.75,
        "test/loss": 3.75, "test/perplexity": 42.5, "test/accuracy": 0.2, "final/train_loss": 3.0, "semantic/cosine/mean": 0.5,
    }  # fmt: skip
    assert {v[1:] for v in values(reading).values()} == {(None, 12.5)}
    assert facts(reading) == {
        "clock.scope": "training", "model": "small", "sequence_length": 64, "config.output_dir": "out/mix_a/", "seed": 4,
        "config.alpha": 0.5,
    }  # fmt: skip
    loss = next(b for b in reading.blocks if "val/loss" in b.columns)
    lines = json.dumps(METRICS, indent=indent).split("\n")
    assert loss.pointer == ["/eval/eval_ce_loss"] and loss.line and '"eval_ce_loss"' in lines[loss.line[0] - 1]


def test_all_results_and_a_torn_document(tmp_path: Path) -> None:
    said = {"epoch": 3.0, "eval_loss": 2.5, "eval_runtime": 3.5, "perplexity": 12.18, "train_loss": 2.75, "train_runtime": 99.5}
    text = json.dumps(said, indent=1)
    assert values(read(write(tmp_path, text), hf_json)) == {
        "epoch": (3.0, None, 99.5), "val/loss": (2.5, None, 99.5), "val/runtime": (3.5, None, 99.5), "val/perplexity": (12.18, None, 99.5),
        "final/train_loss": (2.75, None, 99.5),
    }  # fmt: skip
    torn = write(tmp_path, text[:-9])
    reading = read(torn, hf_json)
    assert (reading.status, reading.pending, kinds(reading)) == ("unreadable", 7, ["torn_document"])
    assert len(read(torn, hf_json, complete=True).bad) == 1


def test_trainer_state_is_a_curve_without_its_closing_summary(tmp_path: Path) -> None:
    history = [
        {"epoch": 0.5, "loss": 3.25, "learning_rate": 0.1, "step": 10},
        {"epoch": 1.0, "eval_loss": 2.5, "step": 20},
        {"epoch": 1.0, "loss": 3.0, "learning_rate": 0.05, "step": 20},
        {"epoch": 1.0, "step": 20, "train_loss": 2.75, "train_runtime": 55.5},
    ]
    state = {"best_metric": 2.5, "best_model_checkpoint": "out/foo/checkpoint-20", "log_history": history, "max_steps": 20}
    text = json.dumps(state, indent=2)
    reading = read(write(tmp_path, text), hf_json)
    assert [(t.name, t.kind) for t in reading.trials] == [("foo", "curve")]
    points = {n: list(zip(b.step, c.values, strict=True)) for b in reading.blocks for n, c in b.columns.items() if n != "epoch"}
    assert points == {"train/loss": [(10, 3.25), (20, 3.0)], "lr": [(10, 0.1), (20, 0.05)], "val/loss": [(20, 2.5)]}
    evaluation = next(b for b in reading.blocks if "val/loss" in b.columns)
    assert evaluation.pointer == ["/log_history/1"] and evaluation.line
    assert '"eval_loss": 2.5' in "".join(text.split("\n")[evaluation.line[0] - 1 : evaluation.line[0] + 4])
    assert reading.ignored == {"closing summary": 6} and facts(reading)["total_steps"] == 20


@pytest.mark.parametrize("key", ["all_results", "top_5", "ranked_runs"])
def test_a_summary_of_other_files_is_no_run(tmp_path: Path, key: str) -> None:
    rows = [{"alpha": 0.1, "val_loss": 3.5}, {"alpha": 0.2, "val_loss": float("inf")}]
    text = json.dumps({"total_experiments": 2, "best_result": rows[0], key: rows}, indent=1)
    reading = read(write(tmp_path, text), summary_json)
    assert (reading.status, reading.trials, kinds(reading)) == ("summary", [], ["summary_not_counted"])
    assert facts(reading) == {"summary.values": [3.5, None], "summary.total": 2, "summary.best_val_loss": 3.5}
    assert reading.ignored == {"summary of other files": text.count("\n") + 1}
    best = next(f for f in reading.facts if f.key == "summary.best_val_loss")
    assert best.pointer == "/best_result/val_loss" and best.line and '"val_loss": 3.5' in text.split("\n")[best.line - 1]


@pytest.mark.parametrize(
    ("path", "stem"),
    [
        ("checkpoints/w3/vanilla_25m.pt_best.pt", "vanilla_25m"),
        ("runs\\gated-a\\checkpoint-500\\", "gated-a"),
        ("out/foo/step_1000.pt", "foo"),
        ("foo_best.ckpt", "foo"),
        ("foo_step500.pt", "foo"),
        ("logs/foo_best.log", "foo_best"),
        ("gated_optimal_final.pt", "gated_optimal_final"),
        ("alpha_0.15.log", "alpha_0.15"),
        ("best.pt", "best"),
        ("", ""),
    ],
)
def test_the_run_that_a_path_names(path: str, stem: str) -> None:
    assert run_stem(path) == stem


def test_scalars_durations_and_clocks() -> None:
    assert [scalar(t) for t in ("1", "1.5", "true", "0012", "none", "None", "nan", "inf", "1_0", "x")] == [
        1, 1.5, True, "0012", "none", None, None, None, "1_0", "x",
    ]  # fmt: skip
    assert [duration(t) for t in ("10m 9.1s", "1:02:03", "1 day, 0:00:05", "2h", "350ms", "5", "soon")] == [
        609.1, 3723, 86405, 7200, 0.35, None, None,
    ]  # fmt: skip
    assert [clock_seconds(k, v) for k, v in (("train_time_ms", "1476879"), ("wall_time_min", 2), ("elapsed", "3m 0s"), ("alpha", 1))] == [
        1476.879, 120.0, 180.0, None,
    ]  # fmt: skip
    assert [printed(v) for v in ("3.2938", "3.29380000", "0.00468", "12", "1.2e-3", 3.5, 3.123456789012, "nan")] == [
        4, None, 5, 0, 4, 1, None, None,
    ]  # fmt: skip
    assert [whole(v) for v in ("500", "500.0", "1e3", True, "x", 10**30, float("inf"))] == [500, 500, 1000, None, None, None, None]
    assert number("1_000") is None and number(True) is None and number(10**400) is None


def test_the_explicit_cross_entropy_is_the_loss() -> None:
    assert metrics_of(("eval_loss",)) == {"eval_loss": "val/loss"}
    assert metrics_of(("eval_loss", "eval_ce_loss")) == {"eval_loss": "val/objective", "eval_ce_loss": "val/loss"}
    assert metrics_of(("val_loss", "val_ce")) == {"val_ce": "val/loss", "val_loss": "val/objective"}
    assert metrics_of(("loss", "acc"), "test") == {"loss": "test/loss", "acc": "test/accuracy"}
    assert "target_loss" not in metrics_of(("target_loss", "baseline_val_loss"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(st.from_regex(r"[a-z~/]{1,5}", fullmatch=True), JSON, max_size=4), st.sampled_from([None, 1]))
def test_an_outline_has_every_key(value: dict[str, object], indent: int | None) -> None:
    lines = outline(json.dumps(value, indent=indent))
    text = json.dumps(value, indent=indent).split("\n")
    assert lines is not None
    for key in value:
        line = lines["/" + key.replace("~", "~0").replace("/", "~1")]
        assert text[line - 1].lstrip(" {").startswith(json.dumps(key)) or indent is None


LETTER = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\u2028\u2029\x85")
NAME = st.text(LETTER, min_size=1, max_size=8).filter(lambda s: s.strip() == s and not s.startswith("#"))
LOSS = st.floats(0, 20).map(lambda x: round(x, 4))


@given(st.dictionaries(NAME, LOSS, min_size=1, max_size=8), st.sampled_from(",;\t"), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_tables_come_back_as_written(
    tmp_path_factory: pytest.TempPathFactory, rows: dict[str, float], sep: str, end: str, cut: bool
) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=sep, lineterminator=end)
    writer.writerows([["run_id", "steps", "final_val_loss"], *([name, 100, loss] for name, loss in rows.items())])
    path = write(tmp_path_factory.mktemp("csv"), out.getvalue()[: -1 if cut and end == "\n" else None])
    reading = read(path, results_csv, complete=True)
    assert [t.name for t in reading.trials] == list(rows)
    assert [values(reading, t.index)["final/loss"][0] for t in reading.trials] == list(rows.values())


@given(st.text(st.sampled_from('abz019.,;\t\n"\r #-_ n'), max_size=120))
def test_every_line_of_any_table_is_accounted_for(tmp_path_factory: pytest.TempPathFactory, body: str) -> None:
    path = write(tmp_path_factory.mktemp("csv"), "run,steps,val_loss\na,5,3.5\nb,5,3.5\nc,5,3.5\n" + body)
    for module in claims(path):
        for complete in (False, True):
            reading = module.read(input_file(path, complete))
            assert reading.lines_read == reading.lines_used + sum(reading.ignored.values()) + len(reading.bad) + reading.pending
            data = path.read_bytes()
            assert reading.lines_read == data.count(b"\n") + (not data.endswith(b"\n"))


def answers() -> list[dict[str, str]]:
    if not CORPUS.exists():
        pytest.skip("no corpus beside the checkout")
    with open(CORPUS / "answers.csv", encoding="utf-8") as f:
        return [r for r in csv.DictReader(f) if r["format"] in ("JSONL sweep row", "HF metrics.json (final only)")]


def test_corpus_rows_have_the_published_values() -> None:
    readings: dict[str, Reading] = {}
    for row in answers():
        path = CORPUS / row["file"]
        reading = readings.setdefault(row["file"], read(path, sweep_jsonl if path.suffix == ".jsonl" else hf_json))
        trial = next(t.index for t in reading.trials if (t.name or f"row{t.index + 1}") == row["run"])
        found = values(reading, trial)
        value, step, seconds = found.get("final/loss") or found["val/loss"]
        assert (value, str(step or "")) == (float(row["best_val_loss"]), row["best_step"]), row
        assert seconds == pytest.approx(float(row["train_time_s"]), abs=6e-4)
    assert sum(len(r.trials) for r in readings.values()) == len(answers())


def test_corpus_tables_and_summaries_are_told_apart() -> None:
    if not CORPUS.exists():
        pytest.skip("no corpus beside the checkout")
    found: dict[str, list[str]] = {}
    for path in sorted(p for folder in ("ese_gate", "ngpt_sweeps", "mixed_loss") for p in (CORPUS / folder).rglob("*.*")):
        first, *others = [m.FORMAT.name for m in claims(path)] or ["none"]
        assert not others, path
        if path.suffix == ".csv" and read(path, results_csv if "results" in first else curve_csv).status != "read":
            first += " aggregate"
        found.setdefault(first, []).append(path.name)
    counts = {k: len(v) for k, v in found.items() if k != "none"}
    assert counts == {
        "curve_csv": 5, "results_csv": 5, "results_csv aggregate": 4, "sweep_jsonl": 17, "summary_json": 8, "hf_json": 5,
    }, found  # fmt: skip
    assert not any(n.endswith((".csv", ".jsonl", ".json")) for n in found["none"])


CLOSED = "Best validation loss: 4.1012 at step 200\nFinal validation loss: 4.2012\n"
CURVE = "".join(f"step {s}/300 val_loss={v}\n" for s, v in ((100, 5.1012), (200, 4.1012), (300, 4.2012)))


@pytest.mark.parametrize(("curve", "runs"), [(CURVE, ["a"]), (CURVE.replace("4.1012", "4.0012"), ["a", "notes"]), ("", ["notes"])])
def test_closing_words_are_of_the_log_beside_them_that_ended_so(curve: str, runs: list[str], tmp_path: Path) -> None:
    """They are a run of their own where no curve says the same."""
    made = report(written(tmp_path / "in", {"notes.log": CLOSED} | ({"a.log": curve} if curve else {})), tmp_path / "out")
    assert sorted(made.runs) == runs
    assert made.best(runs[-1]) == (4.1012, 200) and not made.kinds("error")
