"""The `ngttrain` command line."""

import click


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="ngtreport", prog_name="ngttrain")
def main() -> None:
    """Train small language models and write their event logs.

    The trainer is being written: this version has no commands yet. Its event log is specified in docs/events.md, and
    ngtreport reads it already.
    """
