"""The runs table of a page: its columns, the cells of a run, and the origin of each number: formula, file, line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct, field

from ngt_report import batches
from ngt_report import formatting as fmt
from ngt_report.assemble.confounds import SPOKEN
from ngt_report.assemble.facts import Facts, Row
from ngt_report.model import Group, Report
from ngt_report.page.model import Origin
from ngt_report.stats import finite_perplexity
from ngt_report.store import Store, sql

Cell = list[Any]  # [value, text] or [value, text, origin]
Point = tuple[str | None, int | None, str | None]  # path, line, pointer


class Origins(Struct):
    """Where numbers come from: each way to say it once, numbers refer to it by its place."""

    facts: dict[tuple[str, str], Point] = field(default_factory=dict)  # (run, key): where what a run records stands
    paths: dict[str, int] = field(default_factory=dict)
    said: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def path(self, path: str) -> int:
        """A path's place in the list of paths."""
        return self.paths.setdefault(path, len(self.paths))

    def of(self, formula: str | None, *points: Point) -> int:
        """The place of an origin: a formula or none, and the lines that its inputs stand on."""
        at = tuple((self.path(path), line, pointer) for path, line, pointer in points if path is not None)
        return self.said.setdefault((formula, at), len(self.said))

    def recorded(self, facts: Facts, run: str, key: str) -> list[int]:
        """The origin of a recorded or declared fact, in a list; an empty one where it is not known."""
        if key in facts.runs[run]["declared"]:
            return [self.of("declared in ngtreport.toml")]
        return [self.of(None, self.facts[run, key])] if (run, key) in self.facts else []

    def listed(self) -> list[list[Any]]:
        """For the page: [formula, [[path, line, pointer], ...]]."""
        return [[formula, [list(point) for point in at]] for formula, at in self.said]


class Column(Struct, frozen=True):
    """A column of the runs table."""

    key: str
    title: str
    kind: str  # number, text or setting
    better: str | None  # lower, higher, or None where neither is
    about: str
    cell: Callable[[Facts, str, Origins], Cell | None]


def _ended(facts: Facts, run: str, end: str) -> Point:
    """Where a run's best, last or refined loss stands."""
    b = facts.best[run]
    return b[f"{end}_path"], b[f"{end}_line"], b[f"{end}_pointer"]


def _end(end: str) -> Callable[[Facts, str, Origins], Cell | None]:
    """Best or last validation loss, as logged; sorted by the full precision where it is known."""

    def cell(facts: Facts, run: str, origins: Origins) -> Cell | None:
        b = facts.best.get(run)
        if b is None or b[f"{end}_logged"] is None:
            return None
        at = [_ended(facts, run, end)]
        formula = None
        if end == "best" and b["refined_path"]:
            at.append((b["refined_path"], b["refined_line"], b["refined_pointer"]))
            formula = f"{fmt.number(b['best_loss'])} at full precision"
        return [b[f"{end}_loss"], fmt.decimals_text(b[f"{end}_logged"], b[f"{end}_decimals"]), origins.of(formula, *at)]

    return cell


def _end_step(end: str) -> Callable[[Facts, str, Origins], Cell | None]:
    def cell(facts: Facts, run: str, origins: Origins) -> Cell | None:
        b = facts.best.get(run)
        if b is None or b[f"{end}_step"] is None or b[f"{end}_logged"] is None:
            return None
        return [b[f"{end}_step"], f"{b[f'{end}_step']:,}", origins.of(None, _ended(facts, run, end))]

    return cell


def _ppl(facts: Facts, run: str, origins: Origins) -> Cell | None:
    b = facts.best.get(run)
    value = finite_perplexity(b["best_loss"]) if b else None
    if b is None or value is None:
        return None
    at = _ended(facts, run, "refined" if b["refined_path"] else "best")
    return [
        value,
        f"{value:.2f}" if value < 1e4 else f"{value:,.0f}" if value < 1e7 else f"{value:.3e}",
        origins.of(f"exp({fmt.number(b['best_loss'])})", at),
    ]


