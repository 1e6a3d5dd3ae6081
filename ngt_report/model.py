"""What templates receive: structs that nobody changes, a help text on every field. Templates only format numbers."""

from __future__ import annotations

from typing import Annotated, get_type_hints

from msgspec import Struct


class FixedRow(Struct, frozen=True):
    """A run at the common step."""

    run: Annotated[str, "display name"]
    loss: Annotated[float, "validation loss at the common step, nats per token"]
    decimals: Annotated[int | None, "decimals as printed in the source; null when full precision"]
    ppl: Annotated[float, "exp of the loss"]
    bpb: Annotated[float | None, "bits per byte of the loss; null when the tokenizer's bytes per token are not known"]
    delta: Annotated[float | None, "loss minus the baseline's; null without a baseline"]
    delta_ppl: Annotated[float | None, "perplexity ratio to the baseline, minus 1"]
    is_baseline: Annotated[bool, "whether this run is the baseline"]
    kind: Annotated[str, "what its loss measures; '' where all of the set measure the same"]


class BestRow(Struct, frozen=True):
    """Best and last evaluation of a run."""

    run: Annotated[str, "display name"]
    best: Annotated[float, "lowest finite validation loss, as logged"]
    best_decimals: Annotated[int | None, "decimals of the best as printed"]
    best_step: Annotated[int | None, "first step at which the best occurred; null when the source has no steps"]
    last: Annotated[float, "validation loss at the largest step, as logged"]
    last_decimals: Annotated[int | None, "decimals of the last as printed"]
    last_step: Annotated[int | None, "the largest evaluated step"]
    gap: Annotated[float, "last minus best"]
    final: Annotated[float | None, "closing evaluation under another protocol, beside the last; null when there is none"]


class RankRow(Struct, frozen=True):
    """The place of a run by its best loss."""

    place: Annotated[int, "1 is best; of the losses that measure the same"]
    run: Annotated[str, "display name"]
    model: Annotated[str | None, "model as recorded; null when not recorded"]
    flags: Annotated[str | None, "flags as recorded, else what differs from the other compared runs"]
    best: Annotated[float, "best validation loss, as logged"]
    best_decimals: Annotated[int | None, "decimals of the best as printed"]
    ppl: Annotated[float, "exp of the best at full precision, where a checkpoint or a results file has it"]
    step: Annotated[int | None, "step of the best"]
    checkpoint: Annotated[str | None, "path of the best checkpoint; null when none was found"]
    kind: Annotated[str, "what its loss measures; '' where all of the set measure the same"]


class SpeedRow(Struct, frozen=True):
    """The throughput of a run over the common horizon."""

    run: Annotated[str, "display name"]
    steps_per_s: Annotated[float, "steps per second over the horizon"]
    s_per_step: Annotated[float, "seconds per step, from the unrounded rate"]
    train_time_s: Annotated[float | None, "training clock at the last step, seconds"]
    ratio: Annotated[float | None, "seconds per step over the baseline's; null without a baseline"]
    overhead: Annotated[float | None, "the same as a share: 0.06 is 6 % more time a step"]


class TimeRow(Struct, frozen=True):
    """The train time and rate that a source recorded."""

    run: Annotated[str, "display name"]
    train_time_s: Annotated[float | None, "train time as recorded, seconds"]
    tokens_per_s: Annotated[float | None, "tokens per second as recorded"]


class EqualTimeRow(Struct, frozen=True):
    """A run at the training time that all runs reached."""

    run: Annotated[str, "display name"]
    loss: Annotated[float, "validation loss at the time, linear between evaluations"]
    step: Annotated[float, "step reached at the time"]
    finished: Annotated[bool, "whether its schedule was over by then"]


class TargetRow(Struct, frozen=True):
    """When a run reached a target loss."""

    run: Annotated[str, "display name"]
    target: Annotated[float, "the loss to reach"]
    why: Annotated[str, "where the target comes from"]
    reached: Annotated[bool, "whether it reached the target"]
    steps: Annotated[float | None, "steps to the first crossing"]
    seconds: Annotated[float | None, "seconds to the first crossing; null without a clock"]
    tokens: Annotated[float | None, "tokens to the first crossing; null when tokens are not logged"]


class Spread(Struct, frozen=True):
    """A loss over the seeds of a group."""

    mean: Annotated[float, "mean over the seeds, nats per token"]
    std: Annotated[float | None, "sample standard deviation; null for one seed"]
    ci: Annotated[float | None, "half width of the 95 % t interval of the mean; null for one seed"]
    low: Annotated[float, "lowest loss of the group"]
    high: Annotated[float, "highest loss of the group"]


