"""Learning-rate schedules: the factor on every rate, a pure function of the step."""

from __future__ import annotations

import math

from ngt_train.config import ScheduleConfig


def factor(schedule: ScheduleConfig, step: int, steps: int) -> float:
    """Factor for the optimizer step number `step` (from 0) of `steps`.

    Warm-up is (step + 1) / warmup, so that no step is lost at rate 0; then constant, cosine (Loshchilov and Hutter 2017),
    linear, or trapezoid (constant until the last `warmdown` steps, then linear).
    """
    warmup = schedule.warmup_steps(steps)
    if step < warmup:
        return (step + 1) / warmup
    if schedule.kind == "constant":
        return 1.0
    begin = steps - schedule.warmdown if schedule.kind == "trapezoid" else warmup
    if step < begin or begin >= steps:
        return 1.0
    done = min(1.0, (step - begin) / (steps - begin))
    left = 0.5 * (1 + math.cos(math.pi * done)) if schedule.kind == "cosine" else 1 - done
    return schedule.minimum + (1 - schedule.minimum) * left