def _perplexity(value: float) -> str:
    return f"{value:.2f}" if value < 1e4 else f"{value:,.0f}" if value < 1e7 else f"{value:.3e}"


def _gap(facts: Facts, run: str, origins: Origins) -> Cell | None:
    b = facts.best.get(run)
    if b is None or b["best_logged"] is None:
        return None
    value = b["last_logged"] - b["best_logged"]
    at = [_ended(facts, run, end) for end in ("last", "best")]
    return [value, fmt.decimals_text(value, b["last_decimals"]), origins.of("last - best", *at)]


def _fixed(facts: Facts, run: str, origins: Origins) -> Cell | None:
    f = facts.fixed.get(run)
    if f is None:
        return None
    return [f["loss"], fmt.decimals_text(f["loss"], f["decimals"]), origins.of(None, (f["path"], f["line"], f["pointer"]))]


def _delta(key: str) -> Callable[[Facts, str, Origins], Cell | None]:
    """Difference to the baseline at the common step, in loss or in perplexity."""
    formula = "loss - loss of the baseline" if key == "delta_loss" else "exp(loss - loss of the baseline) - 1"

    def cell(facts: Facts, run: str, origins: Origins) -> Cell | None:
        d = facts.delta.get(run)
        if d is None:
            return None
        if d["baseline"] == run:
            return [0.0, "baseline"]
        if d[key] is None:
            return None
        at = [(f["path"], f["line"], f["pointer"]) for f in (facts.fixed[run], facts.fixed[d["baseline"]])]
        return [d[key], fmt.signed(d[key]) if key == "delta_loss" else fmt.percent(d[key]), origins.of(formula, *at)]

    return cell


def _rate(inverse: bool) -> Callable[[Facts, str, Origins], Cell | None]:
    """Steps per second, or seconds per step, between two evaluations."""

    def cell(facts: Facts, run: str, origins: Origins) -> Cell | None:
        s = facts.speed.get(run)
        if s is None:
            return None
        formula = f"({s['to_step']} - {s['from_step']}) / ({s['to_clock_s']:.9g} s - {s['from_clock_s']:.9g} s)"
        at = _clock_points(facts, run)
        value = s["s_per_step"] if inverse else s["steps_per_s"]
        return [value, fmt.rate(value), origins.of(f"1 / ({formula})" if inverse else formula, *at)]

    return cell


def _clock_points(facts: Facts, run: str) -> list[Point]:
    s = facts.speed[run]
    return [(s["to_path"], s["from_line"], None), (s["to_path"], s["to_line"], None)]


def _ratio(facts: Facts, run: str, origins: Origins) -> Cell | None:
    d = facts.delta.get(run)
    if d is None or d["time_ratio"] is None:
        return None
    at = [point for r in (run, d["baseline"]) if r in facts.speed for point in _clock_points(facts, r)]
    return [d["time_ratio"], f"{d['time_ratio']:.2f}x", origins.of("seconds per step / seconds per step of the baseline", *at)]


def _time(facts: Facts, run: str, origins: Origins) -> Cell | None:
    t, b = facts.time.get(run), facts.best.get(run)
    if t is None or t["train_time_s"] is None:
        return None
    printed = b is not None and b["last_clock_s"] == t["train_time_s"]
    at = [_ended(facts, run, "last")] if printed else []
    return [t["train_time_s"], fmt.duration(t["train_time_s"]), origins.of("the training clock at its last reading", *at)]


def _place(facts: Facts, run: str, origins: Origins) -> Cell | None:
    row = next((r for r in facts.rows["ranking"] if r["run"] == run), None)
    if row is None:
        return None
    return [row["place"], str(row["place"]), origins.of("place by best validation loss in its compared set", _ended(facts, run, "best"))]


def _count(key: str, formula: str) -> Callable[[Facts, str, Origins], Cell | None]:
    def cell(facts: Facts, run: str, origins: Origins) -> Cell | None:
        value = (facts.best.get(run) if key == "n_val" else facts.time.get(run)) or {}
        if not value.get(key):
            return None
        return [value[key], f"{value[key]:,}", *([origins.of(formula, _ended(facts, run, "last"))] if run in facts.best else [])]

    return cell


