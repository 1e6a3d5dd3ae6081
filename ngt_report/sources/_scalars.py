"""Values as strangers write them: numbers, durations, JSON with NaN, paths that stand for runs, names of metrics."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from ngt_report import names
from ngt_report.text.late import late

ABSENT = frozenset(("", "-", "--", "n/a", "na", "none", "null", "<na>", "#n/a"))  # what stands for a missing number
FULL_PRECISION = 8  # significant digits from which a printed number counts as unrounded
SPLITS = {
    "train": "train", "training": "train", "val": "val", "valid": "val", "validation": "val", "eval": "val", "dev": "val",
    "evaluation": "val", "test": "test", "predict": "test",
}  # fmt: skip
STRONG = frozenset(
    "val/loss val/objective eval_loss train/loss final/loss final/train_loss best/loss val/perplexity train/perplexity val/accuracy "
    "train/accuracy val/bpb test/loss test/objective test/perplexity test/accuracy".split()
)
_LOOSE = frozenset(("train/loss", "train/accuracy", "train/perplexity"))  # a data set with a column `loss` is no log
_METRIC_WORD = re.compile(r"(^|_)(loss|nll|ce|ppl|perplexity|acc|accuracy|bpb|bpc|f1|bleu|em|mse)$")
_NOT_A_RESULT = late(r"(^|_)(target|baseline|delta|improvement|threshold|goal|diff|min_delta|use|reference)(_|$)")
_CE_WORD = re.compile(r"(^|_)(ce|nll|cross_entropy|xent)(_|$)")
CONTAINER = re.compile(r"^(?:(?:metrics?|results?|summary|scores?|stats|losses)/)+(?=.)", re.I)
_SPLIT_PREFIX = re.compile(r"^(train|training|val|valid|validation|eval|dev|test|predict)_(?=.)")
_INTEGER = re.compile(r"[+-]?(0|[1-9]\d{0,17})$")
_DURATION = late(
    r"(?:(\d+)\s*d(?:ays?)?[, ]*)?(?:(\d+)\s*h(?:ours?|rs?)?[, ]*)?(?:(\d+)\s*m(?:in(?:utes?)?)?[, ]*)?"
    r"(?:(\d+(?:\.\d+)?)\s*s(?:ec(?:onds?)?)?)?$"
)
_CLOCK = late(r"(?:(\d+) days?, ?)?(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)$")
_UNITS = {"ms": 1e-3, "s": 1.0, "sec": 1.0, "secs": 1.0, "seconds": 1.0, "min": 60.0, "mins": 60.0, "minutes": 60.0} | dict.fromkeys(
    ("h", "hr", "hrs", "hours"), 3600.0
)
_CLOCK_BASES = frozenset(
    "train training wall total run time runtime duration elapsed train_time wall_time walltime wall_clock run_time total_time".split()
)
_EXTENSION = re.compile(r"\.(pt|pth|ckpt|bin|safetensors|tar|gz|npz|pkl|log|out|txt|csv|tsv|jsonl|json)$", re.I)
_CHECKPOINT = re.compile(r"\.(pt|pth|ckpt|bin|safetensors|npz|pkl)([._-]\w+)?$", re.I)
_STATE = re.compile(r"(\.(pt|pth|ckpt)[._-]\w+|[._-](best|last|latest)|[._-](step|iter|epoch)[_=-]?\d+)$", re.I)
_NAMELESS = re.compile(
    r"((best|last|final|latest)([_-](model|ckpt|checkpoint))?|(model|ckpt|checkpoint|pytorch_model|weights|state|adapter_model)([._=-]?(best|last|final|latest|\d+))*|"
    r"(step|iter|epoch|global_step)[_=-]?\d+|checkpoints?|ckpts?|logs?|train|output|metrics|results|\d+)$",
    re.I,
)


def load_json(text: str | bytes) -> Any:
    """A JSON value; bare NaN and Infinity are read. ValueError when it is none."""
    try:
        value = json.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    lone = "\\ud" in text.lower() if isinstance(text, str) else b"\\ud" in text.lower()
    return _encodable(value) if lone else value


def _encodable(value: Any) -> Any:
    """The value with lone surrogates replaced, at any depth: no encoding can write them."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_encodable(v) for v in value]
    return {_encodable(k): _encodable(v) for k, v in value.items()} if isinstance(value, dict) else value


