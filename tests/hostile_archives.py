"""Archives that must not be unpacked: each is named for what it tries, and made from scratch."""

from __future__ import annotations

import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable

LOG = b"step 1/2 val_loss=4.5\nstep 2/2 val_loss=4.0\n"
Member = tuple[str, bytes]
ARCHIVES: dict[str, tuple[str, Callable[[], bytes], str]] = {}  # what it tries -> file name, its bytes, a word of the refusal


def tar(members: Iterable[tarfile.TarInfo | Member], form: int = tarfile.GNU_FORMAT) -> bytes:
    """A .tar.xz."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for member in members:
            info, data = (member, b"") if isinstance(member, tarfile.TarInfo) else (tarfile.TarInfo(member[0]), member[1])
            info.size = len(data) if info.isreg() else info.size
            archive.addfile(info, io.BytesIO(data) if info.isreg() else None)
    return lzma.compress(out.getvalue())


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def zipped(members: Iterable[tuple[str | zipfile.ZipInfo, bytes]], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A .zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def unixed(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, mode << 16
    return info


def in_tar(what: str, word: str, *members: tarfile.TarInfo | Member) -> None:
    ARCHIVES[f"{what}, tar"] = ("a.tar.xz", lambda: tar([("a.log", LOG), *members]), word)


def in_zip(what: str, word: str, *members: tuple[str | zipfile.ZipInfo, bytes]) -> None:
    ARCHIVES[f"{what}, zip"] = ("a.zip", lambda: zipped([("a.log", LOG), *members]), word)


NAMES = {  # what -> name, a word of the refusal
    "climbs out": ("../out.log", "leads out"),
    "climbs out further in": ("logs/../../out.log", "leads out"),
    "is absolute": ("/tmp/ngtreport-out.log", "absolute"),
    "is on a Windows drive": ("C:/out.log", "Windows"),
    "climbs out with backslashes": ("..\\out.log", "Windows"),
    "is on a network share": ("//server/share/out.log", "absolute"),
    "is a device": ("logs/NUL", "device"),
    "is a device with an extension": ("com1.log", "device"),
    "ends with a dot": ("out.log.", "dot"),
    "ends with a space": ("out.log ", "space"),
    "has a stream": ("out.log:evil", "Windows"),
    "has a question mark": ("out?.log", "Windows"),
    "has a newline": ("out\nin.log", "control"),
    "turns its letters around": ("out\u202egol.exe", "invisible"),
    "is too long": ("x" * 300 + ".log", "longer"),
    "is too deep": ("/".join("d" * 60) + "/out.log", "deep"),
    "is another's in capitals": ("A.LOG", "one name"),
    "is there twice": ("a.log", "twice"),
    "is below a file": ("a.log/out.log", "as a file and as a folder"),
}
for what, (name, word) in NAMES.items():
    in_tar(f"a name that {what}", word, (name, LOG))
    if what not in ("is there twice", "is too long"):
        in_zip(f"a name that {what}", word, (name, LOG))

in_tar("a symbolic link out", "symbolic link", special("link", tarfile.SYMTYPE, "../.."))
in_tar("a symbolic link and a file through it", "symbolic link", special("link", tarfile.SYMTYPE, "/tmp"), ("link/out.log", LOG))
in_tar("a hard link", "hard link", special("link", tarfile.LNKTYPE, "a.log"))
in_tar("a character device", "character device", special("null", tarfile.CHRTYPE))
in_tar("a block device", "block device", special("disk", tarfile.BLKTYPE))
in_tar("a named pipe", "named pipe", special("pipe", tarfile.FIFOTYPE))
in_tar("an unknown kind of member", "no regular file", special("odd", b"Z"))
in_zip("a symbolic link", "symbolic link", (unixed("link", stat.S_IFLNK | 0o777), b"../.."))
in_zip("a device", "device", (unixed("null", stat.S_IFCHR | 0o666), b""))


def many(form: str) -> bytes:
    """More members than are unpacked under a limit of 50."""
    members = [(f"{i}.log", LOG) for i in range(60)]
    return tar(members) if form == "tar" else zipped(members)


def _patched_flag(data: bytes) -> bytes:
    at = data.index(b"PK\x01\x02")
    return data[: at + 8] + bytes([data[at + 8] | 1]) + data[at + 9 :]


def _overlapping() -> bytes:
    """Two directory entries of one member."""
    data = zipped([("a.log", LOG), ("b.log", LOG)])
    at = data.rindex(b"PK\x01\x02")
    return data[: at + 42] + struct.pack("<I", 0) + data[at + 46 :]


def _resized(data: bytes) -> bytes:
    at = data.index(b"PK\x01\x02")
    return data[: at + 24] + struct.pack("<I", len(LOG) - 3) + data[at + 28 :]


def _negative() -> bytes:
    block = bytearray(tarfile.TarInfo("a.log").tobuf(tarfile.GNU_FORMAT))
    block[124:136] = b"\xff" * 12
    return lzma.compress(_summed(block) + bytes(1024))


def _summed(block: bytearray) -> bytes:
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _extended(records: dict[str, str]) -> bytes:
    info = tarfile.TarInfo("a.log")
    info.size, info.pax_headers = len(LOG), records
    return lzma.compress(info.tobuf(tarfile.PAX_FORMAT) + LOG + bytes(512 - len(LOG)) + bytes(1024))


def _huge_header() -> bytes:
    info = special("././@LongLink", tarfile.GNUTYPE_LONGNAME)
    info.size = 8 << 30
    return lzma.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(1024))


def _greedy() -> bytes:
    """An xz whose dictionary is said to take 4 GB."""
    block = bytearray(lzma.compress(tar([("a.log", LOG)]), check=lzma.CHECK_CRC32))
    header = bytearray(block[12 : 12 + (block[12] + 1) * 4])
    header[4] = 40  # the dictionary of its one filter
    header[-4:] = struct.pack("<I", zlib.crc32(bytes(header[:-4])))
    block[12 : 12 + len(header)] = header
    return bytes(block)


# -- made by hand ------------------------------------------------------------------------------------------------------
ARCHIVES["a bomb, tar"] = ("a.tar.xz", lambda: tar([("zeros.log", bytes(100 << 20))]), "bomb")
ARCHIVES["a bomb, zip"] = ("a.zip", lambda: zipped([("zeros.log", bytes(100 << 20))]), "bomb")
ARCHIVES["zeros without end behind the end, tar"] = (
    "a.tar.xz",
    lambda: lzma.compress(lzma.decompress(tar([("a.log", LOG)])) + bytes(160 << 20), preset=0),
    "bomb",
)
ARCHIVES["an encrypted member, zip"] = ("a.zip", lambda: _patched_flag(zipped([("a.log", LOG)])), "encrypted")
ARCHIVES["a compression of its own, zip"] = ("a.zip", lambda: zipped([("a.log", LOG)], zipfile.ZIP_BZIP2), "compressed")
ARCHIVES["members that overlap, zip"] = ("a.zip", _overlapping, "one place")
ARCHIVES["a size that is not its own, zip"] = ("a.zip", lambda: _resized(zipped([("a.log", LOG)])), "damaged")
ARCHIVES["a size below 0, tar"] = ("a.tar.xz", _negative, "below 0")
ARCHIVES["a path of an extended header out of the folder, tar"] = (
    "a.tar.xz",
    lambda: _extended({"path": "../out.log"}),
    "leads out",
)
ARCHIVES["a sparse file of an extended header, tar"] = (
    "a.tar.xz",
    lambda: _extended({"GNU.sparse.size": "1000"}),
    "no plain file",
)
ARCHIVES["an extended header of gigabytes, tar"] = ("a.tar.xz", _huge_header, "extended header")
ARCHIVES["no tar at all, xz"] = ("a.tar.xz", lambda: lzma.compress(b"hello " * 1000), "no tar archive")
ARCHIVES["cut off, tar"] = ("a.tar.xz", lambda: tar([("a.log", LOG)])[:-30], "damaged")
ARCHIVES["cut off, zip"] = ("a.zip", lambda: zipped([("a.log", LOG)])[:-30], "damaged")
ARCHIVES["a decompressor of gigabytes, xz"] = (
    "a.tar.xz",
    _greedy,
    "memory",
)
