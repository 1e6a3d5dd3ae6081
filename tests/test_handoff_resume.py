"""The command that Handoff.md prints, run as it stands, resumes a run that was killed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from ngt_report.build import Request  # noqa: E402
from ngt_report.handing.handoff import handoff  # noqa: E402
from ngt_report.verify.check import verify  # noqa: E402
from tests import training  # noqa: E402

TOP = Path(__file__).parents[1]
STEPS = ("checkpoint.interval=4", "optim.kind=muon", "schedule.kind=trapezoid", "schedule.warmdown=4", "loss.kind=mixed")


def printed(path: Path) -> str:
    """The block of the section Resume."""
    section = path.read_text(encoding="utf-8").partition("\n## Resume\n")[2].partition("\n## ")[0]
    (block,) = re.findall(r"```bash\n(.*?)```", section, re.DOTALL)
    return str(block)


def run_as_printed(block: str, tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """In a shell that starts somewhere else, with an `ngttrain` on its path."""
    programs = tmp_path / "programs"
    programs.mkdir(exist_ok=True)
    (programs / "ngttrain").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ngt_train.commands "$@"\n', encoding="utf-8")
    (programs / "ngttrain").chmod(0o755)
    env = {**os.environ, "PYTHONPATH": str(TOP), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(["bash", "-ec", block], cwd=tmp_path, env=env, capture_output=True, text=True, check=False)


@pytest.mark.skipif(sys.platform == "win32", reason="needs bash")
def test_the_printed_command_resumes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pod = tmp_path / "the pod"
    pod.mkdir()
    monkeypatch.chdir(pod)
    training.corpus(Path("data"))
    made = training.tiny(Path("data/tokens"), Path(), *STEPS, variant="ngt")
    training.killed_at(monkeypatch, made, 7)

    handed = handoff(Request(("logs/g",), dashboard=False))
    assert handed.resumes == 1
    found = verify(str(handed.path), Request(("logs/g",)))
    assert [c for c in found.checked if c.verdict == "MISMATCH"] == []
    block = printed(handed.path)
    assert block.startswith("# goes on from step 5\ncd ")

    done = run_as_printed(block, tmp_path)
    assert (done.returncode, done.stdout.partition(", best")[0]) == (0, "g/run: finished at step 10"), done.stderr
    starts = training.events(made, "run_start")
    assert [(event["segment"], event["step"]) for event in starts] == [(0, 0), (1, 5)]
    assert starts[0]["config"] == starts[1]["config"]
    after = handoff(Request(("logs/g",), dashboard=False))
    assert "Nothing to resume" in after.path.read_text(encoding="utf-8")
    assert [c for c in verify(str(after.path), Request(("logs/g",))).checked if c.verdict == "MISMATCH"] == []
