"""A run's settings in a file of their own, JSON or simple YAML; they belong to the only run of their folder."""

from __future__ import annotations

import re
from typing import Any

from ngt_report import names
from ngt_report.files import HEAD, InputFile
from ngt_report.sections import told_apart
from ngt_report.sources import Format
from ngt_report.sources._scalars import STRONG, flatten, load_json, metrics_of, number, scalar
from ngt_report.waist import Reading, Trial

FEWEST = 3  # settings that are known by name
TELLING = frozenset(names.CONFIG) - {"model", "flags", "dataset", "tokenizer", "hardware", "git_commit", "params"}
WANDB = re.compile(r"(?m)^_wandb:[ \t]*$|^wandb_version:")  # its config.yaml, in both forms
LINE = re.compile(r"^(?P<indent> *)(?P<key>[A-Za-z_][\w.\-]*):(?: +(?P<value>[^#]*?))?[ \t]*(?:#.*)?$")


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
    short = {raw: key for raw, value in found.items() if (key := _key(raw) or names.other_config(raw.rpartition("/")[2], value))}
    for raw, key in (short | told_apart(short, found)).items():
        if key not in taken:
            taken.add(key)
            reading.fact(key, found[raw], 0, _line(lines, raw.split("/")))
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
    return {raw: value for raw, value in found.items() if isinstance(value, str | int | float | bool)}


def _yaml(text: str) -> dict[str, Any]:
    """`key: value` lines; W&B writes the value below its key. Anything else than keys and lists makes it no settings."""
    found: dict[str, Any] = {}
    above, inner = "", 0  # the key at the margin, and how deep its `value:` is where that holds keys of its own
    for line in text.splitlines():
        match = LINE.match(line)
        if above == "_wandb" and line[:1] in (" ", "", "-"):
            continue  # of W&B itself
        if match is None:
            if line.strip() and not line.lstrip().startswith(("-", "#")):
                return {}
            continue
        depth, value = len(match["indent"]), scalar(match["value"].strip("'\"")) if match["value"] else None
        inner = inner if depth > inner else 0
        if not depth:
            above = match["key"]
        elif match["key"] == "value" and not inner and value is None:
            inner = depth
        key = above if not depth or match["key"] == "value" and not inner else f"{above}/{match['key']}" if inner else ""
        found |= {key: value} if key and value is not None else {}
    return found


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
