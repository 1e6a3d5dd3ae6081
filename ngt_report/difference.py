"""`ngtreport diff OLD NEW`: what changed between two builds, in words and numbers, from their summary.json."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ngt_report.formatting import number, plain, signed
from ngt_report.reports import find, summary

Row = dict[str, Any]
NUMBERS: dict[str, Callable[[Row], Any]] = {  # what is compared of a run, in the order of saying
    "best": lambda r: (r["best"] or {}).get("val_loss"),
    "best step": lambda r: (r["best"] or {}).get("step"),
    "last": lambda r: (r["last"] or {}).get("val_loss"),
    "last step": lambda r: (r["last"] or {}).get("step"),
    "loss at the common step": lambda r: (r["at_common_step"] or {}).get("val_loss"),
    "rank": lambda r: r["rank"],
    "train time": lambda r: r["train_time_s"],
    "steps/s": lambda r: (r["throughput"] or {}).get("steps_per_s"),
    "evaluations": lambda r: r["n_val_points"],
    "status": lambda r: r["status"],
    "excluded": lambda r: r["excluded"],
    "seed": lambda r: r["seed"],
    "declared steps": lambda r: r["total_steps"],
}


def difference(old: str, new: str) -> Row:
    """Both summaries compared: runs, comparisons, groups of seeds and findings."""
    before, after = (_summary(text) for text in (old, new))
    a, b = ({r["id"]: r for r in s["runs"]} for s in (before, after))
    changed = {b[run]["run"]: found for run in a.keys() & b.keys() if (found := _changes(a[run], b[run]))}
    said = [{f["text"]: f for f in s["findings"]} for s in (before, after)]
    return {
        "old": old, "new": new,
        "added": sorted(b[run]["run"] for run in b.keys() - a.keys()), "removed": sorted(a[run]["run"] for run in a.keys() - b.keys()),
        "changed": dict(sorted(changed.items())),
        "comparisons": _comparisons(before, after), "groups": _groups(before, after),
        "findings_added": [said[1][t] for t in said[1] if t not in said[0]],
        "findings_gone": [said[0][t] for t in said[0] if t not in said[1]],
    }  # fmt: skip


def _summary(text: str) -> Row:
    return summary(find(text))


def _changes(a: Row, b: Row) -> Row:
    """What differs of one run: name -> [old, new]; settings under their own names."""
    found = {name: [get(a), get(b)] for name, get in NUMBERS.items() if get(a) != get(b)}
    if a["run"] != b["run"]:
        found["name"] = [a["run"], b["run"]]
    keys = sorted(a["config"].keys() | b["config"].keys())
    return found | {f"setting {k}": [a["config"].get(k), b["config"].get(k)] for k in keys if a["config"].get(k) != b["config"].get(k)}


def _comparisons(before: Row, after: Row) -> list[str]:
    """Compared sets: common step, baseline, order and verdicts that are others now."""
    out = []
    old, new = ({c["total_steps"]: c for c in s["comparisons"]} for s in (before, after))
    for total in sorted(old.keys() | new.keys(), key=lambda t: (t is None, t)):
        name = "final values" if total is None else f"{total:,} steps"
        a, b = old.get(total), new.get(total)
        if a is None or b is None:
            out.append(f"{name}: {'no longer compared' if b is None else 'compared now'}")
            continue
        out += [f"{name}: {key} was {a[field]}, is {b[field]}" for key, field in FIELDS.items() if a.get(field) != b.get(field)]
        if a["ranking"][:1] != b["ranking"][:1]:
            out.append(f"{name}: the best run was {a['ranking'][0]}, is {b['ranking'][0]}")
        verdicts = a.get("verdicts") or {}
        for run, word in (b.get("verdicts") or {}).items():
            if verdicts.get(run, word) != word:
                out.append(f"{name}: {run} was {verdicts[run]}, is {word}")
    return out


FIELDS = {"the number of runs": "runs", "the common step": "common_step", "the baseline": "baseline"}


def _groups(before: Row, after: Row) -> list[str]:
    """Groups of seeds whose size or mean changed."""
    old, new = ({(g["name"], g["total_steps"]): g for g in s["seed_groups"] if "name" in g} for s in (before, after))
    out = [f"group {name} is new" for name, _ in new.keys() - old.keys()]
    out += [f"group {name} is gone" for name, _ in old.keys() - new.keys()]
    for key in old.keys() & new.keys():
        a, b = old[key], new[key]
        if (a["n"], a["mean_loss"]) != (b["n"], b["mean_loss"]):
            out.append(f"group {key[0]}: n {a['n']} -> {b['n']}, mean {a['mean_loss']:.4f} -> {b['mean_loss']:.4f}")
    return sorted(out)


# -- printed ----------------------------------------------------------------------------------------------------------------
def to_json(found: Row) -> str:
    """For programs."""
    return json.dumps(found, indent=1, ensure_ascii=False)


def to_text(found: Row) -> str:
    """One change a line: runs first, then what follows from them."""
    lines = [f"+ run {name}" for name in found["added"]] + [f"- run {name}" for name in found["removed"]]
    for name, changes in found["changed"].items():
        lines.append(f"~ run {name}: " + "; ".join(_said(key, *values) for key, values in changes.items()))
    lines += [f"~ {text}" for text in (*found["comparisons"], *found["groups"])]
    lines += [f"{sign} {f['severity']}: {f['text']}" for sign, key in (("+", "findings_added"), ("-", "findings_gone")) for f in found[key]]
    return "\n".join(map(plain, lines)) or "nothing changed"


def _said(key: str, old: Any, new: Any) -> str:
    """best 4.5524 -> 4.5501 (-0.0023)"""
    numeric = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (old, new))
    more = f" ({signed(new - old)})" if numeric and isinstance(new - old, float) else f" ({new - old:+d})" if numeric else ""
    return f"{key} {_word(old)} -> {_word(new)}{more}"


def _word(value: Any) -> str:
    return "none" if value is None else number(value)
