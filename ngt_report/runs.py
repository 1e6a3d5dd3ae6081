"""The runs table: what each run is called, configured as, a continuation of, and how it ended."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from ngt_report import misnamed
from ngt_report.batches import write_batches
from ngt_report.config import Settings
from ngt_report.grouping import OF_THE_RUN, grouped, known_keys, outcome
from ngt_report.identity import CHECKPOINT, UUID, Identity, Piece, Run, tail
from ngt_report.incidental import incidental
from ngt_report.names import CONFIG, clean, config_key
from ngt_report.present import Fact, of_runs
from ngt_report.store import Store, to_json
from ngt_report.student import quantile
from ngt_report.text.flags import shortened

NOT_CONFIG = re.compile(  # facts that say something else than how the run was configured
    r"^(?:marker|crash(?:_tail)?|status|stopped|resumed_from|results_file|train_time_s|total_steps|coords)$|^(?:stated|clock|value|summary|checkpoint)\."
    r"|^config\.(?:total_steps|date|timestamp|notes?|description|status|round|hypothesis|output_dir|logging_dir|log_dir|run_?id|schema|name|config_name|git_diff)$"
    r"|^config\.versions?\b"
)
UNTELLING = re.compile(  # configuration keys that differ without meaning anything to a reader
    r"^(?:command|checkpoint)\b|^(?:git_commit|hardware|gpus|processes|params|path|run_?id|id|name|index|runpod_instance|save_every|num_iterations|max_steps"
    r"|total_steps|final_step|projection_count|output_dir|logging_dir|log_dir|train_loss_reduction|notes?|date|timestamp|reached_target|flags|model"
    r"|input_bin|pasted_program|out_dir|save_dir|\w*log_file|wandb_\w+)$"
)
BASELINES = ("vanilla", "baseline", "none")
TEXT = 3  # precedence of text logs
COLUMNS = (
    "run VARCHAR, name VARCHAR, group VARCHAR, model VARCHAR, flags VARCHAR, dataset VARCHAR, tokenizer VARCHAR, seed BIGINT,"
    " params BIGINT, config VARCHAR, hardware VARCHAR, git_commit VARCHAR, total_steps BIGINT, parent VARCHAR, is_continuation BOOLEAN,"
    " resumed_step BIGINT, clock_scope VARCHAR, stated_time_s DOUBLE, declared VARCHAR, status VARCHAR, seed_group VARCHAR,"
    " config_group VARCHAR"
)
Told = dict[tuple[int, int], list[tuple[str, Any, int | None]]]  # (source, trial) -> (key, value, line), as they were said
Facts = dict[str, list[tuple[Any, str, int | None, Piece]]]  # of one run: key -> (value, path, line, piece), best source first


def write_runs(store: Store, identity: Identity, group: str, settings: Settings) -> set[str]:
    """Fill run_trials, runs and checkpoints from the raw tables; returns what there is to compute from, in words (present.py)."""
    store.clear("run_trials", "runs", "checkpoints", "findings", "t_quantiles")
    said: list[Fact] = store.run("SELECT source, trial, key, value, line FROM raw_facts ORDER BY source, trial, rowid")
    facts = _facts(said)
    merged = {run.id: merge(run, facts) for run in identity.runs}
    display = display_names(identity.runs, merged, group, settings)
    configs = {run.id: config_of(merged[run.id], settings, run) for run in identity.runs}
    if settings.group_by or settings.except_keys:
        settings = known_keys(settings, configs.values())
    rows = [_row(run, merged[run.id], display[run.id], group, settings, identity.runs, configs[run.id]) for run in identity.runs]
    grouped(rows, settings)
    names = [column.split()[0] for column in COLUMNS.split(", ")]
    store.insert("runs", COLUMNS, [tuple(row[name] for name in names) for row in rows])
    _quantiles(store, rows)
    store.insert(
        "run_trials", "run VARCHAR, source BIGINT, trial INTEGER, precedence TINYINT, main BOOLEAN",
        [(run.id, p.source, p.trial, _precedence(p), p is run.main) for run in identity.runs for p in run.pieces],
    )  # fmt: skip
    _checkpoints(store, identity, facts)
    store.insert(
        "findings", "severity VARCHAR, kind VARCHAR, run VARCHAR, text VARCHAR, source VARCHAR, line BIGINT",
        [
            *((s, k, display.get(r or "", r), _named(t, display), p, line) for s, k, r, t, p, line in identity.findings),
            *misnamed.findings(settings, identity),
        ],
    )  # fmt: skip
    write_batches(store, [(row["run"], json.loads(row["config"])) for row in rows])
    return of_runs(identity.runs, rows, said)


def _quantiles(store: Store, rows: list[dict[str, Any]]) -> None:
    """Student's t for the degrees of freedom that groups of these runs may have."""
    sizes = Counter(row["seed_group"] for row in rows if row["seed_group"] is not None)
    store.insert("t_quantiles", "df BIGINT, q DOUBLE", [(df, quantile(0.975, df)) for df in range(1, max(sizes.values(), default=1))])


