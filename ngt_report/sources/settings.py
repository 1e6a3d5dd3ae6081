"""A run's settings in a file of their own, JSON or simple YAML; they belong to the only run of their folder."""

from __future__ import annotations

import re
from typing import Any

from ngt_report import names
from ngt_report.files import HEAD, InputFile
from ngt_report.sections import told_apart
from ngt_report.sources import Format
from ngt_report.sources._scalars import STRONG, flatten, load_json, metrics_of, number, scalar
from ngt_report.text.configs import setting
from ngt_report.text.indented import Sections
from ngt_report.text.places import dataset_of
from ngt_report.text.values import value_of
from ngt_report.waist import Reading, Trial

FEWEST = 3  # settings that are known by name
TELLING = frozenset(names.CONFIG) - {"model", "flags", "dataset", "tokenizer", "hardware", "git_commit", "params"}
WANDB = re.compile(r"(?m)^_wandb:[ \t]*$|^wandb_version:")  # its config.yaml, in both forms
ANCHOR = re.compile(r"^&\w+\s*")
BELOW = re.compile(r"^([^/]+)/value(?=/|$)")  # where W&B has a value
LINE = re.compile(r"^(?P<indent> *)['\"]?(?P<key>[A-Za-z_0-9][\w.\-/]*)['\"]?:(?: +(?P<value>[^#]*?))?[ \t]*(?:#.*)?$")


def sniff(file: InputFile) -> str | None:
    """A small document with several settings of a training by name, and no result."""
    found = _settings(file.text_head) if 0 < file.size <= HEAD else {}
    keys = {key for raw in found if (key := _key(raw)) in TELLING}
    results = {raw for raw, name in metrics_of(tuple(found)).items() if name in STRONG and number(found[raw]) is not None}
    fewest = 1 if WANDB.search(file.text_head) else FEWEST
    return f"{len(keys)} settings such as {min(keys)}" if len(keys) >= fewest and not results else None


def read(file: InputFile) -> Reading:
    """Facts of a trial that is no run."""
    reading = Reading(trials=[Trial(0, "settings", None, 1)])
    lines = file.text_head.splitlines()
    reading.lines_read = reading.lines_used = len(lines)
    taken: set[str] = set()
    found = {raw: v for raw, v in _settings(file.text_head).items() if v is not None and names.role(raw.rpartition("/")[2]) is None}
    short = {raw: key for raw, value in found.items() if (key := setting(raw, value))}
    for raw, key in (short | told_apart(short, found)).items():
        if key not in taken:
            taken.add(key)
            reading.fact(key, found[raw], 0, _line(lines, raw.split("/")))
    places = ((raw, name) for raw, value in found.items() if (name := dataset_of(raw.rpartition("/")[2], value)))
    if "dataset" not in taken and (place := next(places, None)):
        reading.fact("dataset", place[1], 0, _line(lines, place[0].split("/")))
    return reading


def _key(raw: str) -> str | None:
    """The canonical name of a setting, by the last part of its path."""
    return names.known_config(raw.rpartition("/")[2])


def _settings(text: str) -> dict[str, Any]:
    """All single values of a document, by their paths."""
    if text.lstrip()[:1] == "{":
        try:
            document = load_json(text)
        except ValueError:
            return {}
        found = flatten(document) if isinstance(document, dict) else {}
    else:
        found = _yaml(text)
    return {raw: value for raw, value in found.items() if isinstance(value, str | int | float | bool | list)}


def _yaml(text: str) -> dict[str, Any]:
    """`key: value` lines in sections, and lists of values; W&B writes the value below its key. Anything else makes it no settings."""
    found: dict[str, Any] = {}
    sections = Sections()
    for line in text.splitlines():
        if sections.open and sections.open[0][1] == "_wandb" and line[:1] in (" ", "", "-"):
            continue  # of W&B itself
        if item := sections.item(line):
            found[item[0]] = value_of(item[1])
        elif match := LINE.match(line):
            value = ANCHOR.sub("", match["value"] or "").strip()
            path = sections.path(len(match["indent"]), match["key"], value)
            found[path] = scalar(value.strip("'\"")) if value[:1] not in ("[", "<") else value_of(value)
        elif line.strip() and line.strip() != "---" and not line.lstrip().startswith(("-", "#")):
            return {}
    return {BELOW.sub(r"\1", raw): value for raw, value in found.items() if value is not None}


def _line(lines: list[str], path: list[str]) -> int:
    """The line where a key stands first, below those of its sections."""
    at = 0
    for key in path:
        here = (n for n, text in enumerate(lines[at:], at) if re.search(rf'(?:^|["\s]){re.escape(key)}"?\s*:', text))
        at = next(here, at)
    return at + 1


FORMAT = Format(
    name="settings",
    title="a run's settings (config.json, args.json, hparams.yaml)",
    example='{"learning_rate": 0.001, "batch_size": 32, "n_layer": 4, "seed": 1}',
    clock="none",
    sniff=sniff,
    read=read,
    rank=95,
    precedence=4,
    version=4,
)
