"""The command line `ngttrain`: each command calls one function; stdout is data, stderr narration.

Everything is imported inside the commands, so that --help and a typo answer at once.
"""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from ngt_train.errors import ConfigError, TrainError

if TYPE_CHECKING:
    from ngt_train.config import RunConfig

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
PIPE_CLOSED = 141  # what a shell calls a command whose reader left
INTERRUPTED = 130


class Command(click.Command):
    """A command that also takes --debug."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params.append(click.Option(["--debug"], is_flag=True, expose_value=False, callback=_debug, help="Show tracebacks."))


def _debug(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    context.find_root().meta["debug"] = wanted or context.find_root().meta.get("debug", False)


class Commands(click.Group):
    """The group: turns what went wrong into one sentence and an exit code."""

    command_class = Command

    def list_commands(self, ctx: click.Context) -> list[str]:
        """In the order in which they are written below."""
        return list(self.commands)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command that was named."""
        try:
            return super().invoke(ctx)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            leave_pipe()
            ctx.exit(PIPE_CLOSED)
        except KeyboardInterrupt:
            say("Error: interrupted")
            ctx.exit(INTERRUPTED)
        except Exception as e:
            if ctx.meta.get("debug"):
                raise
            say(f"Error: {sentence(e)}")
            ctx.exit(e.exit_code if isinstance(e, TrainError) else TrainError.exit_code)


def sentence(error: Exception) -> str:
    """What went wrong, in one sentence."""
    if isinstance(error, TrainError):
        return " ".join(str(error).split())
    if isinstance(error, OSError):
        return f"{error.filename or 'a file'}: {(error.strerror or str(error)).lower()}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        return f"the package {error.name!r} is not installed; the trainer needs `pip install 'ngtreport[train]'`"
    if (
        isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(error)
    ):  # torch on a CPU
        return "there is not enough memory; lower train.batch, data.block, loss.chunk or the sizes of the model"
    return f"this is a defect of ngttrain ({type(error).__name__}: {error}); please report it with what --debug shows"


