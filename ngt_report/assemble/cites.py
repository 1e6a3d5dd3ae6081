"""Where the numbers of Summary.md come from."""

from __future__ import annotations

from ngt_report.assemble.facts import Facts, Row
from ngt_report.formatting import decimals_text, number
from ngt_report.model import Cite


def locator(path: str | None, line: int | None, pointer: str | None) -> str:
    """file:line, or file and key where a line says too little."""
    if pointer and line:
        return f"{path}:{line} ({pointer})"
    return f"{path}:{line}" if line else f"{path} ({pointer})" if pointer else str(path)


def cites(facts: Facts) -> list[Cite]:
    """Best, last, loss at the common step and rate of every run, by display name."""
    ordered = sorted(facts.best.items(), key=lambda item: facts.name(item[0]))
    return [cite for run, best in ordered if best["best_loss"] is not None for cite in _run_cites(facts, run, best)]


def _run_cites(facts: Facts, run: str, b: Row) -> list[Cite]:
    name, fixed, speed = facts.name(run), facts.fixed.get(run), facts.speed.get(run)
    at = f" @{b['best_step']}" if b["best_step"] is not None else ""
    out = [_logged(name, f"best{at}", b, "best")]
    if b["refined_path"]:
        where = locator(b["refined_path"], b["refined_line"], b["refined_pointer"])
        out.append(Cite(name, "best, full precision", number(b["best_loss"]), where))
    if b["last_step"] != b["best_step"]:
        out.append(_logged(name, f"last @{b['last_step']}", b, "last"))
    if fixed and fixed["step"] not in (b["best_step"], b["last_step"]):
        where = locator(fixed["path"], fixed["line"], fixed["pointer"])
        out.append(Cite(name, f"loss @{fixed['step']}", decimals_text(fixed["loss"], fixed["decimals"]), where))
    if speed:
        where = f"{speed['to_path']}:{speed['from_line']} and :{speed['to_line']}"
        out.append(Cite(name, f"steps/s {speed['from_step']} -> {speed['to_step']}", f"{speed['steps_per_s']:.3f}", where))
    return out


def _logged(name: str, cell: str, b: Row, end: str) -> Cite:
    where = locator(b[f"{end}_path"], b[f"{end}_line"], b[f"{end}_pointer"])
    return Cite(name, cell, decimals_text(b[f"{end}_logged"], b[f"{end}_decimals"]), where)
