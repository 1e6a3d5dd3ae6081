"""dashboard.html: what the report's rows say, as columns, cells and origins for the page's script. Nothing is computed here."""

from __future__ import annotations

from typing import Any

from ngt_report.assemble.facts import Facts, Row
from ngt_report.assemble.seeds import seed_group
from ngt_report.charts import page_charts
from ngt_report.files import InputFile
from ngt_report.model import Report
from ngt_report.page import shell, vega
from ngt_report.page.cells import Cell, Column, Origins, bits_origins, columns, headline_origin, origins_of, single_origins
from ngt_report.page.curves import curves
from ngt_report.page.model import Page
from ngt_report.store import Store, sql

SCRIPTS = tuple(
    f"{name}.js" for name in "base state format theme origins table axes pen series curves readout charts numbers main".split()
)  # in one scope, in this order
START = "window.drawTheRest();"  # stands behind the islands, before the libraries
STYLES = ("page.css", "table.css", "curves.css")
SOURCES = 500  # files that the page lists
TEXT_OF_LINE = 300  # characters of a cited line that the page holds; `ngtreport trace` has 2,000


def pages(store: Store, facts: Facts, report: Report, files: list[InputFile]) -> dict[str, str]:
    """All HTML files of a report."""
    from ngt_report.page.coords import build_pages

    return {"dashboard.html": dashboard_html(store, facts, report, files), **(build_pages(store, files) if report.coords else {})}


def dashboard_html(store: Store, facts: Facts, report: Report, files: list[InputFile]) -> str:
    """The whole page."""
    origins = origins_of(store)
    names = {run: i for i, run in enumerate(_order(facts))}
    drawn = curves(store, names, origins.path, files)
    headline = tuple(headline_origin(facts, origins, row, group) for row, group in zip(_compared(facts), report.groups, strict=True))
    single = single_origins(facts, origins, report)
    bits = bits_origins(facts, origins)
    tables = shell.island("data-tables", _tables(store, facts, report, names, origins, bool(drawn["series"])))
    charted = page_charts(store, names, [row["runs"] for row in _compared(facts)])
    library = vega.library()
    script = shell.asset(*SCRIPTS)
    page = Page(
        policy=shell.policy((script, START), (library,)),
        style=shell.verbatim(shell.asset(*STYLES)),
        script=shell.verbatim(script),
        start=shell.verbatim(START),
        report=report,
        tables=tables,
        islands=(shell.island("data-curves", drawn), shell.island("data-charts", charted)),
        libraries=(library.element,),
        charts=tuple(c["title"] for c in charted),
        origins=headline,
        single=single,
        bits=bits,
        linked=_linked(facts, names, {f.run for f in report.findings}),
    )
    return shell.document("dashboard.html.j2", page)


def _compared(facts: Facts) -> list[Row]:
    """The compared sets of more than one run, as the report lists them."""
    return [row for row in facts.rows["common_step"] if row["runs"] > 1]


def _linked(facts: Facts, names: dict[str, int], about: set[str | None]) -> dict[str, str]:
    """The rows of the runs that findings are about, by display name; of runs of one name the first."""
    rows: dict[str, str] = {}
    for run, i in names.items():
        if (name := facts.name(run)) in about:
            rows.setdefault(name, f"run-{i}")
    return rows


def _order(facts: Facts) -> list[str]:
    """Runs as the page lists them: by compared set and rank, then those that are in none."""
    places = {r["run"]: (r["budget"], r["place"]) for r in facts.rows["ranking"]}
    return sorted(facts.runs, key=lambda run: (run not in places, places.get(run, ("", 0)), facts.name(run), run))


def _tables(store: Store, facts: Facts, report: Report, names: dict[str, int], origins: Origins, drawn: bool) -> dict[str, Any]:
    known = columns(facts)
    cells = {run: {c.key: cell for c in known if (cell := c.cell(facts, run, origins)) is not None} for run in names}
    has = {key for row in cells.values() for key in row}
    document = {
        "title": report.title,
        "drawn": drawn,
        "columns": [[c.key, _title(facts, c), c.kind, c.better, c.about] for c in known if c.key in has],
        "runs": [_run(facts, run, names, cells[run]) for run in names],
        "sets": [_set(facts, row, names) for row in facts.rows["common_step"]],
        "seeds": [_seeds(facts, s, names) for s in facts.rows["seeds"] if s["n"] > 1],
    }  # fmt: skip
    for path in [f.source for f in report.findings if f.source] + [s.path for s in report.sources[:SOURCES]]:
        origins.path(path)
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