def leave_pipe() -> None:
    """The reader of stdout is gone: nothing more goes there, not even at exit."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str) -> None:
    """Narration, on stderr."""
    click.echo(text, err=True)


@click.group(cls=Commands, context_settings=SETTINGS)
@click.version_option(package_name="ngtreport", prog_name="ngttrain")
def main() -> None:
    """Train small language models; write event logs and checkpoints that ngtreport reads."""


# -- run ---------------------------------------------------------------------------------------------------------------
def _configured(preset: str | None, file: str | None, scale: str | None, assignments: tuple[str, ...]) -> RunConfig:
    """Preset or file, then the environment, then --set: each wins over the one before."""
    from ngt_train import config, environment, presets

    if preset and file:
        raise ConfigError("--preset and --config are both given; keep one")
    made = presets.load(preset) if preset else config.load(file) if file else config.RunConfig()
    made = presets.scaled(made, scale) if scale else made
    return config.override(made, [*environment.assignments(os.environ), *assignments])


@main.command()
@click.option("--preset", metavar="GROUP/NAME", help="One of `ngttrain presets`.")
@click.option("--config", "file", metavar="FILE", help="A TOML file; docs/training.md has every key.")
@click.option(
    "--set", "assignments", multiple=True, metavar="KEY=VALUE", help="Override one setting, for instance optim.lr=1e-3; repeatable."
)
@click.option("--scale", metavar="SCALE", help="tiny: the same run shrunk for a laptop's CPU.")
@click.option("--resume", is_flag=True, help="Go on from the last checkpoint.")
@click.option("--overwrite", is_flag=True, help="Remove what a run of this name left before.")
@click.option("--dry-run", is_flag=True, help="Print the resolved configuration and what it would cost, and stop.")
@click.option("--no-bar", is_flag=True, help="No progress bar, even on a terminal.")
@click.option("--detach", is_flag=True, help="Start it as a process that outlives this terminal, and return.")
def run(
    preset: str | None,
    file: str | None,
    assignments: tuple[str, ...],
    scale: str | None,
    resume: bool,
    overwrite: bool,
    dry_run: bool,
    no_bar: bool,
    detach: bool,
) -> None:
    """Train one model; SIGINT and SIGTERM save and end cleanly, --resume goes on."""
    made = _configured(preset, file, scale, assignments)
    if dry_run:
        _print_plan(made)
        return
    if resume and overwrite:
        raise ConfigError("--resume and --overwrite are both given; keep one")
    if detach:
        _detach(made, preset, file, scale, assignments, resume, overwrite)
        return
    from ngt_train import detach as detached
    from ngt_train import train

    if sys.platform == "win32" and (pid_file := os.environ.get(detached.CHILD)):
        detached.listen(pid_file)
    ended = train.run(made, resume=resume, overwrite=overwrite, bar=not no_bar)
    best = "" if ended.best_val is None else f", best val/loss {ended.best_val:.6f} at step {ended.best_step}"
    if ended.first:
        how = f"already {ended.status}" if ended.already else ended.status
        why = f" ({ended.reason})" if ended.reason else ""
        click.echo(f"{made.group}/{made.name}: {how} at step {ended.step}{best}{why}")


def _detach(
    made: RunConfig, preset: str | None, file: str | None, scale: str | None, assignments: tuple[str, ...], resume: bool, overwrite: bool
) -> None:
    """Start the same run without a terminal, and say how to look at it and how to end it."""
    from ngt_train import detach

    events = made.events_path()
    if events.exists() and not (resume or overwrite):
        raise ConfigError(f"{events} is there already; go on with --resume, start anew with --overwrite, or give another name")
    given = [("--preset", preset), ("--config", file), ("--scale", scale), *(("--set", text) for text in assignments)]
    arguments = ["run", *(word for option, value in given if value for word in (option, value)), "--no-bar"]
    files = detach.start(made, [*arguments, *["--resume"] * resume, *["--overwrite"] * overwrite], anew=overwrite)
    for line in detach.told(made, files):
        say(line)
    click.echo(files.pid.as_posix())


@main.command()
@click.argument("name")
@click.option("--logs", default="logs", show_default=True, metavar="DIR", help="Where the logs are, as log.folder says.")
@click.option(
    "--wait", type=click.FloatRange(min=0), default=300.0, show_default=True, metavar="SECONDS", help="How long to wait for the end."
)
def stop(name: str, logs: str, wait: float) -> None:
    """End a run that `run --detach` started: it saves, writes its end, and --resume goes on.

    NAME is the run's, or GROUP/NAME, or any unique part of it. Waits until the run has ended.
    """
    from pathlib import Path

    from ngt_train import detach

    files = detach.find(name, Path(logs))
    number = detach.stop(files, wait, say)
    run_name = files.events.with_suffix("").relative_to(logs).as_posix()
    click.echo(f"{run_name}: {'' if number else 'had ended before: '}{detach.ended_as(files)}")


def _print_plan(made: RunConfig) -> None:
    """The resolved configuration as TOML, its figures as comments: the output is a file for --config."""
    from ngt_train import config, estimate, settings

    figures = estimate.describe(made)
    click.echo(settings.to_toml(config.to_dict(made)))
    width = max(len(label) for label, _ in figures)
    for label, text in figures:
        if text:
            click.echo(f"# {label:{width}}  {text}")


# -- presets -----------------------------------------------------------------------------------------------------------
@main.command()
@click.argument("group", required=False)
@click.option("--scale", type=click.Choice(["full", "tiny"]), default="full", help="Show the commands at this scale.")
def presets(group: str | None, scale: str) -> None:
    """List the published experiments that can be run, with the command of each; GROUP: only those."""
    from ngt_train import presets
    from ngt_train.errors import nearest

    groups = presets.groups()
    if group is not None and group not in groups:
        raise ConfigError(f"there is no group of presets {group!r}{nearest(group, groups)}")
    for name, text in groups.items():
        if group in (None, name):
            commands = [presets.command(run, scale) for run in presets.all_runs() if run.startswith(f"{name}/")]
            click.echo("\n  ".join([f"{name}: {text}", *commands]))


# -- sweeps ------------------------------------------------------------------------------------------------------------
@main.command()
@click.argument("file", metavar="FILE.toml")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N", help="Runs at a time; the file's number when left out.")
@click.option("--set", "assignments", multiple=True, metavar="KEY=VALUE", help="One setting of all runs, for instance train.steps=100.")
@click.option("--scale", metavar="SCALE", help="tiny: the same runs shrunk for a laptop's CPU.")
@click.option("--dry-run", is_flag=True, help="List the runs and stop.")
def sweep(file: str, jobs: int | None, assignments: tuple[str, ...], scale: str | None, dry_run: bool) -> None:
    """Run the experiments of FILE.toml; one that is done already is not run again."""
    from dataclasses import replace

    from ngt_train import environment, experiments, outcomes
    from ngt_train.sweep import Sweep

    plan = experiments.read(file, scale or "", (*environment.assignments(os.environ), *assignments))
    if dry_run:
        click.echo("\n".join(f"{plan.group}/{experiment.name}" for experiment in plan.experiments))
        return
    work = Sweep(replace(plan, jobs=jobs or plan.jobs), say)
    rows = work.run()
    for place, row in enumerate(outcomes.ranked(rows), 1):
        loss = "-" if row["val_loss"] is None else f"{row['val_loss']:.4f}"
        click.echo(f"{place:>3}  {loss:>9}  {row['name']}" + ("" if row["status"] == "finished" else f"  {row['status']}"))
    if all(row["val_loss"] is None for row in rows):
        raise TrainError(f"no run of the sweep has a result; {work.folder.as_posix()}/results.jsonl has the reasons")
    say(f"rows and ranking are in {work.folder.as_posix()}; `ngtreport build logs/{plan.group}` makes the report")


# -- what checkpoints are good for -----------------------------------------------------------------------------------
@main.command()
@click.argument("checkpoint")
@click.option("--prompt", default="", help="How the text begins.")
@click.option("--tokens", default=200, show_default=True, help="How many to add.")
@click.option("--temperature", default=0.8, show_default=True, help="0 takes the likeliest token each time.")
@click.option("--top-k", default=50, show_default=True, help="Draw from so many likeliest tokens; 0: from all.")
@click.option("--seed", default=0, show_default=True)
@click.option("--samples", default=1, show_default=True, help="How many texts.")
def sample(checkpoint: str, prompt: str, tokens: int, temperature: float, top_k: int, seed: int, samples: int) -> None:
    """Generate text from a CHECKPOINT."""
    from pathlib import Path

    from ngt_train.sample import from_checkpoint

    texts = from_checkpoint(Path(checkpoint), prompt, tokens, temperature=temperature, top_k=top_k or None, seed=seed, samples=samples)
    click.echo("\n\n".join(texts))


@main.command()
@click.argument("checkpoint")
@click.option("--text", "file", required=True, metavar="FILE", help="A text file; its first 256 tokens are shown.")
@click.option("-o", "--out", metavar="FILE", help="An event log to add to; default: the run's own, or CHECKPOINT.coords.jsonl.")
def coords(checkpoint: str, file: str, out: str | None) -> None:
    """Write the coordinates of a text in an NGT CHECKPOINT as events that ngtreport draws."""
    from pathlib import Path

    from ngt_train.coords import from_checkpoint

    words = Path(file).read_text(encoding="utf-8", errors="replace")
    count, target = from_checkpoint(Path(checkpoint), words, Path(out) if out else None)
    say(f"wrote the coordinates of {count} layers to {target.as_posix()}")


# -- data ----------------------------------------------------------------------------------------------------------------
@main.command()
@click.option("--dataset", default="stdlib", show_default=True, metavar="NAME", help="stdlib, text, wikitext103, ...: see --list.")
@click.option("--path", metavar="PATH", help="File or folder of text and pdf; folder of shards of fineweb10B.")
@click.option("--glob", metavar="PATTERN", help="Which files of the folder, such as '**/*.md'.")
@click.option("--separator", metavar="TEXT", help=r"Between the documents of a text file, such as '<|endoftext|>' or '\n\n'.")
@click.option("--chunks", type=int, metavar="N", help="Training shards of fineweb10B; 9 when left out.")
@click.option("--config", metavar="NAME", help="Configuration of a Hugging Face dataset.")
@click.option("--column", metavar="NAME", help="Its column with the text; `text` when left out.")
@click.option("--revision", metavar="REV", help="Its commit, tag or branch.")
@click.option("--tokenizer", metavar="NAME", help="byte, char, bpe, gpt2 or hf:NAME; bpe when left out, gpt2 for fineweb10B.")
@click.option("--vocabulary", type=int, metavar="N", help="Tokens of a BPE trained here; 8192 when left out.")
@click.option("--tokenizer-file", metavar="PATH", help="A saved tokenizer, instead of training one.")
@click.option("--val", type=float, metavar="F", help="Fraction for validation where the dataset has none; 0.05 when left out.")
@click.option("--test", type=float, metavar="F", help="Fraction for a test split; none when left out.")
@click.option("--min-chars", type=int, metavar="N", help="Leave out shorter documents.")
@click.option("--max-chars", type=int, metavar="N", help="Leave out longer documents.")
@click.option("--match", metavar="REGEX", help="Leave out documents in which it is not found.")
@click.option("--exclude", metavar="REGEX", help="Leave out documents in which it is found.")
@click.option("--deduplicate", is_flag=True, help="Leave out texts that came before.")
@click.option("--skip-unreadable", is_flag=True, help="Leave out files that cannot be read.")
@click.option("--limit", multiple=True, metavar="SPLIT=N", help="At most N documents of train, val or test; may be repeated.")
@click.option("-o", "--out", metavar="DIR", help="Where the tokens go; data/DATASET_TOKENIZER when left out.")
@click.option("--force", is_flag=True, help="Prepare again what was made with other settings or other input.")
@click.option("--list", "list_", is_flag=True, help="List the datasets, and do nothing else.")
def prepare(out: str | None, force: bool, list_: bool, limit: tuple[str, ...], **options: Any) -> None:
    """Tokenise a dataset once, into shards that training maps into memory.

    What is there already is not done again: after an interruption, run the same command.
    """
    from ngt_train import datasets
    from ngt_train.bar import StageBar
    from ngt_train.prepare import folder_of, prepare, told

    if list_:
        for name in datasets.names():
            click.echo(f"{name:<12} {datasets.summary(name)}")
        return
    given = {key: value for key, value in options.items() if value is not None and value is not False}
    given["limit"] = dict(_limit(text) for text in limit)
    if given["dataset"] == "fineweb10B":
        given.setdefault("tokenizer", "gpt2")
    folder = out or folder_of(given)
    with StageBar() as bar:
        made = prepare(out=folder, force=force, progress=bar, **given)
    say(told(made))
    click.echo(folder)


def _limit(text: str) -> tuple[str, int]:
    split, _, count = text.partition("=")
    if not count.isdecimal():
        raise ConfigError(f"--limit {text!r} is not of the form SPLIT=N, such as train=1000")
    return split, int(count)


@main.group(context_settings=SETTINGS)
def bench() -> None:
    """Measure what the trainer's parts cost on this machine."""


@bench.command()
@click.option(
    "--length", "lengths", type=click.IntRange(min=2), multiple=True, default=(256, 512, 1024), show_default=True, help="Tokens; repeat it."
)
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True, help="Steps of each form, taking turns.")
@click.option("--batch", type=click.IntRange(min=1), default=2, show_default=True, help="Sequences of a step.")
@click.option("--layers", type=click.IntRange(min=1), default=4, show_default=True, help="Layers of the models.")
@click.option(
    "--dropout", type=click.FloatRange(0, 1, max_open=True), default=0.1, show_default=True, help="Of attention weights and MLPs."
)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), default="cpu", show_default=True, help="One CPU thread, or a GPU in bf16.")
def gravity(lengths: tuple[int, ...], **shape: Any) -> None:
    """Compare a step of NGT with vanilla and with the published formula.

    Prints a Markdown table: ratios of CPU time, or of time on a GPU, and peak memory, a row a context length.
    """
    from ngt_train.bench_gravity import table
    from ngt_train.distributed import pick_device

    pick_device(shape["device"])
    for line in table(lengths, **shape):
        click.echo(line)


if __name__ == "__main__":
    main()
