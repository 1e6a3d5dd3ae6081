"""Prints the report model: Summary.md through templates, results.csv and summary.json from the same rows."""

from __future__ import annotations

import csv
import io
import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import to_builtins
from msgspec.structs import replace

from ngt_report import formatting as fmt
from ngt_report.assemble.campaign import campaign
from ngt_report.assemble.cites import locator
from ngt_report.assemble.compared import lacking
from ngt_report.assemble.facts import Facts
from ngt_report.assemble.seeds import group_verdicts, seed_group
from ngt_report.assemble.verdicts import run_verdicts
from ngt_report.model import Report
from ngt_report.stats import finite_perplexity
from ngt_report.store import finite, line_each

if TYPE_CHECKING:
    import jinja2


def templates_folder() -> Path:
    """Where the templates lie: in the installed package, else in the checkout."""
    package = Path(__file__).resolve().parent
    inside = package / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


@cache
def sections() -> frozenset[str]:
    """The headings of Summary.md's sections that are the same in every report."""
    parts = (p.read_text(encoding="utf-8") for p in sorted(templates_folder().glob("_*.md.j2")))
    return frozenset(h.strip() for text in parts for h in re.findall(r"(?m)^## ([^{}\n]+)$", text))


@cache
def environment() -> jinja2.Environment:
    """Jinja with undefined names an error and our filters; Markdown is escaped by `md` and `code`, HTML by autoescape."""
    import jinja2

    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(str(templates_folder())),
        undefined=jinja2.StrictUndefined,
        autoescape=lambda name: bool(name) and ".html" in str(name),
        trim_blocks=True,
        bytecode_cache=_bytecode_cache(),
        keep_trailing_newline=True,
    )
    env.filters.update(
        md=fmt.markdown, code=fmt.code, loss=fmt.decimals_text, signed=fmt.signed, percent=fmt.percent, duration=fmt.duration,
        ppl=lambda v: f"{v:.2f}" if v < 1e7 else f"{v:.3e}", rate=fmt.rate,
        rate2=lambda v: fmt.rate(v, 2), times=lambda v: f"{v:.1f}x" if v >= 0.95 else f"{v:.2f}x",
        step=lambda v: "-" if v is None else str(v), whole=lambda v: "-" if v is None else f"{v:.0f}",
        count=lambda v: "-" if v is None else fmt.number(round(v)),
        thousands=lambda v: f"{v:,}", budget=lambda v: "final values" if v is None else f"{v:,} steps", spread=_spread, chance=fmt.chance,
        comment=lambda v: re.sub(r"[<>]", "-", fmt.plain(v)), fence=fmt.fence, said=fmt.said, coded=fmt.coded, differ=fmt.differ,
    )  # fmt: skip
    return env


def _bytecode_cache() -> jinja2.BytecodeCache | None:
    """Compiled templates in this user's own temporary folder, which Jinja checks; none where there is no such folder."""
    import jinja2

    try:
        return jinja2.FileSystemBytecodeCache()
    except (OSError, RuntimeError):
        return None


def _spread(values: Any) -> str:
    """2, or 2-3: the range of whole numbers."""
    found = sorted(set(values))
    return str(found[0]) if len(found) == 1 else f"{found[0]}-{found[-1]}"


def summary_md(report: Report) -> str:
    """Summary.md; the user's notes stay as they are."""
    mark = "\x00notes\x00"
    shown = replace(report, notes=mark) if report.notes else report
    return document("summary.md.j2", r=shown).replace(mark, report.notes or "")


def document(template: str, **context: Any) -> str:
    """A Markdown template, with blank lines around headings, tables and lists; code blocks stay as they are."""
    text = environment().get_template(template).render(**context)
    lines: list[str] = []
    fence = ""
    for line in text.splitlines():
        before = lines[-1] if lines else ""
        ticks = re.match("`{3,}(?=[^`]*$)|", line)
        if fence or ticks and ticks[0]:
            fence = "" if fence and line.rstrip() == fence else fence or (ticks[0] if ticks else "")
        elif before and line and (_kind(line) != _kind(before) or _kind(line) == "#"):
            lines.append("")
        elif not line and not before:
            continue
        lines.append(line.rstrip() if line.startswith("|") else line)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() + "\n"


def _kind(line: str) -> str:
    """heading, table, list or paragraph: kinds are separated by a blank line."""
    start = line[:1]
    return start if start in "#|" else "-" if line.startswith("- ") else ""


# -- results.csv ------------------------------------------------------------------------------------------------------
RESULTS = (
    "run", "id", "model", "flags", "seed", "status", "declared_steps", "compared_as", "excluded", "best_val_loss", "best_step",
    "best_ppl", "last_val_loss",
    "last_step", "common_step", "val_loss_at_common_step", "delta_loss", "delta_ppl", "rank", "steps_per_s", "from_step", "to_step",
    "train_time_s",
    "n_val_points", "n_train_points", "params", "dataset", "parent", "checkpoint", "source", "line",
)  # fmt: skip


