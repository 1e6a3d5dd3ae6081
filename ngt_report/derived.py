"""Numbers that are made of others: each with its formula and its inputs, down to the lines they were printed on."""

from __future__ import annotations

from collections.abc import Callable

from ngt_report.formatting import decimals_text
from ngt_report.lookup import Number, at_step, made, number_at, select, shown_value
from ngt_report.sources import named
from ngt_report.stats import perplexity
from ngt_report.store import Store

FORMULA = {"best": "the lowest of {} validation losses, the first if several", "last": "at the largest step of {} evaluations"}


def _end(store: Store, run: str, end: str) -> Number | None:
    """best or last: the logged value, and the same at full precision where a checkpoint or a results file has it."""
    rows = store.rows("SELECT * FROM best_last WHERE run = ?", [run])
    if not rows or rows[0][f"{end}_logged"] is None:
        return None
    r = {k.removeprefix(f"{end}_"): v for k, v in rows[0].items()}
    number = Number(
        f"{end} val/loss{at_step(r['step'])}", r["logged"], decimals_text(r["logged"], r["decimals"]), r["path"], r["line"], r["pointer"]
    )
    number.source = r["source"]
    number.formula = FORMULA[end].format(r["n_val"])
    if end == "best" and r["refined_path"]:
        exact = Number("the same at full precision", r["loss"], shown_value(r["loss"], None), r["refined_path"], r["refined_line"])
        exact.pointer, exact.source = r["refined_pointer"], r["refined_source"]
        number.inputs.append(exact)
    return number


def _ppl(store: Store, run: str) -> Number | None:
    best = _end(store, run, "best")
    if best is None or best.value is None:
        return None
    exact = best.inputs[0] if best.inputs else best
    return made("ppl of the best", perplexity(exact.value or 0.0), "exp(best val/loss)", [best], 4)


def _rate(store: Store, run: str) -> Number | None:
    rows = store.rows("SELECT * FROM throughput WHERE run = ? ORDER BY budget NULLS LAST", [run])
    if not rows:
        return None
    r = rows[0]
    inputs = [_clock(store, run, r[f"{end}_step"], r[f"{end}_clock_s"]) for end in ("from", "to")]
    formula = f"({r['to_step']} - {r['from_step']}) / ({r['to_clock_s']:.9g} s - {r['from_clock_s']:.9g} s)"
    return made(f"steps/s from step {r['from_step']} to {r['to_step']}", r["steps_per_s"], formula, inputs, 6)


def _per_step(store: Store, run: str) -> Number | None:
    rate = _rate(store, run)
    return made("seconds per step", 1 / rate.value, "1 / steps/s", [rate], 6) if rate and rate.value else None


def _clock(store: Store, run: str, step: int | None, clock: float) -> Number:
    """A reading of the training clock, where it was printed."""
    found = select(store, "clock", {"run": run, "step": step, "clock": clock})
    what = "training clock" + ("" if step is None else f" at step {step}")
    if not found:
        return Number(what, clock, f"{clock:.9g} s", note="no source printed this reading by itself")
    r = found[0]
    form = named(r["format"])
    note = f"no line prints it: {form.clock}" if form and form.sums else None
    if r["offset_s"]:
        note = f"printed as {r['elapsed_s']:.9g} s, after {r['offset_s']:.9g} s before the restart"
    return Number(what, clock, f"{clock:.9g} s", r["path"], r["line"], r["pointer"], note=note, source=r["source"])


def _time(store: Store, run: str) -> Number | None:
    rows = store.run("SELECT train_time_s FROM train_time WHERE run = ? AND train_time_s IS NOT NULL", [run])
    if not rows:
        return None
    reading = _clock(store, run, None, rows[0][0])
    stated = select(store, "stated_time", {"run": run})
    if reading.path is None and stated:
        r = stated[0]
        return Number("train time", rows[0][0], f"{rows[0][0]:.9g} s", r["path"], r["line"], r["pointer"], source=r["source"])
    return Number("train time", rows[0][0], f"{rows[0][0]:.9g} s", formula="the training clock at its last reading", inputs=[reading])


def _delta(store: Store, run: str, relative: bool = False) -> Number | None:
    rows = store.rows("SELECT * FROM delta WHERE run = ?", [run])
    fixed = {r["run"]: r for r in store.rows("SELECT f.*, f.loss AS value, r.name FROM fixed_step AS f JOIN runs AS r USING (run)")}
    if not rows or rows[0]["delta_loss"] is None:
        return None
    own, base = fixed[run], fixed[rows[0]["baseline"]]
    inputs = [number_at(f"{r['name']} val/loss{at_step(r['step'])}", r) for r in (own, base)]
    if relative:
        return made(f"ppl to {base['name']}, relative", rows[0]["delta_ppl"], "exp(val/loss - val/loss of the baseline) - 1", inputs, 6)
    return made(f"delta to {base['name']}", rows[0]["delta_loss"], "val/loss - val/loss of the baseline", inputs, 6)


def _rank(store: Store, run: str) -> Number | None:
    ranked = select(store, "ranked", {"run": run})
    own = next((r for r in ranked if r["run"] == run), None)
    if own is None:
        return None
    inputs = [number_at(f"{r['place']}. {r['name']}", r) for r in ranked if abs(r["place"] - own["place"]) < 3 or r["place"] == 1]
    return made("rank", own["place"], f"place by best val/loss among {len(ranked)} compared runs; the nearest are shown", inputs, 0)


DERIVED: dict[str, Callable[[Store, str], Number | None]] = {
    "best": lambda store, run: _end(store, run, "best"),
    "last": lambda store, run: _end(store, run, "last"),
    "ppl": _ppl,
    "delta": _delta,
    "delta_ppl": lambda store, run: _delta(store, run, relative=True),
    "rank": _rank,
    "steps_per_s": _rate,
    "s_per_step": _per_step,
    "train_time": _time,
}
WHY = {
    "best": "it has no validation loss",
    "last": "it has no validation loss",
    "ppl": "it has no validation loss",
    "delta": "it is compared with no baseline",
    "delta_ppl": "it is compared with no baseline",
    "rank": "it is compared with no other run; `ngtreport show` says why",
    "steps_per_s": "it has no two evaluations with a clock",
    "s_per_step": "it has no two evaluations with a clock",
    "train_time": "its sources print no clock",
}
