"""Two runs side by side: at one step, else at the largest step both were evaluated at, and what else differs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from textwrap import wrap
from typing import Any

from ngt_report import queries
from ngt_report.assemble.cites import locator
from ngt_report.assemble.confounds import CONFOUNDS, SPOKEN, confound_value
from ngt_report.differing import recorded
from ngt_report.errors import UsageError
from ngt_report.formatting import duration, number, percent, plain, signed
from ngt_report.lookup import Row, curve, nearest, run_names, shown_value, split_step
from ngt_report.stats import perplexity
from ngt_report.store import Store, finite
from ngt_report.terminal import SHORTEST, cells, paint, shorten, table


def compare(store: Store, first: str, second: str) -> dict[str, Any]:
    """All that a comparison of two runs says; steps stand after an @."""
    asked = [split_step(text, [n for pair in run_names(store) for n in pair]) for text in (first, second)]
    runs = [_run(store, name) for name, _ in asked]
    curves = [_losses(store, run) for run in runs]
    steps = _steps(runs, curves, [step for _, step in asked])
    points = [_point(run, values, step) for run, values, step in zip(runs, curves, steps, strict=True)]
    delta = points[1]["value"] - points[0]["value"]
    return {
        "runs": [_side(store, run, point, speed) for run, point, speed in zip(runs, points, _speeds(curves), strict=True)],
        "delta_loss": delta,
        "delta_ppl": perplexity(delta) - 1,
        "same_step": steps[0] == steps[1],
        "warnings": _warnings(runs, steps),
        "config": _config(runs),
    }


def _run(store: Store, text: str) -> Row:
    run = queries.find_run(run_names(store), text)
    (row,) = store.rows("SELECT r.*, p.name AS parent_name FROM runs AS r LEFT JOIN runs AS p ON p.run = r.parent WHERE r.run = ?", [run])
    return {**row, "config": json.loads(row["config"] or "{}")}


def _losses(store: Store, run: Row) -> dict[int | None, Row]:
    """Step -> evaluation, of the finite validation losses."""
    points = {p["step"]: p for p in curve(store, run["run"], "val/loss") if finite(p["value"]) is not None}
    if not points:
        raise UsageError(f"{run['name']} has no validation loss, so there is nothing to compare")
    return points


def _steps(runs: list[Row], curves: list[dict[int | None, Row]], asked: list[int | None]) -> list[int | None]:
    """The step of either run: as asked, else the one that was asked of the other, else the largest common one."""
    if asked == [None, None]:
        common = curves[0].keys() & curves[1].keys()
        if not common:
            spans = " and ".join(f"{r['name']} {_span(c)}" for r, c in zip(runs, curves, strict=True))
            raise UsageError(f"the runs share no evaluated step ({spans}); name two with A@STEP B@STEP")
        return [max(common, key=lambda s: -1 if s is None else s)] * 2
    return [asked[0] if asked[0] is not None else asked[1], asked[1] if asked[1] is not None else asked[0]]


def _span(values: dict[int | None, Row]) -> str:
    steps = sorted(s for s in values if s is not None)
    return f"was evaluated at {steps[0]} to {steps[-1]}" if steps else "has no steps"


def _point(run: Row, values: dict[int | None, Row], step: int | None) -> Row:
    if step in values:
        return values[step]
    raise UsageError(f"{run['name']} has no evaluation at step {step}; {nearest(values, step or 0)}")


def _speeds(curves: list[dict[int | None, Row]]) -> list[Row | None]:
    """Steps per second of both between their first and last common evaluations with a clock."""
    common = sorted(s for s in curves[0].keys() & curves[1].keys() if s and all(c[s]["clock_s"] is not None for c in curves))
    if len(common) < 2:
        return [None, None]
    a, b = common[0], common[-1]
    seconds = [c[b]["clock_s"] - c[a]["clock_s"] for c in curves]
    return [{"from_step": a, "to_step": b, "steps_per_s": (b - a) / s} if s > 0 else None for s in seconds]


def _side(store: Store, run: Row, point: Row, speed: Row | None) -> Row:
    (best,) = store.rows("SELECT best_loss, best_logged, best_decimals, best_step FROM best_last WHERE run = ?", [run["run"]])
    times = store.run("SELECT train_time_s FROM train_time WHERE run = ?", [run["run"]])
    return {
        "run": run["name"], "id": run["run"], "step": point["step"],
        "val_loss": point["value"], "logged": shown_value(point["value"], point["decimals"]),
        "ppl": perplexity(point["value"]), "source": point["path"], "line": point["line"], "pointer": point["pointer"],
        "time_at_step_s": point["clock_s"], "train_time_s": times[0][0] if times else None, "throughput": speed,
        "best": {
            "val_loss": best["best_loss"], "logged": shown_value(best["best_logged"], best["best_decimals"]), "step": best["best_step"],
        },
        "status": run["status"],
    }  # fmt: skip


def _warnings(runs: list[Row], steps: list[int | None]) -> list[str]:
    out = []
    if steps[0] != steps[1]:
        out.append(f"different steps: {runs[0]['name']} at {steps[0]}, {runs[1]['name']} at {steps[1]}")
    for run in runs:
        if run["is_continuation"]:
            out.append(f"{run['name']} continues {run['parent_name'] or 'an earlier run'}: it has seen more steps than its own log shows")
    if runs[0]["total_steps"] != runs[1]["total_steps"]:
        totals = ["not recorded" if r["total_steps"] is None else f"{r['total_steps']:,}" for r in runs]
        out.append(f"step budget differs: {totals[0]} against {totals[1]} steps; a schedule cut short is not a finished run")
    for key in CONFOUNDS:
        values = [confound_value(r, key) for r in runs]
        if values[0] != values[1]:
            out.append(f"{SPOKEN.get(key, key.replace('_', ' '))} differs: {_word(values[0])} against {_word(values[1])}")
    return out


def _config(runs: list[Row]) -> list[Row]:
    """Every recorded setting of either run, and whether they agree."""
    sides = [recorded(r) for r in runs]
    keys = sorted({k for s in sides for k in s if any(o.get(k) is not None for o in sides)})
    return [{"key": k, "values": [s.get(k) for s in sides], "equal": sides[0].get(k) == sides[1].get(k)} for k in keys]


def _word(value: Any) -> str:
    return "not recorded" if value is None else number(value)


# -- printed ----------------------------------------------------------------------------------------------------------
def to_json(compared: dict[str, Any], diff_only: bool) -> str:
    """The comparison for programs."""
    config = [c for c in compared["config"] if not (diff_only and c["equal"])]
    return json.dumps(finite({**compared, "config": config}), indent=1, ensure_ascii=False)


def to_text(compared: dict[str, Any], diff_only: bool, width: int | None) -> str:
    """The comparison for a terminal: what may mislead first, then the numbers, then the settings."""
    a, b = compared["runs"]
    lines = [paint("careful: ", "yellow") + plain(w) for w in compared["warnings"]]
    lines += [""] if lines else []
    lines += beside(("", a["run"], b["run"], "difference"), _rows(a, b, compared), "lrrr", width)
    lines += [plain(f"{s['run']}: {locator(s['source'], s['line'], s['pointer'])}") for s in (a, b)]
    listed = [c for c in compared["config"] if not (diff_only and c["equal"])]
    config = [(c["key"], *map(_word, c["values"]), "" if c["equal"] else "differs") for c in listed]
    lines += ["", *beside(("setting", a["run"], b["run"], ""), config, "llll", width)] if config else ["", "no recorded setting differs"]
    return "\n".join(lines)


def beside(head: Sequence[str], rows: Sequence[Sequence[str]], align: str, width: int | None) -> list[str]:
    """A table of two columns between a title and a remark; too wide, both are shortened, or in the end each row is a sentence."""
    every = [tuple(plain(cell) for cell in row) for row in (head, *rows)]
    sizes = [max(cells(row[i]) for row in every) for i in range(4)]
    if width is None or sum(sizes) + 6 <= width:
        return table(head, rows, align)
    room = (width - sizes[0] - sizes[3] - 6) // 2
    if room < SHORTEST:
        return _sentences(every, width)
    right = min(sizes[2], max(room, 2 * room - sizes[1]))  # what one side does not need is the other's
    left = min(sizes[1], 2 * room - right)
    fitted = [(name, shorten(a, left), shorten(b, right), remark) for name, a, b, remark in every]
    return table(fitted[0], fitted[1:], align)


def _sentences(every: Sequence[tuple[str, ...]], width: int) -> list[str]:
    """`val loss: 3.2816, 3.2344 (-0.0472)`: both values after the title, broken between words where it must be."""
    (title, first, second, _), *rows = every
    said = [f"{title or 'runs'}: {first}, {second}"]
    for name, a, b, remark in rows:
        said.append(f"{name}: {a if a == b and not remark else f'{a}, {b}'}{f' ({remark})' if remark else ''}")
    return [line for text in said for line in wrap(text, max(8, width), subsequent_indent="  ")]


def to_html(compared: dict[str, Any]) -> str:
    """The comparison for a notebook: what may mislead, the numbers, the settings that differ."""
    a, b = compared["runs"]
    careful = "".join(f"<p><b>careful:</b> {escape(w)}</p>" for w in compared["warnings"])
    config = [(c["key"], *map(_word, c["values"])) for c in compared["config"] if not c["equal"]]
    head = ("", a["run"], b["run"])
    settings = _html(("setting", *head[1:]), config) if config else "<p>no recorded setting differs</p>"
    return careful + _html((*head, "difference"), _rows(a, b, compared)) + settings


def _html(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    cells = ["".join(f"<td>{escape(plain(c))}</td>" for c in row) for row in rows]
    top = "".join(f"<th>{escape(plain(c))}</th>" for c in head)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{''.join(f'<tr>{c}</tr>' for c in cells)}</tbody></table>"


def _rows(a: Row, b: Row, compared: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    def both(name: str, show: Any, difference: str = "") -> tuple[str, str, str, str]:
        return name, show(a), show(b), difference

    speeds = [s["throughput"] and s["throughput"]["steps_per_s"] for s in (a, b)]
    horizon = f" {a['throughput']['from_step']}-{a['throughput']['to_step']}" if a["throughput"] else ""
    return [
        both("step", lambda s: "final" if s["step"] is None else str(s["step"])),
        both("val loss", lambda s: s["logged"], signed(compared["delta_loss"])),
        both("ppl", lambda s: f"{s['ppl']:.2f}" if s["ppl"] < 1e7 else f"{s['ppl']:.3e}", percent(compared["delta_ppl"])),
        both("time to it", lambda s: duration(s["time_at_step_s"]), _ratio(a["time_at_step_s"], b["time_at_step_s"])),
        both(f"steps/s{horizon}", lambda s: f"{s['throughput']['steps_per_s']:.3f}" if s["throughput"] else "-", _ratio(*speeds)),
        both("train time", lambda s: duration(s["train_time_s"]), _ratio(a["train_time_s"], b["train_time_s"])),
        both("best", lambda s: s["best"]["logged"] + ("" if s["best"]["step"] is None else f" @{s['best']['step']}")),
        both("status", lambda s: s["status"] or "-"),
    ]


def _ratio(first: float | None, second: float | None) -> str:
    return f"{second / first:.2f}x" if first and second else ""
