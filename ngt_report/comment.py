"""PR_comment.md: Summary.md for a pull request, whose comments GitHub bounds; what matters least is left out first, and named."""

from __future__ import annotations

import re

from msgspec import Struct
from msgspec.structs import replace

from ngt_report.model import Report
from ngt_report.render import summary_md

MOST = 65_536  # characters of a comment; GitHub's own count must stay below
LEAST_LEFT = 400  # characters of a section that are worth keeping
NOTES = "Notes"
BY_WEIGHT = (
    "Headline",
    "Before you compare",
    "Fixed-step comparison",
    "Full ranking",
    "Seeds",
    "Accuracy",
    "Training loss",
    "Not ranked",
    "Throughput",
    "Findings",
    NOTES,
    "Best vs last",
    "Campaign",
    "Continuation",
    "Other evaluations",
    "",
    "What ran",
    "Reading token labels",
    "Source artefacts",
)  # the gravest first; "" stands for metrics without a section of their own
MARK = "\x00notes\x00"


class Section(Struct):
    """A part of the report under a heading of the second level."""

    title: str
    text: str
    cut: bool = False

    @property
    def weight(self) -> int:
        """Its place among the sections, 0 for the gravest."""
        return next((i for i, name in enumerate(BY_WEIGHT) if name and self.title.startswith(name)), BY_WEIGHT.index(""))


def comment(report: Report, most: int = MOST) -> str:
    """The report in fewer than `most` characters, as GitHub counts them."""
    head, sections = _split(report)
    kept = [replace(s) for s in sections]
    weighed = sorted(kept, key=lambda s: s.weight, reverse=True)
    for section in weighed:
        over = size(_joined(head, kept, sections)) - (most - 1)
        if over <= 0:
            break
        room = size(section.text) - over - size(_left_out(kept, [*sections, Section(section.title, "")])) + size(_left_out(kept, sections))
        section.text = shortened(section.text, room) if room >= LEAST_LEFT else ""
        section.cut = bool(section.text)
        if not section.text:
            kept.remove(section)
    for whole in sorted(sections, key=lambda s: s.weight):  # a long section that went made room for others
        tried = [next((k for k in kept if k.title == s.title), s) for s in sections if s is whole or any(k.title == s.title for k in kept)]
        if size(_joined(head, tried, sections)) < most:
            kept = tried
    return _joined(head, kept, sections)


def size(text: str) -> int:
    """Characters, those beyond the basic plane counted twice: no count of GitHub's is larger."""
    return len(text.encode("utf-16-le", "replace")) // 2


def _split(report: Report) -> tuple[str, list[Section]]:
    """What stands before the first heading, and the sections; the user's notes are one, whatever headings they have."""
    text = summary_md(replace(report, notes=MARK) if report.notes else report)
    head, *parts = re.split(r"(?m)^(?=## )", text)
    sections = []
    for part in parts:
        title = part.partition("\n")[0].removeprefix("## ")
        sections.append(Section(title, part.replace(MARK, report.notes or "")))
    return head, sections


def shortened(text: str, room: int) -> str:
    """Whole lines from the beginning, with what they opened closed again; nothing when only a heading would be left."""
    room -= 40  # for what may have to be closed, and the line that says so
    lines: list[str] = []
    for line in text.splitlines():
        room -= size(line) + 1
        if room < 0:
            break
        lines.append(line)
    while lines and (not lines[-1] or lines[-1].startswith(("#", "|---")) or lines[-1].startswith("|") and "|---" in _after(text, lines)):
        lines.pop()  # a heading or a table's head without anything below it
    if len(lines) < 2:
        return ""
    kept = "\n".join(lines)
    if len(re.findall(r"(?m)^ {0,3}(?:```|~~~)", kept)) % 2:
        lines.append("```" if "```" in kept else "~~~")
    lines += ["-->"] * (kept.count("<!--") > kept.count("-->")) + ["", "</details>"] * (kept.count("<details") > kept.count("</details"))
    return "\n".join([*lines, "", "...", "", ""])


def _after(text: str, lines: list[str]) -> str:
    """The line that follows those kept."""
    every = text.splitlines()
    return every[len(lines)] if len(lines) < len(every) else ""


def _left_out(kept: list[Section], sections: list[Section]) -> str:
    """What the comment does not have, for its end."""
    titles = [s.title for s in kept]
    gone = [s.title for s in sections if s.title not in titles]
    cut = [s.title for s in kept if s.cut]
    if not gone and not cut:
        return ""
    said = [", ".join(gone)] * bool(gone) + [f"the end of {', '.join(cut)}"] * bool(cut)
    return f"Left out to stay under {MOST:,} characters: {'; '.join(said)}. Summary.md has all of it.\n"


def _joined(head: str, kept: list[Section], sections: list[Section]) -> str:
    end = _left_out(kept, sections)
    text = head + "".join(s.text if s.text.endswith("\n\n") else s.text.rstrip("\n") + "\n\n" for s in kept)
    return f"{text.rstrip()}\n" + (f"\n{end}" if end else "")
