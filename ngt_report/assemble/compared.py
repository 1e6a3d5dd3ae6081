"""The tables of one compared set: losses, ranks, speed, seeds."""

from __future__ import annotations

import re
from collections import Counter

from ngt_report.assemble.confounds import confounds, differs
from ngt_report.assemble.facts import TOP, Facts, Row
from ngt_report.assemble.seeds import baseline_groups, stages
from ngt_report.assemble.verdicts import noise_of, run_verdicts, ties
from ngt_report.formatting import number, rate
from ngt_report.grouping import NAME, value_of
from ngt_report.model import BestRow, EqualTimeRow, FixedRow, Group, Kind, RankRow, SpeedRow, TargetRow, TimeRow
from ngt_report.runs import differing
from ngt_report.stats import perplexity

SETTINGS = 6  # of the best run that a headline says


def group(facts: Facts, row: Row) -> Group:
    """The tables of the runs of one declared total."""
    budget = row["budget"]
    members = [run for run, c in facts.compared.items() if c["budget"] == budget]
    base = facts.baselines.get(budget)
    ranking = facts.of("ranking", budget)
    order = {kind: i for i, kind in enumerate(dict.fromkeys(r["kind"] for r in ranking))}
    fixed = sorted((_fixed_row(facts, r) for r in facts.of("fixed_step", budget)), key=lambda f: order.get(f.kind, 0))
    kinds = _kinds(fixed)
    told = _told_apart(facts, members)
    best_rows = [best_row(facts, r["run"]) for r in ranking]
    all_last = bool(best_rows) and all(b.best_step == b.last_step and not round(b.gap or 0, 4) for b in best_rows)
    ends = {b.last_step for b in best_rows}
    speed = [speed_row(facts, r["run"]) for r in ranking if r["run"] in facts.speed]
    equal, tokens = ([], []) if kinds else (facts.of("equal_time", budget), facts.of("equal_tokens", budget))
    variant = next((f for f in fixed if not f.is_baseline and f.delta is not None), None) if base else None
    staged = stages(facts, budget)
    differing_keys, unknown = confounds(facts, members)
    return Group(
        total=row["total"],
        size=row["runs"],
        step=row["common_step"],
        baseline=facts.name(base["run"]) if base else None,
        baseline_why=base["why"] if base else None,
        baseline_groups=() if base else baseline_groups(facts, budget),
        best=fixed[0] if fixed else None,
        best_settings=() if kinds or base else _best_settings(facts, members),
        lowest=None if kinds else _lowest(facts, ranking, fixed),
        variant=variant,
        variant_ratio=next((s.ratio for s in speed if variant and s.run == variant.run), None),
        fixed=tuple(fixed[:TOP]),
        at_step=len(fixed),
        lacking=tuple(lacking(facts, budget)),
        ranking=tuple(_rank_row(facts, r, told) for r in ranking[:TOP]),
        best_last=() if all_last else tuple(best_rows[:TOP]),
        all_last=all_last,
        last_step=next(iter(ends)) if len(ends) == 1 else None,
        speed=tuple(speed[:TOP]),
        speed_from=row["clock_from"] if speed else None,
        speed_to=row["clock_to"] if speed else None,
        times=tuple(_times(facts, ranking)) if not speed else (),
        rule=_rule(speed, facts.name(base["run"]) if base else None),
        equal_time=tuple(_equal_row(facts, r, row["common_step"]) for r in equal[:TOP]) if len(equal) > 1 else (),
        equal_time_s=equal[0]["time_s"] if len(equal) > 1 else None,
        equal_tokens=tuple(_equal_row(facts, r, row["common_step"]) for r in tokens[:TOP]),
        equal_tokens_n=tokens[0]["at_tokens"] if tokens else None,
        front=() if kinds else _front(facts, ranking),
        bpb=any(f.bpb is not None for f in fixed),
        targets=() if kinds else tuple(_targets(facts, budget)),
        unreached=() if kinds else _unreached(facts, budget),
        stages=staged,
        verdict=None if staged else _verdict_text(facts, budget),
        spread=None if staged else _spread_text(facts, members),
        ties=None if kinds else _ties_text(facts, budget),
        kinds=kinds,
        confounds=differing_keys,
        differs=differs(facts, members),
        unknown=unknown,
        dropped=max(0, len(ranking) - TOP),
    )