def _said(key: str) -> Callable[[Facts, str, Origins], Cell | None]:
    """A fact of the run, as recorded or declared."""

    def cell(facts: Facts, run: str, origins: Origins) -> Cell | None:
        value = facts.runs[run][key]
        if value is None or value == "":
            return None
        return [value, _told(key, value), *origins.recorded(facts, run, key)]

    return cell


def _told(key: str, value: Any) -> str:
    """A recorded value as text; large counts are read more easily with commas."""
    whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 10_000 and "seed" not in key
    return f"{value:,}" if whole else fmt.number(value)


def _configured(key: str) -> Callable[[Facts, str, Origins], Cell | None]:
    def cell(facts: Facts, run: str, origins: Origins) -> Cell | None:
        value = facts.runs[run]["config"].get(key)
        if value is None:
            return None
        shown = value if isinstance(value, int | float | str) else fmt.number(value)
        return [shown, _told(key, value), *origins.recorded(facts, run, key)]

    return cell


def columns(facts: Facts) -> list[Column]:
    """All columns: the fixed ones, and one for each recorded setting."""
    keys = sorted({key for r in facts.runs.values() for key in r["config"]} - {"seed", "model", "flags"})
    return [*COLUMNS, *(Column(f"config.{key}", key, "setting", None, "as recorded", _configured(key)) for key in keys)]


# -- the headline -----------------------------------------------------------------------------------------------------
def headline_origin(facts: Facts, origins: Origins, row: Row, group: Group) -> Origin:
    """Where the numbers of a compared set's headline come from."""
    ids = {facts.name(r["run"]): r["run"] for r in facts.of("fixed_step", row["budget"])}
    best, lowest, variant = (ids.get(found.run) if found else None for found in (group.best, group.lowest, group.variant))

    def origin(run: str | None, cell: Callable[[Facts, str, Origins], Cell | None]) -> int | None:
        made = cell(facts, run, origins) if run is not None else None
        return made[2] if made and len(made) > 2 else None

    return Origin(
        best=origin(best, _fixed), best_ppl=origin(best, _fixed_ppl), lowest=origin(lowest, _end("best")),
        variant=origin(variant, _fixed), variant_ppl=origin(variant, _fixed_ppl),
        delta=origin(variant, _delta("delta_loss")), delta_ppl=origin(variant, _delta("delta_ppl")), ratio=origin(variant, _ratio),
        spread=_spread_origin(facts, origins, row["budget"], group),
        common=_common_origin(facts, origins, row["budget"]),
        kinds=tuple(origin(ids.get(kind.best), _fixed) for kind in group.kinds),
        confounds=tuple(_confound_origin(facts, origins, list(ids.values()), c.key) for c in group.confounds),
    )  # fmt: skip


def _common_origin(facts: Facts, origins: Origins, budget: str) -> int | None:
    """Where the evaluations at the common step stand."""
    at = [(f["path"], f["line"], f["pointer"]) for f in facts.of("fixed_step", budget)]
    return origins.of("the largest step at which all compared runs were evaluated", *at) if at else None


def _confound_origin(facts: Facts, origins: Origins, runs: list[str], spoken: str) -> int | None:
    """Where compared runs record a confound; null where the inputs do not say or ngtreport.toml does."""
    key = next((k for k, said in SPOKEN.items() if said == spoken), spoken)
    parts = {run: batches.parts(facts.runs[run]["config"]) if key == "batch_tokens" else (key,) for run in runs}
    at = [origins.facts[run, part] for run in runs for part in parts[run] if (run, part) in origins.facts]
    formulas = {" x ".join(found) for found in parts.values() if found}
    return origins.of(formulas.pop() if key == "batch_tokens" and len(formulas) == 1 else None, *at) if at else None


def _fixed_ppl(facts: Facts, run: str, origins: Origins) -> Cell | None:
    f = facts.fixed[run]
    formula = f"exp({fmt.decimals_text(f['loss'], f['decimals'])})"
    return [None, "", origins.of(formula, (f["path"], f["line"], f["pointer"]))]


