"""dashboard.html: what the report's rows say, as columns, cells and origins for the page's script. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import exp
from typing import Any

from ngt_report import formatting as fmt
from ngt_report import shell, vega
from ngt_report.assemble.facts import Facts, Row
from ngt_report.assemble.seeds import seed_group
from ngt_report.charts import page_charts
from ngt_report.curves import curves
from ngt_report.files import InputFile
from ngt_report.model import Report
from ngt_report.pagemodel import Page
from ngt_report.render import environment
from ngt_report.store import Store, sql

SCRIPTS = tuple(
    f"{name}.js" for name in "base state format theme origins table axes pen series curves readout charts main".split()
)  # in one scope, in this order
START = "window.drawTheRest();"  # stands behind the islands, before the libraries
STYLES = ("page.css", "table.css", "curves.css")
TEXT_OF_LINE = 300  # characters of a cited line that the page holds; `ngtreport trace` has 2,000
Cell = list[Any]  # [value, text] or [value, text, origin]
Point = tuple[str | None, int | None, str | None]  # path, line, pointer


@dataclass
class Origins:
    """Where numbers come from: each way to say it once, numbers refer to it by its place."""

    paths: dict[str, int] = field(default_factory=dict)
    said: dict[tuple[Any, ...], int] = field(default_factory=dict)

    def path(self, path: str) -> int:
        """A path's place in the list of paths."""
        return self.paths.setdefault(path, len(self.paths))

    def of(self, formula: str | None, *points: Point) -> int:
        """The place of an origin: a formula or none, and the lines that its inputs stand on."""
        at = tuple((self.path(path), line, pointer) for path, line, pointer in points if path is not None)
        return self.said.setdefault((formula, at), len(self.said))

    def listed(self) -> list[list[Any]]:
        """For the page: [formula, [[path, line, pointer], ...]]."""
        return [[formula, [list(point) for point in at]] for formula, at in self.said]


@dataclass(frozen=True)
class Column:
    """A column of the runs table."""

    key: str
    title: str
    kind: str  # number, text or setting
    better: str | None  # lower, higher, or None where neither is
    about: str
    cell: Callable[[Facts, str, Origins], Cell | None]


def pages(store: Store, facts: Facts, report: Report, files: list[InputFile]) -> dict[str, str]:
    """All HTML files of a report."""
    from ngt_report.coords import build_pages

    return {"dashboard.html": dashboard_html(store, facts, report, files), **(build_pages(store, files) if report.coords else {})}


def dashboard_html(store: Store, facts: Facts, report: Report, files: list[InputFile]) -> str:
    """The whole page."""
    origins = Origins()
    names = {run: i for i, run in enumerate(_order(facts))}
    drawn = curves(store, names, origins.path, files)
    tables = shell.island("data-tables", _tables(store, facts, report, names, origins))
    charted = page_charts(store, names)
    library = vega.library()
    script = shell.asset(*SCRIPTS)
    page = Page(
        policy=shell.policy((script, START, library.text)),
        style=shell.verbatim(shell.asset(*STYLES)),
        script=shell.verbatim(script),
        start=shell.verbatim(START),
        report=report,
        tables=tables,
        islands=(shell.island("data-curves", drawn), shell.island("data-charts", charted)),
        libraries=(library,),
        charts=tuple(c["title"] for c in charted),
        linked=tuple(_row_id(facts, names, f.run) for f in report.findings),
    )
    return environment().get_template("dashboard.html.j2").render(p=page)


def _row_id(facts: Facts, names: dict[str, int], shown: str | None) -> str | None:
    """The id of a run's row."""
    return next((f"run-{i}" for run, i in names.items() if shown is not None and facts.name(run) == shown), None)


def _order(facts: Facts) -> list[str]:
    """Runs as the page lists them: by compared set and rank, then those that are in none."""
    places = {r["run"]: (r["budget"], r["place"]) for r in facts.rows["ranking"]}
    return sorted(facts.runs, key=lambda run: (run not in places, places.get(run, ("", 0)), facts.name(run), run))


