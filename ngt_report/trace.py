"""Says where a number comes from: file, line and that line's text; for a derived number the formula and its inputs."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import Any

from msgspec import to_builtins

from ngt_report import queries
from ngt_report.assemble.cites import locator
from ngt_report.derived import DERIVED, WHY
from ngt_report.errors import UsageError
from ngt_report.formatting import plain
from ngt_report.linetext import LineTexts
from ngt_report.lookup import Number, Row, at_step, curve, made, nearest, number_at, run_names, select, split_step
from ngt_report.stats import perplexity
from ngt_report.store import Store, finite
from ngt_report.terminal import paint, safe

HIGHER = ("accuracy", "acc", "tokens_per_s", "steps_per_s", "mfu")


def trace(store: Store, folder: Path, asked: str) -> dict[str, Any]:
    """The numbers that RUN:METRIC[@STEP] means, each with its origin."""
    name, metric, step = _asked(asked)
    names = run_names(store)
    run = queries.find_run(names, name)
    shown = dict(names)[run]
    numbers = _derived(store, run, shown, metric) if step is None and metric in DERIVED else _printed(store, run, shown, metric, step)
    texts = LineTexts(store, folder)
    for number in numbers:
        _cite(number, texts)
    return {"asked": asked, "run": shown, "id": run, "metric": metric, "step": step, "numbers": numbers}


def _asked(text: str) -> tuple[str, str, int | None]:
    name, colon, rest = text.rpartition(":")
    if not colon or not name or not rest:
        raise UsageError(f"{text!r} names no number; give RUN:METRIC or RUN:METRIC@STEP, such as vanilla:val/loss@1000 or vanilla:best")
    metric, step = split_step(rest, [])
    return name, metric, step


def _derived(store: Store, run: str, shown: str, metric: str) -> list[Number]:
    number = DERIVED[metric](store, run)
    if number is None:
        raise UsageError(f"{shown} has no {metric}: {WHY[metric]}")
    return [number]


def _cite(number: Number, texts: LineTexts) -> None:
    """Give a number and its inputs the text of the lines they stand on."""
    if number.path is not None and number.line is not None and number.source is not None:
        number.text, why = texts.of(number.source, number.line)
        number.note = number.note or why
    for each in number.inputs:
        _cite(each, texts)


# -- numbers that a source printed ------------------------------------------------------------------------------------
def _printed(store: Store, run: str, shown: str, metric: str, step: int | None) -> list[Number]:
    if metric == "ppl" and step is not None:
        (loss,) = _printed(store, run, shown, "val/loss", step)
        return [made("ppl", perplexity(loss.value or 0.0), "exp(val/loss)", [loss], 4)]
    values = curve(store, run, metric)
    if not values:
        raise UsageError(_unknown(store, run, shown, metric))
    if step is None:
        return _ends(metric, values)
    found = [v for v in values if v["step"] == step]
    if not found:
        raise UsageError(f"{shown} has no {metric} at step {step}; {nearest({v['step']: v for v in values}, step)}")
    return [number_at(f"{metric} @{step}", found[0])]


def _unknown(store: Store, run: str, shown: str, metric: str) -> str:
    known = [r["metric"] for r in select(store, "metrics", {"run": run})] + list(DERIVED)
    near = difflib.get_close_matches(metric, known, 1)
    return f"{shown} has no metric {metric!r}; " + (f"did you mean {near[0]!r}?" if near else f"it has {', '.join(known[:30])}")


def _ends(metric: str, values: list[Row]) -> list[Number]:
    """Best and last of a curve; metrics without a better direction have only a last."""
    finite_ones = [v for v in values if finite(v["value"]) is not None]
    out = []
    if finite_ones and (_lower(metric) or metric.endswith(HIGHER)):
        best = min(finite_ones, key=lambda v: v["value"] if _lower(metric) else -v["value"])
        out.append(number_at(f"best {metric}{at_step(best['step'])}", best))
    return [*out, number_at(f"last {metric}{at_step(values[-1]['step'])}", values[-1])]


def _lower(metric: str) -> bool:
    return metric.endswith(("loss", "ppl", "perplexity", "bpb", "objective"))


# -- printed ----------------------------------------------------------------------------------------------------------
def to_json(traced: dict[str, Any]) -> str:
    """The answer for programs."""
    return json.dumps(finite({**traced, "numbers": [_bare(to_builtins(n)) for n in traced["numbers"]]}), indent=1, ensure_ascii=False)


def _bare(number: Row) -> Row:
    """Without what is not known, and without our own key of the source."""
    kept = {k: v for k, v in number.items() if v not in (None, []) and k != "source"}
    return {**kept, "inputs": [_bare(n) for n in number["inputs"]]} if number["inputs"] else kept


def to_text(traced: dict[str, Any]) -> str:
    """The answer for a terminal: inputs are indented below the number that is made of them."""
    return "\n".join(line for n in traced["numbers"] for line in _lines(n, f"{plain(traced['run'])} ", ""))


def _lines(number: Number, run: str, indent: str) -> list[str]:
    out = [f"{indent}{paint(number.shown, 'bold')}  {run}{plain(number.what)}"]
    if number.formula:
        out.append(f"{indent}  = {plain(number.formula)}")
    if number.path is not None:
        out.append(f"{indent}  {plain(locator(number.path, number.line, number.pointer))}")
    if number.text is not None:
        out.append(f"{indent}  {safe(number.text)}")
    if number.note:
        out.append(f"{indent}  ({plain(number.note)})")
    return out + [line for n in number.inputs for line in _lines(n, "", indent + "    ")]
