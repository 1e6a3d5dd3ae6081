"""The `.pid` files that people keep beside logs: whose process it was, and whether that very process still runs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from msgspec import Struct

LATE = 2.0  # seconds by which a process may seem to have begun after its number was written
LARGEST = 2**31


class Pid(Struct, frozen=True):
    """The process that a file names."""

    number: int
    written: float  # when the file was, in seconds since 1970
    alive: bool


def read(path: str | Path) -> Pid | None:
    """The process of a pid file; None when it holds no number."""
    try:
        text = Path(path).read_bytes()[:64].split()
        number, written = int(text[0]), os.stat(path).st_mtime
    except (OSError, ValueError, IndexError):
        return None
    return Pid(number, written, running(number, written)) if 0 < number < LARGEST else None


def running(number: int, written: float) -> bool:
    """Whether the process runs that had this number when it was written down: a later one has only been given the number again."""
    if sys.platform == "win32":
        return _on_windows(number)
    if Path("/proc/self/stat").exists():
        began = _began(number)
        return began is not None and began <= written + LATE
    try:
        os.kill(number, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def _began(number: int) -> float | None:
    """When a process of Linux began; None when there is none, or when it has ended and nobody asked for its end yet."""
    try:
        fields = Path(f"/proc/{number}/stat").read_bytes().rpartition(b")")[2].split()
        boot = next(line for line in Path("/proc/stat").read_text().splitlines() if line.startswith("btime"))
    except (OSError, StopIteration):
        return None
    if len(fields) < 20 or fields[0] in (b"Z", b"X"):
        return None
    return float(boot.split()[1]) + int(fields[19]) / os.sysconf("SC_CLK_TCK")


def _on_windows(number: int) -> bool:
    import ctypes

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 -- unknown elsewhere
    synchronize, still_running = 0x00100000, 0x102
    handle = kernel.OpenProcess(synchronize, False, number)
    if not handle:
        return bool(kernel.GetLastError() == 5)  # it is there, and another user's
    try:
        return bool(kernel.WaitForSingleObject(handle, 0) == still_running)
    finally:
        kernel.CloseHandle(handle)
