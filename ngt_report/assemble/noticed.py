"""Findings for a reader: many that say the same of one run or file after another are a few of them and a count."""

from __future__ import annotations

import re

from ngt_report.model import FindingRow, Noticed

ALIKE = 5  # findings of one sentence that are all shown
FEW = 3  # of more than that, those that are
TELLING = 5  # words of a sentence, names and numbers left out, that make it the same one
NAME = re.compile(r"\S*[\d/_.#]\S*")  # a number, a path, a name of a file or a run


def noticed(findings: tuple[FindingRow, ...]) -> tuple[Noticed, ...]:
    """Findings by what they say, in their order; of long sets the first ones are shown."""
    alike: dict[tuple[str, ...], list[FindingRow]] = {}
    for f in findings:
        alike.setdefault(_sentence(f), []).append(f)
    return tuple(_parted(found) for found in alike.values())


def _parted(found: list[FindingRow]) -> Noticed:
    """The first findings and the others; of equal sentences one is enough."""
    equal = len({f.text for f in found}) == 1
    shown = 1 if equal else FEW if len(found) > ALIKE else len(found)
    return Noticed(tuple(found[:shown]), tuple(found[shown:]))


def _sentence(f: FindingRow) -> tuple[str, ...]:
    """What a finding says, without of whom: its level, its kind, and its first words that are no names."""
    text = f.text
    for name in (f.source, f.run):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", " ", text) if name else text
    return (f.severity, f.kind, *NAME.sub(" ", text).split()[:TELLING])
