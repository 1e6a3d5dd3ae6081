"""The settings of a command line that a log prints: --lr 0.1, --act=gelu, --tied; over several lines where each ends with a backslash."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ngt_report.text.late import late

FLAG = late(
    r"(?:^|\s)--(?P<key>[A-Za-z][\w.\-]*)"
    r"(?:(?:=|[ \t]+)(?P<value>'[^']*'|\"[^\"]*\"|\[[^\]]*\]|-[.\d]\S*|[^\s\-\\]\S*))?(?=\s|$)"
)
MOST_LINES = 100  # of one command


def command_of(lines: Sequence[tuple[int, str]], at: int) -> tuple[list[tuple[int, str, str]], int]:
    """(line, path, value) of the flags of a command that begins on a line, and how many lines it takes."""
    over = 1
    while over < MOST_LINES and at + over < len(lines) and lines[at + over - 1][1].rstrip().endswith("\\"):
        over += 1
    taken = lines[at : at + over]
    if sum(text.count("--") for _, text in taken) < 2:
        return [], 1
    found = [(n, m["key"].replace("-", "_").replace(".", "/"), m["value"] or "True") for n, t in taken for m in FLAG.finditer(t)]
    return found, over if found else 1


def shortened(command: str, told: Callable[[str, str], bool]) -> str | None:
    """A command without the flags of which (key, value) is told elsewhere; None where nothing is left."""
    left = FLAG.sub(lambda m: "" if told(m["key"].replace("-", "_"), m["value"] or "True") else m[0], command)
    return left.strip(" \\") or None
