"""Findings for a reader: a few of those that say the same, and a count."""

from __future__ import annotations

from ngt_report.assemble.noticed import ALIKE, FEW, noticed
from ngt_report.model import FindingRow


def row(text: str, run: str | None = None, source: str | None = None, severity: str = "info") -> FindingRow:
    return FindingRow(severity, "kind", run, text, source, None)


def test_many_that_say_the_same_are_a_few_and_the_others() -> None:
    files = [f"logs/a{i}/config.json" for i in range(12)]
    found = tuple(row(f"{path} holds no metrics in any known format: no run", source=path) for path in files)
    (one,) = noticed(found)
    assert (one.shown, one.rest) == (found[:FEW], found[FEW:])


def test_names_and_numbers_do_not_make_a_sentence_another() -> None:
    found = tuple(row(f"run {name} ends 0.{i} above its best", run=name) for i, name in enumerate("abcdefgh"))
    assert [len(n.rest) for n in noticed(found)] == [len(found) - FEW]


def test_few_are_all_shown_and_others_stay_apart() -> None:
    found = (*(row(f"run {name} slows down", run=name) for name in "abcde"[:ALIKE]), row("run a has a spike", run="a"))
    assert [len(n.shown) for n in noticed(found)] == [ALIKE, 1] and not any(n.rest for n in noticed(found))


def test_another_level_is_another_sentence_and_equal_sentences_are_said_once() -> None:
    said = "No step is given; epochs count as steps."
    found = (row(said, severity="warning"), row(said), row(said))
    assert [(len(n.shown), len(n.rest)) for n in noticed(found)] == [(1, 0), (1, 1)]


def test_nothing_is_lost() -> None:
    found = tuple(row(f"run r{i} restarted {i % 3} times", run=f"r{i}") for i in range(40))
    assert [f for n in noticed(found) for f in (*n.shown, *n.rest)] == list(found)
