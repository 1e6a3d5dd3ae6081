"""The command line `ngtreport`: each command calls one function; what it prints on stdout is data, on stderr narration.

Everything is imported inside the commands, so that --help and a typo answer at once.
"""

from __future__ import annotations

import atexit
import gc
import io
import os
import sys
from contextlib import closing
from typing import TYPE_CHECKING

import click

from ngt_report import analysis, drawing, live, sharing
from ngt_report.cli import cli, dir_option, emit, folder_of, forms, json_option, report_argument, say, width
from ngt_report.errors import GateError

if TYPE_CHECKING:
    from ngt_report.build import Built, Request

SELDOM = 100_000  # new objects between two collections


@cli.command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("-o", "--out", metavar="DIR", help="Where the report goes; left out, artifacts/NAME.")
@click.option("--baseline", metavar="RUN", help="The run that others are compared with; any unique part of its name.")
@click.option("--step", type=click.IntRange(min=0), metavar="N", help="Compare at this step, not at the largest common one.")
@click.option("--target", type=float, metavar="LOSS", help="A validation loss; the report says when each run reached it.")
@click.option("--group-by", metavar="KEY", multiple=True, help="A setting whose equal values make runs a group of seeds; may be repeated.")
@click.option(
    "--except", "except_keys", metavar="KEY", multiple=True, help="A setting that may differ within a group of seeds; may be repeated."
)
@click.option("--check", is_flag=True, help="Write nothing; exit 1 when the report is stale.")
@click.option("--assume-complete", is_flag=True, help="A last line without its newline counts.")
@click.option("--threads", type=click.IntRange(min=1), metavar="N", help="Threads that the database may use.")
@click.option("--no-dashboard", is_flag=True, help="Write no HTML.")
@click.option("--pr-comment", is_flag=True, help="Also write PR_comment.md, which fits into a comment on GitHub.")
@click.option("-q", "--quiet", is_flag=True, help="No narration, no progress.")
def build(
    paths: tuple[str, ...], out: str | None, baseline: str | None, step: int | None, target: float | None, group_by: tuple[str, ...],
    except_keys: tuple[str, ...], check: bool, assume_complete: bool, threads: int | None, no_dashboard: bool, pr_comment: bool,
    quiet: bool,
) -> None:  # fmt: skip
    """Read logs and write the report.

    Writes Summary.md, dashboard.html, results.csv, summary.json and report.duckdb, and NOTES.md for your own words. PATH is a log file,
    a folder of them, or a bundle (.tar.xz, .zip) of them. For logs/NAME, the folders checkpoints/NAME, results/NAME and
    runs/NAME beside logs/ are read too. Prints where Summary.md is.
    """
    from ngt_report.build import Request

    request = Request(
        paths, out, baseline, step, target, group_by, except_keys, assume_complete, threads, not no_dashboard, pr_comment
    )  # fmt: skip
    emit(_build(request, check, quiet))


def _build(request: Request, check: bool, quiet: bool) -> str:
    """Build or check, narrate, and say where Summary.md is."""
    from ngt_report import build as building
    from ngt_report.reports import shown
    from ngt_report.terminal import Progress

    progress = Progress(quiet=quiet)
    try:
        built = building.check(request) if check else building.build(request, progress)
    finally:
        progress.clear()
    if not quiet:
        _narrate(built, shown(built.folder))
    return shown(built.folder / "Summary.md")


def _narrate(built: Built, folder: str) -> None:
    from ngt_report.reports import summary
    from ngt_report.share import kept_line

    say(_done(built, folder))
    for name in built.changes.kept:
        say(kept_line(name, folder))
    if not summary(built.folder)["runs"]:
        say("warning: no run with metrics was found; `ngtreport explain FILE` says what became of a file's lines")


def _done(built: Built, folder: str) -> str:
    """What a build did; where it read no file, which of the report's files it changed all the same."""
    files = f"{built.files} {'file' if built.files == 1 else 'files'}"
    files += f" ({built.refused} could not be read)" if built.refused else ""
    if not built.anew:
        return f"{folder} is up to date ({files})"
    if built.read or built.refused:
        return f"read {built.read} of {files}; the report is in {folder}"
    done = [f"{did} {', '.join(names)}" for did, names in (("wrote", built.changes.written), ("removed", built.changes.removed)) if names]
    return f"{' and '.join(done)} in {folder}; no file had to be read ({files})"