def _best_settings(facts: Facts, members: list[str]) -> tuple[str, ...]:
    """What a sweep's best run was set to, where that is few enough to say: the names of its runs seldom do."""
    there = [run for run in members if run in facts.fixed]
    if not there:
        return ()
    run = facts.runs[min(there, key=lambda r: (facts.fixed[r]["loss"], r))]
    values = {key: run[key] if key == "model" else run["config"].get(key) for key in differs(facts, members) if key != "flags"}
    said = {key: value for key, value in values.items() if key != "seed" and isinstance(value, str | int | float)}
    words = set(re.split(r"[\s_=/#]+", run["name"]))
    telling = any(number(value) in words for value in said.values())  # the name says it
    return (
        tuple(f"{key}={number(value)}" for key, value in said.items())
        if said.keys() - {"model"} and len(said) <= SETTINGS and not telling
        else ()
    )


def lacking(facts: Facts, budget: str) -> list[str]:
    """The runs of a set that were not evaluated at the step of its comparison, by name, where others were."""
    there = {r["run"] for r in facts.of("fixed_step", budget)}
    members = (run for run, c in facts.compared.items() if c["budget"] == budget)
    return sorted(facts.name(run) for run in members if run not in there) if there else []


def _spread_text(facts: Facts, members: list[str]) -> str:
    """What runs prove of which none repeats another, as far as is recorded."""
    if len(members) < 3 or any(facts.runs[run]["seed"] is not None for run in members):
        return "One run each: no seed spread was measured, so small differences prove nothing."
    alone = "No run records its seed: each stands for itself, and small differences prove nothing."
    by = _repeats_by(facts, members)
    if by == "folder" and (alike := _named_alike(facts, members)):
        return f"{alone} By their names they may be {alike} that repeat each other: `--group-by name` shows their spread."
    options = "`--group-by folder` or `--group-by name`" if by == "folder" else f"`--group-by {by}`"
    return f"{alone} If some repeat each other, {options} shows their spread."


def _named_alike(facts: Facts, members: list[str]) -> str:
    """How many groups of how many runs have one name but for its number, where every run is in such a group; empty otherwise."""
    sizes = sorted(Counter(value_of(run, facts.runs[run], {}, NAME) for run in members).values())
    if len(sizes) < 2 or sizes[0] < 2:
        return ""
    return f"{len(sizes)} groups of {sizes[0] if sizes[0] == sizes[-1] else f'{sizes[0]} to {sizes[-1]}'} runs"


def _repeats_by(facts: Facts, members: list[str]) -> str:
    """What may tell which runs repeat each other where no seed does: the program that their logs hold, else their folders."""
    programs = [p for run in members if (p := facts.runs[run]["config"].get("pasted_program")) is not None]
    return "pasted_program" if len(set(programs)) < len(programs) else "folder"


def _fixed_row(facts: Facts, r: Row) -> FixedRow:
    delta = facts.delta.get(r["run"])
    is_base = delta is not None and delta["baseline"] == r["run"]
    return FixedRow(
        facts.name(r["run"]), r["loss"], r["decimals"], perplexity(r["loss"]), _bits_per_byte(facts, r),
        None if delta is None or is_base else delta["delta_loss"], None if delta is None or is_base else delta["delta_ppl"], is_base,
        facts.kinds.get(r["run"], ""),
    )  # fmt: skip