def load_object(text: str) -> dict[str, Any] | None:
    """One line's JSON object, or None."""
    try:
        value = _quick_loads()(text)
    except ValueError:
        try:
            value = load_json(text)
        except ValueError:
            return None
    return value if isinstance(value, dict) else None


@lru_cache(maxsize=1)
def _quick_loads() -> Any:
    """orjson where it is installed: several times faster, but it refuses NaN."""
    try:
        import orjson
    except ImportError:
        return json.loads
    return orjson.loads


def number(value: object) -> float | None:
    """A number, given as one or as text ('3.2', 'nan', '-inf'); booleans and other text are none."""
    if isinstance(value, str):
        if "_" in value:
            return None
    elif isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def whole(value: object) -> int | None:
    """A count: 500, '500', '500.0', '1e3'; None for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) < 1 << 62 else None
    found = number(value)
    return int(found) if found is not None and math.isfinite(found) and found.is_integer() and abs(found) < 1 << 62 else None


def printed(value: object) -> int | None:
    """Decimals of a number as printed; None when it has enough digits to be unrounded."""
    text = value if isinstance(value, str) else repr(value)
    dot = text.find(".")
    if dot >= 0 and len(text) <= FULL_PRECISION and text[dot + 1 :].isdigit():
        return len(text) - dot - 1
    digits = text.lower().partition("e")[0].replace(".", "").lstrip("+-0 ")
    return None if len(digits) >= FULL_PRECISION or not digits[:1].isdigit() and "0" not in text else names.decimals(text)


def is_missing(value: object) -> bool:
    """Whether a value stands for a number that is not there."""
    return value is None or isinstance(value, str) and value.strip().lower() in ABSENT


def scalar(text: str) -> Any:
    """What a cell of text holds: an int, float, bool, string, or None for nothing (infinities are nothing)."""
    text = text.strip()
    low = text.lower()
    if low in ABSENT - {"none", "na"} or low == "nan" or text == "None":  # 'none' is a choice: attn_gate=none
        return None
    if low in ("true", "false"):
        return low == "true"
    if _INTEGER.match(text):
        return int(text)
    found = number(text) if not text.isdigit() else None  # '0012' is a label
    return text if found is None or len(text) > 40 else plain(found)


def plain(value: Any) -> Any:
    """The value, or None where JSON has no word for it (NaN, infinity)."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def duration(text: str) -> float | None:
    """Seconds of '10m 9.1s', '4:06:56' or '1 day, 4:06:56'; None for a bare number or anything else."""
    text = text.strip()
    if found := _CLOCK.match(text):
        days, hours, minutes, seconds = (float(g or 0) for g in found.groups())
        return days * 86400 + hours * 3600 + minutes * 60 + seconds
    if text.endswith("ms") and (ms := number(text[:-2])) is not None:
        return ms / 1e3
    found = _DURATION.match(text) if text[:1].isdigit() and text[-1:].isalpha() else None
    if not found:
        return None
    return sum(float(g or 0) * scale for g, scale in zip(found.groups(), (86400, 3600, 60, 1), strict=True))


@lru_cache(maxsize=4096)
def clock_unit(raw: str) -> float | None:
    """Seconds per unit of a clock called this, also with a unit in its name: 'train_hours', 'wall_time_min'."""
    scale = names.clock_scale(raw)
    if scale is not None:
        return scale
    base, _, unit = names.clean(raw).rpartition("_")
    return _UNITS.get(unit) if base in _CLOCK_BASES or names.clock_scale(base) == 1.0 else None


