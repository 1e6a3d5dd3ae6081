"""One build, top to bottom: find the files, load what changed, decide runs, compute, render, write."""

from __future__ import annotations

import gc
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import asdict, replace

from ngt_report import config, share
from ngt_report.asked import possible
from ngt_report.atomic import digest, found
from ngt_report.config import Settings
from ngt_report.discover import Inputs, discover
from ngt_report.errors import GateError, ReportError
from ngt_report.share import Changes
from ngt_report.stamp import STAMP

if TYPE_CHECKING:
    from ngt_report.ingest import Progress
    from ngt_report.store import Store


SMALL = 16 << 20  # bytes of input
SELDOM = 100_000  # new objects between two collections
KEPT = ("baseline", "step", "target", "group_by", "except_keys", "complete", "dashboard", "comment")  # options that a report remembers
Prepared = tuple[Inputs, Settings, Path]


class Request(Struct, frozen=True):
    """What the command line asks of a build."""

    paths: tuple[str, ...]
    out: str | None = None
    baseline: str | None = None
    step: int | None = None
    target: float | None = None
    group_by: tuple[str, ...] = ()
    except_keys: tuple[str, ...] = ()
    complete: bool = False
    threads: int | None = None
    dashboard: bool = True
    comment: bool = False  # --pr-comment


class Built(Struct, frozen=True):
    """What a build did."""

    folder: Path
    group: str
    files: int
    read: int  # files read in this build; 0 when nothing had changed
    changes: Changes = Changes()  # among the report's files
    refused: int = 0  # files that could not be read, for want of rights or because of the disk

    @property
    def anew(self) -> bool:
        """Whether anything was read or written; if not, the report was up to date."""
        return bool(self.read or self.changes.written or self.changes.removed)


