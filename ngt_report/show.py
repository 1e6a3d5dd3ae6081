"""Prints a report: a table for the terminal, a block for a chat, a table for a paper. Reads what build wrote."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ngt_report import reports
from ngt_report.formatting import duration, latex, plain, signed
from ngt_report.terminal import outgoing, paint, table

Row = dict[str, Any]
FILES = {"md": "Summary.md", "csv": "results.csv", "json": "summary.json"}
LEVELS = ("error", "warning", "info")
SHORT = 2000  # characters that a chat takes
DROPPED_FIRST = ("status", "train time", "last", "step", "steps/s", "delta")


def show(folder: Path, form: str, top: int, width: int | None) -> str:
    """The report in the form that was asked for."""
    if form in FILES:
        return outgoing(reports.text_of(folder, FILES[form])).removesuffix("\n")
    summary = reports.summary(folder)
    if form == "latex":
        return latex_table(summary, top)
    if form == "short":
        return short(summary, folder)
    return terminal(summary, folder, top, width)


def headline(folder: Path) -> str:
    """The Headline of Summary.md as plain text."""
    return "\n".join(line for line in reports.section(folder, "Headline") if line)


# -- for the terminal -------------------------------------------------------------------------------------------------
def terminal(summary: Row, folder: Path, top: int, width: int | None) -> str:
    """Every compared set by rank, then what is in none, and what was noticed."""
    runs = by_name(summary)
    parts = [[paint(title(summary), "bold"), *differing(folder)]]
    for compared in summary["comparisons"]:
        ranked = [runs[name] for name in compared["ranking"]]
        lines = _ranked(ranked[: top or None], compared, width)
        parts.append([paint(_compared(compared), "bold"), *lines, *_more(len(ranked), top)])
    parts += [_block("compared with none", _alone(summary), top, width, False), _block("not ranked", _excluded(summary), top, width, True)]
    counts = Counter(f["severity"] for f in summary["findings"])
    said = ", ".join(f"{counts[s]} {s}{'s' if counts[s] > 1 and s != 'info' else ''}" for s in LEVELS if counts[s]) or "none"
    parts.append([f"findings: {said}" + ("; `ngtreport findings` lists them" if counts else ""), reports.shown(folder / "Summary.md")])
    return "\n\n".join("\n".join(part) for part in parts if part)


def by_name(summary: Row) -> dict[str, Row]:
    """Display name -> run."""
    return {r["run"]: r for r in summary["runs"]}


def title(summary: Row) -> str:
    """w3_25m: 6 runs, 1 continuation"""
    more = sum(r["continuation"] for r in summary["runs"])
    count = len(summary["runs"]) - more
    said = f"{count} {'run' if count == 1 else 'runs'}" + (f", {more} {'continuation' if more == 1 else 'continuations'}" if more else "")
    return f"{plain(summary['group'])}: {said}"


def differing(folder: Path) -> list[str]:
    """What differs between compared runs: it stands above every ranking."""
    return [line.removeprefix("- ") for line in reports.section(folder, "Before you compare") if re.search(r" differs?: ", line)]


def _compared(compared: Row) -> str:
    total, step = compared["total_steps"], compared["common_step"]
    said = "final values" if total is None else f"{total:,} steps"
    if total is not None:
        said += "; no common step" if step is None else f"; ppl and delta at step {step}"
    return said + (f"; baseline {plain(compared['baseline'])}" if compared["baseline"] else "")


def _at(compared: Row) -> str:
    step = compared.get("common_step")
    return f"@{step}" if step is not None else "final" if compared.get("total_steps") is None else "common"


def _ranked(runs: Sequence[Row], compared: Row, width: int | None) -> list[str]:
    """The table of a compared set, without columns that say nothing."""
    head = ("#", "run", "best", "step", "last", _at(compared), "ppl", "delta", "steps/s", "train time", "status")
    rows = [_cells(r, compared["baseline"]) for r in runs]
    kept = [i for i in range(len(head)) if {r[i] for r in rows} - {"-", "finished"}]
    lines = table([head[i] for i in kept], [[r[i] for i in kept] for r in rows], "rl" + "r" * 8 + "l", width, 1, DROPPED_FIRST)
    return [paint(lines[0], "dim"), *lines[1:]]


def _cells(r: Row, baseline: str | None = None) -> tuple[str, ...]:
    best, last, at = r["best"] or {}, r["last"] or {}, r["at_common_step"] or {}
    delta = None if r["run"] == baseline else at.get("delta_loss")
    return (
        str(r["rank"] or "-"), r["run"], best.get("logged", "-"), _step(best.get("step")), last.get("logged", "-"), common_loss(r),
        _ppl(at.get("ppl")), "-" if delta is None else signed(delta), _rate(r), duration(r["train_time_s"]), r["status"] or "-",
    )  # fmt: skip


def common_loss(r: Row) -> str:
    """The loss at the common step, with the decimals that the run's log has."""
    at, logged = r["at_common_step"], (r["last"] or {}).get("logged", "")
    if not at:
        return "-"
    return logged if at["step"] == r["last"]["step"] else f"{at['val_loss']:.{len(logged.partition('.')[2]) or 4}f}"


def _step(step: int | None) -> str:
    return "-" if step is None else str(step)


def _ppl(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}" if value < 1e7 else f"{value:.3e}"


def _rate(r: Row) -> str:
    return f"{r['throughput']['steps_per_s']:.3f}" if r["throughput"] else "-"


