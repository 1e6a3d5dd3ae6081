"""What templates receive: dataclasses that nobody changes (mypy sees to it), a help text on every field. Templates only format numbers."""

from __future__ import annotations

from dataclasses import field
from typing import Any

from ngt_report.plainclass import plainclass


def h(text: str) -> Any:
    """A field with its help text."""
    return field(metadata={"help": text})


@plainclass(frozen=True)
class FixedRow:
    """A run at the common step."""

    run: str = h("display name")
    loss: float = h("validation loss at the common step, nats per token")
    decimals: int | None = h("decimals as printed in the source; null when full precision")
    ppl: float = h("exp of the loss")
    bpb: float | None = h("bits per byte of the loss; null when the tokenizer's bytes per token are not known")
    delta: float | None = h("loss minus the baseline's; null without a baseline")
    delta_ppl: float | None = h("perplexity ratio to the baseline, minus 1")
    is_baseline: bool = h("whether this run is the baseline")
    kind: str = h("what its loss measures; '' where all of the set measure the same")


@plainclass(frozen=True)
class BestRow:
    """Best and last evaluation of a run."""

    run: str = h("display name")
    best: float = h("lowest finite validation loss, as logged")
    best_decimals: int | None = h("decimals of the best as printed")
    best_step: int | None = h("first step at which the best occurred; null when the source has no steps")
    last: float = h("validation loss at the largest step, as logged")
    last_decimals: int | None = h("decimals of the last as printed")
    last_step: int | None = h("the largest evaluated step")
    gap: float = h("last minus best")
    final: float | None = h("closing evaluation under another protocol, beside the last; null when there is none")


@plainclass(frozen=True)
class RankRow:
    """The place of a run by its best loss."""

    place: int = h("1 is best; of the losses that measure the same")
    run: str = h("display name")
    model: str | None = h("model as recorded; null when not recorded")
    flags: str | None = h("flags as recorded, else what differs from the other compared runs")
    best: float = h("best validation loss, as logged")
    best_decimals: int | None = h("decimals of the best as printed")
    ppl: float = h("exp of the best at full precision, where a checkpoint or a results file has it")
    step: int | None = h("step of the best")
    checkpoint: str | None = h("path of the best checkpoint; null when none was found")
    kind: str = h("what its loss measures; '' where all of the set measure the same")


@plainclass(frozen=True)
class SpeedRow:
    """The throughput of a run over the common horizon."""

    run: str = h("display name")
    steps_per_s: float = h("steps per second over the horizon")
    s_per_step: float = h("seconds per step, from the unrounded rate")
    train_time_s: float | None = h("training clock at the last step, seconds")
    ratio: float | None = h("seconds per step over the baseline's; null without a baseline")
    overhead: float | None = h("the same as a share: 0.06 is 6 % more time a step")


@plainclass(frozen=True)
class TimeRow:
    """The train time and rate that a source recorded."""

    run: str = h("display name")
    train_time_s: float | None = h("train time as recorded, seconds")
    tokens_per_s: float | None = h("tokens per second as recorded")


@plainclass(frozen=True)
class EqualTimeRow:
    """A run at the training time that all runs reached."""

    run: str = h("display name")
    loss: float = h("validation loss at the time, linear between evaluations")
    step: float = h("step reached at the time")
    finished: bool = h("whether its schedule was over by then")


@plainclass(frozen=True)
class TargetRow:
    """When a run reached a target loss."""

    run: str = h("display name")
    target: float = h("the loss to reach")
    why: str = h("where the target comes from")
    reached: bool = h("whether it reached the target")
    steps: float | None = h("steps to the first crossing")
    seconds: float | None = h("seconds to the first crossing; null without a clock")
    tokens: float | None = h("tokens to the first crossing; null when tokens are not logged")


@plainclass(frozen=True)
class Spread:
    """A loss over the seeds of a group."""

    mean: float = h("mean over the seeds, nats per token")
    std: float | None = h("sample standard deviation; null for one seed")
    ci: float | None = h("half width of the 95 % t interval of the mean; null for one seed")
    low: float = h("lowest loss of the group")
    high: float = h("highest loss of the group")


