"""Stretches of equal lines give the numbers that each line gives alone, and end where a line is odd."""

from __future__ import annotations

import re
from random import Random

import pytest

from ngt_report.sources.keyvalue import DIALECT
from ngt_report.text import printed
from ngt_report.text.datalines import DataLines

NAMES = ("loss", "val_loss", "grad_norm", "lr", "mfu")


def number(rng: Random, places: int | None, digits: int, signed: bool) -> str:
    """A number of up to so many digits before its point."""
    whole = "".join(rng.choices("0123456789", k=rng.randint(1, digits)))
    part = "" if places is None else "." + "".join(rng.choices("0123456789", k=places))
    return rng.choice(("", "-") if signed else ("",)) + whole + part


def lines(rng: Random) -> list[str]:
    """Lines of one shape whose numbers have all lengths."""
    kinds = [(name, rng.choice((None, 1, 4, 8, 14)), rng.choice((1, 3, 8, 9, 15)), rng.random() < 0.3) for name in NAMES]
    between = rng.choice((" ", ", ", " | ", " - "))
    texts = []
    for i in range(rng.choice((1500, 4000))):
        values = between.join(f"{name} {number(rng, places, digits, signed)}" for name, places, digits, signed in kinds)
        texts.append(f"step {i * rng.randint(1, 9)}/4000: {values}")
    return texts


@pytest.mark.parametrize("seed", range(20))
def test_numbers_are_those_of_each_line(seed: int) -> None:
    block = ("\n".join(lines(Random(seed))) + "\n").encode()
    found = DataLines(DIALECT).equal_lines(block, 0)
    if found is None:  # the first lines have a number that is too long
        return
    start, end, span = found
    pattern = re.compile(span.shapes[0].pattern.encode())
    rows = [pattern.fullmatch(line) for line in block[start:end].split(b"\n")[:-1]]
    assert len(rows) == len(span.columns[0])
    for group, column in enumerate(span.columns, 1):
        assert [str(float(row[group])) for row in rows] == [str(float(v)) for v in column.values]


ODD = [("step 7", "st7ep "), ("step 7", "step -7"), ("loss 1", "lo1ss "), (".", ".0"), ("/", "//"), ("3", "x"), ("s", "s1"), (" ", "  ")]


@pytest.mark.parametrize("old, new", ODD)
def test_a_line_with_a_byte_elsewhere_ends_the_stretch(old: str, new: str) -> None:
    good = [f"step 7{i}/99999 loss 1.3{i % 10} val_loss 2.5" for i in range(1000, 4000)]
    odd = good[2500].replace(old, new, 1)
    block = ("\n".join([*good[:2500], odd, *good[2501:]]) + "\n").encode()
    found = DataLines(DIALECT).equal_lines(block, 0)
    assert found is not None
    assert found[:2] == (0, block.index(odd.encode()))
    assert found[1] > printed.LEAST


@pytest.mark.parametrize("before", [1, 900, 1500, 2500, 3900])
def test_numbers_that_grow_a_digit_do_not_end_the_stretch(before: int) -> None:
    texts = [f"step {10_000 - before + i}/99999 loss 1.3{i % 10} val_loss 2.5" for i in range(6000)]
    block = ("\n".join(texts) + "\n").encode()
    found = DataLines(DIALECT).equal_lines(block, 0)
    assert found is not None
    assert found[:2] == (0, len(block))
    assert [int(v) for v in found[2].columns[0].values] == [10_000 - before + i for i in range(6000)]


@pytest.mark.parametrize("few", [0, 1, 8])
def test_layouts_in_runs_and_one_by_one_are_those_of_each_line(few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printed, "MOST_FEW", few)
    rng = Random(few)
    kind = printed.Kind((b"a", b"/", b" b=", b""), (b"", b"", b"-?+"), (None, None, 2))
    for odd in (b"a1/2 b=1.0", b"", b"a1/2 b=1.0;", b"a1/2 b=:.00", b"A1/2 b=1.00"):
        texts: list[bytes] = []
        while len(texts) < 400:
            line = b"a%d/%d b=%.2f" % (10 ** rng.randrange(5), 10 ** rng.randrange(3), rng.choice((1, -1, 10)))
            texts += [line] * rng.choice((1, 1, 2, 40))
        at = rng.randrange(1, len(texts))
        layouts = printed.Layouts(kind)
        found, size = layouts.kinds(b"\n".join([*texts[:at], odd, *texts[at:]]) + b"\n")
        assert size == sum(len(line) + 1 for line in texts[:at])
        assert [layouts.sizes[k] for k in found] == [len(line) + 1 for line in texts[:at]]
        assert [layouts.counts[k][0] for k in found] == [line.index(b"/") - 1 for line in texts[:at]]
        assert [layouts.signs[k][2] for k in found] == [b"-" in line for line in texts[:at]]
