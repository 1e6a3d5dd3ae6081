"""PyTorch checkpoints: the metadata of a `.pt` file, without torch and without a byte of its tensors.

A checkpoint is a zip archive whose `data.pkl` holds everything but the tensors (or, before torch 1.6, a row of pickles).
`_torch_pickle` reads that pickle into plain data; whatever it refuses becomes one finding, and the file gives nothing.
"""

from __future__ import annotations

import hashlib
import math
import re
import struct
import zipfile
import zlib
from typing import Any, BinaryIO

from msgspec import Struct

from ngt_report import names
from ngt_report.bundles.zips import Guarded
from ngt_report.files import InputFile
from ngt_report.sections import told_apart
from ngt_report.sources import Format
from ngt_report.sources._stubs import Name, Opaque, Refused, Storage, Tensor, shown
from ngt_report.sources._torch_pickle import Machine
from ngt_report.waist import Block, Column, Reading, Trial

LARGEST_PICKLE = 32 << 20  # bytes of data.pkl
LARGEST_DIRECTORY = 8 << 20  # bytes of the archive's directory, and of one read from it
LARGEST_RATIO = 200  # of a compressed data.pkl; torch itself stores
WHOLE_FINGERPRINT = 8 << 20  # larger files are known by their data.pkl and directory
CONFIG_SIZE = 4 << 20  # characters of configuration that are kept, each item counted as 16
CONFIG_DEPTH = 16
CONFIG_KEYS = 2_000
MAGIC = bytes.fromhex("8a0a6cfc9c46f9206aa850192e")  # the first pickle of the legacy format: its magic number

STEPS = names.STEPS | {"steps", "iters", "iter_num", "iteration_num", "n_iter", "total_steps", "num_steps"}
CONFIGS = ("config", "args", "hparams", "hyperparameters", "hyper_parameters", "model_args", "model_config", "cfg")
MODELS = ("model_state", "model_state_dict", "state_dict", "model", "module", "net", "weights", "params")
EPOCHS = ("epoch", "epochs", "current_epoch")
SUFFIX = r"\.(?:pt|pth|ckpt|bin)"
PICKLE_NAME = re.compile(r"(?:[^/]+/)?data\.pkl")
FILE_NAME = re.compile(
    rf"(?P<stem>.*?)(?:{SUFFIX})?(?:(?:^|[._-])(?P<kind>best|last|latest|final|(?:step|iter)[_=-]?(?P<step>\d{{1,18}})))?(?:{SUFFIX})?$",
    re.IGNORECASE | re.DOTALL,
)
NAMELESS = frozenset(("", "ckpt", "checkpoint", "model", "weights"))
DAMAGE = (
    zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, ValueError, OverflowError, LookupError, NotImplementedError,
    RuntimeError, TypeError,
)  # fmt: skip


def _guarded(raw: BinaryIO, size: int) -> Guarded:
    return Guarded(raw, size, LARGEST_DIRECTORY, Refused)


class _Content(Struct):
    """What was read: the top object, in which format, and how many tensors it outlines."""

    top: Any
    form: str
    tensors: int


def sniff(file: InputFile) -> str | None:
    """A zip archive with a data.pkl, the magic number of the legacy format, or at least a pickle."""
    head = file.raw_head
    if head.startswith(b"PK\x03\x04"):
        first = head[30 : 30 + int.from_bytes(head[26:28], "little")]
        if first.endswith(b"data.pkl") or _has_pickle(file):
            return "a zip archive that holds data.pkl, as torch.save writes it"
        return None
    if head[:1] == b"\x80" and MAGIC in head[:32]:
        return "the magic number of torch's legacy format"
    if head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05") and head[2:3] in b"}](cX\x8c\x95)K\x8a" and head[2:3]:
        return "a pickle"
    return None


def _has_pickle(file: InputFile) -> bool:
    try:
        with file.open() as raw, zipfile.ZipFile(_guarded(raw, file.size)) as archive:
            return bool(_pickles(archive))
    except (*DAMAGE, Refused):
        return False


