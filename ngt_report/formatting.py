"""How numbers and names are printed, and escaped for where they go: Markdown, CSV, the terminal."""

from __future__ import annotations

import re
from math import floor, log10
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from markupsafe import Markup

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
MARKDOWN = re.compile(r"([\\`*_{}\[\]<>|~#!$@&])")


def decimals_text(value: float | None, decimals: int | None) -> str:
    """A loss at the decimals of its source; four when the source has full precision, or two digits where four would say 0."""
    if value is None:
        return "-"
    if value != value or abs(value) == float("inf"):
        return str(value)
    if decimals is None and 0 < abs(value) < 0.00005:
        return f"{value:.1e}"
    return f"{value:.{4 if decimals is None else max(0, min(decimals, 6))}f}"


def rate(value: float, decimals: int = 3) -> str:
    """A rate at a fixed number of decimals, below 0.1 at three digits: 12.223, 0.0978, 0.00412."""
    if not 0 < abs(value) < 0.1:
        return f"{value:.{decimals}f}"
    return f"{value:.{min(12, 2 - floor(log10(abs(value))))}f}"


def number(value: Any) -> str:
    """A number without needless digits, thousands separated; anything else as text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 10_000 else str(value)
    return f"{value:.9g}"


def signed(value: float, places: int = 4) -> str:
    """+0.1081"""
    return f"{value:+.{places}f}"


def percent(value: float) -> str:
    """+11.4%"""
    return f"{100 * value:+.1f}%"


def chance(p: float | None) -> str:
    """A p-value: 0.032, 1.2e-05; a dash where there is none."""
    return "-" if p is None else f"{p:.3f}" if p >= 0.001 else f"{p:.1e}"


def duration(seconds: float | None) -> str:
    """12.4s, 10m 9.1s, 4h 54m: as people write times."""
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds:.1f}s"
    if seconds < 3600:
        minutes = int(seconds // 60)
        rest = round(seconds - 60 * minutes, 1)
        return f"{minutes + 1}m 0.0s" if rest >= 60 else f"{minutes}m {rest:.1f}s"
    minutes = round(seconds / 60)
    return f"{minutes // 60}h {minutes % 60}m"


def plain(text: Any) -> str:
    """Text for a terminal or a log: no control, no bidirectional and no zero-width characters."""
    return CONTROL.sub("\ufffd", str(text).replace("\r", " ").replace("\n", " ").replace("\t", " "))


def markdown(text: Any) -> str:
    """Text for a Markdown paragraph or table cell: nothing in it is markup, a link or HTML."""
    safe = MARKDOWN.sub(r"\\\1", plain(text)).replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\\&", "&amp;")
    safe = re.sub(r"(?i)\b(https?|ftp)://", r"\1:&#8203;//", safe)
    safe = re.sub(r"(?i)\bwww\.", "www&#46;", safe)
    safe = re.sub(r"(?<=\w)\\_(?=\w)", "_", safe)  # inside a word it is no markup
    return re.sub(r"(?<=\w)\\#(?=[A-Za-z_])|(?<![\w\\])\\@(?=\d)", lambda m: m[0][1:], safe)  # nor are these an issue or a person


def code(text: Any) -> str:
    """Text in a Markdown code span inside a table cell."""
    safe = plain(text).replace("|", "\\|")
    ticks = "`" * (max((len(run) for run in re.findall(r"`+", safe)), default=0) + 1)
    pad = " " if "`" in safe else ""
    return f"{ticks}{pad}{safe}{pad}{ticks}"


def fence(text: str, language: str) -> str:
    """A Markdown code block; nothing in the text ends it."""
    safe = "\n".join(plain(line) for line in text.splitlines())
    ticks = "`" * max(3, 1 + max((len(run) for run in re.findall(r"`+", safe)), default=0))
    return f"\n{ticks}{language}\n{safe}\n{ticks}\n"


def said(text: str) -> str:
    """A sentence of ours for Markdown, in which only its own code spans are markup."""
    return "".join(part if i % 2 else markdown(part) for i, part in enumerate(re.split(r"(`[^`]*`)", text)))


def coded(text: str) -> Markup:
    """The same for HTML."""
    from markupsafe import Markup

    parts = re.split(r"(`[^`]*`)", text)
    return Markup("").join(Markup("<code>{}</code>").format(part[1:-1]) if i % 2 else part for i, part in enumerate(parts))


def differ(key: str) -> str:
    """parameters differ, hardware differs"""
    return "differ" if key.endswith("s") else "differs"


def csv_cell(value: Any) -> Any:
    """Text that no spreadsheet takes for a formula; numbers stay numbers."""
    if isinstance(value, str):
        text = CONTROL.sub("\ufffd", value.replace("\r", " ").replace("\n", " "))
        return "'" + text if text[:1] in "=+-@\t" and text[:1] else text
    return value


def latex(text: Any) -> str:
    """Text for LaTeX."""
    table = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    return "".join(table.get(c, "\\" + c if c in "&%$#_{}" else c) for c in plain(text))
