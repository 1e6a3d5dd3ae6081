"""The group of commands `ngtreport`: how each ends, what it says, and the options that several take."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click

from ngt_report import __version__
from ngt_report.errors import ReportError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SETTINGS = {"help_option_names": ["-h", "--help"], "auto_envvar_prefix": "NGTREPORT", "max_content_width": 100}
PIPE_CLOSED = 141  # what a shell calls a command whose reader left
INTERRUPTED = 130


# -- how commands end ---------------------------------------------------------------------------------------------------
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
        """In the order in which `ngt_report.commands` has them, which is the order of use."""
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
            leave_interrupted(ctx)
        except Exception as e:
            engine = sys.modules.get("ngt_report.engine")
            if engine is not None and engine.interrupted(e):
                leave_interrupted(ctx)
            if ctx.meta.get("debug"):
                raise
            click.echo(f"Error: {sentence(e)}", err=True)
            ctx.exit(e.exit_code if isinstance(e, ReportError) else ReportError.exit_code)


def sentence(error: Exception) -> str:
    """What went wrong, in one sentence."""
    from ngt_report.formatting import plain

    engine = sys.modules.get("ngt_report.engine")
    if isinstance(error, ReportError):
        said = str(error)
    elif isinstance(error, OSError):
        said = f"{error.filename or 'a file'}: {(error.strerror or str(error)).lower()}"
    elif isinstance(error, MemoryError):
        said = "there is not enough memory; close other programs or give less input"
    elif engine is not None and isinstance(error, engine.Error):
        said = f"the report's database: {str(error).splitlines()[0]}; build the report again, in another folder if this stays"
    else:
        said = f"this is a defect of ngtreport ({type(error).__name__}: {error}); please report it with what --debug shows"
    return plain(said)


def leave_interrupted(ctx: click.Context) -> None:
    """Ctrl+C, wherever it met us."""
    click.echo("Error: interrupted", err=True)
    ctx.exit(INTERRUPTED)


def leave_pipe() -> None:
    """The reader of stdout is gone: nothing more goes there, not even at exit."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def say(text: str) -> None:
    """Narration, on stderr."""
    from ngt_report.formatting import plain

    click.echo(plain(text), err=True)


def emit(text: str) -> None:
    """Data, on stdout; colours are already decided."""
    click.echo(text, color=True)


def width() -> int | None:
    """Columns of the terminal; none in a pipe."""
    from ngt_report.terminal import columns

    return columns()


def folder_of(text: str | None) -> Path:
    """The report that was meant."""
    from ngt_report.reports import find

    return find(text)


# -- what several commands take ------------------------------------------------------------------------------------------
def report_argument(command: Callable[..., Any]) -> Callable[..., Any]:
    """DIR: the report, as an argument."""
    return click.argument("directory", metavar="[DIR]", required=False, envvar="NGTREPORT_DIR")(command)


def dir_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """--dir: the report, where arguments are taken."""
    said = "The report; left out, the only one in artifacts/."
    return click.option("--dir", "directory", metavar="DIR", envvar="NGTREPORT_DIR", help=said)(command)


def forms(**said: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Options that choose a form of output: --csv, --json ..."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        for name in reversed(said):
            command = click.option(f"--{name}", "form", flag_value=name, default=None, help=said[name])(command)
        return command

    return decorate


json_option = click.option("--json", "as_json", is_flag=True, help="JSON, for programs.")


# -- the group ------------------------------------------------------------------------------------------------------------
def command(name: str | None = None) -> Callable[[Callable[..., Any]], Command]:
    """A command that `ngt_report.commands` adds to the group; without a name, its function's."""
    return click.command(name, cls=Command)


@click.group(cls=Commands, context_settings=SETTINGS)
@click.version_option(__version__, prog_name="ngtreport")
@click.option("--debug", is_flag=True, expose_value=False, callback=_debug, help="Show tracebacks.")
def cli() -> None:
    """Turns training logs into a report whose every number can be traced to a file and a line.

    \b
    ngtreport build logs/w3_25m          writes artifacts/w3_25m/Summary.md
    ngtreport show                       prints its tables
    ngtreport trace vanilla:best         says which file and line a number is from

    stdout is data, stderr is narration. Exit code 0: done, 1: a gate that was asked for failed, 2: usage, 3: input or disk.
    Options can be set as NGTREPORT_COMMAND_OPTION, the report as NGTREPORT_DIR.
    """