@cli.command()
@click.option("-o", "--out", metavar="DIR", help="Where the report goes; left out, artifacts/w3_25m.")
@click.option("-q", "--quiet", is_flag=True, help="No narration, no progress.")
def demo(out: str | None, quiet: bool) -> None:
    """Build the report of the sample runs."""
    from pathlib import Path

    from ngt_report.build import Request
    from ngt_report.reports import sample
    from ngt_report.show import headline

    where = _build(Request((str(sample()),), out), False, quiet)
    emit(f"{where}\n\n{headline(Path(where).parent)}")


@cli.command()
@report_argument
@forms(
    short="At most 2,000 characters in a code block, for a chat.", md="Summary.md.", csv="results.csv.", json="summary.json.",
    latex="A booktabs table.",
)  # fmt: skip
@click.option("--diff-only", is_flag=True, help="Only the settings that differ between the runs; with --json too.")
@click.option("-n", "--top", type=click.IntRange(min=0), metavar="N", default=20, show_default=True, help="Rows of a table; 0 shows all.")
def show(directory: str | None, form: str | None, diff_only: bool, top: int) -> None:
    """Print a report, fitted to the terminal."""
    from ngt_report.show import show

    if not diff_only:
        emit(show(folder_of(directory), form or "table", top, width()))
        return
    if form not in (None, "json"):
        raise click.UsageError(f"--diff-only prints a table, or JSON with --json; --{form} is another form")
    from ngt_report import differing, reports

    with closing(reports.database(folder_of(directory))) as store:
        found = differing.differing(store)
    emit(differing.to_json(found) if form else differing.to_text(found, top, width()))


@cli.command()
@click.argument("first", metavar="A[@STEP]")
@click.argument("second", metavar="B[@STEP]")
@dir_option
@click.option("--diff-only", is_flag=True, help="Only the settings that differ.")
@click.option("--program", is_flag=True, help="A diff of the programs in the two logs, and nothing else.")
@json_option
def compare(first: str, second: str, directory: str | None, diff_only: bool, program: bool, as_json: bool) -> None:
    """Show two runs side by side.

    At STEP, or at the largest step that both were evaluated at. Runs are named by any unique part of their names:
    `ngtreport compare vanilla mass_in_value@10000`.
    """
    from ngt_report import compare, programs, reports

    if program and (diff_only or as_json):
        raise click.UsageError("--program prints a diff; leave out --diff-only and --json")
    with closing(reports.database(folder := folder_of(directory))) as store:
        if program:
            emit(programs.difference(store, folder, first, second))
            return
        found = compare.compare(store, first, second)
    emit(compare.to_json(found, diff_only) if as_json else compare.to_text(found, diff_only, width()))


@cli.command()
@report_argument
@click.option("--fail-on", type=click.Choice(["error", "warning", "info"]), help="Exit 1 when there is one of this level or above.")
@json_option
def findings(directory: str | None, fail_on: str | None, as_json: bool) -> None:
    """List what was noticed.

    Contradictions, gaps, crashes and their causes, runs that were still improving; the gravest first.
    """
    from ngt_report import reports, show

    found = reports.summary(folder_of(directory))["findings"]
    emit(show.findings_json(found) if as_json else show.findings_text(found))
    if fail_on and (count := show.count_at(found, fail_on)):
        said = "1 finding is" if count == 1 else f"{count} findings are"
        raise GateError(f"{said} of level {fail_on} or above, and --fail-on {fail_on} was asked for")


@cli.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--assume-complete", is_flag=True, help="A last line without its newline counts.")
@json_option
def explain(files: tuple[str, ...], assume_complete: bool, as_json: bool) -> None:
    """Say how files are read.

    The format and why, what became of every line, the runs and their metrics. Needs no report.
    """
    from ngt_report import explain

    explained = [explain.explain(path, assume_complete) for path in files]
    emit(explain.to_json(explained) if as_json else "\n\n".join(map(explain.to_text, explained)))


@cli.command()
@click.argument("name", required=False)
@json_option
def formats(name: str | None, as_json: bool) -> None:
    """List the log formats, or describe one with an example."""
    from ngt_report import explain

    found = explain.formats_named(name)
    emit(explain.formats_json(found) if as_json else explain.formats_text(found, name is not None, width()))


@cli.command()
@click.argument("number", metavar="RUN:METRIC[@STEP]")
@dir_option
@json_option
def trace(number: str, directory: str | None, as_json: bool) -> None:
    """Say where a number is from.

    Its file, line and that line's text; for a derived number its formula and inputs. METRIC is a name such as val/loss
    or train/loss, or best, last, ppl, delta, delta_ppl, rank, steps_per_s, s_per_step, train_time.
    """
    from ngt_report import reports, trace

    folder = folder_of(directory)
    with closing(reports.database(folder)) as store:
        found = trace.trace(store, folder, number)
    emit(trace.to_json(found) if as_json else trace.to_text(found))


