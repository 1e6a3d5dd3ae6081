"""JSON objects, one a line, with every line accounted for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ngt_report.files import InputFile
from ngt_report.sources._lines import head_lines, lines_of, torn_line
from ngt_report.sources._long import melted
from ngt_report.sources._scalars import flatten, load_object
from ngt_report.waist import Reading

OWN_EVENT = frozenset(("kind", "run", "segment", "seq", "ts"))  # our event log: another module reads it
WRAPPERS = frozenset("metrics data scalars logs values log metadata payload fields extra".split())
SAMPLE = 400  # objects that sniffing looks at


def objects_of(file: InputFile, reading: Reading) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line, object) of each line that holds one; the rest is blank, bad or pending."""
    torn = torn_line(file)
    broken = 0  # a line that did not parse: pending when it turns out to be the last
    for line, text in lines_of(file, reading):
        if broken:
            reading.bad.append((broken, "not a JSON object"))
            broken = 0
        if not text.strip():
            reading.ignore("blank")
        elif (found := load_object(text)) is not None:
            yield line, found
        else:
            broken = line
    if broken and torn and broken == reading.lines_read:
        reading.pending += 1
    elif broken:
        reading.bad.append((broken, "not a JSON object"))


def record_of(value: dict[str, Any]) -> dict[str, Any]:
    """An object as one level of columns without nulls; a wrapper such as {"metrics": {...}} leaves no trace."""
    flat: dict[str, Any] = {}
    for key, item in flatten(value).items():
        top, _, rest = key.partition("/")
        key = rest if rest and top.lower() in WRAPPERS and rest not in value else key
        if item is not None:
            flat[key] = item
    return melted(flat)


def sample(file: InputFile) -> list[dict[str, Any]]:
    """The head's objects, flattened, without nulls; empty when the file is no JSONL or our own event log."""
    if file.head.lstrip()[:1] != b"{":
        return []
    lines = [t for t in head_lines(file) if t.strip()][:SAMPLE]
    good = [o for t in lines if (o := load_object(t))]
    if not good or len(good) * 2 < len(lines) or good[0].keys() >= OWN_EVENT:
        return []
    if len(good) == 1 and good[0].keys() & {"_wandb", "_timestamp"}:
        return []  # wandb-summary.json: a document, not a line of a log
    return [record_of(o) for o in good]
