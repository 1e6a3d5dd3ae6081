"""Settings by their indentation, as in YAML: in which sections a key stands, and the items of a list below it."""

from __future__ import annotations

from ngt_report.text.late import late

ITEM = late(r"^\s*-(?:\s+(?P<value>\S.*?))?\s*$")  # of a list
ENTRY = late(r"['\"`*]*[A-Za-z_][\w.\- ]*['\"`*]*\s*[:=](?:\s|$)")  # a pair


class Sections:
    """Keys that were opened by a line without a value, and how deep they stand."""

    def __init__(self) -> None:
        self.open: list[tuple[int, str]] = []
        self.items: list[str] = []  # of the list below the key that was opened last

    def path(self, indent: int, key: str, value: str) -> str:
        """The path of a key on a line; one without a value opens a section."""
        while self.open and self.open[-1][0] >= indent:
            self.open.pop()
        above = [name for _, name in self.open]
        if not value:
            self.open.append((indent, key))
            self.items = []
        return "/".join([*above, key])

    def item(self, text: str) -> tuple[str, str] | None:
        """(path, the list so far) where a line is an item of a list of values, for the key above it."""
        match = ITEM.match(text)
        if match is None or not self.open or ENTRY.match(match["value"] or ""):
            return None
        self.items.append(match["value"] or "{")
        return "/".join(name for _, name in self.open), f"[{', '.join(self.items)}]"
