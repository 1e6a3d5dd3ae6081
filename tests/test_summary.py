"""Summary.md as people read it: a golden file, safe text from hostile names, the user's own words, and what a reader must be told."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt
from msgspec.inspect import is_struct_type as is_struct

from ngt_report import formatting, model, render
from ngt_report.build import Request, build, check
from ngt_report.commands import cli
from ngt_report.discover import discover
from ngt_report.errors import GateError, ReportError, UsageError
from ngt_report.handing import model as handoffmodel
from tests.markdown import tables

HERE = Path(__file__).parent
SAMPLE = HERE / "data" / "w3_25m" / "logs" / "w3_25m"
GOLDEN = HERE / "golden" / "w3_25m.Summary.md"


def log(path: Path, losses: list[float], total: int | None = None, every: int = 100, head: str = "", start: int = 0) -> Path:
    """A key=value log with one evaluation per loss."""
    total = total or every * len(losses) + start
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"step {start + (i + 1) * every}/{total} val_loss={v:.4f} elapsed={(i + 1) * 10.0:.1f}s\n" for i, v in enumerate(losses)]
    path.write_text(head + "".join(lines), encoding="utf-8")
    return path


def summary(path: Path, out: Path, **options: Any) -> str:
    return (build(Request((str(path),), out=str(out), **{"dashboard": False, **options})).folder / "Summary.md").read_text(encoding="utf-8")


def test_the_sample_renders_as_the_golden_file(tmp_path: Path) -> None:
    """To accept a change: UPDATE_GOLDEN=1 pytest tests/test_summary.py"""
    text = summary(SAMPLE, tmp_path)
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_the_kept_sample_is_what_a_build_writes(tmp_path: Path) -> None:
    """To accept a change: make sample"""
    summary(SAMPLE, tmp_path, dashboard=False)
    for name in ("Summary.md", "results.csv", "summary.json"):
        assert (HERE.parent / "artifacts" / "sample" / name).read_bytes() == (tmp_path / name).read_bytes(), name


def used_fields() -> set[str]:
    """Attribute names that any template uses, whatever the variable."""
    texts = " ".join(p.read_text() for p in render.templates_folder().glob("*.md.j2"))
    code = " ".join(re.findall(r"\{[{%](.*?)[%}]\}", texts, re.DOTALL))
    return set(re.findall(r"\.([a-z_]\w*)", re.sub(r'"[^"]*"', "", code))) | set(re.findall(r'(?:attribute=|selectattr\()"(\w+)"', code))


CLASSES = [c for c in {**vars(model), **vars(handoffmodel)}.values() if is_struct(c)]


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_every_field_given_to_a_template_is_documented_and_used(cls: type) -> None:
    helps = model.documented(cls)
    assert all(helps.values())
    unused = set(helps) - used_fields() - {"kind", "status"}
    assert not unused, f"{cls.__name__}: no template uses {unused}"


def test_templates_use_only_documented_fields() -> None:
    known = {f for c in CLASSES for f in model.documented(c)}
    assert used_fields() - known - {"last", "index"} == set()


HOSTILE = [
    "a|b", "<script>alert(1)</script>", "[x](javascript:alert(1))", "![i](http://evil.example/x.png)", "`tick`", "**bold** _it_ ~~no~~",
    "https://evil.example/",
    "-->", "<!-- hide", "# heading", "@everyone #1", "&lt;b&gt;", "=cmd()", "+1+1", "back\\slash", "tab\there", "日本語 Ġ", "{{ 7*7 }}",
    "{% raw %}",
]  # fmt: skip


def test_hostile_run_names_stay_text(tmp_path: Path) -> None:
    rows = [{"run": name, "steps": 100, "val_loss": 4 + i / 1000, "lr": i + 1} for i, name in enumerate([*HOSTILE, "vanilla"])]
    (tmp_path / "s.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    text = summary(tmp_path / "s.jsonl", tmp_path / "out")
    shown = {cell.replace("\u200b", "") for table in tables(text) for row in table for cell in row}
    named = {c.split("#", 1)[-1] for c in shown} | shown
    assert [name for name in HOSTILE if name.replace("\t", " ").strip() not in named] == []
    html = MarkdownIt("gfm-like").render(text)
    assert not re.search(r"<(?:script|img|em|del|h[1-6])|href=\"(?!#)", html[html.index("Fixed-step") :].split("</table>")[0])
    assert "<script" not in html and "<img" not in html and "<a " not in html
    cells = (tmp_path / "out" / "results.csv").read_text(encoding="utf-8").splitlines()
    assert len(cells) > len(HOSTILE) and not any(line.startswith(("=", "+", "-", "@")) for line in cells)


def test_notes_are_made_once_included_and_never_touched(tmp_path: Path) -> None:
    run = log(tmp_path / "a.log", [5.0, 4.0])
    summary(run, tmp_path / "out")
    notes = tmp_path / "out" / "NOTES.md"
    words = "My own words: **vanilla** won.\n\n```\n# not a heading\n```\n"
    notes.write_text(words)
    text = summary(run, tmp_path / "out")
    assert words.strip() in text
    assert notes.read_text() == words


def test_check_says_when_the_report_is_stale(tmp_path: Path) -> None:
    run = log(tmp_path / "a.log", [5.0, 4.0])
    request = Request((str(run),), out=str(tmp_path / "out"))
    with pytest.raises(GateError, match="holds no report"):
        check(request)
    build(request)
    check(request)
    os.utime(run, ns=(1, 1))
    check(request)  # touched, not changed
    log(run, [5.0, 4.0, 3.5])
    with pytest.raises(GateError, match=r"stale: Summary.md, results.csv, summary.json"):
        check(request)


def test_a_file_that_is_not_ours_is_never_overwritten(tmp_path: Path) -> None:
    run = log(tmp_path / "a.log", [5.0, 4.0])
    out = tmp_path / "out"
    out.mkdir()
    (out / "Summary.md").write_text("# Written by hand\n")
    with pytest.raises(ReportError, match=r"Summary.md exists and was not written by ngtreport"):
        build(Request((str(run),), out=str(out)))
    assert (out / "Summary.md").read_text() == "# Written by hand\n"


def test_an_edited_summary_is_kept_aside(tmp_path: Path) -> None:
    run = log(tmp_path / "a.log", [5.0, 4.0])
    text = summary(run, tmp_path / "out")
    (tmp_path / "out" / "Summary.md").write_text(text + "\nmine\n")
    log(run, [5.0, 4.0, 3.5])
    built = build(Request((str(run),), out=str(tmp_path / "out")))
    assert built.changes.kept == ["Summary.edited.md"]
    assert (tmp_path / "out" / "Summary.edited.md").read_text().endswith("mine\n")


def test_every_edit_of_every_output_is_kept(tmp_path: Path) -> None:
    run, out = log(tmp_path / "a.log", [5.0, 4.0]), tmp_path / "out"
    names = ("Summary.md", "results.csv", "summary.json", "dashboard.html")
    for turn in (1, 2, 3):
        build(Request((str(run),), out=str(out)))
        for name in names:
            (out / name).write_text(f"edit {turn}\n")
    build(Request((str(run),), out=str(out)))
    for stem, end in (name.split(".") for name in names):
        kept = [out / f"{stem}.edited{number}.{end}" for number in ("", "-2", "-3")]
        assert [path.read_text() for path in kept] == ["edit 1\n", "edit 2\n", "edit 3\n"]
    assert "edit" not in (out / "Summary.md").read_text()
    assert [f.rel for f in discover([str(tmp_path)]).files] == ["a.log"]  # and none of them is read as a result


def test_a_build_says_which_file_was_edited_and_where_it_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for args in (["build"], ["bundle", "-o", "b.zip"], ["handoff"]):
        log(tmp_path / "a.log", [5.0, 4.0])
        build(Request(("a.log",)))
        (tmp_path / "artifacts" / "a" / "results.csv").write_text("mine\n")
        said = CliRunner().invoke(cli, [args[0], "a.log", *args[1:]]).stderr
        assert re.search(r"results\.csv had been edited by hand: the edited text is kept as artifacts/a/results\.edited(-\d)?\.csv; ", said)


def test_a_report_that_was_written_anew_is_not_called_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("g/a.log", "g/b.log"):
        log(tmp_path / name, [5.0, 4.0, 3.5])

    def said(*options: str) -> str:
        return CliRunner().invoke(cli, ["build", "g", *options]).stderr

    assert said("--target", "3").startswith("read 2 of 2 files; ")
    assert re.fullmatch(r"wrote Summary\.md, .+ in artifacts/g; no file had to be read \(2 files\)\n", said("--target", "3.5"))
    assert said("--target", "3.5") == "artifacts/g is up to date (2 files)\n"
    assert "removed dashboard.html in artifacts/g; no file" in said("--target", "3.5", "--no-dashboard")
    (tmp_path / "g" / "b.log").unlink()
    assert said("--target", "3.5", "--no-dashboard").startswith("wrote Summary.md, ")


def test_outputs_are_never_read_back_as_input(tmp_path: Path) -> None:
    log(tmp_path / "a.log", [5.0, 4.0])
    first = summary(tmp_path, tmp_path / "out")
    assert summary(tmp_path, tmp_path / "out2") == first
    assert "results_csv" not in first


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("baselin = 'x'", "unknown key 'baselin'; did you mean 'baseline'"),
        ("step = 'x'", "step is 'x', which is not a int"),
        ("= 3", "ngtreport.toml is not valid TOML"),
    ],
)
def test_a_wrong_setting_is_answered_in_one_sentence(tmp_path: Path, text: str, message: str) -> None:
    log(tmp_path / "a.log", [5.0, 4.0])
    (tmp_path / "ngtreport.toml").write_text(text)
    with pytest.raises(UsageError, match=re.escape(message)):
        build(Request((str(tmp_path),), out=str(tmp_path / "out")))


def test_settings_label_declare_and_name_the_baseline(tmp_path: Path) -> None:
    log(tmp_path / "logs" / "one.log", [5.0, 4.0])
    log(tmp_path / "logs" / "two.log", [5.0, 4.5])
    (tmp_path / "logs" / "ngtreport.toml").write_text(
        'baseline = "two"\ntitle = "My title"\n[labels]\none = "The one"\n[declared]\nbatch_size = 16\nhardware = "1x A4000"\n'
    )
    text = summary(tmp_path / "logs", tmp_path / "out")
    assert text.splitlines()[2] == "# My title: 2 runs"
    assert "Best variant: The one, val loss 4.0000" in text
    assert "Baseline: two (it was named)" in text
    assert "| batch size | 16 (declared) |" in text


def test_one_run_is_not_ranked(tmp_path: Path) -> None:
    text = summary(log(tmp_path / "a.log", [5.0, 4.0, 4.1]), tmp_path / "out")
    assert "best val loss 4.0000 at step 200, last 4.1000 at step 300. One run: nothing to rank." in text
    assert "ranking" not in text.lower()


def test_without_validation_it_is_said_and_train_is_shown_as_train(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("".join(f"step {i}/30 train_loss={5 - i / 10:.4f}\n" for i in (10, 20, 30)))
    text = summary(tmp_path / "a.log", tmp_path / "out")
    assert "No validation loss anywhere" in text
    assert "| a | 2.0000 | 30 |" in text


def test_500_runs_show_the_top_20_and_count_the_rest(tmp_path: Path) -> None:
    for i in range(500):
        log(tmp_path / "logs" / f"run_{i:03d}.log", [5.0, 4.0 + i / 1000])
    text = summary(tmp_path / "logs", tmp_path / "out")
    assert "480 more runs are in results.csv" in text
    assert len(text) < 65_536
    assert len((tmp_path / "out" / "results.csv").read_text().splitlines()) == 501


def test_confounds_stand_above_the_ranking(tmp_path: Path) -> None:
    log(tmp_path / "logs" / "a.log", [5.0, 4.0], head="seq_len: 512\ndataset: wikitext\n")
    log(tmp_path / "logs" / "b.log", [5.0, 4.1], head="seq_len: 1024\ndataset: fineweb\n")
    text = summary(tmp_path / "logs", tmp_path / "out")
    assert text.index("**dataset** differs: fineweb (1 run: b), wikitext (1 run: a)") < text.index("## Full ranking")
    assert "**sequence length** differs: 1024 (1 run: b), 512 (1 run: a)" in text


def test_seeds_that_differ_in_nothing_else_form_a_group(tmp_path: Path) -> None:
    for seed, loss in ((1, 4.0), (2, 4.2), (3, 4.1)):
        log(tmp_path / "logs" / f"base_s{seed}.log", [5.0, loss], head=f"seed: {seed}\ndataset: w\nlr: 0.001\n")
    text = summary(tmp_path / "logs", tmp_path / "out")
    row = next(r for t in tables(text) if t[0][0] == "group" for r in t[1:])
    assert row[1:8] == ["3", "1, 2, 3", "4.1000", "0.1000", "±0.2484", "4.0000", "4.2000"]


def test_labels_that_differ_beyond_the_seed_never_group(tmp_path: Path) -> None:
    for name, seed in (("alpha", 1), ("beta", 2)):
        log(tmp_path / "logs" / f"{name}.log", [5.0, 4.0 + seed], head=f"seed: {seed}\ndataset: w\nlr: 0.001\n")
    assert "## Seeds" not in summary(tmp_path / "logs", tmp_path / "out")
    assert "## Seeds" in summary(tmp_path / "logs", tmp_path / "out2", group_by=("lr",))


def test_a_metric_is_one_sql_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Copy the package's SQL, add one file, and its table is in the report."""
    import shutil

    from ngt_report import queries, store

    folder = tmp_path / "sql"
    shutil.copytree(Path(store.__file__).parent / "sql", folder)
    (folder / "metrics" / "zz_gap.sql").write_text(
        "-- title: Gap between last and best\n-- unit: nats per token\n-- better: lower\n-- grain: run\n"
        "SELECT run, last_loss - best_loss AS gap FROM best_last ORDER BY run\n"
    )
    monkeypatch.setattr(store, "SQL", str(folder))
    for cached in (queries.metric_names, queries.header):
        cached.cache_clear()
    try:
        text = summary(log(tmp_path / "a.log", [5.0, 4.0, 4.25]), tmp_path / "out")
    finally:
        monkeypatch.undo()
        for cached in (queries.metric_names, queries.header):
            cached.cache_clear()
    assert "## Gap between last and best\n\nIn nats per token.\n\n| run | gap |\n|---|---:|\n| a | 0.25 |" in text


