"""`ngttrain run`, `sample` and `coords` as a user types them; sixty ways to get it wrong, each answered in a sentence."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

torch = pytest.importorskip("torch")

from ngt_train import config, manifest, settings, variants  # noqa: E402
from ngt_train.commands import main  # noqa: E402
from tests import training  # noqa: E402


@pytest.fixture(scope="module")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return training.corpus(tmp_path_factory.mktemp("corpus"))


@pytest.fixture(scope="module")
def trained(tokens: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a vanilla and an ngt model were trained."""
    folder = tmp_path_factory.mktemp("trained")
    for variant in ("vanilla", "ngt"):
        written(training.tiny(tokens, folder, f"name={variant}", variant=variant), folder / f"{variant}.toml")
        assert call("run", "--config", str(folder / f"{variant}.toml")).exit_code == 0
    return folder


def written(made: config.RunConfig, path: Path) -> str:
    path.write_text(settings.to_toml(config.to_dict(made)), encoding="utf-8")
    return str(path)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def checkpoint(trained: Path, name: str = "ngt") -> str:
    return str(trained / "checkpoints" / "g" / f"{name}.pt_best.pt")


# -- what works --------------------------------------------------------------------------------------------------------
def test_run_prints_how_it_ended(tokens: Path, tmp_path: Path) -> None:
    done = call(
        "run", "--config", written(training.tiny(tokens, tmp_path), tmp_path / "a.toml"), "--set", "train.steps=4", "--set", "name=four"
    )
    assert done.exit_code == 0
    assert done.stdout.startswith("g/four: finished at step 4, best val/loss ") and done.stdout.endswith(" at step 4\n")
    assert (tmp_path / "checkpoints" / "g" / "four.pt_last.pt").exists()


def test_a_resume_of_a_finished_run_says_so(tokens: Path, tmp_path: Path) -> None:
    path = written(training.tiny(tokens, tmp_path, "train.steps=4"), tmp_path / "a.toml")
    assert call("run", "--config", path).exit_code == 0
    again = call("run", "--config", path, "--resume")
    assert (again.exit_code, again.stdout[:37]) == (0, "g/run: already finished at step 4, be")


def test_a_dry_run_writes_nothing_and_its_output_is_a_configuration(tokens: Path, tmp_path: Path) -> None:
    made = training.tiny(tokens, tmp_path / "out")
    done = call("run", "--config", written(made, tmp_path / "a.toml"), "--dry-run")
    assert done.exit_code == 0 and not (tmp_path / "out").exists()
    assert config.from_dict(tomllib.loads(done.stdout)) == made
    figures = dict(line[2:].split("  ", 1) for line in done.stdout.splitlines() if line.startswith("# "))
    module = variants.load("vanilla")
    built = module.Model(module.Config(vocab_size=257, block=16, **training.SIZES["vanilla"]))
    assert figures["parameters"].strip() == f"{built.parameter_count():,}"
    assert figures["tokens per step"].strip() == "64 (4 x 1 x 16 on each process)"
    assert {"steps per epoch", "memory estimate", "optimizer", "data"} <= figures.keys()


def test_a_dry_run_needs_no_data(tmp_path: Path) -> None:
    made = training.tiny(tmp_path / "none", tmp_path)
    done = call("run", "--config", written(made, tmp_path / "a.toml"), "--dry-run", "--set", "train.epochs=2")
    assert done.exit_code == 0 and "not prepared yet" in done.stdout


def test_sample_is_the_same_for_the_same_seed(trained: Path) -> None:
    one, again, other = (call("sample", checkpoint(trained), "--prompt", "the ", "--tokens", "20", "--seed", seed).stdout for seed in "112")
    assert one == again != other
    assert one.startswith("the ") and len(one) > 20


def test_sample_at_temperature_zero_needs_no_seed(trained: Path) -> None:
    one, other = (
        call("sample", checkpoint(trained, "vanilla"), "--tokens", "20", "--temperature", "0", "--seed", seed).stdout for seed in "12"
    )
    assert one == other