class SeedRow(Struct, frozen=True):
    """A group of seeds, a row of a stage table."""

    name: Annotated[str, "what its runs have in common"]
    cells: Annotated[tuple[str, ...], "its settings, in the order of the stage's columns"]
    n: Annotated[int, "number of seeds; of runs, where groups were asked for"]
    seeds: Annotated[str, "their seeds"]
    common: Annotated[Spread, "loss at the common step"]
    best: Annotated[Spread, "best loss of each run"]
    mean_time_s: Annotated[float | None, "mean train time, seconds"]
    curve: Annotated[tuple[float | None, ...], "mean loss at the stage's curve steps; null where a run was not evaluated"]


class VerdictRow(Struct, frozen=True):
    """A group against its baseline, or against the lowest group."""

    group: Annotated[str, "the group's settings"]
    against: Annotated[str, "the settings of the group it is compared with"]
    n: Annotated[int, "seeds of the group"]
    n_against: Annotated[int, "seeds of the other"]
    delta: Annotated[float, "difference of the means, nats per token; below 0 is better"]
    ci: Annotated[float | None, "half width of its 95 % interval; null when no spread was measured"]
    p: Annotated[float | None, "p-value of Welch's test, adjusted by Holm's method"]
    time: Annotated[float | None, "mean train time over the other's, minus 1"]
    paired_p: Annotated[float | None, "p-value of the test by pairs of equal seeds; null without pairs"]
    seen: Annotated[float | None, "smallest true difference that these runs see in 80 of 100 cases"]
    word: Annotated[str, "better, worse, not distinguishable with these runs, or not comparable"]
    why: Annotated[str, "why, where the numbers do not say it"]


class Kind(Struct, frozen=True):
    """Runs of one compared set whose losses measure one thing."""

    name: Annotated[str, "what they measure: the tokenizer, the dataset or the validation set"]
    runs: Annotated[int, "number of runs"]
    best: Annotated[str, "display name of the run with the lowest loss at the common step"]
    loss: Annotated[float, "its loss"]
    decimals: Annotated[int | None, "decimals as printed"]


class Stage(Struct, frozen=True):
    """Groups of runs of one budget and one results table."""

    table: Annotated[str | None, "the results table that lists the runs; null when none does"]
    columns: Annotated[tuple[str, ...], "settings that tell the groups apart"]
    rows: Annotated[tuple[SeedRow, ...], "one row a group, lowest mean first"]
    best: Annotated[SeedRow, "the lowest mean of several runs"]
    singles: Annotated[int, "how many groups are one run (n = 1)"]
    n_text: Annotated[str, "how many groups have how many runs, in words"]
    at_best: Annotated[bool, "whether best and common step differ for any group"]
    verdicts: Annotated[tuple[VerdictRow, ...], "groups against their baselines; against the lowest where no group is one"]
    claims: Annotated[tuple[str, ...], "of the verdicts the first that tell groups apart, in words, or that none does"]
    paired: Annotated[bool, "whether any verdict has pairs of equal seeds"]
    curve_steps: Annotated[tuple[int, ...], "evaluated steps at which mean curves are printed"]
    left_out: Annotated[tuple[str, ...], "runs of this budget that no results table lists"]
    dropped: Annotated[int, "groups beyond the printed ones"]


class Confound(Struct, frozen=True):
    """A setting that differs between compared runs."""

    key: Annotated[str, "what differs between compared runs"]
    text: Annotated[str, "its values and how many runs have each"]


class Excluded(Struct, frozen=True):
    """A run that is in no comparison."""

    run: Annotated[str, "display name"]
    reason: Annotated[str, "why it is in no comparison"]
    best: Annotated[float | None, "its best validation loss"]
    best_decimals: Annotated[int | None, "decimals of the best as printed"]
    best_step: Annotated[int | None, "the step of its best"]
    last: Annotated[float | None, "its last validation loss"]
    last_decimals: Annotated[int | None, "decimals of the last as printed"]
    last_step: Annotated[int | None, "its last evaluated step"]


class Silent(Struct, frozen=True):
    """Runs that are in no comparison, and that have no validation loss to show."""

    reason: Annotated[str, "why they are in no comparison"]
    runs: Annotated[tuple[str, ...], "their display names"]


