"""`ngtreport campaign`: the campaign of a report as text or JSON, and a run's configuration for the trainer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ngt_report.errors import UsageError
from ngt_report.formatting import plain, signed
from ngt_report.handing import recipe
from ngt_report.queries import find_run
from ngt_report.reports import summary
from ngt_report.terminal import paint, table

Row = dict[str, Any]


def found(folder: Path) -> Row:
    """The campaign in summary.json."""
    campaign = summary(folder).get("campaign")
    if not campaign:
        raise UsageError(
            "this report has no campaign: its runs are of one results table or folder; [phases] in ngtreport.toml can name more"
        )
    return dict(campaign)


def to_json(folder: Path) -> str:
    """For programs."""
    return json.dumps(found(folder), indent=1, ensure_ascii=False)


def to_text(folder: Path, width: int | None) -> str:
    """Phases, moves and effects for a terminal."""
    campaign = found(folder)
    phases = [(p["phase"], str(p["runs"]), p["best"] or "-", _loss(p["loss"]), str(p["steps"] or "-")) for p in campaign["phases"]]
    moves = [(m["from_run"], m["to_run"], signed(m["delta"]), m["word"] + (f": {m['why']}" if m["why"] else "")) for m in campaign["moves"]]
    effects = [(e["phase"], e["key"], e["base"], e["value"], signed(e["delta"]), e["word"]) for e in campaign["effects"]]
    parts = [table(("phase", "runs", "best run", "val loss", "steps"), phases, "lrlrr", width)]
    if moves:
        parts.append([paint("from phase to phase", "bold"), *table(("from", "to", "difference", "verdict"), moves, "llrl", width, 3)])
    if effects:
        head = ("phase", "setting", "from", "to", "difference", "verdict")
        parts.append([paint("one setting at a time", "bold"), *table(head, effects, "llllrl", width)])
    return "\n\n".join("\n".join(part) for part in parts)


def _loss(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def configuration(folder: Path, name: str | None) -> str:
    """The recorded settings of a run, else of the best one, as TOML for the trainer."""
    document = summary(folder)
    runs = {r["id"]: r for r in document["runs"]}
    held = [r for r in runs.values() if r["best"] and not r["excluded"]]
    if not held:
        raise UsageError("no run of this report has a validation loss, so none is the best; name one with --toml RUN")
    chosen = runs[find_run([(r["id"], r["run"]) for r in runs.values()], name)] if name else min(held, key=lambda r: r["best"]["val_loss"])
    settings = {**chosen["config"], **({"model": chosen["model"]} if chosen["model"] else {})}
    return recipe.to_toml(plain(chosen["run"]), settings, chosen["seed"], chosen["total_steps"])
