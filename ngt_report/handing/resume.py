"""How an unfinished run goes on: ours by the configuration in its checkpoint, others by what their logs show."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
from pathlib import Path
from typing import Any

from msgspec import Struct

from ngt_report.assemble.facts import Facts, Row
from ngt_report.files import InputFile
from ngt_report.formatting import number, plain
from ngt_report.handing.model import Resume
from ngt_report.handing.tomltext import to_toml
from ngt_report.store import Store

HEAD_LINES = 400  # of a log, in which its command is looked for
LONGEST_COMMAND = 4000  # characters
SETTINGS = 24  # recorded settings that are told where no command is known
COMMAND = re.compile(
    r"(?:^|[\s+$>#:])((?:[A-Z_][A-Z0-9_]*=\S+ +)*(?:nohup +)?(?:python[\d.]*|torchrun|accelerate +launch|deepspeed|ngttrain) +\S.*)"
)
OURS = ("name", "group", "model", "data", "train", "eval", "log", "checkpoint")  # sections of the trainer's own configuration
UNTOLD = re.compile(r"^(?:versions?\b|git_|hardware|gpus|params|path|command|checkpoint|.*fingerprint)")


class Place(Struct, frozen=True):
    """Where things are on this machine."""

    files: dict[str, InputFile]  # path in the report -> file
    root: Path
    report: Path

    def real(self, path: str) -> Path:
        """A path of the report on this machine."""
        return Path(self.files[path].path) if path in self.files else self.root / path


def resumes(store: Store, facts: Facts, runs: list[Row], place: Place) -> tuple[list[Resume], dict[str, str]]:
    """How each of these runs goes on, and the configuration files that the commands name: name -> text."""
    found, configs = [], dict[str, str]()
    for run in runs:
        own = [c for c in facts.checkpoints if c["run"] == run["run"]]
        ours = _ours(run, own, place)
        if ours is not None:
            made, name, text = ours
            configs[name] = text
        else:
            made = _theirs(store, facts, run, own, place)
        found.append(made)
    return found, configs


# -- runs of the bundled trainer ----------------------------------------------------------------------------------------
def _ours(run: Row, own: list[Row], place: Place) -> tuple[Resume, str, str] | None:
    """The command that goes on from the last checkpoint, else from the best, as the trainer itself chooses."""
    for kind in ("last", "best"):
        for row in own:
            config = json.loads(row["config"] or "{}")
            if row["kind"] == kind and isinstance(config, dict) and all(key in config for key in OURS):
                return _with_config(run, row, config, place)
    return None


def _with_config(run: Row, row: Row, config: dict[str, Any], place: Place) -> tuple[Resume, str, str]:
    name = _file_name(run["run"], str(config["name"]))
    home, remarks = _home(row["path"], config, place)
    file = os.path.relpath(place.report / name, home) if (place.report / name).is_relative_to(home) else str(place.report / name)
    ranks = _ranks(run, config)
    start = "ngttrain" if ranks == 1 else f"torchrun --nproc_per_node={ranks} -m ngt_train.commands"
    command = f"cd {shlex.quote(str(home))}\n{start} run --config {shlex.quote(file)} --resume"
    head = f"# the configuration of {plain(run['name'])}, from {plain(row['path'])}\n"
    if str(run["status"]).startswith("diverged"):
        remarks = [*remarks, "it diverged: from this checkpoint, with these settings, it will again"]
    made = Resume(run["name"], run["status"], row["path"], row["step"], run["total_steps"], command, (), None, (), tuple(remarks))
    return made, name, head + to_toml(config)


def _file_name(run: str, name: str) -> str:
    """The configuration's file: named for the run, with a part of its id's hash, which no other run has."""
    plain_name = re.sub(r"[^A-Za-z0-9._+=-]+", "-", name)[:80]
    return f"resume_{plain_name}_{hashlib.sha256(run.encode('utf-8', 'replace')).hexdigest()[:6]}.toml"


def _home(path: str, config: dict[str, Any], place: Place) -> tuple[Path, list[str]]:
    """The folder in which the run was started, so that its paths mean the same; a remark when the checkpoint was moved since."""
    where = place.real(path).resolve()
    folder = str(config["checkpoint"].get("folder", "checkpoints")) if isinstance(config["checkpoint"], dict) else "checkpoints"
    if os.path.isabs(folder):
        return place.root, []
    inside = Path(folder) / str(config["group"]) / where.name
    parts = len(inside.parts)
    if where.parts[-parts:] == inside.parts:
        return Path(*where.parts[:-parts]), []
    moved = f"the checkpoint was moved: put it back as `{plain(inside.as_posix())}` below the folder in which the command is run"
    return place.root, [moved]


def _ranks(run: Row, config: dict[str, Any]) -> int:
    """How many processes trained it: the whole batch over one process's."""
    train, whole = config["train"], run["config"].get("batch_size")
    if isinstance(train, dict) and isinstance(whole, int):
        own = int(train.get("batch") or 1) * int(train.get("accumulation") or 1)
        if own > 0 and whole % own == 0:
            return max(1, whole // own)
    return 1


# -- runs of others -----------------------------------------------------------------------------------------------------
def _theirs(store: Store, facts: Facts, run: Row, own: list[Row], place: Place) -> Resume:
    """What the log shows: the command where it is there, else flags, and the checkpoint to go on from."""
    path = next((s["path"] for s in facts.run_sources if s["run"] == run["run"] and s["main"]), None)
    said = {key: (json.loads(value), line) for key, value, line in _said(store, run["run"])}
    command, line = _command(place.files.get(path or ""))
    shown: tuple[str, ...] = ()
    if command is None and "command.flags" in said:
        flags, line = said["command.flags"]
        shown = (str(flags),)
    checkpoint, step, remarks = _checkpoint(run, own, facts, said.get("resumed_from", (None, None))[0])
    where = f"{path}:{line}" if path and line and (command or shown) else None
    told = () if command else _told(run)
    if command and "--resume" not in command and "resume" not in command.lower():
        remarks.append("this is how it was started: add the script's own option to resume, or it begins anew")
    return Resume(run["name"], run["status"], checkpoint, step, run["total_steps"], command, shown, where, told, tuple(remarks))


def _said(store: Store, run: str) -> list[tuple[str, str, int | None]]:
    return [
        (str(key), str(value), line)
        for key, value, line in store.run(
            "SELECT f.key, f.value, f.line FROM raw_facts AS f JOIN run_trials AS t ON t.source = f.source AND t.trial = f.trial"
            " WHERE t.run = ? AND t.main AND f.key IN ('command.flags', 'resumed_from') ORDER BY f.line",
            [run],
        )
    ]


def _command(file: InputFile | None) -> tuple[str | None, int | None]:
    """The last command in the head of a log that starts a training, with the lines that continue it."""
    if file is None or file.stand_in is not None or file.encoding == "binary":
        return None, None
    lines = file.text_head.splitlines()[:HEAD_LINES]
    found: tuple[str | None, int | None] = (None, None)
    for at, text in enumerate(lines):
        match = COMMAND.search(text)
        if match and ("--" in match[1] or ".py" in match[1]) and len(match[1]) < LONGEST_COMMAND:
            whole = [match[1]]
            while whole[-1].endswith("\\") and at + len(whole) < len(lines):
                whole.append(lines[at + len(whole)].removeprefix("+ "))
            found = "\n".join(part.rstrip() for part in whole), at + 1
    return found


def _checkpoint(run: Row, own: list[Row], facts: Facts, said: Any) -> tuple[str | None, int | None, list[str]]:
    """Its last checkpoint, else the one its log says that it went on from, else what its parent left."""
    named = said.get("path") if isinstance(said, dict) else None
    every = facts.checkpoints
    by_name = [c for c in every if named and c["path"].endswith(str(named).removeprefix("./"))]
    parents = [c for c in every if run["parent"] and c["run"] == run["parent"]]
    rows = own or by_name or parents
    if not rows:
        remarks = ["no checkpoint of it is among the files that were read"]
        return (str(named), said.get("step"), remarks) if named else (None, None, remarks)
    best = max(rows, key=lambda c: (c["kind"] == "last", c["step"] or 0, c["path"]))
    remarks = []
    reached = facts.best.get(run["run"], {}).get("last_step")
    if best["step"] is not None and reached is not None and reached > best["step"]:
        remarks.append("the log is ahead of this checkpoint: what it printed since then will be trained again")
    return best["path"], best["step"], remarks


def _told(run: Row) -> tuple[str, ...]:
    """Recorded settings, one a line."""
    kept = [(k, v) for k, v in run["config"].items() if not UNTOLD.match(k) and not isinstance(v, dict | list)]
    return tuple(f"{k.removeprefix('config.')} = {number(v)}" for k, v in kept[:SETTINGS])