def _alone(summary: Row) -> list[Row]:
    """Runs with a validation loss that are compared with none."""
    ranked = {name for c in summary["comparisons"] for name in c["ranking"]}
    return [r for r in summary["runs"] if r["best"] and not r["excluded"] and r["run"] not in ranked]


def _excluded(summary: Row) -> list[Row]:
    return [r for r in summary["runs"] if r["excluded"]]


def _block(name: str, runs: list[Row], top: int, width: int | None, why: bool) -> list[str]:
    """A table of runs that are in no comparison."""
    if not runs:
        return []
    head = ("run", "best", "step", "last", "at", "steps/s", "why" if why else "status")
    rows = [(*_cells(r)[1:5], _step((r["last"] or {}).get("step")), _rate(r), r["excluded"] if why else r["status"] or "-") for r in runs]
    lines = table(head, rows[: top or None], "lrrrrrl", width, droppable=("steps/s", "at", "step", "why", "status"))
    return [paint(name, "bold"), paint(lines[0], "dim"), *lines[1:], *_more(len(runs), top)]


def _more(count: int, top: int) -> list[str]:
    return [f"and {count - top} more: --top 0 shows all"] if top and count > top else []


# -- for a chat -------------------------------------------------------------------------------------------------------
def short(summary: Row, folder: Path) -> str:
    """At most 2,000 characters in a code block: the headline, what differs, and as many ranks as have room."""
    lines = [title(summary), *headline(folder).splitlines(), *differing(folder)[:3]]
    lines = [line if len(line) <= 200 else line[:198] + ".." for line in lines]
    main = max(summary["comparisons"], key=lambda c: (c["runs"], c["total_steps"] or 0), default=None)
    runs = by_name(summary)
    ranked = [runs[name] for name in main["ranking"]] if main else _alone(summary)
    for count in range(min(20, len(ranked)), -1, -1):
        text = _fenced([*lines, *_short_table(ranked[:count], main or {}), *_rest(len(ranked) - count)])
        if len(text) <= SHORT:
            return text
    return _fenced([title(summary)[:200], *_rest(len(ranked))])


def _short_table(runs: list[Row], compared: Row) -> list[str]:
    if not runs:
        return []
    rows = [_cells(r, compared.get("baseline")) for r in runs]
    head = ("#", "run", "best", "step", _at(compared), "delta")
    return ["", *table(head, [(*r[:4], r[5], r[7]) for r in rows], "rlrrrr", 72, 1)]


def _rest(count: int) -> list[str]:
    return [f"and {count} more"] if count else []


def _fenced(lines: list[str]) -> str:
    body = "\n".join(lines).replace("```", "'''")
    return f"```\n{body}\n```"


# -- for a paper ------------------------------------------------------------------------------------------------------
def latex_table(summary: Row, top: int) -> str:
    """One booktabs table: every compared set by rank, the best of each column in bold."""
    runs = by_name(summary)
    alone = {"ranking": [r["run"] for r in _alone(summary)], "common_step": None, "total_steps": None, "baseline": None}
    sets = summary["comparisons"] or [alone]
    lines = [r"% needs \usepackage{booktabs}", r"\begin{tabular}{lrrrrrr}", r"\toprule"]
    at = _at(sets[0]) if len(sets) == 1 else "at common step"
    lines.append(rf"Run & Best loss & Step & Loss {at} & Perplexity & $\Delta$ & Steps/s \\")
    for compared in sets:
        lines.append(r"\midrule")
        if len(sets) > 1:
            lines.append(rf"\multicolumn{{7}}{{l}}{{\emph{{{latex(_compared(compared))}}}}} \\")
        lines += _latex_rows([runs[name] for name in compared["ranking"]][: top or None], compared["baseline"])
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"])


def _latex_rows(runs: list[Row], baseline: str | None) -> list[str]:
    rows = [_cells(r, baseline) for r in runs]
    lowest = {column: _best([r[column] for r in rows], min) for column in (2, 5, 6)} | {8: _best([r[8] for r in rows], max)}
    out = []
    for r in rows:
        shown = {i: rf"\textbf{{{r[i]}}}" if lowest.get(i) == r[i] and len(rows) > 1 else _signed(r[i]) for i in (2, 3, 5, 6, 7, 8)}
        out.append(" & ".join([latex(r[1]), *shown.values()]) + r" \\")
    return out


def _best(values: list[str], choose: Any) -> str | None:
    numbers = [v for v in values if re.fullmatch(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", v)]
    return str(choose(numbers, key=float)) if numbers else None


def _signed(text: str) -> str:
    """A minus sign, not a hyphen; a dash for what is not known."""
    return "--" if text == "-" else f"${text}$" if text[:1] in "+-" else text


# -- findings ---------------------------------------------------------------------------------------------------------
def count_at(findings: list[Row], level: str) -> int:
    """How many findings are of a level or above."""
    return sum(f["severity"] in LEVELS[: LEVELS.index(level) + 1] for f in findings)


def findings_json(findings: list[Row]) -> str:
    """The findings for programs."""
    return json.dumps(findings, indent=1, ensure_ascii=False)


def findings_text(findings: list[Row]) -> str:
    """One finding a line, the gravest first, each with its place."""
    style = {"error": "red", "warning": "yellow"}
    lines = []
    for f in findings:
        level = f"{f['severity']:<7}"
        place = f"{f['source']}:{f['line']}" if f["source"] and f["line"] else ""
        where = f" ({plain(place)})" if place and place not in f["text"] else ""
        lines.append(f"{paint(level, style[f['severity']]) if f['severity'] in style else level}  {plain(f['text'])}{where}")
    return "\n".join(lines) or "no findings"
