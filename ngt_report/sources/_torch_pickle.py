"""A pickle machine that can only build plain data: it looks up no class, imports nothing, calls nothing of the file's.

The standard Unpickler is not safe behind find_class alone: it hashes nested tuples for ever, fills a memo as long as any
index that a file names, and lets BUILD write on whatever find_class returned. This one knows the opcodes that torch.save
writes, keeps an account of memory and of opcodes, and refuses the rest by name. Tensors become stubs; no tensor is read.
"""

from __future__ import annotations

import io
import pickletools
import struct
from collections.abc import Callable
from sys import getsizeof
from typing import Any, BinaryIO

from ngt_report.sources._stubs import CALLS, NAMES, Ledger, Name, Opaque, Refused, call, kind, plain_key, shown, storage

MOST_OPS = 5_000_000
LONGEST = 8 << 20  # bytes of one string
TEXT, LONG_PUT, TWO_BYTES = b"XrM"  # BINUNICODE, LONG_BINPUT, BININT2
OPCODES = {op.code.encode("latin-1"): op for op in pickletools.opcodes}


class Machine(Ledger):
    """Reads one pickle after the other from a file."""

    def __init__(self, source: BinaryIO | bytes) -> None:
        super().__init__()
        self.data = source if isinstance(source, bytes) else None
        self.source = io.BytesIO(source) if isinstance(source, bytes) else source
        self.read = self.source.read
        self.ops = MOST_OPS
        self.clear()

    def clear(self) -> None:
        """Forget the stack and the memo; the account goes on."""
        self.stack: list[Any] = []
        self.marks: list[list[Any]] = []
        self.memo: dict[int, Any] = {}

    def load(self) -> Any:
        """The next pickle's object."""
        self.clear()
        try:
            return self._run()
        except (IndexError, KeyError, ValueError, TypeError, struct.error, OverflowError, EOFError) as e:
            raise Refused(f"its pickle is damaged ({type(e).__name__} at byte {self.source.tell():,})") from e

    def _run(self) -> Any:
        read, known = self.read, ACTIONS
        while self.ops > 0:
            self.ops -= 1
            code = read(1)
            if code == b".":
                return self.stack.pop()
            if code == b"X" and self.data is not None:
                self._texts(self.data)
                continue
            action = known.get(code)
            if action is None:
                raise Refused(_opcode(code))
            action(self)
        raise Refused(f"its pickle has more than {MOST_OPS:,} opcodes")

    def _texts(self, data: bytes) -> None:
        """Texts in a row, each with its place in the memo and a small number: a vocabulary, without a call for each opcode."""
        at, left, stack, memo, u32 = self.source.tell() - 1, self.left, self.stack, self.memo, U32.unpack_from
        first = len(stack)
        while data[at] == TEXT and left >= 0:
            size = u32(data, at + 1)[0]
            start = at + 5
            at = start + size
            if size > LONGEST or at > len(data):
                self.source.seek(start)
                self.exactly(size)
            text = data[start:at].decode("utf-8", "surrogatepass")
            left -= getsizeof(text)
            stack.append(text)
            if data[at] == LONG_PUT:
                left -= 140
                memo[u32(data, at + 1)[0]] = text
                at += 5
            if data[at] == TWO_BYTES:
                left -= 32
                stack.append(data[at + 1] | data[at + 2] << 8)
                at += 3
        self.ops -= len(stack) - first
        self.left = left
        self.charge(0)
        self.source.seek(at)

    def push(self, value: Any, cost: int) -> None:
        """Put a new object on the stack."""
        self.charge(cost)
        self.stack.append(value)

    def exactly(self, size: int) -> bytes:
        """The next bytes of the file."""
        if not 0 <= size <= LONGEST:
            raise Refused(f"its pickle announces a string of {size:,} bytes")
        data = self.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def number(self, form: struct.Struct) -> Any:
        """One number in a fixed layout."""
        return form.unpack(self.read(form.size))[0]

    def line(self) -> str:
        """The next line of a text argument."""
        text = self.source.readline(4096)
        if text[-1:] != b"\n":
            raise EOFError
        return text[:-1].decode("utf-8", "replace")

    def since_mark(self) -> list[Any]:
        """What was pushed since the last mark, which is closed."""
        items, self.stack = self.stack, self.marks.pop()
        return items


