"""What a table of records is, judged by its content: curves (many rows a run), rows (one a run), or an aggregate.

A record maps raw column names to values; empty cells are left out. Records come from CSV cells or JSON objects.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

from msgspec import Struct

from ngt_report import names
from ngt_report.sources._scalars import SPLITS, STRONG, clock_unit, duration, metrics_of, number, scalar
from ngt_report.text.late import late

Record = Mapping[str, Any]

IDENTITIES = ("run_id", "run", "run_name", "name", "config_name", "id", "experiment", "exp_name", "experiment_name", "run_uuid", "trial")
COMMITS = ("commit", "commit_hash", "git_commit", "sha")
PATHS = (
    "path", "checkpoint", "checkpoint_path", "ckpt", "ckpt_path", "log", "logfile", "log_file", "log_path", "output_dir", "out_dir",
    "save_dir", "run_dir",
)  # fmt: skip
SPLIT_KEYS = frozenset("split phase mode type event kind set stage subset".split())
_COUNTS = frozenset("seeds n_seeds num_seeds seed_count n_runs num_runs runs repeats replicates n_repeats n count".split())
_TIMES = frozenset("date time timestamp datetime created created_at started started_at finished_at wall_time_utc ts".split())
_NOT_LABELS = frozenset(  # texts about a moment, whatever they say
    "message msg level levelname severity logger tracker text host hostname pid thread module func status state note notes comment comments"
    " remark remarks".split()
)
_MOMENT = re.compile(r"[ _.-](step|epoch|end|loss|batch|iter|metrics)$")  # what a split's value may add: validation_step
_PER_RUN = frozenset("seed git_commit".split())
_SPREAD = re.compile(r"(^|_)(std|stdev|stddev|sd|sem|ci95|ci)(_|$)")
_MEAN = re.compile(r"(^|_)(mean|avg|average|median)(_|$)")
_WRITTEN_TIME = late(r"\d+\s*h( ?\d+\s*m)?|(\d+\s*h ?)?\d+\s*m(in)? \d+(\.\d+)?\s*s")
_MEASURED = late(
    r"[-+~]?\d[\d.,]*(?:e[-+]?\d+)?\s*(?:[%\u2030]|[kKMGT]i?B|[kKMGTP]?\w+/s(?:ec)?|s/\w+|[MGTP]?FLOPs?(?:/s)?|[\u00b5un]s|m?W|\u00b0?C)"
)
_DATE = late(r"\d{4}[-/]\d\d[-/]\d\d|\d\d[-/]\d\d[-/]\d{4}|\d\d:\d\d:\d\d")
_NOT_RESULTS = frozenset(("lr", "grad_norm", "epoch", "step_ms"))
_STEPS_OF = frozenset(("checkpoint_step", "checkpoint_iter", "checkpoint_iteration", "ckpt_step", "ckpt_iter"))
_AXES_IN_PLURAL = frozenset(("steps", "iterations"))  # totals by name, but a curve when they only grow


class Shape(Struct, frozen=True):
    """How to read a table: kind, the columns that count steps and tell runs apart, and why."""

    kind: Literal["curve", "rows", "aggregate"]
    why: str
    axis: str | None = None
    identity: tuple[str, ...] = ()
    shared: bool = False  # the identity names runs that other files may describe
    lasting: bool = False  # a record that lacks the identity belongs to the run of the one before it


def columns_of(records: Sequence[Record]) -> tuple[str, ...]:
    """All columns, in order of appearance."""
    return tuple(dict.fromkeys(k for r in records for k in r))


def identity_of(records: Sequence[Record], order: Sequence[str] = IDENTITIES) -> str | None:
    """The column that names a run: the first whose values all differ, else the first there is."""
    found = [c for want in order for c in columns_of(records) if names.clean(c) == want and not isinstance(records[0].get(c), dict | list)]
    distinct = [c for c in found if _all_differ(records, c) and any(c in r for r in records)]
    return next(iter(distinct or found), None)


def commit_of(records: Sequence[Record]) -> str | None:
    """Where nothing else names a row: the column of commits, if each row has its own."""
    found = (c for c in columns_of(records) if names.clean(c) in COMMITS)
    return next((c for c in found if len(records) > 1 and _all_differ(records, c) and all(r.get(c) for r in records)), None)


def path_of(records: Sequence[Record]) -> str | None:
    """The column with a path that names a run, when its values are texts."""
    found = [c for want in PATHS for c in columns_of(records) if names.clean(c) == want]
    return next((c for c in found if all(isinstance(r.get(c, ""), str) and number(r.get(c)) is None for r in records)), None)


def split_key(columns: Sequence[str], records: Sequence[Record]) -> str | None:
    """The column that says train or val for each row, if one does."""
    for column in columns:
        if names.clean(column) in SPLIT_KEYS and any(split_of(r[column]) for r in records if column in r):
            return column
    return None


def split_of(value: object) -> str | None:
    """train, val or test, for a value of a split column."""
    return SPLITS.get(_MOMENT.sub("", value.lower())) if isinstance(value, str) else None


def shape_of(records: Sequence[Record]) -> Shape:
    """Curves, rows or an aggregate."""
    aggregate = aggregate_reason(records)
    if aggregate:
        return Shape("aggregate", aggregate)
    return curve_shape(records) or Shape("rows", "one row a run")


def without_statistics(columns: Sequence[str]) -> tuple[str, ...]:
    """Column names as if they held single values: val_loss for val_loss_mean and val_loss_std."""
    return tuple(_MEAN.sub("_", _SPREAD.sub("_", names.clean(c))).strip("_") for c in columns)


def aggregate_reason(records: Sequence[Record]) -> str | None:
    """Why these rows are means over runs, or None: no column tells single runs apart and something says groups."""
    columns = columns_of(records)
    clean = {names.clean(c): c for c in columns}
    if clean.keys() & {"seed", "run_id", "run_uuid", "run"}:
        return None
    strong = {names.clean(c) for c in columns if c in metrics_of(columns)}
    stats = [c for c in clean if _SPREAD.search(c) and _about_metric(c, _SPREAD, strong)]
    if stats:
        return f"the column {clean[stats[0]]!r} is a spread over several runs"
    counts = [c for c in clean if c in _COUNTS and all(str(r.get(clean[c], "1")).isdigit() for r in records)]
    if counts and not _axis(records):
        return f"the column {clean[counts[0]]!r} counts the runs behind a row"
    if identity_of(records) or path_of(records) or _per_run(clean):
        return None
    means = [c for c in clean if _MEAN.search(c) and _about_metric(c, _MEAN, strong)]
    if means and not _axis(records):
        return f"the column {clean[means[0]]!r} is a mean and no column names a run"
    return _written_times(records, columns)


def _per_run(clean: Mapping[str, str]) -> bool:
    """Whether a column says something that only a single run has: a seed, a commit, a date, a machine."""
    return any(names.config_key(c) in _PER_RUN or c in _TIMES or c in ("hostname", "host", "gpu_name", "runpod_instance") for c in clean)


def _about_metric(column: str, word: re.Pattern[str], strong: set[str]) -> bool:
    """Whether a column is a statistic of a result: val_loss_std, mean_final_loss, std beside a loss."""
    rest = re.sub("_+", "_", word.sub("_", column)).strip("_")
    return bool(strong) if not rest else bool(metrics_of((rest,))) and names.known_metric(rest) not in _NOT_RESULTS


def _written_times(records: Sequence[Record], columns: Sequence[str]) -> str | None:
    """The reason when all times are written for people ('10m 9.1s') and nothing tells runs apart."""
    if _axis(records):
        return None
    for column in columns:
        values = [r[column] for r in records if column in r]
        if clock_unit(column) is not None and values and all(isinstance(v, str) and _WRITTEN_TIME.fullmatch(v.strip()) for v in values):
            return f"no column names a run or a seed, and {column!r} is written for people, as in a table of means"
    return None


def curve_shape(records: Sequence[Record]) -> Shape | None:
    """How these records make curves, or None."""
    axis = _axis(records)
    if axis is None:
        return _growing_curve(records)
    rows = [r for r in records if number(r.get(axis)) is not None]
    identity = identity_of(rows)
    if identity and _is_counter(rows, identity):
        identity = None
    if identity:
        return _named_curve(rows, axis, identity)
    return _unnamed_curve(rows, axis)


def _axis(records: Sequence[Record]) -> str | None:
    """The column that counts steps, else epochs, within runs."""
    columns = columns_of(records)
    steps = [c for c in columns if names.role(c) == "step"] or [c for c in columns if names.clean(c) in _STEPS_OF]
    steps = steps or [c for c in columns if names.clean(c) == "epoch"]
    filled = [(sum(number(r.get(c)) is not None for r in records), "global" in c, -i, c) for i, c in enumerate(steps)]
    return max(filled)[-1] if filled and max(filled)[0] * 2 >= len(records) else None


def _named_curve(rows: Sequence[Record], axis: str, identity: str) -> Shape | None:
    """Curves when a name comes back with another step."""
    groups: dict[str, set[float | None]] = {}
    for row in rows:
        groups.setdefault(str(row.get(identity)), set()).add(number(row.get(axis)))
    if all(len(steps) < 2 for steps in groups.values()):
        return None
    lasting = _is_same([r for r in rows if identity in r], identity) and _of_a_kind(_told(rows, axis), identity)
    return Shape("curve", f"{axis!r} advances for each {identity!r}", axis, (identity,), True, lasting)


def _unnamed_curve(rows: Sequence[Record], axis: str) -> Shape | None:
    """Curves of unnamed runs: steps that mostly advance, alone or within each value of the label columns."""
    labels = label_columns(rows)
    steps = [number(r[axis]) or 0.0 for r in rows]
    if len(rows) == 1:
        return None if labels else Shape("curve", f"one row with {axis!r} and no configuration", axis)
    if len(set(steps)) == 1:
        return None
    varying = tuple(c for c in labels if not _is_same(rows, c) and _tells_runs(rows, axis, c))
    if _one_run(rows, steps, varying):
        constant = tuple(c for c in labels if _is_same(rows, c) and _is_text(rows, c))
        return Shape("curve", f"{axis!r} advances", axis, constant, lasting=True)
    groups: dict[tuple[str, ...], list[float]] = {}
    for row, step in zip(rows, steps, strict=True):
        groups.setdefault(tuple(str(row.get(c, "")) for c in varying), []).append(step)
    moves = [b - a for g in groups.values() for a, b in pairwise(g)]
    falls = sum(m < 0 for m in moves)
    if len(groups) * 2 > len(rows) or not any(m > 0 for m in moves) or falls > 0.3 * len(moves) and _has_settings(rows, axis):
        settings = _settled(rows, steps, axis)
        return Shape("curve", f"{axis!r} advances within {', '.join(map(repr, settings))}", axis, settings) if settings else None
    return Shape("curve", f"{axis!r} advances within {', '.join(map(repr, varying)) or 'the file'}", axis, varying)


def _settled(rows: Sequence[Record], steps: Sequence[float], axis: str) -> tuple[str, ...]:
    """Columns that stay while the step rises and differ from rise to rise: the settings of runs, one below the other."""
    rises: list[list[Record]] = []
    for i, row in enumerate(rows):
        if not i or steps[i] <= steps[i - 1]:
            rises.append([])
        rises[-1].append(row)
    settings = tuple(c for c in columns_of(rows) if c != axis and not names.role(c) and all(_is_same(rise, c) for rise in rises))
    varying = tuple(c for c in settings if not _is_same(rows, c))
    apart = {tuple(str(rise[0].get(c)) for c in varying) for rise in rises}
    return varying if len(rises) > 1 and min(map(len, rises)) > 1 and len(apart) == len(rises) else ()


def _has_settings(rows: Sequence[Record], axis: str) -> bool:
    """Whether some column may be a setting: then steps that jump about are ends of runs, not restarts."""
    columns = columns_of(rows)
    metrics = {c for c, name in metrics_of(columns).items() if name != "lr"}
    known = {axis, split_key(columns, rows), *metrics, *(c for c in columns if names.role(c) or clock_unit(c) is not None)}
    return any(c not in known and names.clean(c) not in _TIMES | _NOT_LABELS and not _is_same(rows, c) for c in columns)


def _told(rows: Sequence[Record], axis: str) -> list[tuple[Record, float, frozenset[str]]]:
    """The rows that hold results: each with its step and what it tells."""
    split = split_key(columns_of(rows), rows)
    told = [(r, metrics_of(tuple(r), split_of(r.get(split)) if split else None).values()) for r in rows]
    return [(r, number(r.get(axis)) or 0.0, found) for r, all_ in told if (found := STRONG.intersection(all_))]


def _of_a_kind(told: Sequence[tuple[Record, float, frozenset[str]]], column: str) -> bool:
    """Whether records of some kinds have a column and those of other kinds do not, as training lines have a rate."""
    have: dict[bool, set[str]] = {True: set(), False: set()}
    for row, _, found in told:
        have[column in row] |= found
    return bool(have[True] and have[False]) and not have[True] & have[False]


def _tells_runs(rows: Sequence[Record], axis: str, column: str) -> bool:
    """Whether a label is one of runs: steps start again for each of its values, or only its values keep equal steps apart."""
    told = _told(rows, axis)
    everywhere = all(column in r for r, _, _ in told)
    if everywhere and (names.known_config(column) or _all_differ(rows, column)):
        return True
    pairs = [(m, step, str(row.get(column, ""))) for row, step, found in told for m in sorted(found)]
    collide = len({p[:2] for p in pairs}) < len(set(pairs))
    if not everywhere and not collide and _of_a_kind(told, column):
        return False
    furthest, seen, again = dict[str, float](), set[str](), True
    for row, step, found in told:
        value = str(row.get(column, ""))
        again &= value in seen or not seen or any(furthest.get(m, -math.inf) >= step for m in found)
        seen.add(value)
        furthest |= {m: max(step, furthest.get(m, step)) for m in found}
    return again or collide and len(pairs) == len(set(pairs)) and not _falls(pairs)


def _falls(pairs: Sequence[tuple[str, float, str]]) -> bool:
    """Whether the steps of a metric fall within one value of a label."""
    groups: dict[tuple[str, str], list[float]] = {}
    for metric, step, value in pairs:
        groups.setdefault((metric, value), []).append(step)
    return any(b < a for steps in groups.values() for a, b in pairwise(steps))


def _one_run(rows: Sequence[Record], steps: Sequence[float], varying: Sequence[str]) -> bool:
    """Whether steps never fall and no step has two configurations: then what varies is a schedule."""
    if any(b < a for a, b in pairwise(steps)):
        return False
    pairs = {(s, tuple(str(r.get(c, "")) for c in varying)) for s, r in zip(steps, rows, strict=True)}
    changes = sum(any(str(a.get(c)) != str(b.get(c)) for c in varying) for a, b in pairwise(rows))
    return len(pairs) == len(set(steps)) and changes * 3 <= len(rows)


def _growing_curve(records: Sequence[Record]) -> Shape | None:
    """A curve over tokens, or over a column called `steps`, when it strictly grows and nothing else tells runs apart."""
    columns = columns_of(records)
    if len(records) < 3 or identity_of(records) or path_of(records) or label_columns(records):
        return None
    for column in columns:
        if names.clean(column) in _AXES_IN_PLURAL or names.role(column) == "tokens":
            values = [number(r.get(column)) for r in records]
            known = [v for v in values if v is not None]
            if len(known) == len(values) and all(b > a for a, b in pairwise(known)):
                return Shape("curve", f"{column!r} only grows", column)
    return None


def label_columns(records: Sequence[Record]) -> tuple[str, ...]:
    """Columns that describe a run rather than a moment: known configuration and text, without rates, clocks and dates."""
    columns = columns_of(records)
    split, metrics = split_key(columns, records), metrics_of(columns)
    found = []
    for column in columns:
        clean = names.clean(column)
        if column == split or column in metrics or names.role(column) or clock_unit(column) is not None or clean in _TIMES or not clean:
            continue
        if clean in _NOT_LABELS:
            continue
        if names.known_config(column) not in (None, "learning_rate") or _is_text(records, column) and not _is_moment(records, column):
            found.append(column)
    return tuple(found)


def _is_text(records: Sequence[Record], column: str) -> bool:
    """Whether a column's values are words."""
    values = [scalar(v) if isinstance(v, str) else v for v in (r.get(column) for r in records)]
    known = [v for v in values if v is not None]
    return bool(known) and all(isinstance(v, str) for v in known)


def _is_moment(records: Sequence[Record], column: str) -> bool:
    """Whether a column's texts are dates, durations or numbers with a unit: '100%', '3.2 it/s'."""
    values = [r[column].strip() for r in records if isinstance(r.get(column), str) and scalar(r[column]) is not None]
    return all(duration(v) is not None or _DATE.match(v) or _MEASURED.fullmatch(v) for v in values)


def _is_same(records: Sequence[Record], column: str) -> bool:
    """Whether a column has one value throughout."""
    return len({str(r.get(column, "")) for r in records}) == 1


def _all_differ(records: Sequence[Record], column: str) -> bool:
    """Whether no value of a column occurs twice."""
    values = [str(r[column]) for r in records if r.get(column) is not None]
    return len(values) == len(set(values)) > 0


def _is_counter(records: Sequence[Record], column: str) -> bool:
    """Whether a column merely numbers the rows: 0, 1, 2, ..."""
    values = [number(r.get(column)) for r in records]
    return len(values) > 2 and all(a is not None and b == a + 1 for a, b in pairwise(values))
