"""What the HTML templates receive: frozen dataclasses, a help text on every field. What scripts receive is in docs/dashboard.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ngt_report.model import Report, h

if TYPE_CHECKING:
    from markupsafe import Markup


@dataclass(frozen=True, slots=True)
class Island:
    id: str = h("element id that the page's script looks for")
    text: Markup = h("JSON, escaped so that nothing in it can end the element")


@dataclass(frozen=True, slots=True)
class Library:
    id: str = h("element id; the page's script unpacks the text and runs it when it is first needed")
    text: Markup = h("JavaScript of an installed package, compressed (zlib) and in base64")


@dataclass(frozen=True, slots=True)
class Origin:
    """The numbers of one compared set's headline, as places in the island's `origins`; null where the set has no such number."""

    best: int | None = h("the best loss at the common step")
    best_ppl: int | None = h("its perplexity")
    variant: int | None = h("the loss of the best variant")
    variant_ppl: int | None = h("its perplexity")
    delta: int | None = h("its loss minus the baseline's")
    delta_ppl: int | None = h("its perplexity over the baseline's, minus 1")
    ratio: int | None = h("its seconds per step over the baseline's")
    spread: int | None = h("mean, deviation and interval over the seeds of the best group")
    common: int | None = h("the common step and the number of runs: the evaluations that are compared")
    kinds: tuple[int | None, ...] = h("the best loss of each kind, in their order")
    confounds: tuple[int | None, ...] = h("the lines that record each confound, in their order")


@dataclass(frozen=True, slots=True)
class Page:
    """Everything that dashboard.html.j2 may print."""

    policy: str = h("Content-Security-Policy: only these scripts, no network")
    style: Markup = h("the page's style sheet")
    script: Markup = h("the page's script; draws the table as soon as it is read")
    start: Markup = h("the line that draws the rest, once its islands are read")
    report: Report = h("the model that Summary.md is printed from")
    tables: Island = h("runs, columns, numbers and their origins: what the first table needs")
    islands: tuple[Island, ...] = h("curves and charts: what is drawn after it")
    libraries: tuple[Library, ...] = h("libraries, once each")
    charts: tuple[str, ...] = h("titles of the comparison charts, in order")
    origins: tuple[Origin, ...] = h("where the headline's numbers come from, for each compared set")
    single: tuple[int | None, int | None] = h("the same for best and last of a single run")
    linked: tuple[str | None, ...] = h("for each finding the id of its run's row, or null")


@dataclass(frozen=True, slots=True)
class Coords:
    """Everything that coords.html.j2 may print."""

    policy: str = h("Content-Security-Policy: only these scripts, no network")
    style: Markup = h("the page's style sheet")
    script: Markup = h("the page's script")
    title: str = h("display name of the run")
    version: str = h("version of ngtreport")
    islands: tuple[Island, ...] = h("the samples, and the empty figure")
    library: Library = h("Plotly")
