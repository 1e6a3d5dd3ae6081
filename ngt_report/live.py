"""The commands of `ngtreport` for runs that are still going: status, watch."""

from __future__ import annotations

import click

from ngt_report.cli import command, emit, json_option, say, width

SECONDS = click.FloatRange(min=0.1)


@command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--follow", is_flag=True, help="Draw the screen again and again, until Ctrl+C.")
@click.option("--every", type=SECONDS, metavar="SECONDS", default=2.0, show_default=True, help="How often --follow looks.")
@click.option("--all", "everything", is_flag=True, help="Every run, however many lines that takes.")
@click.option("--ascii", "plain_ascii", is_flag=True, help="No other characters; left out, as the locale says.")
@json_option
def status(paths: tuple[str, ...], follow: bool, every: float, everything: bool, plain_ascii: bool, as_json: bool) -> None:
    """Show how far runs are.

    Of logs that may still grow: step and total, last and best validation loss, steps a second, the time left, the curve,
    and whether each run is going, stalled, quiet (no total declared, nothing written lately), finished, stopped,
    crashed (and why) or waiting. Needs no report and writes none. PATH is what `build` would read.
    """
    from ngt_report.watching import follow as following

    draw = following.Drawing(as_json, plain_ascii, everything, width())
    if follow:
        following.follow(paths, every, draw)
    else:
        emit(following.once(paths, draw))


@command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("-o", "--out", metavar="DIR", help="Where the report goes; left out, artifacts/NAME.")
@click.option("--baseline", metavar="RUN", help="The run that others are compared with; any unique part of its name.")
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="Of 127.0.0.1; 0 takes any that is free.")
@click.option("--open", "opened", is_flag=True, help="Show the page in the browser.")
@click.option("-q", "--quiet", is_flag=True, help="No narration.")
def watch(paths: tuple[str, ...], out: str | None, baseline: str | None, port: int, opened: bool, quiet: bool) -> None:
    """Keep a report up to date while logs grow, and serve its page.

    The page is at http://127.0.0.1:PORT/, for this machine only, and loads itself anew after each build. Ctrl+C ends it;
    the report stays as `build` would have written it. Prints the page's address.
    """
    from ngt_report.build import Request
    from ngt_report.watching.watch import Watch

    with Watch(Request(paths, out, baseline), port) as watching:
        emit(watching.url)
        if not quiet:
            say(f"watching {', '.join(paths)}; the report is in {watching.shown}; Ctrl+C ends it")
        if opened and not watching.show():
            say(f"there is no browser here to open; go to {watching.url}")
        watching.run((lambda _: None) if quiet else say)


COMMANDS = (status, watch)