def clock_seconds(raw: str, value: object) -> float | None:
    """Seconds on the clock in column `raw`; a unit printed beside the number wins."""
    scale = clock_unit(raw)
    if scale is None:
        return None
    found = number(value)
    if found is not None:
        return (found / 1e3 if scale == 1e-3 else found * scale) if math.isfinite(found) else None
    return duration(value) if isinstance(value, str) else None


def flatten(value: Mapping[str, Any], prefix: str = "", depth: int = 6) -> dict[str, Any]:
    """Nested objects as one level of 'a/b' keys; lists stay only when short and of scalars."""
    flat: dict[str, Any] = {}
    for key, item in value.items():
        if isinstance(item, dict):
            if depth:
                flat.update(flatten(item, f"{prefix}{key}/", depth - 1))
        elif not isinstance(item, list) or len(item) <= 32 and not any(isinstance(i, dict | list) for i in item):
            flat[f"{prefix}{key}"] = item
    return flat


def run_stem(path: str) -> str:
    """The run that a path names: 'checkpoints/g/vanilla.pt_best.pt' and 'runs/vanilla/step_500/model.pt' are vanilla."""
    parts = [p for p in re.split(r"[/\\]+", path.strip()) if p not in ("", ".", "..")]
    stems = [_stem(p) for p in parts]
    for stem in reversed(stems):
        if stem and not _NAMELESS.match(stem):
            return stem
    return stems[-1] if stems else ""


def _stem(name: str) -> str:
    """A file's or folder's name without extensions and without what says which state of the run it is."""
    checkpoint = bool(_CHECKPOINT.search(name))
    while (shorter := _EXTENSION.sub("", name)) != name and shorter:
        name = shorter
    while checkpoint and (shorter := _STATE.sub("", name)) != name and shorter:
        name = _EXTENSION.sub("", shorter)
    return name


def _metric_name(raw: str, split: str | None) -> str | None:
    """The canonical name of one column when it is a metric; a row's or section's split stands before bare names."""
    raw = CONTAINER.sub("", raw)
    name = names.clean(raw)
    if split:
        base = _SPLIT_PREFIX.sub("", name)
        known = names.known_metric(f"{split}_{base}")
        if known or _METRIC_WORD.search(base):
            return known or names.metric(f"{split}_{base}")
    known = names.known_metric(raw)
    if known:
        return known
    return names.metric(raw) if _METRIC_WORD.search(name) and not _NOT_A_RESULT.search(name) else None


@lru_cache(maxsize=4096)
def metrics_of(keys: tuple[str, ...], split: str | None = None) -> dict[str, str]:
    """Raw -> canonical for the columns that are metrics; beside an explicit cross-entropy the other loss is the objective."""
    groups: dict[str, list[str]] = {}
    for raw in dict.fromkeys(keys):
        if name := _metric_name(raw, split):
            groups.setdefault(name, []).append(raw)
    if raws := groups.pop("eval_loss", None):
        groups.setdefault("val/objective" if "val/loss" in groups else "val/loss", []).extend(raws)
    return {raw: name for canonical, raws in groups.items() for raw, name in _apart(canonical, raws)}


def _apart(canonical: str, raws: list[str]) -> Iterable[tuple[str, str]]:
    """Columns that claim one name: the explicit cross-entropy gets it, else the first; the others keep their own."""
    explicit = [r for r in raws if _CE_WORD.search(names.clean(r))]
    owner = (explicit or raws)[0]
    others = [r for r in raws if r != owner]
    yield owner, canonical
    if explicit and canonical.endswith("/loss") and others:
        yield others.pop(0), canonical.removesuffix("loss") + "objective"
    for raw in others:
        yield raw, "other/" + names.clean(raw)


def is_result(keys: Iterable[str], split: str | None = None) -> bool:
    """Whether columns hold what training prints: an evaluation, or a bare loss beside a counter, clock, seed or rate."""
    keys = tuple(keys)
    found = set(metrics_of(keys, split).values()) & STRONG
    if found - _LOOSE:
        return True
    return bool(found) and any(names.role(k) or clock_unit(k) or names.clean(k) in ("epoch", "seed", "lr", "learning_rate") for k in keys)
