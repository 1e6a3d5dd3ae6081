"""MLflow's settings of a run: a file for each, the value alone in it, the setting's name being the file's."""

from __future__ import annotations

import re
from pathlib import PurePath

from ngt_report.files import InputFile
from ngt_report.sources import Format
from ngt_report.sources._scalars import scalar
from ngt_report.text.configs import setting
from ngt_report.text.values import value_of
from ngt_report.waist import Reading, Trial

RUN = re.compile(r"[0-9a-f]{32}")
LONGEST = 6000  # characters that MLflow keeps of a value


def _place(file: InputFile) -> tuple[str, str] | None:
    """Run and setting as MLflow lays them out: RUN/params/NAME, slashes and dots of a name being sections."""
    parts = PurePath(file.path.replace("\\", "/")).parts
    at = next((i for i, p in enumerate(parts) if p == "params" and i and RUN.fullmatch(parts[i - 1])), None)
    return None if at is None or at + 1 >= len(parts) else (parts[at - 1], "/".join(parts[at + 1 :]).replace(".", "/"))


def sniff(file: InputFile) -> str | None:
    """One value in a folder of settings below a run's id."""
    place = _place(file)
    if place is None or not 0 < file.size <= LONGEST or file.encoding == "binary" or "\n" in file.text_head.strip():
        return None
    return f"a setting of MLflow's run {place[0][:8]}"


def read(file: InputFile) -> Reading:
    """One fact of a run that other files tell."""
    run, path = _place(file) or ("", "")
    reading = Reading(trials=[Trial(0, "settings", run, 1)], lines_read=1, lines_used=1)
    text = file.text_head.strip()
    value = value_of(text) if text[:1] in ("[", "(") else scalar(text)
    if key := setting(path, value):
        reading.fact(key, value, 0, 1)
    return reading


FORMAT = Format(
    name="mlflow_params",
    title="MLflow's files of settings",
    example="0.001",
    clock="none",
    sniff=sniff,
    read=read,
    rank=27,
    precedence=2,
)
