"""What a checkpoint's pickle may name and call, as inert stand-ins: tensors become outlines, sets become lists.

Nothing here is the thing itself: a `Name` is a word, a call is one of the functions below, chosen by that word.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from msgspec import Struct

MEMORY = 160 << 20  # bytes that all objects together may take, by our own count
MOST_ENTRIES = 64  # dimensions of a tensor, entries of a key

DTYPES = {
    "float64": 8, "float32": 4, "float16": 2, "bfloat16": 2, "int64": 8, "int32": 4, "int16": 2, "int8": 1, "uint8": 1, "uint16": 2,
    "uint32": 4, "uint64": 8, "bool": 1, "complex32": 4, "complex64": 8, "complex128": 16, "float8_e4m3fn": 1, "float8_e5m2": 1,
    "float8_e4m3fnuz": 1, "float8_e5m2fnuz": 1, "float8_e8m0fnu": 1,
}  # fmt: skip
STORAGES = {
    "DoubleStorage": "float64", "FloatStorage": "float32", "HalfStorage": "float16", "BFloat16Storage": "bfloat16", "LongStorage": "int64",
    "IntStorage": "int32", "ShortStorage": "int16", "CharStorage": "int8", "ByteStorage": "uint8", "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64", "ComplexDoubleStorage": "complex128", "UntypedStorage": "bytes",
}  # fmt: skip
NUMPY = {"f8": "d", "f4": "f", "f2": "e", "i8": "q", "i4": "i", "i2": "h", "i1": "b", "u8": "Q", "u4": "I", "u2": "H", "u1": "B", "b1": "?"}


class Refused(Exception):
    """The file asks for something that plain data does not need; the message says what."""


class Name(Struct, frozen=True):
    """A global that the file names and that we know: a word, never the thing itself."""

    name: str


class Storage(Struct, frozen=True):
    """Where a tensor's elements lie: the archive's member, not its content."""

    dtype: str
    key: str
    numel: int

    @property
    def nbytes(self) -> int:
        """Size in the archive."""
        return self.numel * DTYPES.get(self.dtype, 1)


class Tensor(Struct, frozen=True):
    """The outline of a tensor."""

    dtype: str
    storage: Storage | None
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]

    @property
    def numel(self) -> int:
        """Elements by its shape."""
        count = 1
        for n in self.shape:
            count *= n
        return count

    @property
    def capacity(self) -> int:
        """Elements that its storage has room for."""
        return self.storage.nbytes // DTYPES.get(self.dtype, 1) if self.storage else self.numel


class Opaque(Struct, frozen=True):
    """Something that is left as its description: a NumPy array, a NumPy dtype."""

    text: str


def shown(text: str) -> str:
    """A name out of a file, fit for a message: printable and short."""
    clean = "".join(c if c.isprintable() else "?" for c in text[:120])
    return clean + ("..." if len(text) > 120 else "")


class Ledger:
    """The account of what a file has unfolded to so far."""

    def __init__(self) -> None:
        self.left = MEMORY
        self.tensors = 0
        self.storages: dict[str, Storage] = {}

    def charge(self, cost: int) -> None:
        """Take memory from the account."""
        self.left -= cost
        if self.left < 0:
            raise Refused(f"its pickle unfolds to more than {MEMORY >> 20} MiB")


def kind(value: Any) -> str:
    """What a value is, for messages."""
    return shown(value.name) if type(value) is Name else f"a {type(value).__name__}"


def _short(key: Any) -> bool:
    if type(key) is int:
        return abs(key) < 2**64
    return (type(key) is str and len(key) < 1000) or type(key) in (bool, float, type(None))


def plain_key(key: Any) -> Any:
    """A key that is quick to hash whatever the file holds; tuples become their text."""
    if type(key) is tuple and len(key) <= MOST_ENTRIES and all(map(_short, key)):
        return repr(key)
    if type(key) is str or _short(key):
        return key
    if type(key) is bytes and len(key) < 1000:
        return repr(key)
    raise Refused(f"its pickle has {kind(key)} for a dictionary key")


def call(ledger: Ledger, target: Any, args: Any) -> Any:
    """What a call in the file comes to; only the functions below are ever called."""
    made = CALLS.get(target.name) if type(target) is Name else None
    if made is None or type(args) is not tuple:
        raise Refused(f"its pickle calls {kind(target)}")
    ledger.charge(240)
    return made(ledger, args)


def storage(ledger: Ledger, pid: Any) -> Storage:
    """The stub of a tensor's storage, from its persistent id."""
    if type(pid) is not tuple or len(pid) not in (5, 6) or pid[0] != "storage" or type(pid[1]) is not Name:
        raise Refused("its pickle has a persistent id that is no tensor storage")
    dtype, key, numel = STORAGES.get(pid[1].name.rpartition(".")[2]), pid[2], pid[4]
    if dtype is None or type(key) is not str or len(key) > 200 or type(numel) is not int or not 0 <= numel < 2**60:
        raise Refused("its pickle has a tensor storage without a type, a key or a size")
    found = ledger.storages.setdefault(key, Storage(dtype, key, numel))
    if found.nbytes != Storage(dtype, key, numel).nbytes:
        raise Refused(f"its pickle gives tensor storage {shown(key)} two sizes")
    ledger.charge(240)
    return Storage(dtype, key, numel)