def test_accuracies_alone_rank_upward(tmp_path: Path) -> None:
    for name, values in (("a", (0.31, 0.35, 0.34)), ("b", (0.30, 0.38, 0.37))):
        (tmp_path / f"{name}.log").write_text("".join(f"step {(i + 1) * 10}/30 val_acc={v:.4f}\n" for i, v in enumerate(values)))
    text = summary(tmp_path, tmp_path / "out")
    assert "No validation loss anywhere: 2 runs record only accuracies; highest 0.3800 (b)." in text
    assert "| 1 | b | 0.3800 | 20 | 0.3700 | 30 |" in text


def test_what_should_be_noticed_is_noticed(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    log(logs / "gap.log", [5.0, 4.8, 4.6, 4.5, 4.4, 4.3, 4.2, 4.1], every=100)
    text = (logs / "gap.log").read_text().splitlines(keepends=True)
    (logs / "gap.log").write_text("".join(text[:3] + text[5:]))
    (logs / "nan.log").write_text("".join(f"step {i}00/800 val_loss={v}\n" for i, v in enumerate(["5.0", "4.0", "nan", "nan"], 1)))
    (logs / "once.log").write_text("".join(f"step {i}00/800 val_loss={v}\n" for i, v in enumerate(["5.0", "nan", "4.1"], 1)))
    (logs / "crash.log").write_text(
        'step 100/800 val_loss=5.0\nTraceback (most recent call last):\n  File "x.py", line 1\nRuntimeError: CUDA error: device lost\n'
    )
    (logs / "curve.csv").write_text("run,step,val_loss\ngap,100,5.0\ngap,200,4.9\ngap,300,4.6\n")
    summary(logs, tmp_path / "out")
    found = {(f["kind"], f["run"]): f["text"] for f in json.loads((tmp_path / "out" / "summary.json").read_text())["findings"]}
    assert found["gap", "gap"] == "run gap has no evaluation between steps 300 and 600 (it evaluates every 100)"
    assert found["not_finite", "nan"].startswith("run nan has 2 validation losses that are not finite, the first at step 300")
    assert found["not_finite", "once"] == "run once has a validation loss that is not finite, at step 200"
    assert found["diverged", "nan"] == "run nan diverged by step 400"
    assert found["crashed", "crash"].startswith("run crash crashed at 100/800: RuntimeError: CUDA error: device lost")
    assert any(kind == "contradiction" and "4.9" in text for (kind, _), text in found.items())


@pytest.mark.parametrize(
    ("value", "steps_per_s", "s_per_step"),
    [
        (12.2234, "12.223", "12.22"),
        (0.1067, "0.107", "0.11"),
        (0.0978, "0.0978", "0.0978"),
        (0.004, "0.00400", "0.00400"),
        (0.0, "0.000", "0.00"),
    ],
)
def test_rates_have_three_digits_where_fixed_decimals_would_leave_fewer(value: float, steps_per_s: str, s_per_step: str) -> None:
    assert (formatting.rate(value), formatting.rate(value, 2)) == (steps_per_s, s_per_step)
