"""Which data a run was trained on, by the path that its settings give where they name none."""

from __future__ import annotations

from ngt_report.labels import telling
from ngt_report.names import clean
from ngt_report.text.late import late

KEYS = late(
    r"^(?:(?:train_|training_)?(?:data|dataset)(?:_dir|_path|_root|_folder|_file|_files|_pattern)|train_(?:bin|file|files|path|dir|pattern))$"
)
FILE = late(r"\*|\.[A-Za-z]\w{0,6}$")  # a part that is a file or a pattern of them
COMMON = frozenset(
    "data datasets dataset train training corpus tokens tokenized processed raw cache bin shards tmp mnt home scratch workspace".split()
)


def dataset_of(end: str, value: object) -> str | None:
    """The folder or file that a setting gives for the data of the training; None where its name says nothing."""
    if not isinstance(value, str) or "/" not in value or not KEYS.match(clean(end)):
        return None
    parts = [part for part in value.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    if len(parts) > 1 and FILE.search(parts[-1]):
        parts.pop()
    name = parts[-1] if parts else ""
    return name if name.lower() not in COMMON and not name.startswith(("tmp", "$", "~")) and telling(name) else None