def _named(text: str, display: dict[str, str]) -> str:
    """Findings call runs by their display names."""
    return re.sub(r"\brun (\S+?)(?=[ ,;]|$)", lambda m: f"run {display.get(m[1], m[1])}", text)


def _precedence(piece: Piece) -> int:
    """Of equal values: events, full-precision files, text; a run's own log before a log of many runs."""
    return piece.precedence * 10 + (1 if piece.siblings > 1 and piece.kind == "curve" else 0)


def _facts(said: list[Fact]) -> Told:
    out: Told = {}
    for source, trial, key, value, line in said:
        out.setdefault((source, trial), []).append((key, json.loads(value), line))
    return out


def merge(run: Run, facts: Told) -> Facts:
    """All that the run's sources say, the source of best precedence first, of a source its last statement, of a text its first."""
    merged: Facts = {}
    for piece in sorted(run.pieces, key=lambda p: (_precedence(p), p.path, p.trial)):
        own: dict[str, tuple[Any, int | None]] = {}
        for key, value, line in facts.get((piece.source, piece.trial), ()):
            if key in own and (
                key in ("command.flags", "hardware") or piece.precedence == TEXT and (key in CONFIG or key[:7] == "config.")
            ):
                continue
            own[key] = (value, line)
        for key, (value, line) in own.items():
            merged.setdefault(key, []).append((value, piece.path, line, piece))
    return merged


def first(facts: Facts, key: str) -> Any:
    """The value of best precedence, or None."""
    found = [v for v, *_ in facts.get(key, ()) if v is not None]
    return found[0] if found else None


def total_steps(facts: Facts) -> int | None:
    """The declared total: a curve's own declaration before a results row's."""
    said = facts.get("total_steps", [])
    for kind in ("curve", "row"):
        for value, _, _, piece in said:
            if piece.kind == kind and isinstance(value, int | float) and 0 <= value < 2**62:
                return int(value)
    return None


def config_of(facts: Facts, settings: Settings, run: Run) -> dict[str, Any]:
    """The run's configuration, sorted; declared facts fill what no source says."""
    config = {k.removeprefix("config."): first(facts, k) for k in facts if not NOT_CONFIG.match(k) and first(facts, k) is not None}
    # a checkpoint keeps as `cutoff` what the log calls `model.cutoff`: one setting, not two that vary together
    nested = {(k.rpartition(".")[2], to_json(v)) for k, v in config.items() if "." in k}
    config = {k: v for k, v in config.items() if "config." + k not in facts or "." in k or (k, to_json(v)) not in nested}
    for key, value in declared_for(settings, run).items():
        config.setdefault(key, value)
    if "processes" in config:  # a process has a GPU, where nothing else is said
        config.setdefault("gpus", config["processes"])
    return dict(sorted(config.items()))


