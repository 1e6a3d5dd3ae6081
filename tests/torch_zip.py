"""Writes torch.save's formats by hand, so that no test needs torch: the zip archive, and the legacy row of pickles."""

from __future__ import annotations

import io
import pickle
import struct
import sys
import types
import zipfile
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MAGIC = 0x1950A86A20F9469CFC6C


class FakeStorage:
    """What a storage pickles as: a persistent id."""

    def __init__(self, key: str, kind: str, numel: int, data: bytes) -> None:
        self.key, self.kind, self.numel, self.data = key, kind, numel, data


class FakeTensor:
    """A float32 tensor to be pickled the way torch does; `storage` ties two tensors together."""

    def __init__(self, *shape: int, storage: FakeStorage | None = None) -> None:
        self.shape = shape
        self.storage = storage

    def __reduce__(self) -> Any:
        stride, at = [], 1
        for n in reversed(self.shape):
            stride.insert(0, at)
            at *= n
        return _torch("torch._utils", "_rebuild_tensor_v2"), (self.storage, 0, self.shape, tuple(stride), False, OrderedDict())


def _torch(module: str, name: str) -> Any:
    """Something that pickles as the global module.name, from a stand-in module that exists while we pickle."""
    made = types.FunctionType((lambda: None).__code__, {}, name)
    made.__module__, made.__qualname__ = module, name
    parts = module.split(".")
    for i in range(len(parts)):
        sys.modules.setdefault(".".join(parts[: i + 1]), types.ModuleType(".".join(parts[: i + 1])))
    setattr(sys.modules[module], name, made)
    return made


class _Pickler(pickle.Pickler):
    """Gives each storage its persistent id."""

    def __init__(self, out: io.BytesIO, protocol: int, storages: dict[str, FakeStorage], view: bool) -> None:
        super().__init__(out, protocol)
        self.storages, self.view = storages, view

    def persistent_id(self, obj: Any) -> Any:
        if not isinstance(obj, FakeStorage):
            return None
        self.storages[obj.key] = obj
        return ("storage", _torch("torch", obj.kind), obj.key, "cpu", obj.numel, *([None] if self.view else []))


def dumps(obj: Any, protocol: int = 2, view: bool = False) -> tuple[bytes, dict[str, FakeStorage]]:
    """The pickle of an object with fake tensors, and the storages that it names."""
    _number(obj, [0])
    out, storages = io.BytesIO(), {}
    with _no_torch():
        _Pickler(out, protocol, storages, view).dump(obj)
    return out.getvalue(), storages


@contextmanager
def _no_torch() -> Iterator[None]:
    """Sets a real torch aside while we pickle: the stand-ins may not replace functions that later tests call."""
    real = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "torch"}
    for name in real:
        del sys.modules[name]
    try:
        yield
    finally:
        for name in [n for n in sys.modules if n.partition(".")[0] == "torch"]:
            del sys.modules[name]
        sys.modules.update(real)


def _number(obj: Any, count: list[int]) -> None:
    """Give every tensor without one its own storage."""
    if isinstance(obj, FakeTensor) and obj.storage is None:
        numel = 1
        for n in obj.shape:
            numel *= n
        obj.storage = FakeStorage(str(count[0]), "FloatStorage", numel, struct.pack("<f", count[0]) * numel)
        count[0] += 1
    for child in obj.values() if isinstance(obj, dict) else obj if isinstance(obj, list | tuple) else ():
        _number(child, count)


def save(path: Path, obj: Any, protocol: int = 2) -> None:
    """What torch.save(obj, path) writes."""
    data, storages = dumps(obj, protocol)
    write(path, data, {key: storage.data for key, storage in storages.items()})


def write(path: Path, data_pkl: bytes, storages: dict[str, bytes] | None = None, compression: int = zipfile.ZIP_STORED) -> None:
    """An archive around any data.pkl."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", data_pkl)
        archive.writestr("archive/byteorder", b"little")
        for key, data in (storages or {}).items():
            archive.writestr(f"archive/data/{key}", data)
        archive.writestr("archive/version", b"3\n")


def save_legacy(path: Path, obj: Any) -> None:
    """What torch.save(obj, path, _use_new_zipfile_serialization=False) writes."""
    data, storages = dumps(obj, view=True)
    info = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
    with path.open("wb") as f:
        for head in (MAGIC, 1001, info):
            pickle.dump(head, f, protocol=2)
        f.write(data)
        pickle.dump(sorted(storages), f, protocol=2)
        for key in sorted(storages):
            f.write(struct.pack("<q", storages[key].numel) + storages[key].data)
