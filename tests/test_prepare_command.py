"""`ngttrain prepare` as a user meets it: what it prints where, its exit codes, and one sentence for everything that goes wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ngt_train import datasets, manifest
from ngt_train.commands import main

pytest.importorskip("tokenizers")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a book of 300 lines."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "book.txt").write_text("".join(f"line {i} of the book\n" for i in range(300)))
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["prepare", *arguments], prog_name="ngttrain")


def test_it_prints_the_folder_on_stdout_and_the_rest_on_stderr(folder: Path) -> None:
    done = run("--dataset", "text", "--path", "book.txt", "--tokenizer", "char", "--limit", "train=1")
    assert (done.exit_code, done.stdout) == (0, "data/text_char\n")
    assert done.stderr == "train 5,876 tokens in 1 shard, val 316 tokens in 1 shard; 1.00 bytes a token\n"
    assert manifest.read(folder / "data" / "text_char").recipe["limit"] == {"train": 1}


def test_the_default_folder_is_where_a_run_looks(folder: Path) -> None:
    from ngt_train import config

    done = run("--dataset", "text", "--path", "book.txt", "--vocabulary", "260")
    wanted = config.from_dict({"data": {"dataset": "text", "vocabulary": 260}}).data_folder()
    assert Path(done.stdout.strip()) == wanted and (folder / wanted / "manifest.json").is_file()


def test_all_datasets_are_listed() -> None:
    listed = run("--list").stdout.splitlines()
    assert [line.split()[0] for line in listed] == datasets.names()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--dataset", "stdlb"), 2, "unknown dataset 'stdlb'; did you mean 'stdlib'?"),
        (("--tokenizer", "bytes"), 2, "unknown tokenizer 'bytes'; did you mean 'byte'?"),
        (("--dataset", "text"), 2, "dataset text needs --path, a file or a folder"),
        (("--dataset", "text", "--path", "none"), 3, "none: no such file or folder; check --path"),
        (("--dataset", "text", "--path", os.devnull), 3, "neither a file nor a folder; check --path"),
        (("--limit", "train"), 2, "--limit 'train' is not of the form SPLIT=N, such as train=1000"),
        (("--limit", "train=x"), 2, "--limit 'train=x' is not of the form SPLIT=N, such as train=1000"),
        (("--dataset", "text", "--path", "book.txt", "--vocabulary", "100"), 2, "vocabulary of 100 is too small"),
        (("--dataset", "text", "--path", "book.txt", "--match", "nowhere"), 3, "gives no train documents (left out: 2 by match)"),
        (("--dataset", "fineweb10B", "--chunks", "200"), 2, "fineweb10B has 103 training shards, not 200"),
        (
            ("--dataset", "text", "--path", "book.txt", "-o", "book.txt"),
            3,
            "book.txt: the folder cannot be made: file exists; choose another",
        ),
        (("--dataset", "text", "--path", "book.txt", "--tokenizer-file", "book.txt"), 3, "book.txt is not a tokenizer: it is not JSON"),
    ],
)
def test_every_mistake_is_one_sentence(folder: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (code, "")
    assert done.stderr.startswith("Error: ") and said in done.stderr and done.stderr.count("\n") == 1


UNPRIVILEGED = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"] if os.name == "posix" and not os.geteuid() else []


def bound_by_rights() -> bool:
    """Whether a program can be run here that rights hold for."""
    if os.name != "posix" or not UNPRIVILEGED:
        return os.name == "posix"
    return bool(shutil.which("setpriv")) and not subprocess.run([*UNPRIVILEGED, "true"], capture_output=True, check=False).returncode


@pytest.mark.skipif(not bound_by_rights(), reason="root may do anything here")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--path", "book.txt", "-o", "locked/out"), "locked/out: cannot be looked into: permission denied; change its rights"),
        (("--path", "book.txt", "-o", "closed/out"), "closed/out: the folder cannot be made: permission denied; choose another"),
        (("--path", "locked"), "locked: the folder cannot be listed: permission denied; change its rights, or choose another"),
        (("--path", "."), "locked: the folder cannot be listed: permission denied"),
        (("--path", "secret.txt"), "secret.txt: cannot be read: permission denied"),
        (("--path", "book.txt", "--tokenizer-file", "secret.txt"), "secret.txt: cannot be read: permission denied"),
    ],
)
def test_what_may_not_be_read_or_written_is_one_sentence(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    shutil.copy("book.txt", "secret.txt")
    for name, mode in (("locked", 0o000), ("closed", 0o555), ("secret.txt", 0o000)):
        Path(name).mkdir(exist_ok=True) if "." not in name else None
        os.chmod(name, mode)
        if UNPRIVILEGED:
            os.chown(name, 65534, 65534)
    code = f"from ngt_train.commands import main; main({['prepare', '--dataset', 'text', '--tokenizer', 'byte', *arguments]!r})"
    done = subprocess.run([*UNPRIVILEGED, sys.executable, "-c", code], capture_output=True, text=True, check=False)
    os.chmod("locked", 0o755)
    assert (done.returncode, done.stdout) == (3, "")
    assert said in done.stderr and done.stderr.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="needs a limit on file sizes")
def test_a_file_too_large_for_its_disk_leaves_nothing_half_written(folder: Path) -> None:
    arguments = ["prepare", "--dataset", "text", "--path", "book.txt", "--tokenizer", "byte", "-o", "out"]
    code = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        f"from ngt_train.commands import main; main({arguments!r})"
    )
    done = subprocess.run([sys.executable, "-B", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("Error: out/train_000000.bin: cannot be written: file too large; free space or rights")
    assert sorted(p.name for p in (folder / "out").iterdir()) == ["tokenizer.json", "unfinished.jsonl"]
    assert run(*arguments[1:]).exit_code == 0
    assert sorted(p.name for p in (folder / "out").iterdir()) == ["manifest.json", "tokenizer.json", "train_000000.bin", "val_000000.bin"]


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from ngt_train.commands import main; main(['prepare', '--help'], standalone_mode=False);"
        "print([m for m in ('torch', 'numpy', 'tokenizers', 'datasets') if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n" and "Tokenise a dataset once" in done.stdout
