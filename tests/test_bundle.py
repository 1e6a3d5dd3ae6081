"""A bundle carries a report to another machine: the same bytes there, any damage named, nothing left to guess."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ngt_report.bundles import bundle as bundling
from ngt_report.bundles.members import Limits
from ngt_report.commands import cli
from ngt_report.errors import UsageError
from tests import torch_zip
from tests.conftest import LOGS

Run = Callable[..., Result]
FORMS = ("tar.xz", "zip")
TEXTS = ("Summary.md", "results.csv", "summary.json")
SAMPLE = LOGS.parents[1]


@pytest.fixture(scope="module")
def pod(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A machine with the sample's runs, their report with notes, and a bundle of each form. Tests only read it."""
    here = tmp_path_factory.mktemp("pod")
    for name in ("logs", "checkpoints", "results"):
        shutil.copytree(SAMPLE / name, here / name)
    report = here / "artifacts" / "w3_25m"
    report.mkdir(parents=True)
    (report / "NOTES.md").write_text("Mass in the value path is worth a long run.\n", encoding="utf-8")
    back = Path.cwd()
    os.chdir(here)
    try:
        ok(CliRunner().invoke(cli, ["build", "logs/w3_25m", "--no-dashboard", "--baseline", "ngt_default"]))
        for form in FORMS:
            ok(CliRunner().invoke(cli, ["bundle", "logs/w3_25m", "-o", f"w.{form}"]))
    finally:
        os.chdir(back)
    return here


