"""All rows that a report is made of, queried once."""

from __future__ import annotations

import json
from typing import Any

from ngt_report.queries import metric_names
from ngt_report.store import Store

Row = dict[str, Any]
TOP = 20  # rows of a table in Summary.md; all are in results.csv
SEVERITY = {"error": 0, "warning": 1, "info": 2}


class Facts:
    """All rows of all metrics, queried once, and the runs by id."""

    def __init__(self, store: Store) -> None:
        self.runs: dict[str, Row] = {r["run"]: r for r in store.rows("SELECT * FROM runs ORDER BY run")}
        for r in self.runs.values():
            r["config"] = json.loads(r["config"] or "{}")
            r["declared"] = json.loads(r["declared"] or "[]")
        self.rows: dict[str, list[Row]] = {n: [] if n in store.unmade else store.rows(f"SELECT * FROM {n}") for n in metric_names()}
        self.compared: dict[str, Row] = {r["run"]: r for r in store.rows("SELECT * FROM compared ORDER BY run")}
        self.baselines: dict[str, Row] = {r["budget"]: r for r in store.rows("SELECT * FROM baselines ORDER BY budget")}
        self.best: dict[str, Row] = {r["run"]: r for r in self.rows["best_last"]}
        self.time: dict[str, Row] = {r["run"]: r for r in self.rows["train_time"]}
        self.speed: dict[str, Row] = {r["run"]: r for r in self.rows["throughput"]}
        self.delta: dict[str, Row] = {r["run"]: r for r in self.rows["delta"]}
        self.fixed: dict[str, Row] = {r["run"]: r for r in self.rows["fixed_step"]}
        self.place: dict[str, Row] = {r["run"]: r for r in self.rows["ranking"]}
        self.kinds: dict[str, str] = dict(store.run("SELECT run, kind FROM kinds"))
        self.bpb: dict[str, float] = {r["run"]: r["last_bpb"] for r in self.rows["perplexity"] if r["last_bpb"] is not None}
        self.final: dict[str, float] = {r["run"]: r["last"]["v"] for r in self.rows["other_metrics"] if r["metric"] == "final/loss"}
        self.findings = store.rows("SELECT * FROM findings ORDER BY severity, kind, text, source, line")
        self.findings.sort(key=lambda f: (SEVERITY.get(f["severity"], 3), f["kind"], f["text"], f["source"] or "", f["line"] or 0))
        self.sources = store.rows("SELECT * FROM sources ORDER BY path")
        self.checkpoints = store.rows("SELECT * FROM checkpoints ORDER BY path")
        declared = {k: json.loads(v) for k, v in store.run("SELECT key, value FROM meta WHERE key IN ('phases', 'group_by', 'except')")}
        self.phases: dict[str, str] = declared.get("phases", {})  # phase -> pattern of its files, as declared
        self.group_by: list[str] = declared.get("group_by", [])  # settings whose equal values make runs a group of seeds, as asked
        self.except_keys: list[str] = declared.get("except", [])  # settings that may differ within such a group, as asked
        self.coords = bool(store.run("SELECT 1 FROM raw_facts WHERE key = 'coords' LIMIT 1"))
        self.run_sources = store.rows(
            "SELECT DISTINCT t.run, s.path, s.format, t.precedence, t.main FROM run_trials AS t JOIN sources AS s ON s.id = t.source"
            " ORDER BY t.run, t.main DESC, t.precedence, s.path"
        )
        self.memo: dict[Any, Any] = {}  # what two outputs need and is worth computing once
        self._sources_of: dict[str, list[Row]] = {}
        for row in self.run_sources:
            self._sources_of.setdefault(row["run"], []).append(row)

    def name(self, run: str) -> str:
        """Display name of a run."""
        return str(self.runs[run]["name"])

    def sources_of(self, run: str) -> list[Row]:
        """The files of a run, its main log first."""
        return self._sources_of.get(run, [])

    def of(self, metric: str, budget: str) -> list[Row]:
        """Rows of a metric that belong to one compared set."""
        return [r for r in self.rows[metric] if r["budget"] == budget]