def declared_for(settings: Settings, run: Run) -> dict[str, Any]:
    """Facts that ngtreport.toml declares for this run: for all runs, and for it by name."""
    general = {k: v for k, v in settings.declared.items() if not isinstance(v, dict)}
    for name, own in settings.declared.items():
        if isinstance(own, dict) and (name in run.names or name == run.id):
            general.update(own)
    return general


def _row(run: Run, facts: Facts, name: str, group: str, settings: Settings, runs: list[Run], config: dict[str, Any]) -> dict[str, Any]:
    """A row of the table runs, by column."""
    declared = {k: v for k, v in declared_for(settings, run).items() if first(facts, k) is None and first(facts, "config." + k) is None}
    values = {key: first(facts, key) if first(facts, key) is not None else declared.get(key) for key in OF_THE_RUN}
    flags = values["flags"] if values["flags"] is not None else _flags(first(facts, "command.flags"), config)
    total = total_steps(facts)
    parent, continues, resumed = _continuation(run, facts, runs)
    return {
        "run": run.id, "name": name, "group": group, "values": values, "settings": config, "model": _text(values["model"]),
        "flags": _text(flags), "dataset": _text(values["dataset"]), "tokenizer": _text(values["tokenizer"]), "seed": _whole(values["seed"]),
        "params": _whole(values["params"]), "config": to_json(config), "hardware": _text(values["hardware"]),
        "git_commit": _text(values["git_commit"]), "total_steps": total, "parent": parent, "is_continuation": continues,
        "resumed_step": resumed, "clock_scope": _scope(facts), "stated_time_s": first(facts, "train_time_s"),
        "declared": to_json(sorted(declared)), "status": status(run, facts, total),
    }  # fmt: skip


def _flags(command: Any, config: dict[str, Any]) -> Any:
    """What a command says beside the recorded settings, the seed and where things are; a word of baselines stays."""

    def told(key: str, value: str) -> bool:
        known = config_key(key)
        return value not in BASELINES and (known == "seed" or known in config or clean(key) in config or incidental(clean(key), value))

    return shortened(command, told) if isinstance(command, str) else command


def _scope(facts: Facts) -> str:
    return str(first(facts, "clock.scope") or "unknown")


def _text(value: Any) -> str | None:
    if isinstance(value, list) and all(isinstance(v, str) for v in value):
        return ",".join(value)
    return None if value is None else value if isinstance(value, str) else to_json(value)


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and value == value and abs(value) < 2**62 else None


# -- how it ended ---------------------------------------------------------------------------------------------------
def status(run: Run, facts: Facts, total: int | None) -> str:
    """finished, incomplete N/total, crashed with its cause, diverged, or stopped early."""
    ended = first(facts, "status")
    if isinstance(ended, dict) and ended.get("status") and ended["status"] != "finished":
        return f"{ended['status']}: {ended['reason']}" if ended.get("reason") else str(ended["status"])
    last = max((p.last_step for p in run.pieces if p.kind == "curve" and p.last_step is not None), default=None)
    if run.main.kind != "curve":
        return "finished"
    reached = total is not None and max(last or 0, _state_step(facts)) >= total
    crash = crash_cause(run, facts)
    if run.main.diverged:
        return f"diverged by step {last:,}" if last is not None else "diverged"
    if reached:
        return "finished"
    if crash:
        return f"crashed at {last or 0:,}" + (f"/{total:,}" if total else "") + f": {crash}"
    if facts.get("stopped"):
        return f"stopped early at {last:,}" + (f"/{total:,}" if total else "")
    if total is not None and last is not None and not _nearly(run, last, total):
        return f"incomplete {last:,}/{total:,}"
    return "finished" if total is not None else "no declared total"


def _state_step(facts: Facts) -> int:
    """How far the trainer's own state says that a curve got, which may be beyond its last logged step."""
    return max((v for v, _, _, p in facts.get("checkpoint.step", ()) if p.kind == "curve" and isinstance(v, int)), default=0)


def _nearly(run: Run, last: int, total: int) -> bool:
    """Steps that count from 0, or logs that print every N steps, end a little before the total, with a closing evaluation."""
    return last == total - 1 or run.main.final is not None and last >= 0.95 * total