def _mapping(ledger: Ledger, args: tuple[Any, ...]) -> dict[Any, Any]:
    """OrderedDict() or OrderedDict([(key, value), ...]) or Counter({...})."""
    source = args[0] if args else {}
    if type(source) is dict:
        return source
    if type(source) is not list or not all(type(pair) in (tuple, list) and len(pair) == 2 for pair in source):
        raise Refused("its pickle has a mapping that is not made of pairs")
    ledger.charge(100 * len(source))
    return {plain_key(pair[0]): pair[1] for pair in source}


def _members(ledger: Ledger, args: tuple[Any, ...]) -> list[Any]:
    """A set is read as a list: nothing here needs to hash its members."""
    if args and type(args[0]) is not list:
        raise Refused("its pickle has a set that is not made of a list")
    return args[0] if args else []


def _encoded(ledger: Ledger, args: tuple[Any, ...]) -> bytes:
    """Bytes as protocol 2 writes them: text in latin-1."""
    if not args:
        return b""
    if type(args[0]) is bytes:
        return args[0]
    if type(args[0]) is not str or args[1] not in ("latin1", "latin-1"):
        raise Refused("its pickle has bytes that are not text in latin-1")
    ledger.charge(40 + len(args[0]))
    return args[0].encode("latin-1")


def _complex(ledger: Ledger, args: tuple[Any, ...]) -> complex:
    real, imaginary = args
    if type(real) is not float or type(imaginary) is not float:
        raise Refused("its pickle has a complex number that is not made of two numbers")
    return complex(real, imaginary)


def _ints(value: Any) -> tuple[int, ...]:
    if type(value) in (tuple, list) and len(value) <= MOST_ENTRIES and all(type(v) is int and 0 <= v < 2**60 for v in value):
        return tuple(value)
    raise Refused("its pickle has a tensor whose shape is not a few whole numbers")


def _tensor(ledger: Ledger, args: tuple[Any, ...]) -> Tensor:
    """_rebuild_tensor, _v2 and _v3: storage, offset, shape, stride, ..., and for _v3 the dtype at 6."""
    storage = args[0]
    (offset,), shape, stride = _ints((args[1],)), _ints(args[2]), _ints(args[3])
    if type(storage) is not Storage or len(shape) != len(stride):
        raise Refused("its pickle has a tensor without storage")
    dtype = args[6].name.rpartition(".")[2] if len(args) > 6 and type(args[6]) is Name else storage.dtype
    ledger.tensors += 1
    tensor = Tensor(dtype, storage, offset, shape, stride)
    last = offset + sum((n - 1) * s for n, s in zip(shape, stride, strict=True))
    if tensor.numel and last >= tensor.capacity:
        raise Refused(f"a tensor of shape {list(shape)} does not fit its storage of {storage.numel:,} elements")
    return tensor


