"""Handoff.md says where every run stands and how it goes on; it agrees with the data and is nobody's input."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from markdown_it import MarkdownIt

from ngt_report.build import Request
from ngt_report.commands import cli
from ngt_report.errors import ReportError, UsageError
from ngt_report.handing.handoff import age, handoff
from tests import torch_zip
from tests.conftest import LOGS

NOW = datetime(2026, 2, 3, 14, 5, tzinfo=UTC)
GOLDEN = Path(__file__).parent / "golden" / "w3_25m.Handoff.md"
CUDA = 'Traceback (most recent call last):\n  File "train.py", line 3, in <module>\ntorch.OutOfMemoryError: CUDA out of memory.\n'
COMMAND = "+ PYTHONUNBUFFERED=1 nohup python train.py --lr 3e-4 \\\n  --max-steps 15000 --resume \\\n  --run-name x\n"
Write = Callable[[str, str], Path]


@pytest.fixture
def evening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sample's runs at a time when one goes on, one was cut off and one has crashed."""
    for name in ("logs", "checkpoints", "results"):
        shutil.copytree(LOGS.parents[1] / name, tmp_path / name)
    logs = tmp_path / "logs" / "w3_25m"
    cut(logs / "final_ngt_mass_in_value_resume_50k.out", 60)
    cut(logs / "w3_25m_screen_ngt_no_radius.log", 30, after=CUDA)
    cut(logs / "w3_25m_screen_ngt_default.log", 30, before=COMMAND)
    for path in tmp_path.rglob("*"):
        os.utime(path, (NOW.timestamp() - 3 * 3600,) * 2)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def cut(path: Path, lines: int, before: str = "", after: str = "") -> None:
    text = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text(before + "".join(text[:lines]) + after, encoding="utf-8")


def text_of(*paths: str, now: datetime = NOW) -> str:
    return handoff(Request(paths, dashboard=False), now).path.read_text(encoding="utf-8")


def ngtreport(*args: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in args])


def section(text: str, title: str) -> str:
    return text.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


# -- the sample ---------------------------------------------------------------------------------------------------------
def test_the_evening_reads_as_the_golden_file(evening: Path) -> None:
    """To accept a change: UPDATE_GOLDEN=1 pytest tests/test_handoff.py"""
    text = text_of("logs/w3_25m").replace(str(evening), "/pod")
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text, encoding="utf-8")
    assert text == GOLDEN.read_text(encoding="utf-8")


def test_it_agrees_with_the_data(evening: Path) -> None:
    assert ngtreport("handoff", "logs/w3_25m", "-q").stdout == "artifacts/w3_25m/Handoff.md\n"
    verified = ngtreport("verify", "artifacts/w3_25m/Handoff.md", "logs/w3_25m")
    assert (verified.exit_code, " 0 MISMATCH, " in verified.stdout) == (0, True), verified.stdout


def test_every_run_has_a_row_and_unfinished_ones_come_first(evening: Path) -> None:
    rows = [line.split("|") for line in section(text_of("logs/w3_25m"), "Current status").splitlines() if line.startswith("| ")][1:]
    assert len(rows) == 7
    assert [row[2].strip() for row in rows[:3]] == [
        "incomplete 36,000/50,000",
        "incomplete 6,000/15,000",
        "crashed at 7,500/15,000: torch.OutOfMemoryError: CUDA out of memory.",
    ]
    assert [row[3].strip() for row in rows] == ["36000", "6000", "7500", *["15000"] * 4]
    assert all("2026-02-03 11:05 UTC (3 h before)" in row[8] for row in rows)


def test_a_command_in_the_log_is_shown_whole_and_else_what_there_is(evening: Path) -> None:
    resume = section(text_of("logs/w3_25m"), "Resume")
    assert (
        "```bash\n# goes on from step 15000\nPYTHONUNBUFFERED=1 nohup python train.py --lr 3e-4 \\\n  --max-steps 15000 --resume \\\n"
        "  --run-name x\n```\n\nAs `logs/w3_25m/w3_25m_screen_ngt_default.log:1` shows it." in resume
    )
    assert "--use-rsqrt --repulsion-interval 4 --mass-in-value\n" in resume
    assert "mass_in_value = False\n" in resume


