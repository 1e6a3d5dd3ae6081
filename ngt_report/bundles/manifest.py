"""MANIFEST.json of a bundle: every file with its sha256, what stayed behind, and what a build must know to give the same report."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from ngt_report import __version__, config
from ngt_report.atomic import digest
from ngt_report.bundles import portable, standin
from ngt_report.bundles.checked import flag, items, maybe, one_of, table, text, whole
from ngt_report.config import KEYS, Settings
from ngt_report.discover import MANIFEST, Inputs
from ngt_report.errors import ReportError
from ngt_report.files import InputFile
from ngt_report.share import notes_file
from ngt_report.stamp import OF_REPORT
from ngt_report.waist import Finding

if TYPE_CHECKING:
    from ngt_report.bundles.unpack import Unpacked

SCHEMA = 1
SUM = MANIFEST + ".sha256"  # the manifest's own sum, as `sha256sum -c` takes it
REPORT, FILES = "report", "files"  # folders of a bundle
LARGEST = 256 << 20  # bytes of a manifest


class Entry(Struct, frozen=True):
    """A file of the bundle."""

    member: str  # its name in the bundle, one that every system takes
    kind: str
    size: int
    sha256: str
    path: str | None = None  # of an input: what reports call it


class Left(Struct, frozen=True):
    """An input that stayed behind, and what was read of it (standin.py)."""

    path: str
    kind: str
    size: int
    read: dict[str, Any]


class Manifest(Struct):
    """A bundle's description of itself."""

    group: str
    given: list[str]  # the paths as asked for, relative to the inputs' common parent; "." is that folder itself
    bases: list[str]  # and the folders beside them
    command: str  # that builds the report
    complete: bool = False  # --assume-complete
    settings: Settings = field(default_factory=Settings)
    entries: list[Entry] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    noticed: list[tuple[str, Finding]] = field(default_factory=list)  # while looking for files: links, unreadable ones
    version: str = __version__


def to_bytes(made: Manifest) -> bytes:
    """The file; the same for the same bundle."""
    document = {
        "bundle": SCHEMA, "ngtreport": made.version, "group": made.group, "given": made.given, "bases": made.bases,
        "command": made.command, "complete": made.complete,
        "settings": {key: value for key, name in KEYS.items() if (value := getattr(made.settings, name)) not in (None, [], {})},
        "files": [
            {"file": e.member, "kind": e.kind, "bytes": e.size, "sha256": e.sha256, **({"input": e.path} if e.path is not None else {})}
            for e in made.entries
        ],
        "left_behind": [{"input": x.path, "kind": x.kind, "bytes": x.size, "read": x.read} for x in made.left],
        "noticed": [[path, f.severity, f.kind, f.text, f.line] for path, f in made.noticed],
    }  # fmt: skip
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def sum_of(data: bytes) -> bytes:
    """The line of its sum."""
    return f"{digest(data)}  {MANIFEST}\n".encode()


def read(folder: Path) -> Manifest | None:
    """The manifest of an unpacked bundle; None where there is none.

    Raises:
        ReportError: it is damaged, or of a later version.
    """
    try:
        with (folder / MANIFEST).open("rb") as f:
            data = f.read(LARGEST + 1)
        own = (folder / SUM).read_bytes() if (folder / SUM).is_file() else b""
    except FileNotFoundError:
        return None
    if len(data) > LARGEST:
        raise ReportError(f"{MANIFEST} has more than {LARGEST:,} bytes, and none that ngtreport writes has")
    if own != sum_of(data):
        raise ReportError(f"{MANIFEST} is damaged: it is not the one that {SUM} vouches for; get the bundle again")
    return from_bytes(data)


def from_bytes(data: bytes) -> Manifest:
    """A manifest that somebody else wrote, every field checked."""
    try:
        document = table(json.loads(data))
        if document.get("bundle") != SCHEMA:
            raise ReportError(
                f"{MANIFEST} is of version {document.get('bundle')!r:.20}, this ngtreport reads {SCHEMA}; install a newer one"
            )
        return _from(document)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as e:
        raise ReportError(f"{MANIFEST} is not what ngtreport writes ({type(e).__name__}: {e}); get the bundle again") from e


def _from(document: dict[str, Any]) -> Manifest:
    return Manifest(
        group=text(document["group"]),
        given=[_inside(p) for p in items(document["given"])],
        bases=[_inside(p) for p in items(document["bases"])],
        command=text(document["command"]),
        complete=flag(document["complete"]),
        settings=config.parse(table(document["settings"]), MANIFEST),
        entries=[_entry(table(e)) for e in items(document["files"])],
        left=[_left(table(x)) for x in items(document["left_behind"])],
        noticed=[
            (text(path), Finding(one_of(severity, standin.SEVERITIES), text(kind), text(said), None, maybe(whole, line)))
            for path, severity, kind, said, line in items(document["noticed"])
        ],
        version=text(document["ngtreport"]),
    )