def _meta_tensor(ledger: Ledger, args: tuple[Any, ...]) -> Tensor:
    """_rebuild_meta_tensor_no_storage(dtype, shape, stride, requires_grad)."""
    ledger.tensors += 1
    return Tensor(_dtype_name(args[0]), None, 0, _ints(args[1]), _ints(args[2]))


def _dtype_name(value: Any) -> str:
    if type(value) is Name and value.name.startswith("torch.") and value.name[6:] in DTYPES:
        return value.name[6:]
    raise Refused("its pickle has a tensor without a dtype")


def _parameter(ledger: Ledger, args: tuple[Any, ...]) -> Tensor:
    if type(args[0]) is not Tensor:
        raise Refused("its pickle has a parameter that is no tensor")
    return args[0]


def _from_type(ledger: Ledger, args: tuple[Any, ...]) -> Any:
    """_rebuild_from_type_v2(call, type, args, state): a tensor with attributes, which are left out."""
    if type(args[0]) is not Name or not args[0].name.startswith(("torch._utils._rebuild_tensor", "torch._utils._rebuild_parameter")):
        raise Refused(f"its pickle calls {kind(args[0])}")
    return call(ledger, args[0], args[2])


def _device(ledger: Ledger, args: tuple[Any, ...]) -> str:
    return ":".join(shown(str(a)) if type(a) is str or (type(a) is int and 0 <= a < 2**31) else "?" for a in args[:2])


def _first_text(ledger: Ledger, args: tuple[Any, ...]) -> str:
    if type(args[0]) is not str:
        raise Refused("its pickle has a layout without a name")
    return shown(args[0])


def _numpy_dtype(ledger: Ledger, args: tuple[Any, ...]) -> Opaque:
    return Opaque("<" + args[0] if type(args[0]) is str and len(args[0]) < 20 else "?")


def _numpy_scalar(ledger: Ledger, args: tuple[Any, ...]) -> Any:
    """A NumPy number, as Python's own."""
    dtype, data = args
    form = NUMPY.get(dtype.text[1:]) if type(dtype) is Opaque and dtype.text[:1] in "<>" else None
    if form is None or type(data) is not bytes or len(data) != int(dtype.text[2:]):
        raise Refused("its pickle has a NumPy scalar that is no plain number")
    return struct.unpack(dtype.text[0] + form, data)[0]


CALLS: dict[str, Callable[[Ledger, tuple[Any, ...]], Any]] = {
    "collections.OrderedDict": _mapping, "collections.Counter": _mapping, "builtins.set": _members, "builtins.frozenset": _members,
    "builtins.bytes": _encoded, "builtins.bytearray": _encoded, "_codecs.encode": _encoded, "builtins.complex": _complex,
    "torch._utils._rebuild_tensor": _tensor, "torch._utils._rebuild_tensor_v2": _tensor, "torch._utils._rebuild_tensor_v3": _tensor,
    "torch._utils._rebuild_parameter": _parameter, "torch._utils._rebuild_parameter_with_state": _parameter,
    "torch._utils._rebuild_meta_tensor_no_storage": _meta_tensor, "torch._tensor._rebuild_from_type_v2": _from_type,
    "torch.Size": lambda ledger, args: _ints(args[0] if args else ()), "torch.device": _device,
    "torch.serialization._get_layout": _first_text,
    "numpy.dtype": _numpy_dtype, "numpy.core.multiarray.scalar": _numpy_scalar, "numpy._core.multiarray.scalar": _numpy_scalar,
    "numpy.core.multiarray._reconstruct": lambda ledger, args: Opaque("NumPy array"),
    "numpy._core.multiarray._reconstruct": lambda ledger, args: Opaque("NumPy array"),
}  # fmt: skip
NAMES = frozenset(
    [f"torch.{d}" for d in DTYPES] + [f"torch.{s}" for s in STORAGES] + [f"torch.cuda.{s}" for s in STORAGES]
    + ["torch.storage.UntypedStorage", "torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer", "numpy.ndarray"]
)  # fmt: skip