def test_coords_join_the_log_of_their_run(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("the moon")
    log = trained / "logs" / "g" / "ngt.jsonl"
    before = log.read_text()
    done = call("coords", checkpoint(trained), "--text", str(tmp_path / "words.txt"))
    assert done.exit_code == 0 and "coordinates of 2 layers" in done.stderr
    added = [json.loads(line) for line in log.read_text().removeprefix(before).splitlines()]
    assert [(event["kind"], event["layer"], event["segment"]) for event in added] == [("coords", 0, 0), ("coords", 1, 0)]
    assert added[0]["token_labels"] == ["t", "h", "e", "Ġ", "m", "o", "o", "n"]
    assert [len(point) for point in added[1]["coordinates"]] == [8] * 8 and all(mass > 0 for mass in added[1]["masses"])
    assert added[0]["seq"] == json.loads(before.splitlines()[-1])["seq"] + 1


def test_coords_of_a_checkpoint_alone_make_a_log(trained: Path, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("the moon")
    done = call("coords", checkpoint(trained), "--text", str(tmp_path / "words.txt"), "-o", str(tmp_path / "c.jsonl"))
    kinds = [json.loads(line)["kind"] for line in (tmp_path / "c.jsonl").read_text().splitlines()]
    assert done.exit_code == 0 and kinds == ["run_start", "coords", "coords"]


def test_coords_come_with_evaluations_if_asked(tokens: Path, tmp_path: Path) -> None:
    made = training.tiny(tokens, tmp_path, "eval.coords=true", "eval.text=the sea", variant="ngt")
    assert call("run", "--config", written(made, tmp_path / "a.toml")).exit_code == 0
    found = training.events(made, "coords")
    assert [(event["step"], event["layer"]) for event in found] == [(5, 0), (5, 1), (10, 0), (10, 1)]
    assert "".join(found[0]["token_labels"]) == "theĠsea"


# -- what does not -------------------------------------------------------------------------------------------------------
Spoil = Callable[[Path], object]


def shard(change: Callable[[bytes], bytes]) -> Spoil:
    """Change the bytes of the training shard."""

    def spoil(folder: Path) -> None:
        path = folder / "tokens" / manifest.read(folder / "tokens").split("train").shards[0].file
        path.write_bytes(change(path.read_bytes()))

    return spoil


def header(place: int, value: int) -> Spoil:
    return shard(lambda data: data[: 4 * place] + value.to_bytes(4, "little") + data[4 * place + 4 :])


def told(change: Callable[[dict[str, object]], object]) -> Spoil:
    """Change the manifest."""

    def spoil(folder: Path) -> None:
        path = folder / "tokens" / manifest.FILE
        tree = json.loads(path.read_text())
        change(tree)
        path.write_text(json.dumps(tree))

    return spoil


def blocked(name: str) -> Spoil:
    """A file where a folder should be."""
    return lambda folder: (folder / name).write_text("")


def nothing(folder: Path) -> None:
    """All is well on the disk."""


def keep_last(change: Callable[[bytes], bytes]) -> Spoil:
    """A run that ended, its last checkpoint changed and no best."""

    def spoil(folder: Path) -> None:
        assert call("run", "--config", str(folder / "run.toml")).exit_code == 0
        path = folder / "checkpoints" / "g" / "run.pt_last.pt"
        path.write_bytes(change(path.read_bytes()))
        path.with_name("run.pt_best.pt").unlink()

    return spoil


SET = {  # --set: exit 2
    "optim.lrr=1": "unknown setting 'optim.lrr'; did you mean 'lr'?",
    "optimizer.lr=1": "unknown setting 'optimizer'",
    "optim.lr=0": "optim.lr must be above 0",
    "optim.lr=nan": "is not a finite number",
    "optim.kind=sgd": "optim.kind = 'sgd' is not possible",
    "optim.decay=matrix": "optim.decay must be a list",
    "schedule.kind=cosin": "did you mean 'cosine'?",
    "schedule.warmup=11": "schedule.warmup 11 is longer than the run of 10 steps",
    "schedule.warmdown=3": "schedule.warmdown belongs to kind trapezoid",
    "train.steps=-1": "train.steps must be at least 1",
    "train.steps=many": "train.steps must be a whole number",
    "train.precision=fp8": "train.precision = 'fp8' is not possible",
    "train.device=tpu": "train.device 'tpu' is not",
    "train.device=cuda:7": "this machine has",
    "train.batch=0.5": "train.batch must be a whole number",
    "loss.kind=focal": "loss.kind = 'focal' is not possible",
    "loss.alpha=2": "loss.alpha must be between 0 and 1",
    "loss.topk=-4": "loss.topk must be at least 1",
    "eval.tokens=0": "eval.tokens must be at least 1",
    "eval.coords=true": "eval.coords is true, but vanilla has no coordinates",
    "log.interval=0": "log.interval must be at least 1",
    "checkpoint.keep=-1": "checkpoint.keep must not be negative",
    "name=a/b": "name 'a/b' must be letters",
    "name": "is not of the form section.key=value",
    "data.order=random": "data.order = 'random' is not possible",
    "model.variant=vanila": "there is no model variant 'vanila'; did you mean 'vanilla'?",
    "model.variant=hf": "unknown setting 'model.layers'; known: block",
    "model.hiden=8": "unknown setting 'model.hiden'; did you mean 'hidden'?",
    "model.hidden=15": "heads",
    "model.dropout=1.5": "dropout",
    "model.vocab_size=10": "model.vocab_size 10 is smaller than the tokenizer's vocabulary of 257 tokens",
    "model.block=8": "model.block 8 is shorter than data.block 16",
}
DATA = {  # --set: exit 3
    "data.dataset=stdlib": "was prepared with dataset 'text', but data.dataset is 'stdlib'",
    "data.tokenizer=char": "was prepared with tokenizer 'byte', but data.tokenizer is 'char'",
    "data.block=5000": "too few for a block of 5000",
    "optim.lr=1e30": "at step",
}
DISK: dict[str, tuple[Spoil, str]] = {
    "a missing shard": (lambda f: [p.unlink() for p in (f / "tokens").glob("train*")], "no such shard"),
    "a flipped bit": (shard(lambda data: data[:2000] + bytes([data[2000] ^ 1]) + data[2001:]), "is not the shard that manifest.json lists"),
    "a shard cut short": (shard(lambda data: data[:-10]), "but the file has"),
    "a shard without a header": (shard(lambda data: data[:100]), "too few for a shard's header"),
    "a wrong magic": (header(0, 1), "so it is no token shard"),
    "a wrong version": (header(1, 9), "shard version 9 is unknown"),
    "a wrong count": (header(2, 5), "but the file has"),
    "a manifest that is no JSON": (lambda f: (f / "tokens" / manifest.FILE).write_text("{"), "is not JSON"),
    "a manifest of another schema": (told(lambda tree: tree.update(schema=9)), "has schema 9"),
    "a vocabulary that is too small": (told(lambda tree: tree.update(vocab_size=50)), "but its vocabulary ends at 49"),
    "a shard outside": (told(lambda tree: tree["splits"][0]["shards"][0].update(file="../x")), "which is not a plain name"),  # type: ignore[index]
    "no validation split": (told(lambda tree: tree.update(splits=tree["splits"][:1])), "has no 'val' split"),  # type: ignore[index]
    "no tokenizer file": (lambda f: (f / "tokens" / "tokenizer.json").unlink(), "no such tokenizer file"),
    "a tokenizer that is none": (lambda f: (f / "tokens" / "tokenizer.json").write_text("[]"), "is not a tokenizer"),
    "logs in the way": (blocked("logs"), "logs"),
    "checkpoints in the way": (blocked("checkpoints"), "checkpoints"),
    "results in the way": (blocked("results"), "results"),
}  # fmt: skip


def a_run(folder: Path) -> None:
    assert call("run", "--config", str(folder / "run.toml")).exit_code == 0


CONFIGURED: dict[str, tuple[Spoil, str]] = {
    "no data and no word of where": (lambda f: shutil.rmtree(f / "tokens"), "dataset text needs --path"),
    "a run of that name": (a_run, "run.jsonl is there already; go on with --resume, start anew with --overwrite"),
}
RESUME: dict[str, tuple[Spoil, str]] = {
    "nothing to resume": (nothing, "there is no checkpoint to resume from"),
    "a damaged checkpoint": (keep_last(lambda data: data[:-9]), "another sha256"),
    "an empty checkpoint": (keep_last(lambda data: b""), "another sha256"),
}
OTHER: dict[str, tuple[tuple[str, ...], int, str]] = {
    "a preset that is none": (("run", "--preset", "w3_25m/vanila_25m"), 2, "vanilla_25m"),
    "preset and config": (("run", "--preset", "w3_25m/vanilla_25m", "--config", "x.toml"), 2, "are both given"),
    "a scale that is none": (("run", "--preset", "w3_25m/vanilla_25m", "--scale", "tinny"), 2, "tiny"),
    "resume and overwrite": (("run", "--config", "{run}", "--resume", "--overwrite"), 2, "are both given"),
    "a missing file": (("run", "--config", "no.toml"), 2, "no.toml: no such file or directory"),
    "a folder": (("run", "--config", "{folder}"), 2, "is a directory"),
    "no TOML": (("run", "--config", "{tokens}/manifest.json"), 2, "is not TOML"),
    "a missing checkpoint": (("sample", "no.pt"), 3, "checkpoint no.pt: no such file or directory"),
    "a checkpoint that is none": (("sample", "{run}"), 3, "is damaged or no checkpoint"),
    "no tokens to sample": (("sample", "{ngt}", "--tokens", "0"), 2, "--tokens must be at least 1, not 0"),
    "no samples": (("sample", "{ngt}", "--samples", "0"), 2, "--samples must be at least 1, not 0"),
    "a negative top-k": (("sample", "{ngt}", "--top-k", "-1"), 2, "--top-k must not be negative: -1"),
    "a seed beyond 64 bits": (("sample", "{ngt}", "--seed", str(10**20)), 2, "--seed must be between 0 and 2^63"),
    "a negative temperature": (("sample", "{ngt}", "--temperature", "-1"), 2, "--temperature must not be negative"),
    "coordinates of vanilla": (("coords", "{vanilla}", "--text", "{run}"), 2, "the model has no coordinates"),
    "an empty text": (("coords", "{ngt}", "--text", "{empty}"), 2, "the text of --text is empty"),
    "a missing text": (("coords", "{ngt}", "--text", "no.txt"), 3, "no.txt: no such file or directory"),
}
ENVIRONMENT = {"SEED=one": "SEED", "LR=fast": "LR", "ATTN_GATE=none": "ATTNGATE", "WORLD_SIZE=two": "WORLD_SIZE"}


@pytest.fixture
def place(tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a copy of the corpus and a configuration."""
    shutil.copytree(tokens, tmp_path / "tokens")
    written(training.tiny(tmp_path / "tokens", tmp_path), tmp_path / "run.toml")
    (tmp_path / "empty").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def assert_refused(done: Result, code: int, said: str, folder: Path) -> None:
    """One sentence on stderr, the exit code, and no half-written checkpoint."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith(("run  step", "tokens has no", str(folder)))]
    assert (done.exit_code, done.stdout) == (code, ""), done.output
    assert len(lines) == 1 and lines[0].startswith("Error: ") and said in lines[0], done.stderr
    assert "Traceback" not in done.stderr and "defect" not in done.stderr
    assert [path.name for path in folder.rglob("*.tmp")] == []


@pytest.mark.parametrize("assignment", SET)
def test_a_wrong_setting(assignment: str, place: Path) -> None:
    assert_refused(call("run", "--config", "run.toml", "--set", assignment), 2, SET[assignment], place)
    assert not list(place.glob("logs/g/*.jsonl"))


@pytest.mark.parametrize("assignment", DATA)
def test_a_setting_that_does_not_fit_the_data(assignment: str, place: Path) -> None:
    assert_refused(call("run", "--config", "run.toml", "--set", assignment), 1 if "lr" in assignment else 3, DATA[assignment], place)


@pytest.mark.parametrize("what", DISK)
def test_something_wrong_on_the_disk(what: str, place: Path) -> None:
    spoil, said = DISK[what]
    spoil(place)
    assert_refused(call("run", "--config", "run.toml"), 3, said, place)


@pytest.mark.parametrize("what", CONFIGURED)
def test_something_that_needs_a_decision(what: str, place: Path) -> None:
    spoil, said = CONFIGURED[what]
    spoil(place)
    assert_refused(call("run", "--config", "run.toml"), 2, said, place)


@pytest.mark.parametrize("what", RESUME)
def test_something_wrong_with_what_is_resumed(what: str, place: Path) -> None:
    spoil, said = RESUME[what]
    spoil(place)
    assert_refused(call("run", "--config", "run.toml", "--resume"), 3, said, place)


@pytest.mark.parametrize("what", OTHER)
def test_a_wrong_command_line(what: str, place: Path, trained: Path) -> None:
    arguments, code, said = OTHER[what]
    names = {"run": "run.toml", "folder": place, "tokens": place / "tokens", "empty": "empty"}
    paths = {variant: checkpoint(trained, variant) for variant in ("vanilla", "ngt")}
    assert_refused(call(*(a.format(**names, **paths) for a in arguments)), code, said, place)


@pytest.mark.parametrize("variable", ENVIRONMENT)
def test_a_wrong_environment(variable: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name, _, value = variable.partition("=")
    monkeypatch.setenv(name, value)
    assert_refused(call("run", "--config", "run.toml"), 2, ENVIRONMENT[variable], place)


def test_there_are_sixty_of_them() -> None:
    assert sum(map(len, (SET, DATA, DISK, CONFIGURED, RESUME, OTHER, ENVIRONMENT))) >= 60