def _spread_origin(facts: Facts, origins: Origins, budget: str, group: Group) -> int | None:
    if not group.stages:
        return None
    shown = group.stages[0].best
    runs: list[str] = next((r["runs"] for r in facts.of("seeds", budget) if (r["n"], r["mean_loss"]) == (shown.n, shown.common.mean)), [])
    at = [(f["path"], f["line"], f["pointer"]) for f in (facts.fixed[run] for run in runs)]
    return origins.of(f"mean, sample standard deviation and 95% t interval over {shown.n} seeds", *at)


def single_origins(facts: Facts, origins: Origins, report: Report) -> tuple[int | None, int | None]:
    """Where best and last of the only run come from."""
    run = next((r for r in facts.best if len(report.singles) == 1 and facts.name(r) == report.singles[0].run), None)
    if run is None:
        return None, None
    return origins.of(None, _ended(facts, run, "best")), origins.of(None, _ended(facts, run, "last"))


def bits_origins(facts: Facts, origins: Origins) -> dict[str, int]:
    """Where the lowest bits of runs validated in bits come from, by unit and run as the headline names them."""
    from ngt_report.assemble.bits import unit

    rows = facts.rows["bits"]
    return {f"{unit(r['metric'])} {facts.name(r['run'])}": origins.of(None, (r["path"], r["line"], r["pointer"])) for r in rows}


def origins_of(store: Store) -> Origins:
    """No origin yet, but where recorded facts stand."""
    rows = store.rows(sql("page/facts.sql"))
    return Origins(facts={(r["run"], r["key"]): (r["path"], r["line"], r["pointer"]) for r in rows})


COLUMNS = (
    Column("rank", "#", "number", "lower", "place by best validation loss in its compared set", _place),
    Column("best", "best val loss", "number", "lower", "lowest finite validation loss, nats per token", _end("best")),
    Column("ppl", "ppl", "number", "lower", "exp of the best, at full precision where it is known", _ppl),
    Column("best_step", "best at", "number", None, "first step at which the best occurred", _end_step("best")),
    Column("last", "last val loss", "number", "lower", "validation loss at the largest step", _end("last")),
    Column("last_step", "last at", "number", None, "the largest evaluated step", _end_step("last")),
    Column("gap", "last - best", "number", "lower", "what was lost after the best", _gap),
    Column("fixed", "@ common", "number", "lower", "validation loss at the common step of its compared set", _fixed),
    Column("delta", "delta", "number", "lower", "difference to the baseline at the common step", _delta("delta_loss")),
    Column("delta_ppl", "ppl %", "number", "lower", "perplexity ratio to the baseline, minus 1", _delta("delta_ppl")),
    Column("rate", "steps/s", "number", "higher", "steps per second between two evaluations", _rate(False)),
    Column("per_step", "s/step", "number", "lower", "seconds per step between two evaluations", _rate(True)),
    Column("ratio", "x time", "number", "lower", "seconds per step over the baseline's", _ratio),
    Column("time", "train time", "number", "lower", "training clock at the last step", _time),
    Column("tokens", "tokens", "number", None, "training tokens seen", _count("tokens", "tokens at the last reading")),
    Column("n_val", "evals", "number", None, "number of evaluations", _count("n_val", "evaluations up to this line")),
    Column("model", "model", "text", None, "as recorded", _said("model")),
    Column("flags", "flags", "text", None, "as recorded", _said("flags")),
    Column("seed", "seed", "text", None, "as recorded", _said("seed")),
    Column("params", "params", "number", None, "parameters, as recorded", _said("params")),
    Column("dataset", "dataset", "text", None, "as recorded", _said("dataset")),
    Column("tokenizer", "tokenizer", "text", None, "as recorded", _said("tokenizer")),
    Column("hardware", "hardware", "text", None, "as recorded", _said("hardware")),
    Column("status", "status", "text", None, "finished, incomplete, crashed, diverged, stopped early", _said("status")),
)
