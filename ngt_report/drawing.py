"""The commands of `ngtreport` that draw: chart and coords."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from ngt_report.cli import command, dir_option, emit, folder_of, say


@command()
@click.argument("name", required=False)
@dir_option
@click.option("-o", "--out", metavar="FILE", help="Where to: FILE.svg or FILE.png.")
@click.option("--width", type=click.FloatRange(1, 40), metavar="INCHES", default=5.5, show_default=True, help="Width on paper.")
@click.option("--dark", is_flag=True, help="Light on dark.")
@click.option("--force", is_flag=True, help="Write over an existing file.")
def chart(name: str | None, directory: str | None, out: str | None, width: float, dark: bool, force: bool) -> None:
    """Save a comparison chart as SVG or PNG, without a browser.

    At paper size; PNG has 300 dots an inch. Without NAME, lists the charts.
    """
    from ngt_report import charts, reports

    if name is None or out is None:
        if name is not None:
            raise click.UsageError("give -o FILE.svg or -o FILE.png")
        emit("\n".join(f"{n}\t{charts.header(n)['title']}" for n in charts.chart_names()))
        return
    with closing(reports.database(folder_of(directory))) as store:
        rows = charts.export(store, name, Path(out), force, dark, width)
    say(f"the chart {name} shows {rows:,} {'row' if rows == 1 else 'rows'}")
    emit(out)


@command()
@click.argument("log", metavar="LOG")
@click.option("-o", "--out", metavar="PATH", help="Where to: a folder, or FILE.html for a log of one run; left out, the current folder.")
@click.option("--force", is_flag=True, help="Write over existing files.")
def coords(log: str, out: str | None, force: bool) -> None:
    """Draw where a gravity model puts tokens, from an event log.

    Writes coords_NAME.html for each run of LOG that holds coords events: one file that opens offline.
    """
    from ngt_report.page import coords

    for path in coords.from_log(log, Path(out) if out else None, force):
        emit(str(path))


COMMANDS = (chart, coords)
