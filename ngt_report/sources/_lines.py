"""Lines of a file with their numbers, and the account of what became of each."""

from __future__ import annotations

from collections.abc import Iterator

from ngt_report.files import LONGEST_LINE, InputFile
from ngt_report.waist import Reading


def lines_of(file: InputFile, reading: Reading) -> Iterator[tuple[int, str]]:
    """(number, text) of each whole line; counts all, and takes over-long ones as bad."""
    for block, first in file.blocks():
        whole = block.endswith(b"\n")
        texts = block.decode("utf-8", "replace").split("\n")
        if whole:
            texts.pop()
        giants = {n - first for n in file.too_long if n >= first}
        reading.lines_read += len(texts)
        for i, text in enumerate(texts):
            if i in giants:
                reading.bad.append((first + i, f"longer than {LONGEST_LINE:,} bytes"))
            else:
                yield first + i, text.removesuffix("\r")


def torn_line(file: InputFile) -> bool:
    """Whether the last line lacks its newline and may still be being written."""
    if file.complete or not file.size:
        return False
    width = 2 if file.encoding.startswith("utf-16") else 1
    with file.open() as handle:
        handle.seek(max(0, file.size - width))
        return b"\n" not in handle.read(width)


def head_lines(file: InputFile) -> list[str]:
    """The lines that sniffing sees; a last one that the head cuts short is left out."""
    if "head lines" not in file.notes:
        lines = file.text_head.split("\n")
        if lines and (len(file.raw_head) < file.size or not lines[-1]):
            lines.pop()
        file.notes["head lines"] = [line.removesuffix("\r") for line in lines] if "\r" in file.text_head else lines
    found: list[str] = file.notes["head lines"]
    return found