@plainclass(frozen=True)
class SeedRow:
    """A group of seeds, a row of a stage table."""

    name: str = h("what its runs have in common")
    cells: tuple[str, ...] = h("its settings, in the order of the stage's columns")
    n: int = h("number of seeds; of runs, where groups were asked for")
    seeds: str = h("their seeds")
    common: Spread = h("loss at the common step")
    best: Spread = h("best loss of each run")
    mean_time_s: float | None = h("mean train time, seconds")
    curve: tuple[float | None, ...] = h("mean loss at the stage's curve steps; null where a run was not evaluated")


@plainclass(frozen=True)
class VerdictRow:
    """A group against its baseline, or against the lowest group."""

    group: str = h("the group's settings")
    against: str = h("the settings of the group it is compared with")
    n: int = h("seeds of the group")
    n_against: int = h("seeds of the other")
    delta: float = h("difference of the means, nats per token; below 0 is better")
    ci: float | None = h("half width of its 95 % interval; null when no spread was measured")
    p: float | None = h("p-value of Welch's test, adjusted by Holm's method")
    time: float | None = h("mean train time over the other's, minus 1")
    paired_p: float | None = h("p-value of the test by pairs of equal seeds; null without pairs")
    seen: float | None = h("smallest true difference that these runs see in 80 of 100 cases")
    word: str = h("better, worse, not distinguishable with these runs, or not comparable")
    why: str = h("why, where the numbers do not say it")


@plainclass(frozen=True)
class Kind:
    """Runs of one compared set whose losses measure one thing."""

    name: str = h("what they measure: the tokenizer, the dataset or the validation set")
    runs: int = h("number of runs")
    best: str = h("display name of the run with the lowest loss at the common step")
    loss: float = h("its loss")
    decimals: int | None = h("decimals as printed")


@plainclass(frozen=True)
class Stage:
    """Groups of runs of one budget and one results table."""

    table: str | None = h("the results table that lists the runs; null when none does")
    columns: tuple[str, ...] = h("settings that tell the groups apart")
    rows: tuple[SeedRow, ...] = h("one row a group, lowest mean first")
    singles: int = h("how many groups are one run (n = 1)")
    n_text: str = h("how many groups have how many runs, in words")
    at_best: bool = h("whether best and common step differ for any group")
    verdicts: tuple[VerdictRow, ...] = h("groups against their baselines; against the lowest where no group is one")
    paired: bool = h("whether any verdict has pairs of equal seeds")
    curve_steps: tuple[int, ...] = h("evaluated steps at which mean curves are printed")
    left_out: tuple[str, ...] = h("runs of this budget that no results table lists")
    dropped: int = h("groups beyond the printed ones")


@plainclass(frozen=True)
class Confound:
    """A setting that differs between compared runs."""

    key: str = h("what differs between compared runs")
    text: str = h("its values and how many runs have each")


@plainclass(frozen=True)
class Excluded:
    """A run that is in no comparison."""

    run: str = h("display name")
    reason: str = h("why it is in no comparison")
    best: float | None = h("its best validation loss")
    best_decimals: int | None = h("decimals of the best as printed")
    best_step: int | None = h("the step of its best")
    last: float | None = h("its last validation loss")
    last_decimals: int | None = h("decimals of the last as printed")
    last_step: int | None = h("its last evaluated step")


