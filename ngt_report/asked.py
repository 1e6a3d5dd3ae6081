"""Numbers that a command line or ngtreport.toml asks for: whether they can be meant, and whether the runs have them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from ngt_report.errors import UsageError

if TYPE_CHECKING:
    from ngt_report.store import Store

MOST = 2**62  # steps


def possible(name: str, value: float | None, where: str) -> None:
    """Refuse a step or a target that no run can have.

    Args:
        name: step or target.
        where: what to call it, such as `--step`.

    Raises:
        UsageError: it is no step, or not finite.
    """
    if value is None:
        return
    if name == "step" and not 0 <= value < MOST:
        raise UsageError(f"{where} is {value}, which no run can reach; give a whole number from 0, at which runs were evaluated")
    if name == "target" and not math.isfinite(value):
        raise UsageError(f"{where} is {value}, which is no loss; give a finite number, such as 3.28")


def refuse_unknown_step(store: Store, step: int) -> None:
    """Refuse a step at which no compared run was evaluated; a set that lacks it says so where another has it.

    Raises:
        UsageError: it names the nearest common steps.
    """
    compared = store.run("SELECT budget FROM common_step WHERE runs > 1")
    if not compared or store.run("SELECT 1 FROM fixed_step JOIN common_step USING (budget) WHERE runs > 1 AND step = ? LIMIT 1", [step]):
        return
    raise UsageError(f"no compared run was evaluated at step {step}, which --step or ngtreport.toml asks for; {_nearest(store)}")


def _nearest(store: Store) -> str:
    from ngt_report.store import sql

    found = [str(near) for near in store.run(sql("staging/nearest.sql"))[0] if near is not None]
    if not found:
        return "the compared runs share no evaluated step"
    return f"the nearest common step is {found[0]}" if len(found) == 1 else f"the nearest common steps are {' and '.join(found)}"