class Group(Struct, frozen=True):
    """Runs of one declared total: one table of each kind."""

    total: Annotated[int | None, "declared total of steps; null for runs without steps"]
    size: Annotated[int, "how many runs are compared"]
    step: Annotated[int | None, "the common step; null when there is none, or the runs have no steps"]
    baseline: Annotated[str | None, "display name of the baseline; null when no run is one"]
    baseline_why: Annotated[str | None, "why that run is the baseline"]
    baseline_groups: Annotated[tuple[str, ...], "groups of seeds that others are held against; empty where a run is the baseline"]
    best: Annotated[FixedRow | None, "the best run at the common step"]
    best_settings: Annotated[
        tuple[str, ...], "key=value of the settings that vary, of the best run; only where no baseline says what is compared"
    ]
    lowest: Annotated[RankRow | None, "the run with the lowest loss at any step, where that is another one"]
    variant: Annotated[FixedRow | None, "the best run that is not the baseline"]
    variant_ratio: Annotated[float | None, "seconds per step of the best variant over the baseline's"]
    fixed: Annotated[tuple[FixedRow, ...], "every run with a loss at the common step, best first"]
    at_step: Annotated[int, "how many of them have a loss at the common step"]
    lacking: Annotated[tuple[str, ...], "compared runs without a loss at the common step, where others have one: not in that table"]
    ranking: Annotated[tuple[RankRow, ...], "every run by its best loss"]
    verdict: Annotated[str | None, "runs against the baseline in plain words, where there are no seeds; null without a baseline"]
    spread: Annotated[str | None, "what single runs prove, and how to see more; null where there are groups of seeds"]
    ties: Annotated[str | None, "ranks that lie within noise, in words; null when noise is not known or ties none"]
    kinds: Annotated[tuple[Kind, ...], "what the losses of this set measure, where that differs; empty when nothing says so"]
    best_last: Annotated[tuple[BestRow, ...], "best against last, by best; empty when every run is best at its last evaluation"]
    all_last: Annotated[bool, "whether every run is best at its last evaluation"]
    last_step: Annotated[int | None, "the step of all last evaluations; null when they differ"]
    speed: Annotated[tuple[SpeedRow, ...], "throughput, in the order of the ranking"]
    speed_from: Annotated[int | None, "first step of the horizon"]
    speed_to: Annotated[int | None, "last step of the horizon"]
    times: Annotated[tuple[TimeRow, ...], "recorded times, where no throughput can be computed"]
    rule: Annotated[str | None, "the rule of thumb on throughput"]
    equal_time: Annotated[tuple[EqualTimeRow, ...], "loss at the shortest run's train time"]
    equal_time_s: Annotated[float | None, "that time, seconds"]
    equal_tokens: Annotated[tuple[EqualTimeRow, ...], "loss at the fewest tokens of any run; empty where all take as many a step"]
    equal_tokens_n: Annotated[float | None, "that number of tokens"]
    front: Annotated[tuple[str, ...], "runs that no other beats in both loss and throughput"]
    bpb: Annotated[bool, "whether bits per byte are known for any run"]
    targets: Annotated[tuple[TargetRow, ...], "time to targets that any run reached"]
    unreached: Annotated[tuple[float, ...], "targets that no run reached"]
    stages: Annotated[
        tuple[Stage, ...], "groups of runs that differ in nothing but the seed, by results table; empty when every group is one run"
    ]
    confounds: Annotated[tuple[Confound, ...], "what differs between the compared runs and may explain a difference in loss"]
    differs: Annotated[tuple[str, ...], "other recorded settings in which the compared runs differ: what the experiment varied"]
    unknown: Annotated[tuple[str, ...], "confounds that the inputs do not say"]
    dropped: Annotated[int, "rows beyond the first 20 of every table of this group"]


class Setting(Struct, frozen=True):
    """A setting of what ran."""

    key: Annotated[str, "what was set"]
    value: Annotated[str, "its value, or its values and their runs"]
    source: Annotated[str, "file, or 'declared'"]


class OtherRow(Struct, frozen=True):
    """Evaluations of a run that are never ranked."""

    run: Annotated[str, "display name"]
    values: Annotated[tuple[str, ...], "values in the order of `other_columns`; '-' where the run has none"]


class TrainRow(Struct, frozen=True):
    """A run without any validation."""

    run: Annotated[str, "display name"]
    loss: Annotated[float, "last training loss"]
    decimals: Annotated[int | None, "decimals as printed"]
    step: Annotated[int | None, "step of the last training loss"]


