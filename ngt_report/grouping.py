"""Which runs are one configuration: equal settings but for the seed, or equal by the keys of --group-by and --except."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from ngt_report.config import Settings
from ngt_report.errors import UsageError
from ngt_report.identity import tail
from ngt_report.incidental import incidental
from ngt_report.labels import label_of
from ngt_report.names import config_key
from ngt_report.store import to_json
from ngt_report.text.flags import FLAG

OF_THE_RUN = ("model", "flags", "dataset", "tokenizer", "seed", "params", "hardware", "git_commit")  # columns of the table runs
NAME, FOLDER = "name", "folder"  # as keys of --group-by: the run's name without its seed or number, and the folder of its file
NO_SETTING = frozenset(("seed", "git_commit", "hardware", "input_bin", "pasted_program"))  # equal or not, they make no other configuration
COMMAND = "command.flags"
OUTCOME = re.compile(  # recorded beside the settings, but measured, not set
    r"(?:loss|ppl|perplexity|accuracy|reduction|improvement|speedup|seconds|duration|runtime|_time|_memory|per_s|per_sec|per_second"
    r"|reached_target)(?:_(?:last|final|best|first|mean|avg|min|max|std|\d+))*$"
)
SAID_SEED = re.compile(r"(?:[._\-]|(?<![A-Za-z]))(?:seed|sd|s)[._\-=]?0*([0-9]{1,18})(?=$|[_\-]|\.(?![0-9]))", re.IGNORECASE)
BARE_SEED = re.compile(r"(?:^|[_\-]|(?<![0-9])\.)0*([0-9]{1,18})(?=$|[_\-]|\.(?![0-9]))")  # not the 3 of lr0.003
NUMBERED = re.compile(r"[._\-]?(?:seed|sd|s|rep|repeat|trial|run)?[._\-=]?[0-9]+$")

CHANCE = re.compile(r"[0-9a-f]{8}$")  # what is shown of a UUID: what two begin with means nothing
SEED_WORD = re.compile(r"(?:(?:^|[_\-. ])(?:seed|sd|s))?[_\-. =]*$")  # not the s of mass


def grouped(rows: list[dict[str, Any]], settings: Settings) -> None:
    """Give each row of the table runs its seed group and its configuration."""
    follow = followers([(row["values"].get("seed"), row["settings"]) for row in rows])
    for row in rows:
        config = {k: v for k, v in row["settings"].items() if k not in follow}
        row["seed_group"], row["config_group"] = groups_of(row["run"], row["values"], config, row["total_steps"], settings)


def followers(configs: list[tuple[Any, dict[str, Any]]]) -> frozenset[str]:
    """Other recorded seeds (of the data, of the order) that follow that of the run: as far from it in all runs, and not all equal."""
    found: dict[str, set[tuple[int, int]]] = {}
    for seed, config in configs:
        for key in (k for k in config if k.endswith("_seed") and isinstance(seed, int) and isinstance(config[k], int)):
            found.setdefault(key, set()).add((config[key], config[key] - seed))
    return frozenset(key for key, said in found.items() if len(said) > 1 and len({gap for _, gap in said}) == 1)


def groups_of(
    run: str, values: dict[str, Any], config: dict[str, Any], total: int | None, settings: Settings
) -> tuple[str | None, str | None]:
    """(seed group, configuration) of a run as JSON; None where what is recorded is too little to say.

    values: the columns of the table runs; config: its recorded settings.
    """
    if settings.group_by:
        chosen = {key: value_of(run, values, config, key) for key in settings.group_by}
        key = None if None in chosen.values() else to_json(chosen | {"total_steps": total})
        return key, key
    if settings.except_keys:
        left_out = NO_SETTING | {"model", "flags", *settings.except_keys}
        named = {k: values[k] for k in ("model", "flags") if k not in settings.except_keys and values.get(k) is not None}
        rest = named | {k: v for k, v in config.items() if k not in left_out and not outcome(k, v) and not incidental(k, v)}
        key = to_json(rest | {"total_steps": total}) if rest else None
        return key, key
    seed = values.get("seed")
    rest = {k: plain_of(k, v, seed) for k, v in config.items() if k not in NO_SETTING and not outcome(k, v) and not incidental(k, v)}
    if len(rest) < 2:
        return None, None
    label = label_of(run, config, lambda part: without_seed(part, seed))
    key = to_json({**rest, "total_steps": total, "label": label})
    return key if isinstance(seed, int) else None, key


def plain_of(key: str, value: Any, seed: Any) -> Any:
    """A recorded value without the seed: a text without the words that say it (gelu_s1), a command without that and what is incidental."""
    if not isinstance(value, str):
        return value
    if key == COMMAND and (flags := FLAG.findall(value)):
        named = [(config_key(k), v) for k, v in flags]
        return [(k, plain_of(k, v, seed)) for k, v in named if k != "seed" and not incidental(k, v)]
    return SAID_SEED.sub(lambda m: "" if int(m[1]) == seed else m[0], value)


def outcome(key: str, value: Any) -> bool:
    """Whether a recorded value was measured, not set: a loss, a time, a rate."""
    return isinstance(value, float) and OUTCOME.search(key) is not None


def value_of(run: str, values: dict[str, Any], config: dict[str, Any], key: str) -> Any:
    """What --group-by KEY means for a run: its name without the seed, its folder, a column of the table runs, or a recorded setting."""
    file, _, own = run.partition("#")
    if key == FOLDER:
        return file.rpartition("/")[0] or "."
    if key == NAME:
        own = tail(run) if not own.isdigit() else file  # several trials of one file have its name
        seed = values.get("seed")
        return without_seed(own, seed) if isinstance(seed, int) else NUMBERED.sub("", own) or own
    found = values.get(key)
    return found if found is not None else config.get(key)


def known_keys(settings: Settings, configs: Iterable[dict[str, Any]]) -> Settings:
    """The settings with their keys by canonical name (lr is learning_rate); an unknown key is answered with the nearest one."""
    recorded = {k for config in configs for k in config} | {NAME, FOLDER, *OF_THE_RUN}
    from msgspec.structs import replace

    def known(option: str, key: str) -> str:
        for name in (key, config_key(key)):
            if name in recorded:
                return name
        from difflib import get_close_matches

        near = get_close_matches(key, sorted(recorded), 1)
        said = f"did you mean {near[0]!r}?" if near else f"recorded are {', '.join(sorted(recorded)[:12])}"
        raise UsageError(f"{option} {key}: no run records {key!r}; {said}")

    if settings.group_by and settings.except_keys:
        raise UsageError("--group-by and --except exclude each other; give the keys that make a group, or those that do not")
    return replace(
        settings,
        group_by=[known("--group-by", key) for key in settings.group_by],
        except_keys=[known("--except", key) for key in settings.except_keys],
    )


def without_seed(name: str, seed: Any) -> str:
    """The name without the words that say the seed: baseline_s42, baseline-seed42, baseline_42."""
    for pattern in (SAID_SEED, BARE_SEED):
        label = pattern.sub(lambda m: "" if int(m[1]) == seed else m[0], name)
        if label != name:
            return label
    return name


def shared_name(names: list[str]) -> str:
    """What the names of a group of seeds have in common; empty where that is nothing."""
    words = [n.split(" ") for n in names]
    if len(words[0]) > 1:
        return " ".join(w for w in words[0] if all(w in other for other in words))
    return _beginning(names)


def _beginning(names: list[str]) -> str:
    """What the names begin with, if anything, without a trailing separator or the word that says a seed."""
    if len(names) == 1:
        return names[0]
    if all(CHANCE.match(name) for name in names):
        return ""
    same = [a for a, b in zip(min(names), max(names), strict=False)]
    length = next((i for i, c in enumerate(same) if min(names)[i] != max(names)[i]), len(same))
    return SEED_WORD.sub("", names[0][:length])