def crash_cause(run: Run, facts: Facts) -> str | None:
    """The cause of a crash after the last data line: the named error before the traceback that led to it."""
    found = [(v, line) for v, _, line, piece in facts.get("crash", ()) if piece is run.main and (line or 0) > (piece.last_line or 0)]
    causes = [v["cause"] for v, _ in found if v.get("kind") != "traceback"] or [v["cause"] for v, _ in found]
    return re.split(r"(?<=[a-z])\. ", str(causes[0]))[0][:160] if causes else None


# -- continuation ---------------------------------------------------------------------------------------------------
def _continuation(run: Run, facts: Facts, runs: list[Run]) -> tuple[str | None, bool, int | None]:
    """The parent, whether this goes on from a checkpoint, and from which step."""
    start = run.main.first_step
    said = [v for v, _, line, piece in facts.get("resumed_from", ()) if isinstance(v, dict) and piece is run.main]
    step = next((v["step"] for v in said if v.get("step")), None)
    path = next((v["path"] for v in said if v.get("path")), None)
    if run.resumes:
        return run.resumes, True, step
    if run.main.kind != "curve" or start is None or start <= 0 or (step is not None and start < step):
        return None, False, None
    name = tail(CHECKPOINT.sub("", CHECKPOINT.sub("", path))) if path else None
    if said:
        return _parent(run, name, step if step is not None else start, runs), True, step
    interval = ((run.main.last_step or start) - start) / max(1, run.main.n_val - 1)
    parent = _parent(run, None, start, runs) if run.main.n_val > 1 and start > 2 * interval else None
    return parent, parent is not None, None


def _parent(run: Run, name: str | None, step: int | None, runs: list[Run]) -> str | None:
    """The run whose checkpoint it was: by name, among those that reached the step."""
    others = [r for r in runs if r is not run and r.main.kind == "curve" and (r.main.last_step or 0) >= (step or 0) * 0.9]
    if name:
        named = [r for r in others if any(n == name or n.endswith("_" + name) for n in r.names)]
        if len(named) == 1:
            return named[0].id
    words = f"_{tail(run.id)}_"
    inside = [r for r in others if any(f"_{suffix}_" in words for n in r.names for suffix in _suffixes(n))]
    return inside[0].id if len(inside) == 1 else None


def _suffixes(name: str) -> Iterable[str]:
    words = name.split("_")
    return ("_".join(words[k:]) for k in range(max(1, len(words) - 1)))


# -- names ----------------------------------------------------------------------------------------------------------
def display_names(runs: list[Run], merged: dict[str, Facts], group: str, settings: Settings) -> dict[str, str]:
    """The id without its folders and the group's prefix where that is unique; a UUID gives way to what differs."""
    short = {r.id: _label(r, group, settings) for r in runs}
    odd = [r for r in runs if UUID.match(tail(r.id)) and r.id not in settings.labels]
    folders = Counter(_folder(r) for r in runs)
    short.update({r.id: _folder(r) for r in odd if folders[_folder(r)] == 1 and _folder(r)})
    odd = [r for r in odd if short[r.id] != _folder(r)]
    if len(odd) > 1:
        short.update(_by_difference(odd, merged))
    counts = Counter(short.values())
    return {id: name if counts[name] == 1 else id for id, name in short.items()}


def _folder(run: Run) -> str:
    """The name of the folder that holds the run's file."""
    return run.id.partition("#")[0].rpartition("/")[0].rpartition("/")[2]


def _label(run: Run, group: str, settings: Settings) -> str:
    for name in (run.id, *sorted(run.names)):
        if name in settings.labels:
            return settings.labels[name]
    file, sign, name = run.id.partition("#")
    bare = file.rsplit("/", 1)[-1] + sign + name
    for prefix in (group + "_", group + "-"):
        bare = bare.removeprefix(prefix)
    return bare or run.id


