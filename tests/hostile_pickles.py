"""Pickles that would run code, forge objects or eat the machine, for tests/test_checkpoint.py."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any


class Call:
    """Pickles as a call of a function by name."""

    def __init__(self, module: str, name: str, *args: Any) -> None:
        self.module, self.name, self.args = module, name, args

    def pickled(self, protocol: int = 2) -> bytes:
        args = pickle.dumps(self.args, protocol)[2:-1] if protocol < 4 else pickle.dumps(self.args, protocol)[11:-1]
        head = b"c" + f"{self.module}\n{self.name}\n".encode() if protocol < 4 else _short(self.module) + _short(self.name) + b"\x93"
        return bytes([0x80, protocol]) + head + args + b"R."


def _short(text: str) -> bytes:
    return b"\x8c" + bytes([len(text)]) + text.encode()


CANARY = "ngt_canary"
TOUCH = f"open({CANARY!r}, 'w').write('ran')"
CALLS = [
    ("os", "system", (f"touch {CANARY}",)),
    ("posix", "system", (f"touch {CANARY}",)),
    ("nt", "system", ("x",)),
    ("subprocess", "Popen", (["touch", CANARY],)),
    ("subprocess", "check_output", (["touch", CANARY],)),
    ("builtins", "eval", (TOUCH,)),
    ("__builtin__", "eval", (TOUCH,)),
    ("builtins", "exec", (TOUCH,)),
    ("builtins", "open", (CANARY, "w")),
    ("io", "open", (CANARY, "w")),
    ("builtins", "__import__", ("this",)),
    ("builtins", "getattr", ((), "__class__")),
    ("builtins", "map", ()),
    ("builtins", "apply", ()),
    ("pathlib", "Path", ("x",)),
    ("pathlib", "PosixPath", ("x",)),
    ("pathlib", "Path.touch", (CANARY,)),
    ("importlib", "import_module", ("antigravity",)),
    ("runpy", "run_path", ("x.py",)),
    ("pty", "spawn", ("sh",)),
    ("shutil", "rmtree", ("/nonexistent",)),
    ("webbrowser", "open", ("http://127.0.0.1",)),
    ("socket", "create_connection", (("127.0.0.1", 9),)),
    ("timeit", "timeit", (TOUCH,)),
    ("pdb", "run", (TOUCH,)),
    ("code", "interact", ()),
    ("ctypes", "CDLL", ("x",)),
    ("pickle", "loads", (b"cos\nsystem\n",)),
    ("_pickle", "loads", (b".",)),
    ("operator", "attrgetter", ("x",)),
    ("functools", "partial", ()),
    ("functools", "reduce", ()),
    ("types", "FunctionType", ()),
    ("types", "CodeType", ()),
    ("copyreg", "_reconstructor", ()),
    ("copyreg", "add_extension", ("os", "system", 1)),
    ("argparse", "Namespace", ()),
    ("collections", "defaultdict", ()),
    ("collections", "OrderedDict.fromkeys", ("ab",)),
    ("torch", "load", (CANARY,)),
    ("torch.hub", "load", ("x", "y")),
    ("torch._utils", "_import_dotted_name", ("os.system",)),
    ("torch.nn.modules.linear", "Linear", ()),
    ("torch.storage", "_load_from_bytes", (b"x",)),
    ("torch.serialization", "load", (CANARY,)),
    ("torch._dynamo.guards.GuardBuilder", "get", (TOUCH,)),
    ("torch.utils._config_module", "load_config", (b"x",)),
    ("numpy", "load", (CANARY,)),
    ("numpy.f2py.crackfortran", "getlincoef", (TOUCH, {})),
    ("numpy.testing._private.utils", "runstring", (TOUCH, {})),
    ("logging.config", "dictConfig", ({},)),
    ("ngt_report.sources._stubs", "call", ()),
    ("ngt_report.sources.checkpoint", "os", ()),
    ("__main__", "x", ()),
    ("", "", ()),
    ("torch", "Size.__class__", ()),
    ("torch", "serialization._get_layout.__globals__", ()),
]


def _raw(*parts: bytes) -> bytes:
    return b"\x80\x02" + b"".join(parts) + b"."


ODD = b"ctorch\nSize\n"
SIZE = b"torch.Size"
TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n"
STORAGE = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x04tQ"
OPCODES: dict[str, tuple[bytes, str]] = {
    "inst": (_raw(b"(S'x'\nios\nsystem\n"), "STRING"),
    "inst no args": (_raw(b"(ios\nsystem\n"), "os.system"),
    "obj": (_raw(b"(" + ODD + b"o"), "OBJ"),
    "inst of a known name": (_raw(b"(itorch\nSize\n"), "instance of torch.Size"),
    "ext1": (_raw(b"\x82\x01"), "EXT1"),
    "ext2": (_raw(b"\x83\x01\x00"), "EXT2"),
    "ext4": (_raw(b"\x84\x01\x00\x00\x00"), "EXT4"),
    "newobj_ex": (_raw(ODD, b")}\x92"), "NEWOBJ_EX"),
    "newobj of a dtype": (_raw(b"ctorch\nfloat32\n)\x81"), "torch.float32"),
    "next buffer": (_raw(b"\x97"), "NEXT_BUFFER"),
    "text put": (_raw(b"Np999999999\n"), "PUT"),
    "persid": (_raw(b"Pos.system\n"), "PERSID"),
    "unknown opcode": (_raw(b"\xff"), "byte b'\\xff'"),
    "protocol 9": (b"\x80\x09N.", "protocol"),
    "no stop": (b"\x80\x02N", "ends"),
    "empty": (b"", "ends"),
    "empty stack": (_raw(b""), "damaged"),
    "mark only": (_raw(b"("), "damaged"),
    "no mark": (_raw(b"t"), "damaged"),
    "bad memo": (_raw(b"h\x05"), "damaged"),
    "cut string": (b"\x80\x02X\x10\x00\x00\x00abc", "damaged"),
    "cut int": (b"\x80\x02J\x00", "damaged"),
    "bad utf-8": (_raw(b"X\x01\x00\x00\x00\xff"), "damaged"),
    "global without end": (b"\x80\x02cos", "damaged"),
    "long global": (b"\x80\x02c" + b"a" * 9000, "damaged"),
    "odd setitems": (_raw(b"}(Nu"), "damaged"),
    "huge string": (_raw(b"X\xff\xff\xff\xff"), "string of 4,294,967,295"),
    "huge string8": (_raw(b"\x8d" + b"\xff" * 8), "string of 18,446"),
    "huge bytes8": (_raw(b"\x8e" + b"\xff" * 7 + b"\x7f"), "string of"),
    "huge bytearray": (_raw(b"\x96" + b"\xff" * 7 + b"\x7f"), "string of"),
    "negative long": (_raw(b"\x8b\xff\xff\xff\xff"), "string of -1"),
    "huge long": (_raw(b"\x8b\xff\xff\xff\x7f"), "string of 2,147,483,647"),
    "build on a name": (_raw(ODD, b"}b"), SIZE.decode()),
    "build slots on a name": (_raw(ODD, b"N}X\x04\x00\x00\x00nameK\x01s\x86b"), "sets state on torch.Size"),
    "build on a list": (_raw(b"]}b"), "sets state on a list"),
    "build on a tensor": (_raw(TENSOR, b"(", STORAGE, b"K\x00K\x04\x85K\x01\x85\x89Nt", b"R}b"), "a Tensor"),
    "append to a name": (_raw(ODD, b"Na"), "appends to torch.Size"),
    "append to a tuple": (_raw(b")Na"), "appends to a tuple"),
    "items of a list": (_raw(b"]NNs"), "items of a list"),
    "call of a string": (_raw(b"X\x02\x00\x00\x00os)R"), "calls a str"),
    "call with no tuple": (_raw(ODD, b"]R"), "calls torch.Size"),
    "call of a storage": (_raw(STORAGE, b")R"), "calls a Storage"),
    "from_type of a call": (
        _raw(b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._tensor\n_rebuild_from_type_v2\nNN}tR"),
        "calls torch._tensor",
    ),
    "pid text": (_raw(b"X\x01\x00\x00\x000Q"), "persistent id"),
    "pid short": (_raw(b"X\x07\x00\x00\x00storage\x85Q"), "persistent id"),
    "pid module": (_raw(STORAGE.replace(b"storage", b"modules")), "persistent id"),
    "pid key a list": (_raw(STORAGE.replace(b"X\x01\x00\x00\x000", b"]")), "without a type, a key or a size"),
    "pid of dtype": (_raw(STORAGE.replace(b"FloatStorage", b"float32")), "without a type"),
    "pid negative": (_raw(STORAGE.replace(b"K\x04", b"J\xff\xff\xff\xff")), "or a size"),
    "pid two sizes": (_raw(b"(", STORAGE, STORAGE.replace(b"K\x04", b"K\x05"), b"t"), "two sizes"),
    "storage that is not there": (_raw(STORAGE), "does not hold it"),
    "tensor of nothing": (_raw(TENSOR, b"(NK\x00))\x89NtR"), "without storage"),
    "tensor too large": (_raw(TENSOR, b"(", STORAGE, b"K\x00\x8a\x05\x00\x00\x00\x00\x10\x85K\x01\x85\x89NtR"), "does not fit"),
    "tensor offset": (_raw(TENSOR, b"(", STORAGE, b"K\x04K\x01\x85K\x01\x85\x89NtR"), "not fit"),
    "tensor shape": (_raw(TENSOR, b"(", STORAGE, b"K\x00X\x01\x00\x00\x00a\x85K\x01\x85\x89NtR"), "whole numbers"),
    "parameter of a string": (_raw(b"ctorch._utils\n_rebuild_parameter\n(NNNtR"), "parameter"),
    "key a list": (_raw(b"}]Ns"), "a list for a dictionary key"),
    "key nested": (_raw(b"})\x85\x85Ns"), "a tuple for a dictionary key"),
    "key a huge integer": (_raw(b"}\x8a\x09" + b"\x7f" * 9 + b"Ns"), "a int for a"),
    "dict of no pairs": (_raw(b"ccollections\nOrderedDict\nK\x05\x85R"), "pairs"),
    "set of a number": (_raw(b"c__builtin__\nset\nK\x05\x85R"), "set"),
    "codec": (_raw(b"c_codecs\nencode\nX\x01\x00\x00\x00aX\x03\x00\x00\x00zip\x86R"), "latin-1"),
    "numpy object": (_raw(b"cnumpy.core.multiarray\nscalar\ncnumpy\ndtype\nX\x02\x00\x00\x00O8\x85RC\x08", b"\x00" * 8, b"\x86R"), "NumPy"),
    "global of no name": (_raw(b"NN\x93"), "no name"),
}


def doubling(levels: int, opener: bytes = b"]") -> bytes:
    """A list of two references to a list of two references ...: 2**levels items when unfolded."""
    out = opener + b"q\x00"
    for level in range(levels):
        put, get = bytes([level + 1]), bytes([level])
        out += b"0]q" + put + b"(h" + get + b"h" + get + b"e"
    return out


TWICE = b"0" + b"".join(b"h" + bytes([i]) + b"h" + bytes([i]) + b"\x86q" + bytes([i + 1]) + b"0" for i in range(200))
BOMBS: dict[str, Callable[[], bytes]] = {  # made when they are asked for
    "ten million lists": lambda: b"\x80\x02" + b"(" + b"]" * 10_000_000 + b"t.",
    "ten million sets": lambda: b"\x80\x04" + b"(" + b"\x8f" * 10_000_000 + b"t.",
    "ten million marks": lambda: b"\x80\x02" + b"(" * 10_000_000 + b".",
    "million memo entries": lambda: b"\x80\x04N" + b"\x94" * 10_000_000 + b".",
    "references": lambda: b"\x80\x02N" + b"2" * 20_000_000 + b".",
    "deep list": lambda: b"\x80\x02" + b"]" * 2_000_000 + b"a" * 1_999_999 + b".",
    "deep tuple": lambda: b"\x80\x02N" + b"\x85" * 1_500_000 + b".",
    "hash bomb": lambda: b"\x80\x02})q\x00" + TWICE + b"h\xc8Ns.",
    "colliding integers": lambda: (
        b"\x80\x02}(" + b"".join(b"\x8a\x0d" + ((2**61 - 1) * i + 2**70).to_bytes(13, "little") + b"N" for i in range(200_000)) + b"u."
    ),
    "copied again and again": lambda: (
        b"\x80\x02](" + b"NN\x86" * 100_000 + b"eq\x000" + b"ccollections\nOrderedDict\nq\x010" + b"h\x01h\x00\x85R0" * 100_000 + b"N."
    ),
    "one string, thousand times": lambda: b"\x80\x02(" + (b"X\x00\x00\x01\x00" + b"a" * 65536) * 400 + b"t.",
    "wide text": lambda: b"\x80\x02(" + (b"X\x00\x00\x40\x00" + b"a" * (2**22 - 4) + "\U0001f600".encode()) * 7 + b"t.",
}