def _tables(store: Store, facts: Facts, report: Report, names: dict[str, int], origins: Origins) -> dict[str, Any]:
    columns = [*COLUMNS, *_settings(facts)]
    cells = {run: {c.key: cell for c in columns if (cell := c.cell(facts, run, origins)) is not None} for run in names}
    has = {key for row in cells.values() for key in row}
    document = {
        "title": report.title,
        "columns": [[c.key, _title(facts, c), c.kind, c.better, c.about] for c in columns if c.key in has],
        "runs": [_run(facts, run, names, cells[run]) for run in names],
        "sets": [_set(facts, row, names) for row in facts.rows["common_step"]],
        "seeds": [_seeds(facts, s, names) for s in facts.rows["seeds"] if s["n"] > 1],
    }  # fmt: skip
    for f in report.findings:
        if f.source:
            origins.path(f.source)
    lines = [
        [origins.paths[r["path"]], r["line"], r["text"][:TEXT_OF_LINE]]
        for r in store.rows(sql("page/lines.sql"))
        if r["path"] in origins.paths
    ]
    return document | {"origins": origins.listed(), "paths": list(origins.paths), "lines": lines}


def _seeds(facts: Facts, row: Row, names: dict[str, int]) -> dict[str, Any]:
    """A seed group, as summary.json has it, with the places of its runs."""
    group = seed_group(facts, row)
    return {
        "name": group["name"],
        "runs": [names[r] for r in row["runs"]],
        "n": group["n"],
        "mean": group["mean_loss"],
        "std": group["std_loss"],
    }


def _title(facts: Facts, column: Column) -> str:
    """A column's title; with one common step, that of its losses names it."""
    steps = {f["step"] for f in facts.fixed.values()}
    return f"@ {next(iter(steps)):,}" if column.key == "fixed" and len(steps) == 1 and None not in steps else column.title


def _run(facts: Facts, run: str, names: dict[str, int], cells: dict[str, Cell]) -> dict[str, Any]:
    r, c = facts.runs[run], facts.compared.get(run, {})
    return {
        "id": run, "name": r["name"], "set": c.get("budget"), "out": c.get("excluded"), "seeds": r["seed_group"],
        "base": any(b["run"] == run for b in facts.baselines.values()), "parent": names.get(r["parent"]), "resumed": r["resumed_step"],
        "cells": cells,
    }  # fmt: skip


def _set(facts: Facts, row: Row, names: dict[str, int]) -> dict[str, Any]:
    """Runs of one declared total: their common step, baseline and targets."""
    targets = {(t["target"], t["why"]) for t in facts.of("time_to_target", row["budget"])}
    base = facts.baselines.get(row["budget"])
    return {
        "key": row["budget"], "total": row["total"], "step": row["common_step"], "size": row["runs"],
        "base": names[base["run"]] if base else None, "targets": [list(t) for t in sorted(targets, reverse=True)],
    }  # fmt: skip


# -- cells ------------------------------------------------------------------------------------------------------------
def _end(end: str) -> Callable[[Facts, str, Origins], Cell | None]:
    """Best or last validation loss, as logged; sorted by the full precision where it is known."""

    def cell(facts: Facts, run: str, origins: Origins) -> Cell | None:
        b = facts.best.get(run)
        if b is None or b[f"{end}_logged"] is None:
            return None
        at = [(b[f"{end}_path"], b[f"{end}_line"], b[f"{end}_pointer"])]
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
        return [b[f"{end}_step"], f"{b[f'{end}_step']:,}", origins.of(None, (b[f"{end}_path"], b[f"{end}_line"], b[f"{end}_pointer"]))]

    return cell


def _ppl(facts: Facts, run: str, origins: Origins) -> Cell | None:
    b = facts.best.get(run)
    if b is None or b["best_loss"] is None or b["best_loss"] > 700:
        return None
    value = exp(b["best_loss"])
    end = "refined" if b["refined_path"] else "best"
    at = (b[f"{end}_path"], b[f"{end}_line"], b[f"{end}_pointer"])
    return [value, f"{value:.2f}" if value < 1e7 else f"{value:.3e}", origins.of(f"exp({fmt.number(b['best_loss'])})", at)]