def _by_difference(runs: list[Run], merged: dict[str, Facts]) -> dict[str, str]:
    """What differs between runs with unspeakable names, no more than it takes: `elementwise lr=0.00468 seed=1337`."""
    keys = {k for r in runs for k in merged[r.id] if not NOT_CONFIG.match(k)}
    columns: dict[str, dict[str, Any]] = {k.removeprefix("config."): {r.id: first(merged[r.id], k) for r in runs} for k in keys}
    columns["steps"] = {r.id: total_steps(merged[r.id]) for r in runs}
    words = differing([r.id for r in runs], columns)
    out = {id: " ".join(w) or tail(id)[:8] for id, w in words.items()}
    counts = Counter(out.values())
    return {id: name if counts[name] == 1 else f"{name} ({tail(id)[:8]})" for id, name in out.items()}


def meaningful(key: str, value: Any) -> bool:
    """Whether a recorded value says something of the experiment: it is no outcome, no place, no name and nothing of the machine."""
    return not UNTELLING.match(key) and not outcome(key, value) and not incidental(key, value)


def differing(runs: list[str], columns: dict[str, dict[str, Any]], most: int = 6) -> dict[str, list[str]]:
    """Per run, the values of the fewest configuration keys that tell the runs apart."""
    told = {k: {id: v for id, v in c.items() if meaningful(k, v)} for k, c in columns.items()}
    table = {k: c for k, c in told.items() if len({to_json(v) for v in c.values() if v is not None}) > 1}
    chosen: list[str] = []
    groups: dict[str, tuple[str, ...]] = dict.fromkeys(runs, ())
    for key in sorted(table, key=lambda k: _key_order(k, table[k])):
        if _key_order(key, table[key])[0] == 3 and sum(v is None for v in table[key].values()) > len(runs) // 10:
            continue  # a key that few sources record names badly
        finer = {id: (*groups[id], to_json(table[key].get(id))) for id in runs}
        if len(chosen) < most and len(set(finer.values())) > len(set(groups.values())):
            chosen, groups = [*chosen, key], finer
    return {id: [_word(k, table[k][id]) for k in sorted(chosen, key=_printed_order) if table[k].get(id) is not None] for id in runs}


def _key_order(key: str, column: dict[str, Any]) -> tuple[int, int, str]:
    """Seeds and words tell most; then what has a common name; then the rest, the more complete first."""
    missing = sum(v is None for v in column.values())
    kind = 0 if key == "seed" else 1 if any(isinstance(v, str) for v in column.values()) else 2 if key in CONFIG or key == "steps" else 3
    return (kind, missing, key)


def _printed_order(key: str) -> tuple[int, str]:
    return (3 if key == "seed" else 2 if key == "steps" else 1 if key in CONFIG else 0, key)


def _word(key: str, value: Any) -> str:
    short = {"learning_rate": "lr", "batch_size": "bs", "sequence_length": "seq"}.get(key, key.removeprefix("config."))
    if key == "steps":
        return f"{value} steps"
    return value if isinstance(value, str) and len(value) < 24 else f"{short}={value}"


# -- checkpoints ----------------------------------------------------------------------------------------------------
def _checkpoints(store: Store, identity: Identity, facts: Told) -> None:
    owners = [(run.id, p) for run in identity.runs for p in run.pieces] + [(None, p) for p in identity.loose]
    rows = []
    for owner, piece in owners:
        if piece.format != "checkpoint":
            continue
        said = {k: v for k, v, _ in facts.get((piece.source, piece.trial), ())}
        rows.append((
            owner, piece.path, said.get("checkpoint.kind", "unknown"), _whole(said.get("checkpoint.step")), said.get("checkpoint.best_val"),
            to_json(said.get("checkpoint.config") or {}), said.get("checkpoint.bytes"), said.get("checkpoint.format"),
        ))  # fmt: skip
    columns = "run VARCHAR, path VARCHAR, kind VARCHAR, step BIGINT, best_val DOUBLE, config VARCHAR, bytes BIGINT, format VARCHAR"
    store.insert("checkpoints", columns, sorted(rows, key=lambda r: r[1]))