def test_only_pitfalls_that_apply_are_told(evening: Path, write: Write) -> None:
    assert "is a continuation from screen_ngt_mass_in_value" in section(text_of("logs/w3_25m"), "Pitfalls")
    write("plain/a.log", "step 1/2 val_loss=4.5 elapsed=1s\nstep 2/2 val_loss=4.0 elapsed=2s\n")
    assert "## Pitfalls" not in text_of("plain")
    lines = [f"step {s}/900 val_loss={5 - s / 1000} elapsed={s % 500 + 1}s" for s in range(100, 900, 100)]
    lines.insert(4, "Resuming from checkpoints/r.pt (iter=400)")
    write("clock/r.log", "\n".join(lines) + "\n")
    assert "`elapsed` of r begins anew at every restart" in section(text_of("clock"), "Pitfalls")
    write("labels/coords_a.html", "<html></html>\n")
    write("labels/a.log", "step 1/2 val_loss=4.5\nstep 2/2 val_loss=4.0\n")
    assert "Token labels are the tokenizer's own pieces" in section(text_of("labels"), "Pitfalls")


def test_notes_go_in_and_finished_runs_have_nothing_to_resume(tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("g/a.log", "step 1/2 val_loss=4.5\nstep 2/2 val_loss=4.0\n")
    write("artifacts/g/NOTES.md", "Ask Kim about <the> pod.\n\n## A heading of mine\n")
    text = text_of("g")
    assert "Nothing to resume" in section(text, "Resume")
    assert text.endswith("## Notes\n\nAsk Kim about <the> pod.\n\n## A heading of mine\n")
    assert "1 of 1 run is finished" in text


def test_the_status_of_all_runs_at_once_is_named_where_there_is_such_a_command(evening: Path) -> None:
    made = handoff(Request(("logs/w3_25m",), dashboard=False), NOW, status="ngtreport status logs/w3_25m")
    assert "```bash\nngtreport status logs/w3_25m\n```" in section(made.path.read_text(encoding="utf-8"), "Monitor")


# -- whose file it is ---------------------------------------------------------------------------------------------------
def test_it_is_no_input_and_builds_leave_it_alone(tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("a.log", "step 1/3 val_loss=4.5\nstep 2/3 val_loss=4.0\n")
    for _ in range(2):
        assert ngtreport("handoff", ".", "-q", "--dir", "report").exit_code == 0
        assert ngtreport("build", ".", "-o", "report", "--no-dashboard").exit_code == 0
    assert (tmp_path / "report" / "Handoff.md").is_file()
    assert "Handoff" not in (tmp_path / "report" / "Summary.md").read_text(encoding="utf-8")
    shutil.copytree(tmp_path / "report", tmp_path / "copy")  # with its stamp: still nobody's input
    assert ngtreport("build", ".", "-o", "report", "--no-dashboard").exit_code == 0
    assert "copy" not in (tmp_path / "report" / "Summary.md").read_text(encoding="utf-8")


def test_a_strangers_file_is_never_overwritten_and_an_edited_one_is_kept(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write("g/a.log", "step 1/2 val_loss=4.5\nstep 2/2 val_loss=4.0\n")
    mine = write("artifacts/g/Handoff.md", "mine\n")
    with pytest.raises(ReportError, match=r"Handoff\.md exists and was not written by ngtreport; move it away"):
        text_of("g")
    assert mine.read_text(encoding="utf-8") == "mine\n"
    mine.unlink()
    text = text_of("g")
    mine.write_text(text + "edited\n", encoding="utf-8")
    again = ngtreport("handoff", "g")
    assert "the edited text is kept as artifacts/g/Handoff.edited.md" in again.stderr
    assert (tmp_path / "artifacts" / "g" / "Handoff.edited.md").read_text(encoding="utf-8") == text + "edited\n"
    assert ngtreport("handoff", "g").stderr == ""


def test_it_travels_in_a_bundle_and_a_bundle_has_none_of_its_own(tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("g/a.log", "step 1/2 val_loss=4.5\nstep 2/2 val_loss=4.0\n")
    text = text_of("g")
    assert ngtreport("bundle", "g", "-o", "b.zip").exit_code == 0
    for _ in range(2):
        assert ngtreport("open", "b.zip").exit_code == 0
    assert (tmp_path / "b" / "report" / "Handoff.md").read_text(encoding="utf-8") == text
    with pytest.raises(UsageError, match=r"b\.zip is a bundle: its runs go on where it was packed"):
        text_of("b.zip")


# -- hostile and odd ----------------------------------------------------------------------------------------------------
@pytest.mark.skipif(sys.platform == "win32", reason="such names cannot be there")
def test_hostile_names_and_logs_stay_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    name = "`$(touch x)`; <img src=x>\n## Notes\n```"
    (tmp_path / "g").mkdir()
    log = "$ python train.py --name '```\nflags: --a ```` </details> <script>\nstep 1/9 val_loss=4.5\nstep 2/9 val_loss=4.0\n"
    (tmp_path / "g" / f"{name}.log").write_text(log, encoding="utf-8")
    torch_zip.save(tmp_path / "g" / f"{name}.pt_last.pt", {"iter": 2, "config": ours("../../x", name)})
    text = text_of("g")
    rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    assert [mark for mark in ("<h2>Notes", "<script", "<img", "</details") if mark in rendered] == []
    made = [p.name for p in (tmp_path / "artifacts" / "g").glob("resume_*")]
    assert len(made) == 1 and re.fullmatch(r"resume_[\w.+=-]+\.toml", made[0])


def ours(group: str, name: str) -> dict[str, object]:
    """What the configuration in a checkpoint of the trainer has, as far as it is looked at."""
    sections: dict[str, object] = {key: {} for key in ("model", "data", "train", "eval", "log")}
    return {"group": group, "name": name, **sections, "checkpoint": {"folder": "checkpoints"}, "odd": {"a b": [1, "\x7f", {"c": None}]}}


def test_a_run_of_ours_names_its_configuration_and_its_processes(tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    start = (
        '{"kind":"run_start","run":"a","segment":0,"seq":0,"ts":"x","step":0,"tokens":0,"elapsed_s":0,"total_steps":9,'
        '"config":{"batch_size":32}}\n'
    )
    line = '{"kind":"eval","run":"a","segment":0,"seq":%d,"ts":"x","step":%d,"tokens":0,"elapsed_s":%d,"val/loss":4.%d}\n'
    write("my pod/logs/g/a.jsonl", start + "".join(line % (s, s, s, 9 - s) for s in (1, 2, 3)))
    folder = tmp_path / "my pod" / "checkpoints" / "g"
    folder.mkdir(parents=True)
    torch_zip.save(folder / "a.pt_last.pt", {"iter": 3, "config": {**ours("g", "a"), "train": {"batch": 4, "accumulation": 2}}})
    monkeypatch.chdir(tmp_path / "my pod")
    resume = section(text_of("logs/g"), "Resume")
    (config,) = (tmp_path / "my pod" / "artifacts" / "g").glob("resume_a_*.toml")
    assert (
        f"# goes on from step 3\ncd '{tmp_path}/my pod'\ntorchrun --nproc_per_node=4 -m ngt_train.commands run"
        f" --config artifacts/g/{config.name} --resume\n" in resume
    )
    monkeypatch.chdir(tmp_path)
    shutil.move("my pod/checkpoints/g/a.pt_last.pt", "my pod/logs/g/a.pt_last.pt")
    moved = section(text_of("my pod/logs/g"), "Resume")
    assert "the checkpoint was moved: put it back as `checkpoints/g/a.pt_last.pt`" in moved


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(5, "just before"), (59, "just before"), (61, "1 min before"), (7199, "120 min before"), (7200, "2 h before"), (200_000, "2 d before"),
     (-30, "just before"), (-4000, "dated after this")],
)  # fmt: skip
def test_ages_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert age(seconds) == said