def _gap(facts: Facts, run: str, origins: Origins) -> Cell | None:
    b = facts.best.get(run)
    if b is None or b["best_logged"] is None:
        return None
    value = b["last_logged"] - b["best_logged"]
    at = [(b[f"{end}_path"], b[f"{end}_line"], b[f"{end}_pointer"]) for end in ("last", "best")]
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
        at = [(s["to_path"], s["from_line"], None), (s["to_path"], s["to_line"], None)]
        value = s["s_per_step"] if inverse else s["steps_per_s"]
        return [value, f"{value:.3f}", origins.of(f"1 / ({formula})" if inverse else formula, *at)]

    return cell


def _ratio(facts: Facts, run: str, origins: Origins) -> Cell | None:
    d = facts.delta.get(run)
    if d is None or d["time_ratio"] is None:
        return None
    return [d["time_ratio"], f"{d['time_ratio']:.2f}x", origins.of("seconds per step / seconds per step of the baseline")]


def _time(facts: Facts, run: str, origins: Origins) -> Cell | None:
    t, b = facts.time.get(run), facts.best.get(run)
    if t is None or t["train_time_s"] is None:
        return None
    printed = b is not None and b["last_clock_s"] == t["train_time_s"]
    at = [(b["last_path"], b["last_line"], b["last_pointer"])] if printed and b else []
    return [t["train_time_s"], fmt.duration(t["train_time_s"]), origins.of("the training clock at its last reading", *at)]


def _place(facts: Facts, run: str, origins: Origins) -> Cell | None:
    row = next((r for r in facts.rows["ranking"] if r["run"] == run), None)
    if row is None:
        return None
    return [row["place"], str(row["place"]), origins.of("place by best validation loss in its compared set")]


def _count(key: str) -> Callable[[Facts, str, Origins], Cell | None]:
    def cell(facts: Facts, run: str, _: Origins) -> Cell | None:
        value = (facts.best.get(run) if key == "n_val" else facts.time.get(run)) or {}
        return [value[key], f"{value[key]:,}"] if value.get(key) else None

    return cell


def _said(key: str) -> Callable[[Facts, str, Origins], Cell | None]:
    """A fact of the run, as recorded or declared."""

    def cell(facts: Facts, run: str, origins: Origins) -> Cell | None:
        value = facts.runs[run][key]
        if value is None:
            return None
        return [value, fmt.number(value), *([origins.of("declared in ngtreport.toml")] if key in facts.runs[run]["declared"] else [])]

    return cell


def _configured(key: str) -> Callable[[Facts, str, Origins], Cell | None]:
    def cell(facts: Facts, run: str, origins: Origins) -> Cell | None:
        value = facts.runs[run]["config"].get(key)
        if value is None:
            return None
        shown = value if isinstance(value, int | float | str) else fmt.number(value)
        return [shown, fmt.number(value), *([origins.of("declared in ngtreport.toml")] if key in facts.runs[run]["declared"] else [])]

    return cell


def _settings(facts: Facts) -> list[Column]:
    """One column for each recorded setting."""
    keys = sorted({key for r in facts.runs.values() for key in r["config"]} - {"seed", "model", "flags"})
    return [Column(f"config.{key}", key, "setting", None, "as recorded", _configured(key)) for key in keys]


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
    Column("tokens", "tokens", "number", None, "training tokens seen", _count("tokens")),
    Column("n_val", "evals", "number", None, "number of evaluations", _count("n_val")),
    Column("model", "model", "text", None, "as recorded", _said("model")),
    Column("flags", "flags", "text", None, "as recorded", _said("flags")),
    Column("seed", "seed", "text", None, "as recorded", _said("seed")),
    Column("params", "params", "number", None, "parameters, as recorded", _said("params")),
    Column("dataset", "dataset", "text", None, "as recorded", _said("dataset")),
    Column("tokenizer", "tokenizer", "text", None, "as recorded", _said("tokenizer")),
    Column("hardware", "hardware", "text", None, "as recorded", _said("hardware")),
    Column("status", "status", "text", None, "finished, incomplete, crashed, diverged, stopped early", _said("status")),
)
