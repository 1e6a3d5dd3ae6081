"""The command line `ngttrain`: each command calls one function; stdout is data, stderr narration.

Everything is imported inside the commands, so that --help and a typo answer at once.
"""

from __future__ import annotations

from typing import Any

import click

from ngt_train.errors import TrainError

SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
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
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "there is not enough memory; lower train.batch, data.block or loss.chunk"
    return f"this is a defect of ngttrain ({type(error).__name__}: {error}); please report it with what --debug shows"


def say(text: str) -> None:
    """Narration, on stderr."""
    click.echo(text, err=True)


@click.group(cls=Commands, context_settings=SETTINGS)
@click.version_option(package_name="ngtreport", prog_name="ngttrain")
def main() -> None:
    """Train small language models; write event logs and checkpoints that ngtreport reads."""
