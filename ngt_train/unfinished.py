"""unfinished.jsonl: which shards of an unfinished preparation are whole; gone once the manifest is there."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ngt_train import files, settings, shards
from ngt_train.errors import DataError, TrainError
from ngt_train.shards import Shard

FILE = "unfinished.jsonl"


class Unfinished:
    """The first line says what is being made; one line a shard follows. Of another making, it begins anew."""

    def __init__(self, folder: Path, made_of: Mapping[str, Any]) -> None:
        self.folder, self.path = folder, folder / FILE
        lines = self._lines()
        self.resumed = bool(lines) and lines[0] == made_of
        self._known = {str(line.get("file")): line for line in lines[1:]} if self.resumed else {}
        if not self.resumed:
            with files.replacing(self.path) as file:
                file.write(json.dumps(made_of).encode() + b"\n")

    def _lines(self) -> list[dict[str, Any]]:
        """What can be read of it; a torn line ends it."""
        lines: list[dict[str, Any]] = []
        with contextlib.suppress(OSError, ValueError):
            for text in self.path.read_bytes().split(b"\n"):
                line = json.loads(text)
                if not isinstance(line, dict):
                    break
                lines.append(line)
        return lines

    def find(self, name: str, key: str) -> Shard | None:
        """The shard of this name, if it is whole and was made of the text with this key."""
        line = dict(self._known.get(name, {}))
        if line.pop("key", None) != key:
            return None
        with contextlib.suppress(TrainError):
            shard = settings.build(Shard, line)
            if shards.digest(self.folder / name) == shard.sha256:
                return shard
        return None

    def add(self, key: str, shard: Shard) -> None:
        """A shard is whole."""
        try:
            with open(self.path, "ab") as file:
                file.write(json.dumps({"key": key, **settings.plain(shard)}).encode() + b"\n")
        except OSError as e:
            raise DataError(f"{self.path}: cannot be written: {files.why(e)}; free space or rights, then run again") from e

    def remove(self) -> None:
        """The manifest is there."""
        with contextlib.suppress(OSError):
            self.path.unlink()