U8, U16, U32, U64 = (struct.Struct(f) for f in ("<B", "<H", "<I", "<Q"))
I32, F64 = struct.Struct("<i"), struct.Struct(">d")


def _opcode(code: bytes) -> str:
    if not code:
        return "its pickle ends in the middle"
    known = OPCODES.get(code)
    if known is None:
        return f"its pickle has the byte {code!r} for an opcode"
    return f"its pickle has the opcode {known.name}, which torch.save does not write"


# -- scalars ----------------------------------------------------------------------------------------------------------
def _constant(value: Any) -> Callable[[Machine], None]:
    return lambda m: m.stack.append(value)


def _fixed(form: struct.Struct) -> Callable[[Machine], None]:
    return lambda m: m.push(m.number(form), 32)


def _long(form: struct.Struct) -> Callable[[Machine], None]:
    def action(m: Machine) -> None:
        data = m.exactly(m.number(form))
        m.push(int.from_bytes(data, "little", signed=True), 40 + len(data))

    return action


def _text(form: struct.Struct, encoding: str = "utf-8") -> Callable[[Machine], None]:
    def action(m: Machine) -> None:
        text = m.exactly(m.number(form)).decode(encoding, "surrogatepass")
        m.push(text, getsizeof(text))

    return action


def _bytes(form: struct.Struct) -> Callable[[Machine], None]:
    def action(m: Machine) -> None:
        data = m.exactly(m.number(form))
        m.push(data, 40 + len(data))

    return action


# -- containers -------------------------------------------------------------------------------------------------------
def _tuple(size: int) -> Callable[[Machine], None]:
    def action(m: Machine) -> None:
        if len(m.stack) < size:
            raise IndexError
        value = tuple(m.stack[-size:])
        del m.stack[-size:]
        m.push(value, 40 + 8 * size)

    return action


def _marked_tuple(m: Machine) -> None:
    items = m.since_mark()
    m.push(tuple(items), 40 + 8 * len(items))


def _marked_list(m: Machine) -> None:
    items = m.since_mark()
    m.push(items, 64 + 8 * len(items))


def _marked_dict(m: Machine) -> None:
    items = m.since_mark()
    m.push({}, 64)
    _set_items(m, items)


def _append(m: Machine) -> None:
    _extend(m, [m.stack.pop()])


def _extend(m: Machine, items: list[Any]) -> None:
    target = m.stack[-1]
    if type(target) is not list:
        raise Refused(f"its pickle appends to {kind(target)}")
    m.charge(9 * len(items))
    target.extend(items)


def _set_item(m: Machine) -> None:
    value = m.stack.pop()
    _set_items(m, [m.stack.pop(), value])


def _set_items(m: Machine, items: list[Any]) -> None:
    target = m.stack[-1]
    if type(target) is not dict:
        raise Refused(f"its pickle sets items of {kind(target)}")
    m.charge(50 * len(items))
    for i in range(0, len(items), 2):
        key = items[i]
        target[key if type(key) is str else plain_key(key)] = items[i + 1]


# -- stack and memo ---------------------------------------------------------------------------------------------------
def _mark(m: Machine) -> None:
    m.charge(64)
    m.marks.append(m.stack)
    m.stack = []


def _pop_mark(m: Machine) -> None:
    m.since_mark()


def _skip_frame(m: Machine) -> None:
    m.number(U64)


def _pop(m: Machine) -> None:
    if m.stack:
        m.stack.pop()
    else:
        m.since_mark()


def _put(form: struct.Struct) -> Callable[[Machine], None]:
    def action(m: Machine) -> None:
        m.charge(140)
        m.memo[m.number(form)] = m.stack[-1]

    return action