def _bits_per_byte(facts: Facts, r: Row) -> float | None:
    """The same share of the loss as the run's last evaluation has in bits per byte."""
    last, bits = facts.best[r["run"]]["last_loss"], facts.bpb.get(r["run"])
    return r["loss"] / last * bits if bits and last else None


def _front(facts: Facts, ranking: list[Row]) -> tuple[str, ...]:
    """Runs that none beats in both loss and throughput, lowest loss first; none when one run wins both."""
    speeds = [facts.speed[r["run"]] for r in ranking if r["run"] in facts.speed]
    rows = sorted((s | {"loss": facts.fixed[s["run"]]["loss"]} for s in speeds if s["on_front"]), key=lambda r: (r["loss"], r["run"]))
    return tuple(f"{facts.name(r['run'])} ({r['loss']:.4f} at {rate(r['steps_per_s'])} steps/s)" for r in rows) if len(rows) > 1 else ()


def best_row(facts: Facts, run: str) -> BestRow:
    """Best against last of a run."""
    b = facts.best[run]
    return BestRow(
        facts.name(run), b["best_logged"], b["best_decimals"], b["best_step"], b["last_logged"], b["last_decimals"], b["last_step"],
        b["last_logged"] - b["best_logged"], facts.final.get(run),
    )  # fmt: skip


def _rank_row(facts: Facts, r: Row, told: dict[str, str]) -> RankRow:
    run, b = facts.runs[r["run"]], facts.best[r["run"]]
    flags = run["flags"] if run["flags"] is not None else told.get(r["run"])
    return RankRow(
        r["place"], run["name"], run["model"], flags, b["best_logged"], b["best_decimals"], r["ppl"], r["best_step"], r["checkpoint"],
        r["kind"],
    )  # fmt: skip


def _lowest(facts: Facts, ranking: list[Row], fixed: list[FixedRow]) -> RankRow | None:
    """The first by best loss, where it is not the first at the common step."""
    first = ranking[0] if ranking and fixed else None
    other = first is not None and first["best_loss"] < fixed[0].loss and facts.name(first["run"]) != fixed[0].run
    return _rank_row(facts, first, {}) if first and other else None


def _told_apart(facts: Facts, members: list[str]) -> dict[str, str]:
    """For runs without recorded flags: the configuration values that tell the compared runs apart."""
    keys = {k for run in members for k in facts.runs[run]["config"]} - {"seed"}
    columns = {k: {run: facts.runs[run]["config"].get(k) for run in members} for k in keys}
    words = differing(members, columns)
    out = {run: " ".join(w for w in own if w not in facts.name(run).split(" ")) for run, own in words.items()}
    return {run: text for run, text in out.items() if text}


def speed_row(facts: Facts, run: str) -> SpeedRow:
    """Throughput of a run, and its ratio to the baseline."""
    s, d = facts.speed[run], facts.delta.get(run)
    time = facts.time.get(run, {}).get("train_time_s")
    ratio = d["time_ratio"] if d else None
    overhead = ratio - 1 if d and ratio and d["baseline"] != run else None
    return SpeedRow(facts.name(run), s["steps_per_s"], s["s_per_step"], time, ratio, overhead)


def _times(facts: Facts, ranking: list[Row]) -> list[TimeRow]:
    recorded = {r["run"]: r["tokens_per_s"] for r in facts.rows["recorded_speed"]}
    rows = [TimeRow(facts.name(r["run"]), facts.time.get(r["run"], {}).get("train_time_s"), recorded.get(r["run"])) for r in ranking[:TOP]]
    return rows if any(t.train_time_s is not None or t.tokens_per_s is not None for t in rows) else []


