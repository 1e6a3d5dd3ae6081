"""What the template of Handoff.md receives: frozen structs, a help text on every field."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from ngt_report.model import Group, Setting


class StatusRow(Struct, frozen=True):
    run: Annotated[str, "display name"]
    status: Annotated[str, "finished, incomplete N/total, crashed with its cause, ..."]
    reached: Annotated[int | None, "the largest step that any of its logs has; null without steps"]
    total: Annotated[int | None, "declared total of steps; null when it is not declared"]
    best: Annotated[float | None, "lowest validation loss so far, as logged"]
    best_decimals: Annotated[int | None, "decimals of it as printed"]
    best_step: Annotated[int | None, "the step of it"]
    last: Annotated[float | None, "validation loss at the last evaluation"]
    last_decimals: Annotated[int | None, "decimals of it as printed"]
    written: Annotated[str, "when its log was last written; a dash where that is not known"]


class CheckpointRow(Struct, frozen=True):
    run: Annotated[str | None, "display name; null where no run is known to have written it"]
    path: Annotated[str, "path relative to the inputs' common parent"]
    kind: Annotated[str, "best, last, step or unknown"]
    step: Annotated[int | None, "the step it was saved at"]
    size: Annotated[str, "its size in words"]
    written: Annotated[str, "when it was written, and how long before this document; a dash where that is not known"]


class Resume(Struct, frozen=True):
    """How one run goes on."""

    run: Annotated[str, "display name"]
    status: Annotated[str, "how it stands"]
    checkpoint: Annotated[str | None, "path of the checkpoint that it goes on from; null when there is none among the inputs"]
    step: Annotated[int | None, "the step of that checkpoint"]
    total: Annotated[int | None, "the step at which it ends"]
    command: Annotated[str | None, "the command, to be run as it stands; null when none is known"]
    shown: Annotated[tuple[str, ...], "lines of the log that say how it was started, where no command is whole"]
    where: Annotated[str | None, "file and line of what the log shows"]
    settings: Annotated[tuple[str, ...], "its recorded settings, where the command is not known"]
    remarks: Annotated[tuple[str, ...], "what to mind"]


class Monitor(Struct, frozen=True):
    run: Annotated[str, "display name"]
    command: Annotated[str, "shows the log as it grows"]
    following: Annotated[int | None, "the step at which the next evaluation is printed; null when it cannot be told"]
    pid: Annotated[str | None, "the command that says whether its process is alive; null without a .pid file"]


class Handoff(Struct, frozen=True):
    """Everything that handoff.md.j2 may print."""

    title: Annotated[str, "the group's name, or the title of ngtreport.toml"]
    version: Annotated[str, "version of ngtreport"]
    command: Annotated[str, "the command that wrote it"]
    written: Annotated[str, "when, to the minute, in UTC"]
    folder: Annotated[str, "the inputs' common parent on the machine where it was written"]
    report: Annotated[str, "the report's folder, seen from there"]
    runs: Annotated[int, "how many runs"]
    finished: Annotated[int, "how many of them are finished"]
    facts: Annotated[tuple[Setting, ...], "dataset, tokenizer, hardware and the like, as recorded"]
    groups: Annotated[tuple[Group, ...], "compared sets of the report"]
    leader: Annotated[StatusRow | None, "the run with the lowest validation loss of all, finished or not"]
    status: Annotated[tuple[StatusRow, ...], "every run, unfinished ones first"]
    checkpoints: Annotated[tuple[CheckpointRow, ...], "checkpoints among the inputs"]
    checkpoints_dropped: Annotated[int, "checkpoints beyond those listed"]
    resumes: Annotated[tuple[Resume, ...], "unfinished runs"]
    resumes_dropped: Annotated[int, "unfinished runs beyond those"]
    monitors: Annotated[tuple[Monitor, ...], "logs of unfinished runs"]
    status_command: Annotated[str | None, "the command that shows all of them at once"]
    sizes: Annotated[tuple[str, ...], "what there is to copy, by kind"]
    bundle: Annotated[str, "the command that packs it"]
    bundle_name: Annotated[str, "the file that this makes"]
    pitfalls: Annotated[tuple[str, ...], "pitfalls that apply to these runs"]
    labels: Annotated[bool, "whether token labels need explaining"]
    notes: Annotated[str | None, "the user's own NOTES.md"]