@plainclass(frozen=True)
class Group:
    """Runs of one declared total: one table of each kind."""

    total: int | None = h("declared total of steps; null for runs without steps")
    size: int = h("how many runs are compared")
    seeded: bool = h("whether a run of the set records its seed")
    step: int | None = h("the common step; null when there is none, or the runs have no steps")
    baseline: str | None = h("display name of the baseline; null when no run is one")
    baseline_why: str | None = h("why that run is the baseline")
    best: FixedRow | None = h("the best run at the common step")
    variant: FixedRow | None = h("the best run that is not the baseline")
    variant_ratio: float | None = h("seconds per step of the best variant over the baseline's")
    fixed: tuple[FixedRow, ...] = h("every run with a loss at the common step, best first")
    ranking: tuple[RankRow, ...] = h("every run by its best loss")
    verdict: str | None = h("runs against the baseline in plain words, where there are no seeds; null without a baseline")
    ties: str | None = h("ranks that lie within noise, in words; null when noise is not known or ties none")
    kinds: tuple[Kind, ...] = h("what the losses of this set measure, where that differs; empty when nothing says so")
    best_last: tuple[BestRow, ...] = h("best against last, by best; empty when every run is best at its last evaluation")
    all_last: bool = h("whether every run is best at its last evaluation")
    last_step: int | None = h("the step of all last evaluations; null when they differ")
    speed: tuple[SpeedRow, ...] = h("throughput, in the order of the ranking")
    speed_from: int | None = h("first step of the horizon")
    speed_to: int | None = h("last step of the horizon")
    times: tuple[TimeRow, ...] = h("recorded times, where no throughput can be computed")
    rule: str | None = h("the rule of thumb on throughput")
    equal_time: tuple[EqualTimeRow, ...] = h("loss at the shortest run's train time")
    equal_time_s: float | None = h("that time, seconds")
    equal_tokens: tuple[EqualTimeRow, ...] = h("loss at the fewest tokens of any run; empty where all take as many a step")
    equal_tokens_n: float | None = h("that number of tokens")
    front: tuple[str, ...] = h("runs that no other beats in both loss and throughput")
    bpb: bool = h("whether bits per byte are known for any run")
    targets: tuple[TargetRow, ...] = h("time to targets that any run reached")
    unreached: tuple[float, ...] = h("targets that no run reached")
    stages: tuple[Stage, ...] = h("groups of runs that differ in nothing but the seed, by results table; empty when every group is one run")
    confounds: tuple[Confound, ...] = h("what differs between the compared runs and may explain a difference in loss")
    differs: tuple[str, ...] = h("other recorded settings in which the compared runs differ: what the experiment varied")
    unknown: tuple[str, ...] = h("confounds that the inputs do not say")
    dropped: int = h("rows beyond the first 20 of every table of this group")


@plainclass(frozen=True)
class Setting:
    """A setting of what ran."""

    key: str = h("what was set")
    value: str = h("its value, or its values and their runs")
    source: str = h("file, or 'declared'")


@plainclass(frozen=True)
class OtherRow:
    """Evaluations of a run that are never ranked."""

    run: str = h("display name")
    values: tuple[str, ...] = h("values in the order of `other_columns`; '-' where the run has none")


@plainclass(frozen=True)
class TrainRow:
    """A run without any validation."""

    run: str = h("display name")
    loss: float = h("last training loss")
    decimals: int | None = h("decimals as printed")
    step: int | None = h("step of the last training loss")


@plainclass(frozen=True)
class AccuracyRow:
    """A run whose validation is an accuracy alone."""

    run: str = h("display name")
    best: float = h("highest validation accuracy")
    best_step: int | None = h("first step of the highest")
    last: float = h("validation accuracy at the largest step")
    last_step: int | None = h("the largest evaluated step")


@plainclass(frozen=True)
class FindingRow:
    """Something that the reader should know."""

    severity: str = h("error, warning or info")
    kind: str = h("what kind of thing was noticed")
    run: str | None = h("display name of the run, or null")
    text: str = h("the finding in words")
    source: str | None = h("file")
    line: int | None = h("line of the file")


@plainclass(frozen=True)
class SourceRow:
    """An input file and what became of its lines."""

    path: str = h("path relative to the inputs' common parent")
    format: str | None = h("format, or null")
    status: str = h("read, empty, no metrics, unsupported or unreadable")
    used: int = h("lines used")
    read: int = h("lines read")
    fingerprint: str = h("first 12 digits of the fingerprint")


@plainclass(frozen=True)
class Artefacts:
    """The input files of one format."""

    format: str = h("format of the files")
    title: str = h("what the format is")
    files: int = h("how many files")
    example: str = h("the first of them")


@plainclass(frozen=True)
class Cite:
    """Where a printed number comes from."""

    run: str = h("display name")
    cell: str = h("which number")
    value: str = h("the number as printed")
    where: str = h("file:line, or file and key")


@plainclass(frozen=True)
class MetricTable:
    """A metric that no section prints: whoever adds a .sql file sees it in the report."""

    title: str = h("title of the metric's header")
    unit: str = h("unit of the metric's header")
    columns: tuple[str, ...] = h("column names")
    rows: tuple[tuple[str, ...], ...] = h("cells as text, at most 20 rows")