def _entry(value: dict[str, Any]) -> Entry:
    member, digest = text(value["file"]), text(value["sha256"])
    if why := portable.problem(member):
        raise ValueError(f"{member}: {why}")
    top, _, rest = member.partition("/")
    if top != FILES and not (top == REPORT and OF_REPORT.fullmatch(rest)):
        raise ValueError(f"{member} is nothing that a bundle has")  # such as a database, which would be opened
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise ValueError(f"{digest:.70} is no sha256")
    return Entry(member, text(value["kind"]), whole(value["bytes"]), digest, maybe(_inside, value.get("input")))


def _left(value: dict[str, Any]) -> Left:
    path = _inside(value["input"])
    read = table(value["read"])
    standin.from_json(read, path)
    return Left(path, text(value["kind"]), whole(value["bytes"]), read)


def _inside(value: Any) -> str:
    """A path that does not lead out of the inputs' common parent; it may have any characters, for it is no file's name here."""
    path = text(value)
    if path.startswith("/") or ".." in path.split("/") or "\0" in path:
        raise ValueError(f"{path:.80} leads out of the bundle")
    return path


class Expected:
    """Holds each file of an archive against its manifest as soon as it is unpacked; does nothing where there is none.

    A bundle has its manifest and that file's sum first, in one folder.
    """

    def __init__(self) -> None:
        self.top: str | None = None
        self.manifest: Manifest | None = None
        self.known: dict[str, tuple[int, str]] = {}

    def __call__(self, made: Unpacked, name: str) -> None:
        """One more file was unpacked.

        Raises:
            ReportError: it is damaged, or not in the manifest.
        """
        top, _, rest = name.partition("/")
        if len(made.sums) == 1 and rest == MANIFEST:
            self.top = top
        elif len(made.sums) == 2 and self.top is not None and name == f"{self.top}/{SUM}":
            self.manifest = read(made.folder / self.top)
            self.known = {f"{self.top}/{e.member}": (e.size, e.sha256) for e in self.manifest.entries} if self.manifest else {}
        elif self.manifest is not None and name not in self.known:
            raise ReportError(f"{name} is not in its manifest")
        elif self.manifest is not None and made.sums[name] != self.known[name]:
            raise ReportError(f"{name} is damaged: it is not the file that was packed")

    def complete(self, sums: dict[str, tuple[int, str]]) -> None:
        """Nothing that the manifest lists is missing."""
        if self.manifest is not None and (missing := self.known.keys() - sums.keys()):
            raise ReportError(f"{min(missing)} is missing")


def inputs_of(made: Manifest, folder: Path, fresh: bool = True) -> Inputs:
    """What a build reads of an unpacked bundle: the same names, groups and order as where it was packed.

    fresh: the files were held against their sums just now. A file's date is then taken from its content, so that a build
    of an equal bundle has nothing to read.
    """
    root = folder / FILES
    files = [_file(e, folder / e.member, made.complete, fresh) for e in made.entries if e.path is not None]
    for left in made.left:
        seen = digest(json.dumps(left.read, sort_keys=True).encode())
        files.append(InputFile(str(root / left.path), left.path, left.size, date_of(seen), complete=True, stand_in=left.read))
    return Inputs(
        sorted(files, key=lambda f: f.rel), root, made.group, [root / p for p in made.given], [root / p for p in made.bases],
        list(made.noticed), made.settings, made.command, _notes(folder / REPORT),
    )  # fmt: skip


def _notes(folder: Path) -> str | None:
    path = notes_file(folder)
    return path.read_text(encoding="utf-8-sig", errors="replace") if path else None


def _file(entry: Entry, path: Path, complete: bool, fresh: bool) -> InputFile:
    assert entry.path is not None
    if fresh:
        return InputFile(str(path), entry.path, entry.size, date_of(entry.sha256), complete=complete)
    try:
        info = path.stat()
    except OSError as e:
        raise ReportError(f"{path} of an opened bundle: {(e.strerror or str(e)).lower()}; open the bundle again") from e
    return InputFile(str(path), entry.path, info.st_size, info.st_mtime_ns, complete=complete)


def date_of(sha256: str) -> int:
    """A date that a content always has, in nanoseconds."""
    return int(sha256[:15], 16)
