"""The commands of `ngtreport` that test and compare: stat, campaign, diff."""

from __future__ import annotations

import click

from ngt_report.cli import command, emit, folder_of, json_option, report_argument, width
from ngt_report.errors import GateError

RULES = click.Choice(["modded-track1", "modded-track3", "nats-0.005"])
MAY_REPEAT = "may be repeated."


@command()
@click.argument("paths", metavar="[PATH...]", nargs=-1)
@click.option("--rule", "rules", multiple=True, type=RULES, help=f"A rule by which results are accepted; {MAY_REPEAT}")
@click.option("--target", type=float, metavar="LOSS", help="The loss of the rules; left out, 3.28.")
@click.option("--baseline", metavar="RUN", help="A run of the group that others are compared with.")
@click.option("--group-by", metavar="KEY", multiple=True, help=f"A setting whose equal values make runs a group; {MAY_REPEAT}")
@click.option("--except", "except_keys", metavar="KEY", multiple=True, help=f"A setting that may differ within a group; {MAY_REPEAT}")
@click.option("--step", type=click.IntRange(min=0), metavar="N", help="Compare at this step, not at the largest common one.")
@click.option(
    "--at", type=click.Choice(["common", "best"]), default="common", show_default=True, help="The common step, or the best of each run."
)
@click.option("--check", is_flag=True, help="Exit 1 when no group passes a rule that was asked for.")
@json_option
def stat(
    paths: tuple[str, ...], rules: tuple[str, ...], target: float | None, baseline: str | None, group_by: tuple[str, ...],
    except_keys: tuple[str, ...], step: int | None, at: str, check: bool, as_json: bool,
) -> None:  # fmt: skip
    """Test groups of seeds against each other.

    Of logs, or of a report: Welch's test, paired by seed, a bootstrap interval, the smallest difference that these runs
    could have seen, and a verdict in plain words. Left out, PATH is the only report in artifacts/.
    """
    from ngt_report import significance
    from ngt_report.build import Request

    request = Request(paths, None, baseline, step, target, group_by, except_keys)
    found = significance.stat(request, rules, at)
    emit(significance.to_json(found) if as_json else significance.to_text(found, width()))
    failed = [rule for rule in rules if not any(r["passes"] for r in found["rules"] if r["rule"].split()[0] == rule)]
    if check and failed:
        raise GateError(f"no group passes {' or '.join(failed)}, and --check was asked for")


@command()
@report_argument
@click.option(
    "--toml",
    metavar="RUN",
    is_flag=False,
    flag_value="",
    help="The configuration of RUN, left out the best run, for ngttrain run --config.",
)
@json_option
def campaign(directory: str | None, toml: str | None, as_json: bool) -> None:
    """Show sweeps as phases.

    The best of each with its configuration, what one setting changed with everything else equal, and what may be said
    from phase to phase.
    """
    from ngt_report import sweeps

    folder = folder_of(directory)
    if toml is not None:
        emit(sweeps.configuration(folder, toml or None).removesuffix("\n"))
        return
    emit(sweeps.to_json(folder) if as_json else sweeps.to_text(folder, width()))


@command()
@click.argument("old")
@click.argument("new")
@json_option
def diff(old: str, new: str, as_json: bool) -> None:
    """Say what changed between two builds.

    Of two report folders: runs that came and went, numbers, settings, verdicts and findings that are others now.
    """
    from ngt_report import difference

    found = difference.difference(old, new)
    emit(difference.to_json(found) if as_json else difference.to_text(found))


COMMANDS = (stat, campaign, diff)