@plainclass(frozen=True)
class Phase:
    """A sweep of a campaign."""

    phase: str = h("its results table, its folder, or its declared name")
    runs: int = h("how many runs")
    files: int = h("how many data files")
    best: str | None = h("display name of its best run; null when none has a validation loss")
    loss: float | None = h("best validation loss of that run, as logged")
    decimals: int | None = h("decimals of it as printed")
    steps: int | None = h("declared steps of that run")
    settings: str = h("its settings in words")
    tokens_per_s: float | None = h("its recorded throughput, tokens per second")


@plainclass(frozen=True)
class Effect:
    """What one setting changed, everything else being equal."""

    phase: str = h("the phase")
    key: str = h("the setting")
    base: str = h("its value in the baseline")
    value: str = h("its other value")
    base_loss: float = h("mean loss with the baseline's value, at the common step")
    loss: float = h("mean loss with the other value")
    delta: float = h("their difference, nats per token; below 0 is better")
    n_base: int = h("runs with the baseline's value")
    n: int = h("runs with the other value")
    word: str = h("the verdict")


@plainclass(frozen=True)
class Move:
    """The best of a phase against the best of the one before."""

    from_run: str = h("display name of the earlier best")
    to_run: str = h("display name of the later best, at the same steps where there is one")
    delta: float = h("difference of their best losses, nats per token")
    steps: int | None = h("the number of steps of both; null when they differ")
    changed: tuple[str, ...] = h("settings that both record and that differ")
    word: str = h("the verdict")
    why: str = h("why they are not comparable")


@plainclass(frozen=True)
class Campaign:
    """Sweeps as phases, and what settings changed."""

    phases: tuple[Phase, ...] = h("sweeps, by name or in the declared order")
    effects: tuple[Effect, ...] = h("effects of single settings")
    moves: tuple[Move, ...] = h("from phase to phase")
    final: str | None = h("display name of the best run of all")


@plainclass(frozen=True)
class Report:
    """Everything a template may print."""

    title: str = h("the group's name, or the title of ngtreport.toml")
    runs: int = h("number of runs, continuations not counted")
    continuations: int = h("number of continuations")
    groups: tuple[Group, ...] = h("compared sets, by total steps; those with at least two runs first")
    singles: tuple[BestRow, ...] = h("runs that are compared with none")
    single_speed: tuple[SpeedRow, ...] = h("throughput of runs that are compared with none")
    continued: tuple[Excluded, ...] = h("continuations, each with what it continues")
    excluded: tuple[Excluded, ...] = h("other runs left out of every comparison, with the reason")
    train_only: tuple[TrainRow, ...] = h("runs without any validation")
    accuracy: tuple[AccuracyRow, ...] = h("runs with an accuracy and no validation loss, highest first")
    unknown: tuple[str, ...] = h("confounds that no group records, said once")
    baseline_missing: bool = h("whether no group has a baseline")
    other: tuple[OtherRow, ...] = h("test metrics, accuracies, objectives and closing evaluations")
    other_columns: tuple[str, ...] = h("names of those metrics")
    more: tuple[MetricTable, ...] = h("metrics without a section of their own")
    campaign: Campaign | None = h("sweeps as phases; null where all runs are of one")
    settings: tuple[Setting, ...] = h("what ran: shared configuration, and what differs")
    missing: tuple[str, ...] = h("facts that the inputs do not record")
    notes: str | None = h("the user's own NOTES.md")
    coords: bool = h("whether the logs hold coordinates, so that token labels need explaining")
    findings: tuple[FindingRow, ...] = h("what was noticed: errors, warnings, info")
    sources: tuple[SourceRow, ...] = h("input files")
    artefacts: tuple[Artefacts, ...] = h("input files by format")
    unused: int = h("files that gave no run")
    cites: tuple[Cite, ...] = h("where the numbers come from")
    cites_dropped: int = h("citations beyond the printed ones; `ngtreport trace` has them all")
    command: str = h("the command that rebuilds the report")
    version: str = h("version of ngtreport")


def documented(cls: type) -> dict[str, str]:
    """Field -> help text of a context class."""
    from dataclasses import fields

    return {f.name: f.metadata["help"] for f in fields(cls)}