@pytest.fixture
def colleague(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Another machine, the current folder."""
    here = tmp_path / "colleague"
    here.mkdir()
    monkeypatch.chdir(here)
    return here


def ok(result: Result) -> Result:
    assert result.exit_code == 0, result.stderr
    return result


def ngtreport(*args: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(a) for a in args])


def plain(*given: str) -> None:
    """The report without the page, which a bundle then leaves out as well."""
    ok(ngtreport("build", *given, "--no-dashboard", "-q"))


def same(pod: Path, report: Path) -> bool:
    return all((pod / "artifacts" / "w3_25m" / name).read_bytes() == (report / name).read_bytes() for name in TEXTS)


# -- the trip -----------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("form", FORMS)
def test_the_same_report_comes_out_on_the_other_machine(form: str, pod: Path, colleague: Path) -> None:
    opened = ok(ngtreport("open", pod / f"w.{form}"))
    assert opened.stdout.startswith("w/report/Summary.md\n\n6 runs compared at step 15000.")
    assert "Summary.md is the sender's, byte for byte" in opened.stderr
    assert same(pod, colleague / "w" / "report")
    ok(ngtreport("build", pod / f"w.{form}", "--no-dashboard", "-o", "out"))
    assert same(pod, colleague / "out")
    assert "Mass in the value path" in (colleague / "out" / "Summary.md").read_text(encoding="utf-8")


def test_an_archive_is_read_as_if_it_were_the_folder(pod: Path, colleague: Path) -> None:
    archive = pod / "w.tar.xz"
    first = ok(ngtreport("build", archive, "--no-dashboard"))
    assert first.stdout == "artifacts/w3_25m/Summary.md\n"
    assert "up to date" in ok(ngtreport("build", archive, "--no-dashboard")).stderr
    assert "up to date" in ok(ngtreport("build", pod / "w.zip", "--no-dashboard")).stderr  # the same content
    assert " MATCH, " in ngtreport("verify", colleague / "artifacts" / "w3_25m" / "Summary.md", archive).stdout
    assert list(Path(colleague).iterdir()) == [colleague / "artifacts"]
    assert "is read alone" in ngtreport("build", archive, pod / "logs").stderr


def test_what_was_opened_is_shown_again_and_its_folder_can_be_built(pod: Path, colleague: Path) -> None:
    ok(ngtreport("open", pod / "w.tar.xz", "-q"))
    again = ok(ngtreport("open", pod / "w.tar.xz"))
    assert again.stdout.startswith("w/report/Summary.md\n")
    ok(ngtreport("open", "w"))
    ok(ngtreport("build", "w", "--no-dashboard", "-o", "out"))
    assert same(pod, colleague / "out")
    (colleague / "w" / "files" / "results" / "w3_25m" / "results.csv").write_text("edited", encoding="utf-8")
    changed = ngtreport("open", pod / "w.tar.xz")
    assert (changed.exit_code, changed.stdout) == (3, "")
    assert "results.csv is missing or not the file that was packed" in changed.stderr


def test_a_folder_that_is_in_the_way_is_left_alone(pod: Path, colleague: Path) -> None:
    (colleague / "w").mkdir()
    (colleague / "w" / "mine.txt").write_text("x", encoding="utf-8")
    refused = ngtreport("open", pod / "w.tar.xz")
    assert refused.exit_code == 3
    assert "w exists and is not what this archive unpacks to; give -o another folder" in refused.stderr
    assert [p.name for p in colleague.rglob("*")] == ["w", "mine.txt"]


def test_a_report_of_another_version_is_built_anew_and_the_senders_kept(
    pod: Path, colleague: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for place in ("render", "share", "assemble.report", "bundles.opening"):
        monkeypatch.setattr(f"ngt_report.{place}.__version__", "9.9.9", raising=False)
    opened = ok(ngtreport("open", pod / "w.tar.xz"))
    assert "Summary.md is not the sender's (ngtreport 0.1.0 there, 9.9.9 here), which is kept as w/report/Summary.sent.md" in opened.stderr
    assert (colleague / "w" / "report" / "Summary.sent.md").read_bytes() == (pod / "artifacts" / "w3_25m" / "Summary.md").read_bytes()


def test_a_command_line_of_its_own_process_opens_a_bundle(pod: Path, colleague: Path) -> None:
    top = Path(__file__).parents[1]
    command = [sys.executable, str(top / "cli.py"), "report", "open", str(pod / "w.zip")]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(top)}, check=False)
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "w/report/Summary.md"), done.stderr
    assert same(pod, colleague / "w" / "report")


# -- what is in it ------------------------------------------------------------------------------------------------------
def test_equal_inputs_make_equal_bundles(pod: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "elsewhere"
    shutil.copytree(pod, other)
    for path in other.rglob("*"):
        os.utime(path, (1, 1))
    monkeypatch.chdir(other)
    for form in FORMS:
        before = (pod / f"w.{form}").read_bytes()
        ok(ngtreport("bundle", "logs/w3_25m", "-o", f"w.{form}"))
        assert (other / f"w.{form}").read_bytes() == before


def test_sizes_are_said_by_kind_before_anything_is_written(pod: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(pod)
    result = ok(ngtreport("bundle", "logs/w3_25m", "-o", tmp_path / "w.zip"))
    lines = result.stderr.splitlines()
    kinds = [line.split()[0] for line in lines[1:6]]
    assert kinds == ["reports", "logs", "tables", "other", "left"]
    assert "12 files, 16.6 kB; --with-checkpoints best or last takes them" in lines[5]
    assert lines[6].startswith(f"wrote {tmp_path.as_posix()}/w.zip: ")
    assert [
        w for w in ("runpodctl send", "runpodctl receive", "runpodctl.exe", "mail", "ngtreport open", "unzip") if w not in result.stderr
    ] == []
    assert result.stdout == f"{tmp_path.as_posix()}/w.zip\n"
    quiet = ok(ngtreport("bundle", "logs/w3_25m", "-o", tmp_path / "w.zip", "-q"))
    assert quiet.stderr == ""


def test_checkpoints_come_along_as_asked_and_the_report_stays_the_same(pod: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for which in ("best", "last"):
        monkeypatch.chdir(pod)
        ok(ngtreport("bundle", "logs/w3_25m", "-o", tmp_path / f"{which}.tar.xz", "--with-checkpoints", which, "-q"))
        monkeypatch.chdir(tmp_path)
        ok(ngtreport("open", f"{which}.tar.xz"))
        found = sorted(p.name for p in (tmp_path / which).rglob("*.pt"))
        assert len(found) == 6 and all(name.endswith(f".pt_{which}.pt") for name in found)
        assert same(pod, tmp_path / which / "report")


def test_a_checkpoints_sidecar_comes_with_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[str, str], Path]) -> None:
    write("logs/g/a.log", "step 1/2 val_loss=4.5\nstep 2/2 val_loss=4.0\n")
    write("checkpoints/g/a.pt_last.pt.json", '{"sha256": "x"}')
    torch_zip.save(tmp_path / "checkpoints" / "g" / "a.pt_last.pt", {"iter": 2, "best_val": 4.0})
    monkeypatch.chdir(tmp_path)
    plain("logs/g")
    ok(ngtreport("bundle", "logs/g", "--with-checkpoints", "last"))
    with tarfile.open("g.tar.xz") as archive:
        assert [n for n in archive.getnames() if "checkpoints" in n] == [
            "g/files/checkpoints/g/a.pt_last.pt",
            "g/files/checkpoints/g/a.pt_last.pt.json",
        ]
    ok(ngtreport("open", "g.tar.xz", "-o", "there"))
    assert (tmp_path / "artifacts/g/Summary.md").read_bytes() == (tmp_path / "there/report/Summary.md").read_bytes()


def test_large_files_that_are_no_logs_stay_behind_and_the_report_is_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[str, str], Path]
) -> None:
    write("g/a.log", "step 1/2 val_loss=4.5\nstep 2/2 val_loss=4.0\n")
    write("g/notes.txt", "hello\n")
    (tmp_path / "g" / "data.bin").write_bytes(bytes(range(256)) * 8192)
    write("g/died.out", "x\n" * 600_000 + "Traceback (most recent call last):\nValueError: no\n")
    monkeypatch.chdir(tmp_path)
    plain("g")
    said = ok(ngtreport("bundle", "g", "-o", "b.tar.xz")).stderr
    assert "left behind: other files, 2 files, 3.3 MB" in said
    ok(ngtreport("open", "b.tar.xz"))
    assert not (tmp_path / "b" / "files" / "data.bin").exists()
    assert (tmp_path / "artifacts/g/Summary.md").read_bytes() == (tmp_path / "b/report/Summary.md").read_bytes()


ODD = ["a:b.log", "what?.log", "A.log", "a.log", "nul.log", "x\ny.log", "\u202ego.log", "sub/a.log", "MANIFEST.json", "w" * 200 + ".log"]


@pytest.mark.skipif(sys.platform == "win32", reason="such names cannot be there")
def test_names_that_not_every_system_takes_travel_under_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i, name in enumerate(ODD):
        path = tmp_path / "g" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"step 1/2 val_loss=4.{i}1\nstep 2/2 val_loss=4.{i}0\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    plain("g")
    for form in FORMS:
        ok(ngtreport("bundle", "g", "-o", f"b.{form}"))
        ok(ngtreport("open", f"b.{form}", "-o", form))
        ok(ngtreport("build", f"b.{form}", "-o", "out", "--no-dashboard"))
        for report in (f"{form}/report", "out"):
            assert (tmp_path / "artifacts/g/Summary.md").read_bytes() == (tmp_path / report / "Summary.md").read_bytes()


SHAPES: dict[str, tuple[dict[str, str], list[str]]] = {
    "one file": ({"some/where/run.log": "1"}, ["some/where/run.log"]),
    "two files of one folder": ({"d/a.log": "1", "d/b.log": "2", "d/c.log": "3"}, ["d/a.log", "d/b.log"]),
    "two folders": ({"x/a.log": "1", "y/b.log": "2"}, ["x", "y"]),
    "a folder called logs": ({"proj/logs/a.log": "1", "proj/logs/s/b.log": "2"}, ["proj/logs"]),
    "logs and what lies beside": ({"p/logs/g/a.log": "1", "p/runs/g/b.log": "2", "p/results/g/c.log": "3"}, ["p/logs/g"]),
    "an empty folder": ({"e/.keep": ""}, ["e"]),
    "a folder of settings": ({"g/a.log": "1", "g/ngtreport.toml": '[labels]\na = "The run"\n', "g/b.log": "2"}, ["g"]),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_whatever_was_given_the_group_and_paths_are_the_same_there(
    shape: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[str, str], Path]
) -> None:
    files, given = SHAPES[shape]
    for name, mark in files.items():
        write(name, f"step 1/2 val_loss=4.{mark}5\nstep 2/2 val_loss=4.{mark}0\n" if mark.isdigit() else mark)
    monkeypatch.chdir(tmp_path)
    made = ok(ngtreport("build", *given, "--no-dashboard")).stdout.strip()
    ok(ngtreport("bundle", *given, "-o", "b.tar.xz"))
    elsewhere = tmp_path / "logs" / "checkpoints"  # names that mean something where inputs are looked for
    elsewhere.mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(elsewhere)
    ok(ngtreport("open", "../../b.tar.xz"))
    assert Path(made if os.path.isabs(made) else tmp_path / made).read_bytes() == Path("b/report/Summary.md").read_bytes()
    there = ok(ngtreport("build", "../../b.tar.xz", "--no-dashboard")).stdout.strip()
    assert there == made


def test_archives_that_others_made_are_read_too(pod: Path, colleague: Path) -> None:
    with tarfile.open("theirs.tar.xz", "w:xz") as archive:
        for name in ("logs", "checkpoints", "results"):
            archive.add(pod / name / "w3_25m", f"project/{name}/w3_25m")
    opened = ok(ngtreport("open", "theirs.tar.xz"))
    assert "it has no MANIFEST.json, so its files could not be checked" in opened.stderr
    assert "6 runs compared at step 15000" in opened.stdout
    built = ok(ngtreport("build", "theirs.tar.xz", "--no-dashboard"))
    assert built.stdout == "artifacts/w3_25m/Summary.md\n"
    assert "up to date" in ok(ngtreport("build", "theirs.tar.xz", "--no-dashboard")).stderr
    shutil.make_archive("run", "zip", pod / "logs" / "w3_25m")
    assert ok(ngtreport("build", "run.zip", "--no-dashboard")).stdout == "artifacts/run/Summary.md\n"


@pytest.fixture
def during(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[str, str], Path]) -> Callable[[Callable[[], object]], Result]:
    """Bundles two files while something happens between reading and packing."""
    write("logs/g/a.log", "step 1/9 val_loss=4.5\nstep 2/9 val_loss=4.0\n")
    (tmp_path / "checkpoints" / "g").mkdir(parents=True)
    torch_zip.save(tmp_path / "checkpoints" / "g" / "a.pt_last.pt", {"iter": 2, "best_val": 4.0})
    monkeypatch.chdir(tmp_path)
    real = bundling.plan_of

    def meanwhile(happens: Callable[[], object]) -> Result:
        def plan_of(*args: Any) -> bundling.Plan:
            happens()
            return real(*args)

        monkeypatch.setattr(bundling, "plan_of", plan_of)
        return ngtreport("bundle", "logs/g", "-o", "b.zip", "--with-checkpoints", "last")

    return meanwhile


def test_a_log_that_grows_meanwhile_is_packed_as_the_report_read_it(
    during: Callable[[Callable[[], object]], Result], tmp_path: Path
) -> None:
    def grow() -> None:
        with open("logs/g/a.log", "a", encoding="utf-8") as f:
            f.write("step 3/9 val_loss=3.9\n")

    ok(during(grow))
    ok(ngtreport("open", "b.zip"))
    assert (tmp_path / "artifacts/g/Summary.md").read_bytes() == (tmp_path / "b/report/Summary.md").read_bytes()


@pytest.mark.parametrize("name", ["logs/g/a.log", "checkpoints/g/a.pt_last.pt"])
def test_a_file_that_is_replaced_meanwhile_is_an_error(during: Callable[[Callable[[], object]], Result], name: str) -> None:
    def replace() -> None:
        Path(name).write_bytes(flipped(Path(name).read_bytes(), 18, 0))

    failed = during(replace)
    assert (failed.exit_code, failed.stdout) == (3, "")
    assert failed.stderr.splitlines()[-1] == f"Error: {name} changed while it was packed; bundle again"
    assert not Path("b.zip").exists()


def test_a_database_that_came_in_an_archive_is_never_opened(colleague: Path) -> None:
    with zipfile.ZipFile("theirs.zip", "w") as archive:
        archive.writestr("a.log", "step 1/2 val_loss=4.5\nstep 2/2 val_loss=4.0\n")
        archive.writestr("report/report.duckdb", b"\0" * 8 + b"DUCK" + b"\0" * 100)
        archive.writestr("report/.ngtreport.json", '{"outputs": {}}')
    assert ok(ngtreport("open", "theirs.zip")).stdout.startswith("theirs/report_here/Summary.md\n")
    assert (colleague / "theirs" / "report" / "report.duckdb").stat().st_size == 112


def test_it_is_hardly_larger_than_what_tar_makes(pod: Path, colleague: Path) -> None:
    """Of the same files: 1.2 times is the bound."""
    ok(ngtreport("open", pod / "w.tar.xz", "-q"))
    with tarfile.open(pod / "w.tar.xz") as ours, tarfile.open("plain.tar.xz", "w:xz") as plain:
        for name in ours.getnames():
            plain.add(Path("w", *name.split("/")[1:]), name)
    assert (pod / "w.tar.xz").stat().st_size < 1.2 * (colleague / "plain.tar.xz").stat().st_size


def test_a_bundle_that_open_would_refuse_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[str, str], Path]
) -> None:
    write("g/a.log", "step 1/2 val_loss=4.5\nstep 2/2 val_loss=4.0\n" + "the same line again\n" * 5000)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(bundling, "LIMITS", Limits(free=1000, ratio=5))
    plain("g")
    refused = ngtreport("bundle", "g", "-o", "b.zip")
    assert refused.exit_code == 3
    assert "b.zip would be refused where it is opened" in refused.stderr
    assert not (tmp_path / "b.zip").exists()


# -- bounds and bad input -----------------------------------------------------------------------------------------------
def test_a_bundle_that_is_too_large_is_not_written_and_says_what_to_leave_out(
    pod: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(pod)
    for form in FORMS:
        out = tmp_path / f"w.{form}"
        refused = ngtreport("bundle", "logs/w3_25m", "-o", out, "--max-size", "9kB", "--with-checkpoints", "last")
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert refused.stderr.splitlines()[-1] == (
            f"Error: w.{form} would be larger than --max-size 9.0 kB: leave out the checkpoints (8.3 kB) with --with-checkpoints none"
        )
        smaller = ngtreport("bundle", "logs/w3_25m", "-o", out, "--max-size", "2 kB")
        assert "the logs take" in smaller.stderr and "raise --max-size" in smaller.stderr
        assert list(tmp_path.iterdir()) == []
    assert ok(ngtreport("bundle", "logs/w3_25m", "-o", tmp_path / "w.zip", "--max-size", "25MB")).exit_code == 0


@pytest.mark.parametrize(
    ("text", "size"), [("25MB", 25_000_000), ("500 kB", 500_000), ("2GiB", 2 << 30), ("1.5m", 1_500_000), ("900", 900)]
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    assert bundling.size_of(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1MB", "0", "25 TB", "1e6", "nan"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no size; give it as 25MB"):
        bundling.size_of(text)


def test_bad_requests_are_one_sentence(pod: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(pod)
    (tmp_path / "mine.zip").write_bytes(b"PK\x03\x04 something else")
    (tmp_path / "plain.txt").write_text("hello", encoding="utf-8")
    cases = [
        (("bundle", "logs/w3_25m", "-o", "w.rar"), 2, "ends neither in .tar.xz nor in .zip"),
        (("bundle", "logs/w3_25m", "-o", "logs/w3_25m/w.zip"), 2, "which is read for the report"),
        (("bundle", "logs/w3_25m", "-o", tmp_path / "mine.zip"), 3, "exists and is no bundle of ngtreport"),
        (("bundle", "nowhere"), 3, "nowhere"),
        (("open", "nowhere.zip"), 3, "nowhere.zip is no file"),
        (("open", tmp_path / "plain.txt"), 3, "plain.txt: it is no .tar.xz and no .zip"),
        (("open", "logs"), 3, "is no bundle that was opened"),
    ]
    for args, code, word in cases:
        result = ngtreport(*args)
        assert (result.exit_code, result.stdout) == (code, ""), args
        assert word in result.stderr.splitlines()[-1]
    assert (tmp_path / "mine.zip").read_bytes() == b"PK\x03\x04 something else"


def test_a_bundle_in_a_folder_of_logs_is_no_input(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, write: Callable[[str, str], Path]
) -> None:
    write("a.log", "step 1/2 val_loss=4.5\nstep 2/2 val_loss=4.0\n")
    monkeypatch.chdir(tmp_path)
    plain(".")
    ok(ngtreport("bundle", ".", "-o", "b.zip"))
    before = (tmp_path / "artifacts" / tmp_path.name / "Summary.md").read_bytes()
    ok(ngtreport("bundle", ".", "-o", "b.zip"))
    assert (tmp_path / "artifacts" / tmp_path.name / "Summary.md").read_bytes() == before


# -- damage -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("form", FORMS)
def test_one_flipped_bit_anywhere_is_detected_and_named(form: str, pod: Path, colleague: Path) -> None:
    whole = (pod / f"w.{form}").read_bytes()
    draw = random.Random(7)
    ends = [*range(40), *range(len(whole) - 60, len(whole))]  # headers and directory, where there are few other checks
    for place in [*ends, *draw.sample(range(len(whole)), 300 - len(ends))]:
        (colleague / f"w.{form}").write_bytes(flipped(whole, place, draw.randrange(8)))
        result = ngtreport("open", f"w.{form}")
        assert (result.exit_code, result.stdout) == (3, ""), place
        (sentence,) = result.stderr.splitlines()
        assert sentence.startswith(f"Error: w.{form}: ") and ("damaged" in sentence or "it is no .tar.xz" in sentence), sentence
        assert [p.name for p in colleague.iterdir()] == [f"w.{form}"]


def flipped(data: bytes, place: int, bit: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]


def test_the_damaged_file_is_named(pod: Path, colleague: Path) -> None:
    """In a zip whose sums were all made to fit but the manifest's."""
    with zipfile.ZipFile(pod / "w.zip") as old, zipfile.ZipFile("w.zip", "w") as new:
        for info in old.infolist():
            data = old.read(info)
            new.writestr(info, data.replace(b"val_loss=4.5554", b"val_loss=4.5544") if info.filename.endswith("vanilla_25m.log") else data)
    result = ngtreport("open", "w.zip")
    assert "w3_25m_screen_vanilla_25m.log is damaged: it is not the file that was packed; nothing was unpacked" in result.stderr


def test_a_manifest_that_lies_is_refused(pod: Path, colleague: Path) -> None:
    from ngt_report.bundles import manifest

    with zipfile.ZipFile(pod / "w.zip") as old:
        document = json.loads(old.read("w3_25m/MANIFEST.json"))
    changes: list[Callable[[dict[str, object]], object]] = [
        lambda d: d.update(bundle=2),
        lambda d: d.update(given=["../x"]),
        lambda d: d.update(given="logs"),
        lambda d: d.pop("settings"),
        lambda d: d.update(settings={"baselin": "x"}),
        lambda d: d["files"][0].update(file="../../x"),  # type: ignore[index]
        lambda d: d["files"][0].update(file="report/report.duckdb"),  # type: ignore[index]
        lambda d: d["files"][0].update(file="report/.ngtreport.json"),  # type: ignore[index]
        lambda d: d["files"][0].update(file="elsewhere/x.log"),  # type: ignore[index]
        lambda d: d["files"][0].update(bytes=-1),  # type: ignore[index]
        lambda d: d["files"][0].update(sha256="x"),  # type: ignore[index]
        lambda d: d["left_behind"][0]["read"].update(format="keyvalue"),  # type: ignore[index]
        lambda d: d["left_behind"][0]["read"].update(trials=[{"index": "0"}]),  # type: ignore[index]
        lambda d: d["left_behind"][0].update(input="/etc/passwd"),  # type: ignore[index]
    ]
    for change in changes:
        lying = json.loads(json.dumps(document))
        change(lying)
        with pytest.raises(Exception, match=r"MANIFEST\.json|is none of|cannot be used") as e:
            manifest.from_bytes(json.dumps(lying).encode())
        assert type(e.value).__name__ in ("ReportError", "UsageError")
