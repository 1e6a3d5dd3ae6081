"""Where a run comes from: the commit of the training code and what was changed on it, versions, hardware."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

PACKAGES = ("torch", "numpy", "tokenizers", "transformers", "triton")
PATIENCE = 20  # seconds for one git command


def git_state(folder: Path | None = None) -> tuple[str | None, str | None]:
    """The commit of the code in a folder, and `sha256:` of what was changed there since; None where there is no git, or no change.

    The folder is this package's own by default. A folder that its repository does not track (a package installed inside
    somebody's project) has no commit.
    """
    folder = folder or Path(__file__).parent
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit or not _git(folder, "ls-files"):
        return None, None
    changed = _git(folder, "diff", "HEAD", "--binary", "--no-ext-diff", "--no-textconv", "--no-color", "--relative", "--", ".") or b""
    unknown = (_git(folder, "ls-files", "--others", "--exclude-standard", "-z") or b"").split(b"\0")
    for name in sorted(filter(None, unknown)):
        changed += b"\0" + name + b"\0" + _content(folder / os.fsdecode(name))
    return commit.decode().strip(), f"sha256:{hashlib.sha256(changed).hexdigest()}" if changed else None


@cache
def code_state() -> tuple[str | None, str | None]:
    """`git_state` of this package, as it was when this process first asked."""
    return git_state()


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # a link to nowhere, a file without rights: its name counts
        return b""


def _git(folder: Path, *arguments: str) -> bytes | None:
    """What git prints; None when it fails or is not there."""
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0"}
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, timeout=PATIENCE, check=False, env=environment)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout if done.returncode == 0 else None


def versions() -> dict[str, str]:
    """Python, the operating system, ngttrain and the packages that compute, as installed."""
    found = {"python": platform.python_version(), "system": f"{platform.system()} {platform.machine()}"}
    for name, package in (("ngttrain", "ngtreport"), *((name, name) for name in PACKAGES)):
        try:
            found[name] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def hardware(device: str, count: int = 1) -> str:
    """What is trained on, `8x NVIDIA L4` or `AMD EPYC (2 cores)`; device is cpu, cuda, cuda:N or mps, count its processes."""
    kind, _, index = device.partition(":")
    torch = sys.modules.get("torch")
    if kind == "cuda" and torch is not None and torch.cuda.is_available():
        return f"{count}x {torch.cuda.get_device_name(int(index or 0))}"
    return _processor() if kind == "cpu" else f"{count}x {kind}"


def _processor() -> str:
    """The processor's name and its number of cores, as far as the system tells."""
    try:
        told = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        told = ""
    name = next((line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("model name")), "")
    return f"{name or platform.processor() or platform.machine()} ({os.cpu_count()} cores)"
