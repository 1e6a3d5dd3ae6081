"""Where things are kept that can be made again: in the user's cache, never beside the logs."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path | None:
    """Our folder in the user's cache; None where the user has no home."""
    home = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    try:
        folder = Path(home) if home and os.path.isabs(home) else Path.home() / ".cache"
    except RuntimeError:
        return None
    return folder / "ngtreport"
