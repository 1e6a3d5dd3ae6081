"""Names in ngtreport.toml that no run or source has: what is said under them would be lost without a word."""

from __future__ import annotations

from collections.abc import Iterator

from ngt_report.config import Settings
from ngt_report.identity import Identity

Row = tuple[str, str, None, str, None, None]  # a finding: severity, kind, run, text, source, line


def findings(settings: Settings, identity: Identity) -> list[Row]:
    """One finding a name: a warning where a run is called nearly so, else a remark, for the file may speak of other reports too."""
    runs = {name for run in identity.runs for name in (run.id, *run.names)}
    where = settings.path or "ngtreport.toml"
    if not runs:
        return []
    return [_finding(f"{table} of {where} names {name!r}", name, known) for table, name, known in _unknown(settings, identity, runs)]


def _unknown(settings: Settings, identity: Identity, runs: set[str]) -> Iterator[tuple[str, str, set[str]]]:
    """Tables of ngtreport.toml with the names in them that mean nothing, and what they could have meant."""
    yield from (("[labels]", name, runs) for name in settings.labels if name not in runs)
    yield from (("[declared]", name, runs) for name, own in settings.declared.items() if isinstance(own, dict) and name not in runs)
    pieces = [piece for run in identity.runs for piece in run.pieces] + identity.loose
    used = runs | {name for piece in pieces for name in (piece.name, piece.base) if name}
    for alias, name in settings.aliases.items():
        if alias not in used:
            yield "[aliases]", alias, used
        if not any(known == name or known.endswith(f"_{name}") or name.endswith(f"_{known}") for known in runs):
            yield "[aliases]", name, runs


def _finding(said: str, name: str, known: set[str]) -> Row:
    from difflib import get_close_matches

    near = get_close_matches(name, sorted(known), 1) or sorted((n for n in known if name.lower() in n.lower()), key=lambda n: (len(n), n))
    then = f"did you mean {near[0]!r}?" if near else "it has no effect here"
    return "warning" if near else "info", "misnamed", None, f"{said}, which is the name of no run; {then}", None, None