def _memoize(m: Machine) -> None:
    m.charge(140)
    m.memo[len(m.memo)] = m.stack[-1]


def _get(form: struct.Struct) -> Callable[[Machine], None]:
    return lambda m: m.stack.append(m.memo[m.number(form)])


def _protocol(m: Machine) -> None:
    if m.number(U8) > 5:
        raise Refused("its pickle has an unknown protocol")


# -- globals and calls ------------------------------------------------------------------------------------------------
def _global(m: Machine, module: str, name: str) -> None:
    full = f"{module.replace('__builtin__', 'builtins')}.{name}"
    if full not in CALLS and full not in NAMES:
        raise Refused(f"it asks for {shown(f'{module}.{name}')}, which is not plain data")
    m.push(Name(full), 48)


def _text_global(m: Machine) -> None:
    module = m.line()
    _global(m, module, m.line())


def _stack_global(m: Machine) -> None:
    name, module = m.stack.pop(), m.stack.pop()
    if type(name) is not str or type(module) is not str or len(name) + len(module) > 4096:
        raise Refused("its pickle names a global by something that is no name")
    _global(m, module, name)


def _instance(m: Machine) -> None:
    _text_global(m)
    raise Refused(f"its pickle makes an instance of {kind(m.stack[-1])}, which torch.save does not write")


def _reduce(m: Machine) -> None:
    args, target = m.stack.pop(), m.stack.pop()
    m.stack.append(call(m, target, args))


def _persistent(m: Machine) -> None:
    m.stack.append(storage(m, m.stack.pop()))


def _build(m: Machine) -> None:
    """State is left out: torch puts `_metadata` on an OrderedDict, NumPy its bytes on an array."""
    state = m.stack.pop()
    target = m.stack[-1]
    if type(target) is Opaque and target.text[:1] in "<>" and type(state) is tuple and len(state) > 1 and state[1] in ("<", ">", "|"):
        m.stack[-1] = Opaque(state[1].replace("|", "<") + target.text[1:])
    elif type(target) not in (dict, Opaque):
        raise Refused(f"its pickle sets state on {kind(target)}")


ACTIONS: dict[bytes, Callable[[Machine], None]] = {
    b"N": _constant(None), b"\x88": _constant(True), b"\x89": _constant(False), b"J": _fixed(I32), b"K": _fixed(U8), b"M": _fixed(U16),
    b"G": _fixed(F64), b"\x8a": _long(U8), b"\x8b": _long(I32), b"X": _text(U32), b"\x8c": _text(U8), b"\x8d": _text(U64),
    b"T": _text(I32, "latin-1"), b"U": _text(U8, "latin-1"), b"B": _bytes(U32), b"C": _bytes(U8), b"\x8e": _bytes(U64),
    b"\x96": _bytes(U64),
    b"]": lambda m: m.push([], 64), b"}": lambda m: m.push({}, 64), b"\x8f": lambda m: m.push([], 64), b")": _constant(()),
    b"\x85": _tuple(1), b"\x86": _tuple(2), b"\x87": _tuple(3), b"t": _marked_tuple, b"l": _marked_list, b"d": _marked_dict,
    b"\x91": _marked_list, b"a": _append, b"e": lambda m: _extend(m, m.since_mark()), b"\x90": lambda m: _extend(m, m.since_mark()),
    b"s": _set_item, b"u": lambda m: _set_items(m, m.since_mark()), b"(": _mark, b"0": _pop, b"1": _pop_mark,
    b"2": lambda m: m.stack.append(m.stack[-1]), b"q": _put(U8), b"r": _put(U32), b"\x94": _memoize, b"h": _get(U8), b"j": _get(U32),
    b"\x80": _protocol, b"\x95": _skip_frame, b"c": _text_global, b"\x93": _stack_global, b"i": _instance,
    b"R": _reduce, b"\x81": _reduce, b"b": _build, b"Q": _persistent,
}  # fmt: skip
