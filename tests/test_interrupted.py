"""What counts as Ctrl+C among the errors of the database engine."""

from __future__ import annotations

from itertools import pairwise

import pytest

from ngt_report.engine import interrupted


def behind(*errors: BaseException) -> BaseException:
    """The first of these errors, each caused by the next."""
    for error, cause in pairwise(errors):
        error.__cause__ = cause
    return errors[0]


def test_an_interruption_behind_other_errors_is_one() -> None:
    assert interrupted(behind(ValueError("a"), OSError("b"), RuntimeError("Query interrupted")))
    assert not interrupted(behind(ValueError("a"), RuntimeError("something else")))


@pytest.mark.parametrize("length", [1, 2, 3])
def test_errors_that_are_their_own_cause_have_an_end(length: int) -> None:
    errors = [ValueError(str(i)) for i in range(length)]
    assert not interrupted(behind(*errors, errors[0]))