class AccuracyRow(Struct, frozen=True):
    """A run whose validation is an accuracy alone."""

    run: Annotated[str, "display name"]
    best: Annotated[float, "highest validation accuracy"]
    best_step: Annotated[int | None, "first step of the highest"]
    last: Annotated[float, "validation accuracy at the largest step"]
    last_step: Annotated[int | None, "the largest evaluated step"]


class BitsRow(Struct, frozen=True):
    """A run whose validation is in bits alone."""

    run: Annotated[str, "display name"]
    unit: Annotated[str, "what is measured: bits per byte, character or token, or the metric's own name"]
    kind: Annotated[str, "what they are of; '' where all measure the same"]
    best: Annotated[float, "lowest finite value, as logged"]
    best_decimals: Annotated[int | None, "decimals of the lowest as printed"]
    best_step: Annotated[int | None, "first step of the lowest; null when the source has no steps"]
    last: Annotated[float, "value at the largest step"]
    last_decimals: Annotated[int | None, "decimals of the last as printed"]
    last_step: Annotated[int | None, "the largest evaluated step"]
    lowest: Annotated[bool, "whether none of its unit and kind is lower"]
    of: Annotated[int, "runs of its unit and kind"]


class FindingRow(Struct, frozen=True):
    """Something that the reader should know."""

    severity: Annotated[str, "error, warning or info"]
    kind: Annotated[str, "what kind of thing was noticed"]
    run: Annotated[str | None, "display name of the run, or null"]
    text: Annotated[str, "the finding in words"]
    source: Annotated[str | None, "file"]
    line: Annotated[int | None, "line of the file"]


class Noticed(Struct, frozen=True):
    """Findings that say the same of different runs or files."""

    shown: Annotated[tuple[FindingRow, ...], "those that a reader sees first"]
    rest: Annotated[tuple[FindingRow, ...], "the others, where they are many"]


class SourceRow(Struct, frozen=True):
    """An input file and what became of its lines."""

    path: Annotated[str, "path relative to the inputs' common parent"]
    format: Annotated[str | None, "format, or null"]
    status: Annotated[str, "read, empty, no metrics, unsupported or unreadable"]
    used: Annotated[int, "lines used"]
    read: Annotated[int, "lines read"]
    fingerprint: Annotated[str, "first 12 digits of the fingerprint"]


class Artefacts(Struct, frozen=True):
    """The input files of one format."""

    format: Annotated[str, "format of the files"]
    title: Annotated[str, "what the format is"]
    files: Annotated[int, "how many files"]
    example: Annotated[str, "the first of them"]


class Cite(Struct, frozen=True):
    """Where a printed number comes from."""

    run: Annotated[str, "display name"]
    cell: Annotated[str, "which number"]
    value: Annotated[str, "the number as printed"]
    where: Annotated[str, "file:line, or file and key"]


class MetricTable(Struct, frozen=True):
    """A metric that no section prints: whoever adds a .sql file sees it in the report."""

    title: Annotated[str, "title of the metric's header"]
    unit: Annotated[str, "unit of the metric's header"]
    columns: Annotated[tuple[str, ...], "names of the columns that have any value"]
    right: Annotated[tuple[bool, ...], "for each of them whether its values are numbers"]
    rows: Annotated[tuple[tuple[str, ...], ...], "cells as text, at most 20 rows"]
    dropped: Annotated[int, "rows beyond those"]
    relation: Annotated[str, "the relation of report.duckdb that has all of them"]


class Phase(Struct, frozen=True):
    """A sweep of a campaign."""

    phase: Annotated[str, "its results table, its folder, or its declared name"]
    runs: Annotated[int, "how many runs"]
    files: Annotated[int, "how many data files"]
    best: Annotated[str | None, "display name of its best run; null when none has a validation loss"]
    loss: Annotated[float | None, "best validation loss of that run, as logged"]
    decimals: Annotated[int | None, "decimals of it as printed"]
    steps: Annotated[int | None, "declared steps of that run"]
    settings: Annotated[str, "its settings in words"]
    tokens_per_s: Annotated[float | None, "its recorded throughput, tokens per second"]


class Effect(Struct, frozen=True):
    """What one setting changed, everything else being equal."""

    phase: Annotated[str, "the phase"]
    key: Annotated[str, "the setting"]
    base: Annotated[str, "its value in the baseline"]
    value: Annotated[str, "its other value"]
    base_loss: Annotated[float, "mean loss with the baseline's value, at the common step"]
    loss: Annotated[float, "mean loss with the other value"]
    delta: Annotated[float, "their difference, nats per token; below 0 is better"]
    n_base: Annotated[int, "runs with the baseline's value"]
    n: Annotated[int, "runs with the other value"]
    word: Annotated[str, "the verdict"]