def build(request: Request, progress: Progress | None = None, prepared: Prepared | None = None) -> Built:
    """Build the report, or say that it is up to date."""
    inputs, settings, folder = prepared or prepare(request)
    if share.unchanged(folder, _key(inputs, settings, folder, request)):
        return Built(folder, inputs.group, len(inputs.files), 0)
    begun = share.has_database(folder)
    if not begun:
        share.check_ours(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        share.take_notes(folder, inputs.notes)
    except OSError as e:
        raise ReportError(f"{folder} cannot be made: {(e.strerror or str(e)).lower()}; give -o another folder") from e
    key = _key(inputs, settings, folder, request)
    with _few_collections():
        from ngt_report.store import Store

        store = Store(str(folder / "report.duckdb"), threads=request.threads, small=_small(inputs))
        try:
            if begun:  # another build may have been writing until now
                share.check_ours(folder)
            if store.waited and share.unchanged(folder, key):  # and it was this very one
                return Built(folder, inputs.group, len(inputs.files), 0)
            read, refused = compute(store, inputs, settings, progress)
            texts = render_all(store, inputs, settings, folder, request)
            changes = share.write(folder, texts, key, _meta(request, inputs, folder))
        finally:
            store.close()
    return Built(folder, inputs.group, len(inputs.files), read, changes, refused)


@contextmanager
def _few_collections() -> Iterator[None]:
    """A build makes many objects and hardly any cycles: the collector looks at them seldom."""
    before = gc.get_threshold()
    gc.set_threshold(max(before[0], SELDOM) if before[0] else 0, *before[1:])  # 0: it is off
    try:
        yield
    finally:
        gc.set_threshold(*before)


def check(request: Request) -> Built:
    """Whether the report on disk is what a build would write; an error when it is stale."""
    inputs, settings, folder = prepare(request)
    if not (folder / STAMP).is_file():
        raise GateError(f"{folder} holds no report; run the build without --check first")
    if share.unchanged(folder, _key(inputs, settings, folder, request)):
        return Built(folder, inputs.group, len(inputs.files), 0)
    from tempfile import TemporaryDirectory

    from ngt_report.store import Store

    with TemporaryDirectory(prefix="ngtreport-") as scratch:
        store = Store(os.path.join(scratch, "report.duckdb"), threads=request.threads, small=_small(inputs))
        try:
            compute(store, inputs, settings)
            texts = render_all(store, inputs, settings, folder, request)
        finally:
            store.close()
    stale = [name for name, text in texts.items() if found(folder / name) != digest(text.encode("utf-8", "replace"))]
    if stale:
        raise GateError(f"{folder} is stale: {', '.join(stale)} would change; rebuild it")
    return Built(folder, inputs.group, len(inputs.files), 0)


def _meta(request: Request, inputs: Inputs, folder: Path) -> dict[str, Any]:
    """What the stamp says beside what was written: where the inputs lie, and the options that a handoff or a bundle takes over."""
    options = {key: value for key in KEPT if (value := getattr(request, key)) != getattr(Request(()), key)}
    return {"root": _root(inputs, folder), "paths": [_shown(p) for p in request.paths], "options": options}


def prepare(request: Request) -> Prepared:
    """Inputs, settings and output folder of a request."""
    out = Path(os.path.abspath(request.out)) if request.out else None
    inputs = discover(list(request.paths), request.complete, out)
    settings = _settings(request, inputs)
    folder = out or Path.cwd() / "artifacts" / safe(inputs.group)
    inputs.findings += share.refused_notes(folder)
    return inputs, settings, folder


def safe(name: str) -> str:
    """A group's name as a folder's."""
    return "".join(c if c.isalnum() or c in "._- " else "_" for c in name).strip(". ") or "report"


def _settings(request: Request, inputs: Inputs) -> Settings:
    possible("step", request.step, "--step")
    possible("target", request.target, "--target")
    settings = inputs.settings or config.load(inputs.bases, inputs.root)
    return replace(
        settings,
        baseline=request.baseline or settings.baseline,
        step=request.step if request.step is not None else settings.step,
        target=request.target if request.target is not None else settings.target,
        group_by=list(request.group_by) or ([] if request.except_keys else settings.group_by),
        except_keys=list(request.except_keys) or ([] if request.group_by else settings.except_keys),
    )


def _key(inputs: Inputs, settings: Settings, folder: Path, request: Request) -> str:
    options = {
        **asdict(settings),
        "notes": share.notes_of(folder),
        "group": inputs.group,
        "complete": request.complete,
        "dashboard": request.dashboard,
        "comment": request.comment,
    }
    return share.inputs_key(inputs, options)


def _small(inputs: Inputs) -> bool:
    return sum(f.size for f in inputs.files) < SMALL


def compute(store: Store, inputs: Inputs, settings: Settings, progress: Progress | None = None) -> tuple[int, int]:
    """Bring the database up to date in one transaction; returns how many files were read, and how many could not be."""
    from ngt_report import identity, ingest, linetext, queries, runs

    if _small(inputs):
        store.small()
    store.begin()
    counts = ingest.ingest(store, inputs.files, progress)
    ingest.outside(inputs.findings, store)
    bases = [os.path.relpath(b, inputs.root).replace(os.sep, "/") for b in inputs.bases]
    found = identity.identify(store, bases, settings, inputs.group)
    present = runs.write_runs(store, found, inputs.group, settings)
    queries.build_relations(store, settings, present)
    linetext.keep_lines(store, inputs.files)
    store.run("COMMIT")
    return counts


def render_all(store: Store, inputs: Inputs, settings: Settings, folder: Path, request: Request) -> dict[str, str]:
    """The texts of all outputs."""
    from ngt_report import render
    from ngt_report.assemble.facts import Facts
    from ngt_report.assemble.report import assemble

    facts = Facts(store)
    title = settings.title or inputs.group
    report = assemble(facts, title, share.notes_of(folder), command_of(inputs, request))
    texts = {
        "Summary.md": render.summary_md(report),
        "results.csv": render.results_csv(facts),
        "summary.json": render.summary_json(facts, inputs.group),
    }
    if request.comment:
        from ngt_report.comment import comment

        texts[share.COMMENT] = comment(report)
    if request.dashboard:
        from ngt_report.page.dashboard import pages

        texts |= pages(store, facts, report, inputs.files)
    return texts


def summary(store: Store, inputs: Inputs, settings: Settings, request: Request) -> str:
    """Summary.md without anybody's notes."""
    from ngt_report import render
    from ngt_report.assemble.facts import Facts
    from ngt_report.assemble.report import assemble

    return render.summary_md(assemble(Facts(store), settings.title or inputs.group, None, command_of(inputs, request)))


def command_of(inputs: Inputs, request: Request) -> str:
    """The command that builds the report where the inputs lie, with the options that its numbers rest on."""
    if inputs.command is not None:
        return inputs.command
    given = inputs.bases[: max(1, len(inputs.bases) - len(_twins(inputs)))]
    return shlex.join(["ngtreport", "build", *(relative(b, inputs) for b in given), *_options(request)])


def _options(request: Request) -> list[str]:
    """The options of a request as they are typed."""
    single = (("--baseline", request.baseline), ("--step", request.step), ("--target", request.target))
    typed = [text for option, value in single if value is not None for text in (option, str(value))]
    for option, keys in (("--group-by", request.group_by), ("--except", request.except_keys)):
        typed += [text for key in keys for text in (option, key)]
    return [*typed, "--assume-complete"] if request.complete else typed


def asked_again(request: Request, text: str) -> Request:
    """A request with the options that a command was printed with, where it has none itself; as it is where they cannot be read."""
    found: dict[str, list[str]] = {}
    try:
        typed = iter(shlex.split(text))
        for option in typed:
            found.setdefault(option, []).append("" if option == "--assume-complete" else next(typed, ""))
        given = Request(
            request.paths,
            baseline=found.pop("--baseline", [None])[0],
            step=int(found.pop("--step")[0]) if "--step" in found else None,
            target=float(found.pop("--target")[0]) if "--target" in found else None,
            group_by=tuple(found.pop("--group-by", ())),
            except_keys=tuple(found.pop("--except", ())),
            complete=bool(found.pop("--assume-complete", None)),
        )
    except ValueError:
        return request
    names = ("baseline", "step", "target", "group_by", "except_keys", "complete")
    return request if found else replace(request, **{n: getattr(request, n) or getattr(given, n) for n in names})


def _twins(inputs: Inputs) -> list[Path]:
    return [b for b in inputs.bases if b not in inputs.given]


def _root(inputs: Inputs, folder: Path) -> str | None:
    """Where the inputs lie, seen from the report: `trace` looks for their lines there. None on another drive."""
    try:
        return os.path.relpath(inputs.root, folder).replace(os.sep, "/")
    except ValueError:
        return None


def relative(path: Path, inputs: Inputs) -> str:
    """A path as the inputs' common parent sees it; that folder itself by its name."""
    text = os.path.relpath(path, inputs.root).replace(os.sep, "/")
    return path.name if text == "." else text


def _shown(path: str) -> str:
    return os.path.basename(os.path.abspath(path))
