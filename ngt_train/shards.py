"""Token shards: the `.bin` files of llm.c, modded-nanogpt and FineWeb; both what we write and what is downloaded.

A header of 256 little-endian int32 (1,024 bytes): magic, version, number of tokens, zeros; then the tokens. Two kinds exist,
those of llm.c: magic 20240520, version 1, uint16 tokens; magic 20240801, version 7, uint32 tokens.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ngt_train import files
from ngt_train.errors import DataError

KINDS = {(20240520, 1): "<u2", (20240801, 7): "<u4"}
HEADER_INTS = 256
HEADER_BYTES = 4 * HEADER_INTS
AGAIN = "run `ngttrain prepare` again, or bring back the file"
MOST_TOKENS = 2**31 - 1  # the header counts in int32
BLOCK = 1 << 22  # tokens or bytes looked at in one go

Array = NDArray[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One file of a split."""

    file: str  # name in the manifest's folder
    tokens: int
    largest: int  # largest token id; -1 where there are no tokens
    sha256: str  # of the whole file, hexadecimal


def write(path: Path, tokens: Array) -> Shard:
    """Write tokens (N,) of dtype uint16 or uint32 as a shard that appears whole or not at all."""
    if len(tokens) > MOST_TOKENS:
        raise DataError(f"{path}: {len(tokens):,} tokens do not fit into one shard; make the shards smaller")
    magic, version = next(key for key, kind in KINDS.items() if np.dtype(kind).itemsize == tokens.dtype.itemsize)
    header = np.zeros(HEADER_INTS, "<i4")
    header[:3] = magic, version, len(tokens)
    body = np.ascontiguousarray(tokens, KINDS[magic, version]).tobytes()
    with files.replacing(path) as file:
        file.write(header.tobytes())
        file.write(body)
    digest = hashlib.sha256(header.tobytes() + body).hexdigest()
    return Shard(file=path.name, tokens=len(tokens), largest=int(tokens.max(initial=0)) if len(tokens) else -1, sha256=digest)


def read(path: Path) -> Array:
    """The tokens (N,) of a shard, memory-mapped, uint16 or uint32.

    Raises:
        DataError: missing, unreadable, no such header, or a size that the header does not say.
    """
    try:
        if not path.is_file():
            raise DataError(f"{path}: no such shard; run `ngttrain prepare` again, it makes what is missing")
        size = path.stat().st_size
        with open(path, "rb") as file:
            raw = file.read(HEADER_BYTES)
        kind, count = _header(path, raw, size)
        return np.memmap(path, kind, "r", HEADER_BYTES, (count,)) if count else np.empty(0, kind)
    except OSError as e:
        raise DataError(f"{path}: cannot be read: {files.why(e)}") from e


def _header(path: Path, raw: bytes, size: int) -> tuple[str, int]:
    """The dtype and the number of tokens, all three fields and the size checked."""
    if len(raw) < HEADER_BYTES:
        raise DataError(f"{path}: {size:,} bytes are too few for a shard's header of {HEADER_BYTES:,}; {AGAIN}")
    magic, version, count = (int(n) for n in np.frombuffer(raw, "<i4", 3))
    if magic not in {known for known, _ in KINDS}:
        known = " or ".join(str(magic) for magic, _ in KINDS)
        raise DataError(f"{path}: its first number is {magic}, not {known}, so it is no token shard")
    if (magic, version) not in KINDS:
        raise DataError(f"{path}: shard version {version} is unknown (magic {magic} goes with version {dict(KINDS.keys())[magic]})")
    kind = KINDS[magic, version]
    wanted = HEADER_BYTES + count * np.dtype(kind).itemsize
    if count < 0 or size != wanted:
        raise DataError(f"{path}: the header says {count:,} tokens ({wanted:,} bytes), but the file has {size:,} bytes; {AGAIN}")
    return kind, count


def describe(path: Path) -> Shard:
    """What the manifest says of a shard that was not written here; reads it once, whole."""
    tokens = read(path)
    largest = max((int(tokens[i : i + BLOCK].max()) for i in range(0, len(tokens), BLOCK)), default=-1)
    return Shard(file=path.name, tokens=len(tokens), largest=largest, sha256=digest(path))


def digest(path: Path) -> str:
    """sha256 of a file, hexadecimal."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as e:
        raise DataError(f"{path}: cannot be read: {files.why(e)}") from e