def results_csv(facts: Facts) -> str:
    """One row a run; unrounded numbers, text that no spreadsheet takes for a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(RESULTS)
    places = {r["run"]: r for r in facts.rows["ranking"]}
    for run, r in sorted(facts.runs.items(), key=lambda item: (item[1]["name"], item[0])):
        row = _results_row(facts, run, r, places.get(run))
        writer.writerow([fmt.csv_cell(finite(row.get(c))) for c in RESULTS])
    return out.getvalue()


def _results_row(facts: Facts, run: str, r: dict[str, Any], place: dict[str, Any] | None) -> dict[str, Any]:
    b, c, f, d = facts.best.get(run, {}), facts.compared.get(run, {}), facts.fixed.get(run, {}), facts.delta.get(run, {})
    s, t = facts.speed.get(run, {}), facts.time.get(run, {})
    best = b.get("best_loss")
    return {
        "run": r["name"], "id": run, "model": r["model"], "flags": r["flags"], "seed": r["seed"], "status": r["status"],
        "declared_steps": r["total_steps"], "compared_as": c.get("budget"), "excluded": c.get("excluded"),
        "best_val_loss": best, "best_step": b.get("best_step"), "best_ppl": finite_perplexity(best),
        "last_val_loss": b.get("last_loss"), "last_step": b.get("last_step"), "common_step": f.get("step"),
        "val_loss_at_common_step": f.get("loss"),
        "delta_loss": d.get("delta_loss"), "delta_ppl": d.get("delta_ppl"), "rank": place["place"] if place else None,
        "steps_per_s": s.get("steps_per_s"), "from_step": s.get("from_step"), "to_step": s.get("to_step"),
        "train_time_s": t.get("train_time_s"),
        "n_val_points": b.get("n_val", 0), "n_train_points": t.get("n_train", 0), "params": r["params"], "dataset": r["dataset"],
        "parent": r["parent"],
        "checkpoint": place["checkpoint"] if place else None, "source": b.get("best_path"), "line": b.get("best_line"),
    }  # fmt: skip


# -- summary.json -----------------------------------------------------------------------------------------------------
def summary_json(facts: Facts, group: str) -> str:
    """What other programs read: unrounded numbers, null for what is not known."""
    sizes = {r["budget"]: r for r in facts.rows["common_step"] if r["runs"] > 1}
    main = max(sizes.values(), key=lambda r: (r["runs"], r["total"] or 0), default=None)
    base = facts.baselines.get(main["budget"]) if main else None
    document = {
        "schema": 1,
        "group": group,
        "common_step": main["common_step"] if main else None,
        "baseline": {"run": facts.name(base["run"]), "why": base["why"]} if base else None,
        "comparisons": [
            {"total_steps": r["total"], "runs": r["runs"], "common_step": r["common_step"],
             "baseline": facts.name(facts.baselines[b]["run"]) if b in facts.baselines else None,
             "ranking": [facts.name(k["run"]) for k in facts.of("ranking", b)],
             "fixed_step": [facts.name(k["run"]) for k in facts.of("fixed_step", b)],
             **({"not_at_step": names} if (names := lacking(facts, b)) else {}),
             "noise": [{k: r[k] for k in ("source", "std", "df")} for r in facts.of("spread", b)],
             "verdicts": {facts.name(run): word for run, word in run_verdicts(facts, b).items()},
             "group_verdicts": group_verdicts(facts, b)}
            for b, r in sizes.items()
        ],
        "runs": [_json_run(facts, run, r) for run, r in sorted(facts.runs.items(), key=lambda item: (item[1]["name"], item[0]))],
        "seed_groups": [seed_group(facts, s) for s in facts.rows["seeds"] if s["n"] > 1],
        "campaign": to_builtins(found) if (found := campaign(facts)) else None,
        "findings": facts.findings,
    }  # fmt: skip
    return line_each(document) + "\n"


def _json_run(facts: Facts, run: str, r: dict[str, Any]) -> dict[str, Any]:
    b, f, s, t = facts.best.get(run), facts.fixed.get(run), facts.speed.get(run), facts.time.get(run, {})
    sources, place = facts.sources_of(run), facts.place.get(run)

    best = last = common = speed = None
    if b and b["best_loss"] is not None:
        best = {
            "val_loss": b["best_loss"], "logged": fmt.decimals_text(b["best_logged"], b["best_decimals"]), "step": b["best_step"],
            "ppl": finite_perplexity(b["best_loss"]),
            "source": b["best_path"], "line": b["best_line"], "pointer": b["best_pointer"],
            "refined_by": locator(b["refined_path"], b["refined_line"], b["refined_pointer"]) if b["refined_path"] else None,
        }  # fmt: skip
    if b:
        last = {
            "val_loss": b["last_loss"], "logged": fmt.decimals_text(b["last_logged"], b["last_decimals"]), "step": b["last_step"],
            "ppl": finite_perplexity(b["last_loss"]),
            "source": b["last_path"], "line": b["last_line"], "pointer": b["last_pointer"],
        }  # fmt: skip
    if f:
        common = {"val_loss": f["loss"], "step": f["step"], "ppl": finite_perplexity(f["loss"]), "source": f["path"], "line": f["line"]}
        if run in facts.delta:
            common |= {"delta_loss": facts.delta[run]["delta_loss"], "delta_ppl": facts.delta[run]["delta_ppl"]}
    if s:
        speed = {"from_step": s["from_step"], "to_step": s["to_step"], "steps_per_s": s["steps_per_s"], "s_per_step": s["s_per_step"]}
    return {
        "run": r["name"], "id": run, "sources": [x["path"] for x in sources], "format": sources[0]["format"] if sources else None,
        "n_val_points": b["n_val"] if b else 0, "n_train_points": t.get("n_train", 0), "first_step": b["first_step"] if b else None,
        "best": best, "last": last, "at_common_step": common, "rank": place["place"] if place else None,
        "checkpoint": place["checkpoint"] if place else None, "train_time_s": t.get("train_time_s"), "throughput": speed,
        "seed": r["seed"], "model": r["model"], "flags": r["flags"].split(",") if r["flags"] else [], "total_steps": r["total_steps"],
        "parent": facts.name(r["parent"]) if r["parent"] else None, "continuation": bool(r["is_continuation"]), "status": r["status"],
        "excluded": facts.compared.get(run, {}).get("excluded"), "config": r["config"], "declared": r["declared"],
    }  # fmt: skip
