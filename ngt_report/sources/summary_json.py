"""Summaries of sweeps: one JSON object that repeats and ranks the results of other files. Never runs of their own."""

from __future__ import annotations

from typing import Any

from ngt_report import names
from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.sources._document import Document, head_keys, load
from ngt_report.sources._scalars import is_result, metrics_of, number, plain, whole
from ngt_report.waist import Reading

LISTS = ("all_results", "results", "ranked", "all_results_ranked", "top", "runs", "experiments", "rounds")
COUNTED = frozenset(("experiments", "rounds", "runs", "results", "configs", "trials"))
VALUES = ("val/loss", "final/loss", "best/loss")


def _is_list(name: str) -> bool:
    """Whether a key names a list of results: all_results, top_5, ranked_runs."""
    words = set(names.clean(name).split("_"))
    return name in LISTS or bool(words & {"results", "ranked", "ranking", "top", "leaderboard", "runs", "experiments"})


def sniff(file: InputFile) -> str | None:
    """One JSON object with a list of results and what was best among them."""
    keys = head_keys(file)
    inner: dict[str, set[str]] = {}
    for key in keys:
        parts = key.split("/")
        if len(parts) > 3 and parts[2].isdigit() and _is_list(parts[1]):
            inner.setdefault(parts[1], set()).add(parts[3])
    marks = sorted(k[1:] for k in keys if k.count("/") == 1 and k.startswith("/best_"))
    lists = [name for name, columns in inner.items() if is_result(columns) and not any(names.role(c) == "step" for c in columns)]
    if marks and (lists or any(is_result(_under(keys, m)) for m in marks)):
        return f"a JSON object that says {marks[0]} of the results it lists"
    return None


def _under(keys: frozenset[str], name: str) -> list[str]:
    """The keys of one inner object."""
    return [k.split("/")[2] for k in keys if k.startswith(f"/{name}/")]


def read(file: InputFile) -> Reading:
    """Facts for the audit; no trial."""
    reading = Reading()
    document = load(file, reading)
    if document is None:
        return reading
    value = document.value
    rows, at = _longest(value)
    values = [v for row in rows if (v := _value(row)) is not None]
    reading.fact("summary.values", [plain(v) for v in values], 0, document.lines.get(at), at)
    total, where = _total(value, len(rows), at)
    reading.fact("summary.total", total, 0, document.lines.get(where), where)
    _best(document, reading)
    reading.ignore("summary of other files", document.total)
    reading.status = "summary"
    text = f"This file repeats {total} results of other files; it is not counted as runs."
    reading.note("info", "summary_not_counted", text, None, 1)
    return reading


def _longest(value: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
    """The longest list of results and its pointer."""
    lists = [([r for r in v if isinstance(r, dict)], f"/{k}") for k, v in value.items() if isinstance(v, list) and _is_list(k)]
    return max(lists, key=lambda found: len(found[0]), default=([], ""))


def _value(row: dict[str, Any]) -> float | None:
    """A row's validation loss."""
    found = {name: raw for raw, name in metrics_of(tuple(row)).items()}
    return next((v for name in VALUES if name in found and (v := number(row[found[name]])) is not None), None)


def _total(value: dict[str, Any], listed: int, at: str) -> tuple[int, str]:
    """How many results the summary says it covers, else how many it lists."""
    for key, count in value.items():
        words, found = set(names.clean(key).split("_")), whole(count)
        if found is not None and words & {"total", "num", "n", "count"} and words & COUNTED:
            return found, f"/{key}"
    return listed, at


def _best(document: Document, reading: Reading) -> None:
    """The best validation loss that the summary states."""
    value = document.value
    places = [("/best_val_loss", value.get("best_val_loss"))]
    places += [(f"/{k}/val_loss", v.get("val_loss")) for k, v in value.items() if k.startswith("best") and isinstance(v, dict)]
    for at, stated in places:
        if (figure := number(stated)) is not None:
            reading.fact("summary.best_val_loss", plain(figure), 0, document.lines.get(at), at)
            return


FORMAT = Format(
    name="summary_json",
    title="summary of a sweep (JSON), not counted as runs",
    example='{"best_alpha": 0.3, "best_val_loss": 6.89, "all_results": [{"alpha": 0.3, "val_loss": 6.89}]}',
    clock="none",
    sniff=sniff,
    read=read,
    rank=21,
    precedence=2,
    version=2,
)