def _pickles(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    return [info for info in archive.infolist() if PICKLE_NAME.fullmatch(info.filename)]


def read(file: InputFile) -> Reading:
    """The metadata of a checkpoint, or one finding that says why not."""
    reading = Reading(lines_read=1)
    try:
        content = _load(file)
    except Refused as e:
        return _refuse(reading, file, str(e))
    except DAMAGE as e:
        return _refuse(reading, file, f"it is truncated or damaged ({shown(str(e) or type(e).__name__)})")
    reading.lines_used = 1
    _describe(reading, file, content)
    return reading


def _refuse(reading: Reading, file: InputFile, why: str) -> Reading:
    reading.status = "unreadable"
    reading.bad.append((1, why))
    reading.note("warning", "checkpoint_refused", f"checkpoint {file.rel} was not read: {why}")
    return reading


def _load(file: InputFile) -> _Content:
    """The checkpoint as plain data; Refused or one of DAMAGE when it is anything else."""
    with file.open() as raw:
        if file.raw_head.startswith(b"PK"):
            return _load_zip(raw, file.size)
        if MAGIC in file.raw_head[:32]:
            return _load_legacy(raw)
    raise Refused("it is a pickle that torch.save did not write")


def _load_zip(raw: BinaryIO, size: int) -> _Content:
    with zipfile.ZipFile(_guarded(raw, size)) as archive:
        info = _data_pickle(archive)
        machine = Machine(_member(archive, info))
        top = machine.load()
        prefix = info.filename[: -len("data.pkl")] + "data/"
        sizes = {i.filename: i.file_size for i in archive.infolist()}
    for storage in machine.storages.values():
        _check_storage(storage, sizes.get(prefix + storage.key))
    return _Content(top, "torch zip", machine.tensors)


def _data_pickle(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    found = _pickles(archive)
    if len(found) != 1:
        raise Refused(f"its zip archive holds {len(found) or 'no'} data.pkl")
    info = found[0]
    if info.flag_bits & 1:
        raise Refused("its data.pkl is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused("its data.pkl is compressed in a way that torch.save does not use")
    if info.file_size > LARGEST_PICKLE:
        raise Refused(f"its data.pkl has {info.file_size:,} bytes, over the limit of {LARGEST_PICKLE:,}")
    if info.file_size > LARGEST_RATIO * max(1, info.compress_size):
        raise Refused(f"its data.pkl unpacks {info.compress_size:,} bytes to {info.file_size:,}, like a zip bomb")
    return info


def _member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """A member's bytes; zipfile checks their CRC at the end."""
    with archive.open(info) as member:
        data = b"".join(iter(lambda: member.read(1 << 20), b""))
    if len(data) != info.file_size:
        raise EOFError("data.pkl is shorter than the archive says")
    return data


def _check_storage(storage: Storage, held: int | None) -> None:
    if held != storage.nbytes:
        holds = "does not hold it" if held is None else f"holds {held:,}"
        raise Refused(f"tensor storage {shown(storage.key)} claims {storage.nbytes:,} bytes, the archive {holds}")


def _load_legacy(raw: BinaryIO) -> _Content:
    """Magic number, protocol, system info, the object: pickles in a row, the tensors' bytes after them."""
    machine = Machine(raw)
    head = [machine.load() for _ in range(3)]
    if head[1] != 1001:
        raise Refused("its legacy format has an unknown version")
    return _Content(machine.load(), "torch legacy", machine.tensors)


# -- what it says -----------------------------------------------------------------------------------------------------
def named(rel: str) -> tuple[str, str, int | None]:
    """Run name, kind and step that a checkpoint's file name gives: `a/NAME.pt_best.pt` is NAME, best."""
    folder, _, base = rel.rpartition("/")
    match = FILE_NAME.match(base)
    stem, raw_kind = (match["stem"], (match["kind"] or "").lower()) if match else (base, "")
    kind = "best" if raw_kind == "best" else "last" if raw_kind in ("last", "latest", "final") else "step" if raw_kind else "unknown"
    if stem.lower() in NAMELESS:
        stem = folder.rpartition("/")[2] or stem or base.partition(".")[0]
    return stem, kind, int(match["step"]) if match and match["step"] else None


def _describe(reading: Reading, file: InputFile, content: _Content) -> None:
    name, kind, file_step = named(file.rel)
    top: dict[Any, Any] = content.top if isinstance(content.top, dict) else {}
    reading.trials.append(Trial(0, "checkpoint", name, shared=True))
    reading.fact("checkpoint.kind", kind)
    reading.fact("checkpoint.format", content.form)
    reading.fact("checkpoint.bytes", file.size)
    reading.fact("checkpoint.keys", Plain().value([k for k in top if isinstance(k, str)][:CONFIG_KEYS]))
    reading.fact("checkpoint.tensors", content.tensors)
    _tell_progress(reading, top, file_step)
    _tell_parameters(reading, top)
    _tell_config(reading, top)
    if content.form == "torch legacy":
        reading.note("info", "checkpoint_unchecked", "torch's legacy format has no checksum: damage to its metadata would go unnoticed", 0)


def _tell_progress(reading: Reading, top: dict[Any, Any], file_step: int | None) -> None:
    """Step, epoch and best value, and the point they make."""
    step_key, step = _first(top, lambda key: names.clean(key) in STEPS, _whole)
    if step is None and file_step is not None:
        step_key, step = "file name", file_step
    if step is not None:
        reading.fact("checkpoint.step", step, pointer=step_key)
    epoch_key, epoch = _first(top, lambda key: names.clean(key) in EPOCHS, _number)
    if epoch is not None:
        reading.fact("checkpoint.epoch", epoch, pointer=epoch_key)
    best_key, best = _first(top, lambda key: names.known_metric(key) == "best/loss", _number)
    if best_key is None or best is None:
        return
    reading.fact("checkpoint.best_val", best if math.isfinite(best) else str(best), pointer=best_key)
    if math.isfinite(best):
        reading.blocks.append(Block(0, 0, [step], {"best/loss": Column([float(best)], None)}, pointer=[best_key]))


def _first(top: dict[Any, Any], wanted: Any, take: Any) -> tuple[str | None, Any]:
    """The first entry with a wanted key and a value of the right kind."""
    for key, value in top.items():
        if isinstance(key, str) and len(key) < 100 and wanted(key) and (taken := take(value)) is not None:
            return key, taken
    return None, None


def _number(value: Any) -> int | float | None:
    return value if type(value) is float or (type(value) is int and abs(value) < 2**63) else None


def _whole(value: Any) -> int | None:
    number = _number(value)
    return int(number) if number is not None and math.isfinite(number) and number == int(number) and 0 <= number < 2**63 else None


def _tell_parameters(reading: Reading, top: dict[Any, Any]) -> None:
    """Elements of the model's state, buffers included; a storage that two entries share counts once."""
    key = next((k for k in MODELS if _tensors(top.get(k))), None)
    tensors = _tensors(top[key]) if key else _tensors(top)
    if tensors:
        reading.fact("checkpoint.parameters", elements(tensors), pointer=key)


def _tensors(value: Any) -> list[Tensor]:
    return [v for v in value.values() if isinstance(v, Tensor)] if isinstance(value, dict) else []


def elements(tensors: list[Tensor]) -> int:
    """Distinct elements: equal views count once, and views never count for more than their storage has."""
    views = {(t.storage.key if t.storage else f"no storage {i}", t.offset, t.shape, t.stride): t for i, t in enumerate(tensors)}
    total: dict[str, int] = {}
    room: dict[str, int] = {}
    for (key, *_), tensor in views.items():
        total[key] = total.get(key, 0) + tensor.numel
        room[key] = tensor.capacity
    return sum(min(count, room[key]) for key, count in total.items())


def _tell_config(reading: Reading, top: dict[Any, Any]) -> None:
    """The configuration whole, and each of its scalars under its canonical name."""
    taken: set[str] = set()
    whole = True
    for source in (k for k in CONFIGS if isinstance(top.get(k), dict)):
        plain = Plain()
        config = plain.value(top[source])
        whole = whole and not plain.cut
        if not taken:
            reading.fact("checkpoint.config", config, pointer=source)
        scalars = sorted(_scalars(config), key=lambda item: len(item[0]))[:CONFIG_KEYS]
        longer = _told_apart(scalars)
        for path, value in scalars:
            key = longer.get("/".join(path)) or _config_key(path, taken)
            if key not in taken:
                taken.add(key)
                reading.fact(key, value, pointer=".".join((source, *path)))
    if not whole:
        reading.note("info", "checkpoint_config_cut", "the checkpoint's configuration is too large to be kept whole", 0)


def _told_apart(scalars: list[tuple[tuple[str, ...], Any]]) -> dict[str, str]:
    """Longer keys for settings of known names that several sections have with other values, and the top does not have."""
    values = {"/".join(path): value for path, value in scalars}
    top = {names.known_config(path[0]) for path, _ in scalars if len(path) == 1}
    short = {"/".join(path): key for path, _ in scalars if len(path) > 1 and (key := names.known_config(path[-1])) and key not in top}
    return told_apart(short, values)


def _config_key(path: tuple[str, ...], taken: set[str]) -> str:
    """`seed` for a seed, also of a section when the top has none; `config.a.b` for what has no canonical name."""
    known = names.known_config(".".join(path)) if len(path) == 1 else names.known_config(path[-1])
    if known and known not in taken:
        return known
    return ".".join(("config", *(names.clean(part) for part in path)))


def _scalars(config: Any, path: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], Any]]:
    """Scalars, and short lists of scalars, with the keys that lead to them."""
    if isinstance(config, dict):
        return [found for key, value in config.items() if len(key) < 200 for found in _scalars(value, (*path, key))]
    if isinstance(config, list):
        return [(path, config)] if 0 < len(config) <= 64 and not any(isinstance(v, dict | list) for v in config) else []
    return [(path, config)] if path and config is not None else []


class Plain:
    """Turns what the machine built into JSON: bounded in depth and size, so shared and circular parts cannot unfold."""

    def __init__(self) -> None:
        self.left = CONFIG_SIZE
        self.cut = False

    def value(self, value: Any, depth: int = 0) -> Any:
        """The value as JSON-able data; '...' where the bounds cut it."""
        self.left -= 16
        if self.left < 0 or depth > CONFIG_DEPTH:
            self.cut = True
            return "..."
        if value is None or type(value) is bool:
            return value
        if type(value) is float:
            return value if math.isfinite(value) else str(value)
        if type(value) is int:
            return value if value.bit_length() <= 64 else f"integer of {value.bit_length()} bits"
        if type(value) is dict:
            return {self.text(k if type(k) is str else str(k)): self.value(v, depth + 1) for k, v in value.items() if self.left >= 0}
        if type(value) in (list, tuple):
            return [self.value(v, depth + 1) for v in value if self.left >= 0]
        return self.text(_words(value))

    def text(self, text: str) -> str:
        """A string without lone surrogates, cut where the room ends."""
        room = max(0, self.left)
        self.left -= len(text)
        if len(text) > room:
            self.cut = True
            text = text[:room] + "..."
        return text.encode("utf-8", "replace").decode("utf-8")


def _words(value: Any) -> str:
    """A stand-in's description."""
    match value:
        case str():
            return value
        case Name():
            return value.name.removeprefix("torch.")
        case Opaque():
            return value.text
        case Tensor():
            return f"tensor {value.dtype} {list(value.shape)}"
        case bytes():
            return f"{len(value):,} bytes"
    return str(value) if type(value) is complex else type(value).__name__


# -- identity ---------------------------------------------------------------------------------------------------------
def fingerprint(file: InputFile) -> tuple[str, str]:
    """What tells this content from another, and how it was taken: a large file is known by its data.pkl and directory."""
    if file.size > WHOLE_FINGERPRINT and file.raw_head.startswith(b"PK"):
        try:
            return _outline(file), "sha256 of data.pkl and zip directory"
        except (*DAMAGE, Refused):
            pass  # damaged: known by its bytes
    return file.fingerprint(), "sha256"


def _outline(file: InputFile) -> str:
    """The directory has the CRC of every member, so it stands for the tensors too."""
    with file.open() as raw, zipfile.ZipFile(_guarded(raw, file.size)) as archive:
        digest = hashlib.sha256(_member(archive, _data_pickle(archive)))
        for info in archive.infolist():
            digest.update(f"\n{info.filename}\0{info.file_size}\0{info.CRC}\0{info.header_offset}".encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


FORMAT = Format(
    name="checkpoint",
    title="PyTorch checkpoint (.pt), metadata only",
    example='torch.save({"model_state": {...}, "iter": 13000, "best_val": 4.776237, "config": {"seed": 42, ...}}, "NAME.pt_best.pt")',
    clock="none: a checkpoint gives a step and the best value so far",
    sniff=sniff,
    read=read,
    rank=10,
    version=2,
    precedence=2,
)
