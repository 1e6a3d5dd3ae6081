"""What the template of Handoff.md receives: frozen dataclasses, a help text on every field."""

from __future__ import annotations

from dataclasses import dataclass

from ngt_report.model import Group, Setting, h


@dataclass(frozen=True, slots=True)
class StatusRow:
    run: str = h("display name")
    status: str = h("finished, incomplete N/total, crashed with its cause, ...")
    reached: int | None = h("the largest step that any of its logs has; null without steps")
    total: int | None = h("declared total of steps; null when it is not declared")
    best: float | None = h("lowest validation loss so far, as logged")
    best_decimals: int | None = h("decimals of it as printed")
    best_step: int | None = h("the step of it")
    last: float | None = h("validation loss at the last evaluation")
    last_decimals: int | None = h("decimals of it as printed")
    written: str = h("when its log was last written; a dash where that is not known")


@dataclass(frozen=True, slots=True)
class CheckpointRow:
    run: str | None = h("display name; null where no run is known to have written it")
    path: str = h("path relative to the inputs' common parent")
    kind: str = h("best, last, step or unknown")
    step: int | None = h("the step it was saved at")
    size: str = h("its size in words")
    written: str = h("when it was written, and how long before this document; a dash where that is not known")


@dataclass(frozen=True, slots=True)
class Resume:
    """How one run goes on."""

    run: str = h("display name")
    status: str = h("how it stands")
    checkpoint: str | None = h("path of the checkpoint that it goes on from; null when there is none among the inputs")
    step: int | None = h("the step of that checkpoint")
    total: int | None = h("the step at which it ends")
    command: str | None = h("the command, to be run as it stands; null when none is known")
    shown: tuple[str, ...] = h("lines of the log that say how it was started, where no command is whole")
    where: str | None = h("file and line of what the log shows")
    settings: tuple[str, ...] = h("its recorded settings, where the command is not known")
    remarks: tuple[str, ...] = h("what to mind")


@dataclass(frozen=True, slots=True)
class Monitor:
    run: str = h("display name")
    command: str = h("shows the log as it grows")
    following: int | None = h("the step at which the next evaluation is printed; null when it cannot be told")
    pid: str | None = h("the command that says whether its process is alive; null without a .pid file")


@dataclass(frozen=True, slots=True)
class Handoff:
    """Everything that handoff.md.j2 may print."""

    title: str = h("the group's name, or the title of ngtreport.toml")
    version: str = h("version of ngtreport")
    command: str = h("the command that wrote it")
    written: str = h("when, to the minute, in UTC")
    folder: str = h("the inputs' common parent on the machine where it was written")
    report: str = h("the report's folder, seen from there")
    runs: int = h("how many runs")
    finished: int = h("how many of them are finished")
    facts: tuple[Setting, ...] = h("dataset, tokenizer, hardware and the like, as recorded")
    groups: tuple[Group, ...] = h("compared sets of the report")
    leader: StatusRow | None = h("the run with the lowest validation loss of all, finished or not")
    status: tuple[StatusRow, ...] = h("every run, unfinished ones first")
    checkpoints: tuple[CheckpointRow, ...] = h("checkpoints among the inputs")
    checkpoints_dropped: int = h("checkpoints beyond those listed")
    resumes: tuple[Resume, ...] = h("unfinished runs")
    resumes_dropped: int = h("unfinished runs beyond those")
    monitors: tuple[Monitor, ...] = h("logs of unfinished runs")
    status_command: str | None = h("the command that shows all of them at once")
    sizes: tuple[str, ...] = h("what there is to copy, by kind")
    bundle: str = h("the command that packs it")
    bundle_name: str = h("the file that this makes")
    pitfalls: tuple[str, ...] = h("pitfalls that apply to these runs")
    labels: bool = h("whether token labels need explaining")
    notes: str | None = h("the user's own NOTES.md")