def _rule(speed: list[SpeedRow], baseline: str | None) -> str | None:
    """The generated rule of thumb: the others' range of rates, the baseline's, and how many times slower."""
    base = next((s for s in speed if s.run == baseline), None)
    others = [s for s in speed if s.run != baseline]
    if base is None or not others:
        return None
    rates = _range([s.steps_per_s for s in others], 2)
    ratios = [s.ratio for s in others if s.ratio]
    if not ratios:
        return None
    slower = [r if min(ratios) >= 1 else 1 / r for r in ratios]
    word = "slower" if min(ratios) >= 1 else "faster" if max(ratios) <= 1 else None
    who = f"the other {len(others)} runs do" if len(others) > 1 else f"{others[0].run} does"
    tail = f" ({_range(slower, 1)}x {word})" if word else f" ({_range(ratios, 2)}x its time per step)"
    return f"{who} {rates} steps/s, {baseline} does {base.steps_per_s:.2f}{tail}"


def _range(values: list[float], places: int) -> str:
    low, high = f"{min(values):.{places}f}", f"{max(values):.{places}f}"
    return low if low == high else f"{low}-{high}"


def _equal_row(facts: Facts, r: Row, common: int | None) -> EqualTimeRow:
    return EqualTimeRow(facts.name(r["run"]), r["loss"], r["step"], common is not None and r["step"] >= common)


def _targets(facts: Facts, budget: str) -> list[TargetRow]:
    """Of each target that any run reached the first rows: who reached it, soonest first, then who did not."""
    found: dict[float, list[Row]] = {}
    for r in facts.of("time_to_target", budget):
        found.setdefault(r["target"], []).append(r)
    return [_target_row(facts, r) for rows in found.values() if rows[0]["reached"] for r in rows[:TOP]]


def _unreached(facts: Facts, budget: str) -> tuple[float, ...]:
    rows = facts.of("time_to_target", budget)
    return tuple(sorted({r["target"] for r in rows} - {r["target"] for r in rows if r["reached"]}))


def _target_row(facts: Facts, r: Row) -> TargetRow:
    return TargetRow(facts.name(r["run"]), r["target"], r["why"], r["reached"], r["steps"], r["seconds"], r["tokens"])


# -- what may be said of it ---------------------------------------------------------------------------------------------
def _verdict_text(facts: Facts, budget: str) -> str | None:
    """Against the baseline, on this seed: worse: a, b; not distinguishable: c."""
    found, noise = run_verdicts(facts, budget), noise_of(facts, budget)
    if not found:
        return None
    said = []
    for word in dict.fromkeys(found.values()):
        names = [facts.name(run) for run, own in found.items() if own == word]
        everyone = len(names) == len(found) and len(names) > 2
        more = f" and {len(names) - 6} more" if len(names) > 6 else ""
        said.append(f"all {len(names)} others {word}" if everyone else f"{word}: {', '.join(names[:6])}{more}")
    scope = f"differences within {noise.reach:.4f} are taken for noise ({noise.words})" if noise else "nothing measures the noise"
    return f"against {facts.name(facts.baselines[budget]['run'])}, one run each: {'; '.join(said)}; {scope}"


def _ties_text(facts: Facts, budget: str) -> str | None:
    """Ranks 4-6 lie within noise."""
    noise = noise_of(facts, budget)
    found = ties([r["best_loss"] for r in facts.of("ranking", budget)], noise)
    if not found or noise is None:
        return None
    ranks = ", ".join(f"{a}-{b}" for a, b in found[:8]) + (f" and {len(found) - 8} more" if len(found) > 8 else "")
    return f"Ranks {ranks} are tied: within {noise.reach:.4f} of each other ({noise.words})"


def _kinds(fixed: list[FixedRow]) -> tuple[Kind, ...]:
    """What the losses of a set measure, with the best of each: another tokenizer or validation set makes another ranking."""
    found: dict[str, list[FixedRow]] = {}
    for row in fixed:
        found.setdefault(row.kind, []).append(row)
    if len(found) < 2:
        return ()
    best = {kind: min(rows, key=lambda r: r.loss) for kind, rows in found.items()}
    return tuple(Kind(kind, len(rows), best[kind].run, best[kind].loss, best[kind].decimals) for kind, rows in found.items())
