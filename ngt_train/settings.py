"""Dataclasses from plain data and back: every key and type is checked, typos name the nearest known word."""

from __future__ import annotations

import dataclasses
import math
import tomllib
import types
import typing
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from ngt_train.errors import ConfigError, nearest

T = TypeVar("T")
LARGEST_FILE = 1 << 20  # bytes of a configuration


# -- reading -----------------------------------------------------------------------------------------------------------
def read_toml(path: str | Path) -> dict[str, Any]:
    """The file's tables.

    Raises:
        ConfigError: it is missing, too large, or not TOML.
    """
    try:
        raw = Path(path).read_bytes()
        if len(raw) > LARGEST_FILE:
            raise ConfigError(f"{path}: {len(raw):,} bytes are too many for a configuration (at most {LARGEST_FILE:,})")
        return tomllib.loads(raw.decode("utf-8"))
    except OSError as e:
        raise ConfigError(f"{path}: {(e.strerror or str(e)).lower()}") from e
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as e:
        raise ConfigError(f"{path} is not TOML: {e}") from e


def parse_value(text: str) -> Any:
    """A value as the command line gives it: TOML where it is TOML (`1e-3`, `true`, `[1, 2]`), else the text itself."""
    try:
        return tomllib.loads(f"value = {text}")["value"] if "\n" not in text else text
    except tomllib.TOMLDecodeError:
        return text


def put(tree: dict[str, Any], assignment: str) -> None:
    """Apply one `a.b=value` to nested dicts, in place."""
    key, equals, text = assignment.partition("=")
    path = [part.strip() for part in key.split(".")]
    if not equals or not all(path):
        raise ConfigError(f"--set {assignment!r} is not of the form section.key=value")
    for part in path[:-1]:
        tree = tree.setdefault(part, {})
        if not isinstance(tree, dict):
            raise ConfigError(f"--set {assignment!r}: {part} is a value, not a section")
    tree[path[-1]] = parse_value(text.strip())


def build(cls: type[T], values: Mapping[str, Any], place: str = "") -> T:
    """An instance of the dataclass, its nested dataclasses included.

    Raises:
        ConfigError: an unknown key, a missing one, or a value of another type; the message names the place.
    """
    if not isinstance(values, Mapping):
        raise ConfigError(f"{place or 'the configuration'} must be a table, not {values!r}")
    kinds = hints(cls)
    for key in values:
        if key not in kinds:
            raise ConfigError(f"unknown setting {_join(place, key)!r}{nearest(str(key), kinds)}")
    made = {key: _value(kinds[key], value, _join(place, key)) for key, value in values.items()}
    required = (f.name for f in _fields(cls) if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING)
    for key in required:
        if key not in made:
            raise ConfigError(f"setting {_join(place, key)!r} is missing")
    return cls(**made)


@cache
def hints(cls: Any) -> dict[str, Any]:
    """The fields of a dataclass with their resolved types."""
    kinds = typing.get_type_hints(cls)
    return {field.name: kinds[field.name] for field in _fields(cls)}


def _fields(cls: type) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(cls)


def _join(place: str, key: str) -> str:
    return f"{place}.{key}" if place else str(key)


def _value(kind: Any, value: Any, place: str) -> Any:
    """The value as the type wants it: an int becomes a float, a list a tuple, `none` a None."""
    if dataclasses.is_dataclass(kind):
        return build(typing.cast(type, kind), value, place)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return _optional(arguments, value, place)
    if origin is Literal:
        if value in arguments and type(value) is not bool:
            return value
        raise ConfigError(f"{place} = {value!r} is not possible{nearest(str(value), map(str, arguments))}")
    if origin is tuple and isinstance(value, list | tuple):
        return tuple(_value(arguments[0], item, f"{place}[{i}]") for i, item in enumerate(value))
    if origin in (dict, Mapping) or kind is dict:
        if isinstance(value, Mapping):
            return dict(value)
        raise ConfigError(f"{place} must be a table, not {value!r}")
    return _scalar(kind, value, place)


def _optional(kinds: tuple[Any, ...], value: Any, place: str) -> Any:
    others = [kind for kind in kinds if kind is not type(None)]
    if len(others) < len(kinds) and (value is None or value == "none"):
        return None
    for kind in others[:-1]:
        try:
            return _value(kind, value, place)
        except ConfigError:
            continue
    return _value(others[-1], value, place)


def _scalar(kind: Any, value: Any, place: str) -> Any:
    if kind is Any or type(value) is kind:
        if isinstance(value, float) and not math.isfinite(value):
            raise ConfigError(f"{place} = {value} is not a finite number")
        return value
    if kind is float and type(value) is int:
        return _scalar(kind, float(value) if abs(value) < 1 << 1023 else math.inf, place)
    if kind is int and type(value) is float and value.is_integer():
        return int(value)
    if kind is str and type(value) in (int, float):
        return str(value)
    names = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", tuple: "a list"}
    wanted = names.get(get_origin(kind) or kind, str(kind))
    raise ConfigError(f"{place} must be {wanted}, not {value!r}")


# -- writing -----------------------------------------------------------------------------------------------------------
def plain(value: Any) -> Any:
    """Nested dicts, lists and scalars of a dataclass: what JSON, TOML and a checkpoint can hold."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def to_toml(tree: Mapping[str, Any]) -> str:
    """TOML of nested tables; keys without a value (None) are left out, for TOML has no null."""
    import tomli_w

    return tomli_w.dumps(_said(tree))


def _said(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _said(item) for key, item in value.items() if item is not None}
    return [_said(item) for item in value if item is not None] if isinstance(value, list | tuple) else value


def differences(old: Mapping[str, Any], new: Mapping[str, Any], place: str = "") -> list[tuple[str, Any, Any]]:
    """Dotted keys whose values differ, with both values; a key that only one side has counts as None on the other."""
    found: list[tuple[str, Any, Any]] = []
    for key in dict.fromkeys((*old, *new)):
        here = _join(place, key)
        a, b = old.get(key), new.get(key)
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            found += differences(a, b, here)
        elif a != b:
            found.append((here, a, b))
    return found
