"""The commands of `ngtreport` that hand a report on: handoff, bundle, open."""

from __future__ import annotations

import click

from ngt_report.cli import command, emit, say

WITH = click.Choice(["best", "last", "none"])


@command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--dir", "directory", metavar="DIR", help="The report; left out, artifacts/NAME, where build puts it.")
@click.option("-q", "--quiet", is_flag=True, help="No narration, no progress.")
def handoff(paths: tuple[str, ...], directory: str | None, quiet: bool) -> None:
    """Write Handoff.md for whoever continues.

    Where every run stands, the best so far, checkpoints with their step and age, the command that resumes each unfinished
    run, how to watch it, what to copy, and pitfalls that apply. PATH is what `build` would read; the report is brought up to
    date first. Prints where Handoff.md is.
    """
    import shlex

    from ngt_report import reports, share
    from ngt_report.build import Request
    from ngt_report.handing import handoff
    from ngt_report.terminal import Progress

    progress = Progress(quiet=quiet)
    status = f"ngtreport status {' '.join(map(shlex.quote, paths))}"
    try:
        handed = handoff.handoff(Request(paths, directory), status=status, progress=progress)
    finally:
        progress.clear()
    for name in () if quiet else handed.kept:
        say(share.kept_line(name, reports.shown(handed.path.parent)))
    emit(reports.shown(handed.path))


@command()
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("-o", "--out", metavar="NAME", help="NAME.tar.xz or NAME.zip; left out, the group's name in the current folder.")
@click.option("--with-checkpoints", type=WITH, default="none", show_default=True, help="Which checkpoint of each run to take along.")
@click.option("--max-size", metavar="SIZE", help="Exit 1 and write nothing when it would be larger, such as 25MB.")
@click.option("--dir", "directory", metavar="DIR", help="The report; left out, artifacts/NAME, where build puts it.")
@click.option("-q", "--quiet", is_flag=True, help="No narration, no progress.")
def bundle(
    paths: tuple[str, ...], out: str | None, with_checkpoints: str, max_size: str | None, directory: str | None, quiet: bool
) -> None:
    """Pack a report and its inputs into one file to send.

    Reports, logs, tables, event files and a manifest with the sha256 of each. PATH is what `build` would read; the report is
    brought up to date first. Says the size by kind before it writes, and how the file is received. Prints where it is.
    """
    from ngt_report import reports
    from ngt_report.build import Request
    from ngt_report.bundles import bundle
    from ngt_report.terminal import Progress

    most = bundle.size_of(max_size) if max_size is not None else None
    progress = Progress(quiet=quiet)
    tell = (lambda _: None) if quiet else say
    try:
        packed = bundle.bundle(Request(paths, directory), out, with_checkpoints, most, tell, progress)
    finally:
        progress.clear()
    tell(f"wrote {reports.shown(packed.path)}: {bundle.bytes_text(packed.size)}, sha256 {packed.sha256}")
    for line in bundle.receiving(packed):
        tell(line)
    emit(reports.shown(packed.path))


@command("open")
@click.argument("archive", metavar="FILE")
@click.option("-o", "--out", metavar="DIR", help="Where to unpack; left out, the archive's name in the current folder.")
@click.option("-q", "--quiet", is_flag=True, help="No narration, no progress.")
def open_(archive: str, out: str | None, quiet: bool) -> None:
    """Open a bundle: check it, unpack it, build its report.

    FILE is a .tar.xz or .zip that `bundle` or anybody made. Every file is held against the manifest; links, odd names and
    archives that unpack to too much are refused, and nothing of them stays. Prints where Summary.md is, and its headline.
    """
    from ngt_report.bundles.opening import open_archive
    from ngt_report.reports import shown
    from ngt_report.show import headline
    from ngt_report.terminal import Progress

    progress = Progress(quiet=quiet)
    try:
        opened = open_archive(archive, out, progress)
    finally:
        progress.clear()
    if not quiet:
        for line in opened.said():
            say(line)
    emit(f"{shown(opened.built.folder / 'Summary.md')}\n\n{headline(opened.built.folder)}")


COMMANDS = (handoff, bundle, open_)
