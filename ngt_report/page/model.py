"""What the HTML templates receive: frozen structs, a help text on every field. What scripts receive is in docs/dashboard.md."""

from __future__ import annotations

from typing import Annotated

from markupsafe import Markup
from msgspec import Struct

from ngt_report.model import Report


class Island(Struct, frozen=True):
    id: Annotated[str, "element id that the page's script looks for"]
    text: Annotated[Markup, "JSON, escaped so that nothing in it can end the element"]


class Library(Struct, frozen=True):
    id: Annotated[str, "element id; the page's script unpacks the text and runs it when it is first needed"]
    text: Annotated[Markup, "JavaScript of an installed package, compressed (zlib) and in base64"]


class Origin(Struct, frozen=True):
    """The numbers of one compared set's headline, as places in the island's `origins`; null where the set has no such number."""

    best: Annotated[int | None, "the best loss at the common step"]
    best_ppl: Annotated[int | None, "its perplexity"]
    lowest: Annotated[int | None, "the lowest loss at any step"]
    variant: Annotated[int | None, "the loss of the best variant"]
    variant_ppl: Annotated[int | None, "its perplexity"]
    delta: Annotated[int | None, "its loss minus the baseline's"]
    delta_ppl: Annotated[int | None, "its perplexity over the baseline's, minus 1"]
    ratio: Annotated[int | None, "its seconds per step over the baseline's"]
    spread: Annotated[int | None, "mean, deviation and interval over the seeds of the best group"]
    common: Annotated[int | None, "the common step and the number of runs: the evaluations that are compared"]
    kinds: Annotated[tuple[int | None, ...], "the best loss of each kind, in their order"]
    confounds: Annotated[tuple[int | None, ...], "the lines that record each confound, in their order"]


class Page(Struct, frozen=True):
    """Everything that dashboard.html.j2 may print."""

    policy: Annotated[str, "Content-Security-Policy: only these scripts, no network"]
    style: Annotated[Markup, "the page's style sheet"]
    script: Annotated[Markup, "the page's script; draws the table as soon as it is read"]
    start: Annotated[Markup, "the line that draws the rest, once its islands are read"]
    report: Annotated[Report, "the model that Summary.md is printed from"]
    tables: Annotated[Island, "runs, columns, numbers and their origins: what the first table needs"]
    islands: Annotated[tuple[Island, ...], "curves and charts: what is drawn after it"]
    libraries: Annotated[tuple[Library, ...], "libraries, once each"]
    charts: Annotated[tuple[str, ...], "titles of the comparison charts, in order"]
    origins: Annotated[tuple[Origin, ...], "where the headline's numbers come from, for each compared set"]
    single: Annotated[tuple[int | None, int | None], "the same for best and last of a single run"]
    bits: Annotated[dict[str, int], "the same for lowest bits, by unit and run"]
    linked: Annotated[dict[str, str], "the id of a run's row, by the run's name, of those that findings are about"]


class Coords(Struct, frozen=True):
    """Everything that coords.html.j2 may print."""

    policy: Annotated[str, "Content-Security-Policy: only these scripts, no network"]
    style: Annotated[Markup, "the page's style sheet"]
    script: Annotated[Markup, "the page's script"]
    title: Annotated[str, "display name of the run"]
    version: Annotated[str, "version of ngtreport"]
    islands: Annotated[tuple[Island, ...], "the samples, and the empty figure"]
    library: Annotated[Library, "Plotly"]
