"""Reports in Python: `r = ngt_report.load("logs/w3_25m")`, then r.runs, r.points, r.groups, r.findings, r.sql(...), r.compare(...)."""

from __future__ import annotations

import os
from contextlib import ExitStack
from functools import cached_property
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ngt_report.errors import UsageError
from ngt_report.stamp import STAMP
from ngt_report.store import Store, sql

if TYPE_CHECKING:
    import pandas as pd

    from ngt_report.assemble.facts import Facts


def load(*paths: str | os.PathLike[str], **options: Any) -> LoadedReport:
    """A report to ask: of logs, which are read now, or of a report's folder, which is opened.

    options: of a build, such as baseline, step, target, group_by, except_keys.

    Raises:
        ReportError: no such path, or a report that another process is writing.
        UsageError: options that cannot be meant.
    """
    texts = tuple(os.fspath(p) for p in paths)
    if not texts:
        raise UsageError("load() needs a path: of logs, or of a report's folder")
    if len(texts) == 1 and (Path(texts[0]) / STAMP).is_file():
        if options:
            raise UsageError(f"{texts[0]} is a report that was built: {', '.join(options)} cannot change it; give the logs")
        return LoadedReport(Store(str(Path(texts[0]) / "report.duckdb"), read_only=True), Path(texts[0]).resolve().name)
    return _built(texts, options)


def _built(texts: tuple[str, ...], options: dict[str, Any]) -> LoadedReport:
    from ngt_report.build import Request, compute, prepare

    for name in ("group_by", "except_keys"):
        if isinstance(options.get(name), str):
            options[name] = (options[name],)
    inputs, settings, _ = prepare(Request(texts, **options))
    scratch = TemporaryDirectory(prefix="ngtreport-", ignore_cleanup_errors=True)
    store = Store(os.path.join(scratch.name, "report.duckdb"))
    with ExitStack() as undo:
        undo.callback(scratch.cleanup)
        undo.callback(store.close)
        compute(store, inputs, settings)
        undo.pop_all()
    return LoadedReport(store, settings.title or inputs.group, scratch)


class Comparison(dict[str, Any]):
    """What `compare` says of two runs: a dictionary that prints as the table of the command line."""

    def __str__(self) -> str:
        from ngt_report.compare import to_text

        return to_text(dict(self), diff_only=True, width=None)

    def _repr_html_(self) -> str:
        from ngt_report.compare import to_html

        return to_html(dict(self))


class LoadedReport:
    """A report in memory: tables as DataFrames, made when they are first asked for. Close it, or use it in a with statement."""

    def __init__(self, store: Store, title: str, scratch: TemporaryDirectory[str] | None = None) -> None:
        self.title = title
        self._store, self._scratch = store, scratch

    def close(self) -> None:
        """Let go of the database; tables that were made stay."""
        self._store.close()
        if self._scratch is not None:
            self._scratch.cleanup()

    def __enter__(self) -> LoadedReport:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @cached_property
    def _facts(self) -> Facts:
        from ngt_report.assemble.facts import Facts

        return Facts(self._store)

    @cached_property
    def runs(self) -> pd.DataFrame:
        """One row a run: name, settings, best, last, loss at the common step, difference to the baseline, rank, rate, time."""
        return self.sql(sql("notebook/runs.sql"))

    @cached_property
    def points(self) -> pd.DataFrame:
        """Every value that any source printed, with its file and line."""
        return self.sql("SELECT r.name, p.* FROM points AS p JOIN runs AS r USING (run) ORDER BY p.run, p.metric, p.step, p.source, p.line")

    @cached_property
    def groups(self) -> pd.DataFrame:
        """One row a group of seeds (or a single compared run): n, mean, std, 95 % interval, lowest, highest."""
        import pandas as pd

        from ngt_report.assemble.seeds import seed_group

        rows = [seed_group(self._facts, r) for r in self._facts.rows["seeds"]]
        return pd.DataFrame([{k: v for k, v in r.items() if k != "curve"} for r in rows])

    @cached_property
    def findings(self) -> pd.DataFrame:
        """What the audit noticed, the gravest first."""
        import pandas as pd

        return pd.DataFrame(self._facts.findings, columns=["severity", "kind", "run", "text", "source", "line"])

    def sql(self, text: str, parameters: list[Any] | None = None) -> pd.DataFrame:
        """The answer to one SELECT on the report's tables; `?` in it are bound to the parameters."""
        found = self._store.con.extract_statements(text)
        if len(found) != 1 or found[0].type.name != "SELECT":
            raise UsageError("sql() takes one SELECT; the report is only read")
        return self._store.con.execute(text, parameters or []).df()

    def compare(self, first: str, second: str) -> Comparison:
        """Two runs side by side, by any unique part of their names; `vanilla@1000` is a run at a step."""
        from ngt_report.compare import compare

        return Comparison(compare(self._store, first, second))

    def __repr__(self) -> str:
        return f"<report of {self.title}: {len(self._facts.runs)} runs, {len(self._facts.findings)} findings>"

    def _repr_html_(self) -> str:
        shown = self.runs[["name", "best_loss", "best_step", "last_loss", "last_step", "place", "steps_per_s", "status"]]
        return f"<p><b>{escape(self.title)}</b>: {len(shown)} runs</p>{shown.head(20).to_html(index=False, escape=True)}"