@cli.command()
@click.argument("report", metavar="REPORT.md")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--all", "everything", is_flag=True, help="Every verdict, not only what is wrong.")
@click.option("--annotate", metavar="FILE", help="Write a copy of the report with a mark beside each number.")
@click.option("--force", is_flag=True, help="Let --annotate write over an existing file.")
@click.option("--baseline", metavar="RUN", help="The run that others are compared with; any unique part of its name.")
@json_option
def verify(
    report: str, paths: tuple[str, ...], everything: bool, annotate: str | None, force: bool, baseline: str | None, as_json: bool
) -> None:  # fmt: skip
    """Hold a written report against the data.

    Every number of its tables and sentences is a MATCH (a valid rounding of what the logs say), a MISMATCH (with the
    right value and its file and line) or UNDECIDABLE. Exits 1 on a mismatch. PATH is what `build` would read.
    """
    from pathlib import Path

    from ngt_report.build import Request
    from ngt_report.verify import check, copies, output

    found = check.verify(report, Request(paths, baseline=baseline), annotate, force)
    if annotate is not None:
        copies.write(Path(annotate), output.annotate(found))
    emit(output.to_json(found) if as_json else output.to_text(found, everything))
    if found.failed:
        raise GateError(f"{found.counts['MISMATCH']} of {len(found.checked)} claims do not agree with the data")


@cli.command()
@click.argument("sql", metavar='"SQL"')
@dir_option
@forms(csv="CSV.", json="A list of JSON objects.")
@click.option("--limit", type=click.IntRange(min=0), metavar="N", help="Rows at most; left out, 200 in a table and all in CSV and JSON.")
def query(sql: str, directory: str | None, form: str | None, limit: int | None) -> None:
    """Ask report.duckdb with one SELECT.

    It is only read, and the query reaches no file and no network.

    \b
    ngtreport query "SELECT run, step, value FROM points WHERE metric = 'val/loss'"
    ngtreport query "SHOW TABLES"
    """
    from ngt_report import ask

    limit = limit if limit is not None or form else ask.ON_SCREEN
    names, rows, more = ask.ask(folder_of(directory), sql, limit)
    emit(ask.to_csv(names, rows) if form == "csv" else ask.to_json(names, rows) if form else ask.to_table(names, rows, width()))
    if more:
        say(f"the first {limit} rows; --limit takes more")


@cli.command()
@report_argument
@forms(csv="CSV; text that a spreadsheet would take for a formula gets a leading '.", parquet="Parquet.", json="JSON lines; null for NaN.")
@click.option("-o", "--out", metavar="FILE", help="Where to; left out, stdout.")
@click.option(
    "--table", metavar="NAME", default="points", show_default=True, help="points, runs, findings, sources, checkpoints, or a metric."
)
@click.option("--force", is_flag=True, help="Write over an existing file.")
def export(directory: str | None, form: str | None, out: str | None, table: str, force: bool) -> None:
    """Write the points, or another table.

    As CSV, Parquet or JSON lines, under a temporary name first.
    """
    from pathlib import Path

    from ngt_report import export, reports

    form = export.form_of(form, out)
    if out is None:
        with closing(reports.database(folder_of(directory))) as store:
            export.stream(store, table, form, sys.stdout.buffer)
        return
    rows = export.export(folder_of(directory), table, form, Path(out), force)
    say(f"wrote {rows:,} rows of {table}")
    emit(out)


for added in (*analysis.COMMANDS, *drawing.COMMANDS, *live.COMMANDS, *sharing.COMMANDS):
    cli.add_command(added)


def main() -> None:
    """Entry point: text goes out as UTF-8 where no terminal says otherwise."""
    gc.set_threshold(SELDOM, *gc.get_threshold()[1:])  # a command makes many objects and hardly any cycles
    atexit.register(gc.freeze)  # when the process ends, what it made need not be taken apart piece by piece
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            piped = not stream.isatty() and "PYTHONIOENCODING" not in os.environ
            stream.reconfigure(errors="replace", encoding="utf-8" if piped else None)
    cli(prog_name=None if sys.argv[0].startswith("cli.py") else "ngtreport")


if __name__ == "__main__":
    main()