class Move(Struct, frozen=True):
    """The best of a phase against the best of the one before."""

    from_run: Annotated[str, "display name of the earlier best"]
    to_run: Annotated[str, "display name of the later best, at the same steps where there is one"]
    delta: Annotated[float, "difference of their best losses, nats per token"]
    steps: Annotated[int | None, "the number of steps of both; null when they differ"]
    changed: Annotated[tuple[str, ...], "settings that both record and that differ"]
    word: Annotated[str, "the verdict"]
    why: Annotated[str, "why they are not comparable"]


class Campaign(Struct, frozen=True):
    """Sweeps as phases, and what settings changed."""

    phases: Annotated[tuple[Phase, ...], "sweeps, by name or in the declared order"]
    effects: Annotated[tuple[Effect, ...], "effects of single settings"]
    moves: Annotated[tuple[Move, ...], "from phase to phase"]
    final: Annotated[str | None, "display name of the run with the lowest loss of all"]
    comparable: Annotated[bool, "whether nothing stands in the way of comparing phases"]


class Report(Struct, frozen=True):
    """Everything a template may print."""

    title: Annotated[str, "the group's name, or the title of ngtreport.toml"]
    runs: Annotated[int, "number of runs, continuations not counted"]
    continuations: Annotated[int, "number of continuations"]
    groups: Annotated[tuple[Group, ...], "compared sets, by total steps; those with at least two runs first"]
    singles: Annotated[tuple[BestRow, ...], "runs that are compared with none"]
    single_speed: Annotated[tuple[SpeedRow, ...], "throughput of runs that are compared with none"]
    continued: Annotated[tuple[Excluded, ...], "continuations, each with what it continues"]
    excluded: Annotated[tuple[Excluded, ...], "other runs left out of every comparison, with the reason"]
    silent: Annotated[tuple[Silent, ...], "the same where many have one reason and no loss to show"]
    unranked: Annotated[str | None, "why nothing is ranked, in one sentence; null where runs are compared"]
    train_only: Annotated[tuple[TrainRow, ...], "runs without any validation"]
    accuracy: Annotated[tuple[AccuracyRow, ...], "runs with an accuracy and no validation loss, highest first"]
    bits: Annotated[tuple[BitsRow, ...], "runs validated in bits alone: each unit and kind by itself, lowest first"]
    unknown: Annotated[tuple[str, ...], "confounds that no group records, said once"]
    baseline_missing: Annotated[bool, "whether nothing is a baseline, no run and no group of seeds"]
    other: Annotated[tuple[OtherRow, ...], "test metrics, accuracies, objectives and closing evaluations"]
    other_columns: Annotated[tuple[str, ...], "names of those metrics, of many the first"]
    other_columns_dropped: Annotated[int, "metrics beyond those"]
    more: Annotated[tuple[MetricTable, ...], "metrics without a section of their own"]
    campaign: Annotated[Campaign | None, "sweeps as phases; null where all runs are of one"]
    grouping: Annotated[str, "what makes runs a group of seeds, in words"]
    settings: Annotated[tuple[Setting, ...], "what ran: shared configuration, and what differs"]
    missing: Annotated[tuple[str, ...], "facts that the inputs do not record"]
    notes: Annotated[str | None, "the user's own NOTES.md"]
    coords: Annotated[bool, "whether the logs hold coordinates, so that token labels need explaining"]
    findings: Annotated[tuple[FindingRow, ...], "what was noticed: errors, warnings, info"]
    noticed: Annotated[tuple[Noticed, ...], "the same, those that say the same together"]
    sources: Annotated[tuple[SourceRow, ...], "input files"]
    artefacts: Annotated[tuple[Artefacts, ...], "input files by format"]
    unused: Annotated[int, "files that gave no run"]
    cites: Annotated[tuple[Cite, ...], "where the numbers come from"]
    cites_dropped: Annotated[int, "citations beyond the printed ones; `ngtreport trace` has them all"]
    command: Annotated[str, "the command that rebuilds the report"]
    version: Annotated[str, "version of ngtreport"]


def documented(cls: type) -> dict[str, str]:
    """Field -> help text of a context class."""
    return {name: hint.__metadata__[0] for name, hint in get_type_hints(cls, include_extras=True).items()}
