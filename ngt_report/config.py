"""Settings of a report: ngtreport.toml beside the logs, or [tool.ngtreport] of a pyproject.toml; flags win over both."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from ngt_report.asked import possible
from ngt_report.errors import UsageError


class Settings(Struct):
    """What the user declares: names, the baseline, and facts that no log can say."""

    baseline: str | None = None  # a run, or any unique part of its name
    step: int | None = None  # the common step, instead of the largest one
    target: float | None = None  # a target validation loss
    group_by: list[str] = field(default_factory=list)  # configuration keys that make a group of seeds
    except_keys: list[str] = field(default_factory=list)  # `except`: keys that may differ within a group
    phases: dict[str, str] = field(default_factory=dict)  # phase of a campaign -> its file or folder, or a pattern of them
    title: str | None = None  # the report's title, instead of the group's name
    labels: dict[str, str] = field(default_factory=dict)  # run -> display name
    aliases: dict[str, str] = field(default_factory=dict)  # a name used in some source -> the run's name
    declared: dict[str, Any] = field(default_factory=dict)  # fact -> value for all runs, or run -> {fact: value}
    path: str | None = None


SPELT = {"except_keys": "except"}  # names that Python keeps for itself
# cheaper than to parse a pyproject.toml that has no such table
TABLE = re.compile(rb"(?m)tool\W{1,9}ngtreport|^[ \t]*(?:\[[ \t]*)?['\"]?tool['\"]?[ \t]*[\]=]")
KEYS = {SPELT.get(name, name): name for name in Settings.__struct_fields__ if name != "path"}


def load(bases: list[Path], root: Path) -> Settings:
    """The first ngtreport.toml in an input folder, their common parent or here; else pyproject.toml's table."""
    folders = [b if b.is_dir() else b.parent for b in bases]
    for folder in dict.fromkeys([*folders, root, Path.cwd()]):
        path = folder / "ngtreport.toml"
        if path.is_file():
            return parse(_toml(path), path.name)
    pyproject = Path.cwd() / "pyproject.toml"
    if pyproject.is_file() and TABLE.search(pyproject.read_bytes()):
        table = _toml(pyproject).get("tool", {}).get("ngtreport")
        if table is not None:
            return parse(table, "pyproject.toml [tool.ngtreport]")
    return Settings()


def _toml(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as e:
        raise UsageError(f"{path.name} is not valid TOML: {e}; correct it or remove the file") from e


def parse(table: dict[str, Any], where: str) -> Settings:
    """Settings from a table; an unknown key is answered with the nearest known one."""
    settings = Settings(path=where)
    for key, value in table.items():
        name = key.replace("-", "_")
        if name not in KEYS:
            from difflib import get_close_matches

            near = get_close_matches(name, KEYS, 1)
            raise UsageError(f"{where}: unknown key {key!r}; " + (f"did you mean {near[0]!r}?" if near else f"known: {', '.join(KEYS)}"))
        setattr(settings, KEYS[name], _checked(name, value, where))
    return settings


def _checked(name: str, value: Any, where: str) -> Any:
    """The value, if it has the setting's type."""
    wanted: dict[str, tuple[type, ...]] = {
        "baseline": (str,), "title": (str,), "step": (int,), "target": (float, int), "group_by": (list, str),
        "except": (list, str),
        "labels": (dict,), "aliases": (dict,), "phases": (dict,), "declared": (dict,),
    }  # fmt: skip
    if isinstance(value, bool) or type(value) not in wanted[name]:
        raise UsageError(f"{where}: {name} is {value!r}, which is not a {' or '.join(t.__name__ for t in wanted[name])}")
    if name in ("step", "target"):
        possible(name, value, f"{where}: {name}")
    if name in ("group_by", "except"):
        return [value] if isinstance(value, str) else [str(v) for v in value]
    return {str(k): str(v) for k, v in value.items()} if name in ("labels", "aliases", "phases") else value
