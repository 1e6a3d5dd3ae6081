"""What is asked of all points of a source, computed once per content: spans, curves, best and last values, stretches and their audit."""

from __future__ import annotations

from collections.abc import Sequence

from ngt_report import apart
from ngt_report.present import of_row
from ngt_report.store import SUMMARIES, Store, sql
from ngt_report.tailor import tailored

FEW = 100  # sources that are named in a statement, which is quicker than a join


def summarise(store: Store, ids: Sequence[int]) -> None:
    """Compute the summaries of these sources."""
    if not ids:
        return
    store.run("CREATE OR REPLACE TEMP TABLE fresh AS SELECT unnest(?::BIGINT[]) AS source", [list(ids)])
    own = ", ".join(map(str, ids)) if len(ids) <= FEW else "FROM fresh"
    for name in () if store.new else SUMMARIES:
        store.run(f"DELETE FROM {name} WHERE source IN ({own})")
    for name in ("spans", "curves"):
        for text in apart.statements(store, sql(f"staging/{name}.sql")):
            store.run(f"INSERT INTO {name} {text}")
    present = of_row(store, sql("staging/fresh.sql"))
    if "curves in pieces" in present:
        _reorder(store)
    store.run(f"INSERT INTO trial_values {tailored(sql('staging/trial_values.sql'), present)}")
    if "long curves" in present:
        store.run(f"INSERT INTO stretches {sql('staging/stretches.sql')}")
        store.run(f"INSERT INTO smooth_rates {sql('staging/smooth_rates.sql')}")
        audits = audits_of(store, sql("staging/fresh_stretches.sql"))
        store.run(f"INSERT INTO long_audits SELECT curve.source, curve.trial, * EXCLUDE (curve, odd_clock) FROM ({audits})")


def _reorder(store: Store) -> None:
    """Look again, in the order of their lines, at curves that do not rise in the order of the table: a log that grew lies in pieces."""
    which = "FROM curves SEMI JOIN fresh USING (source) WHERE NOT rising AND numbered"
    store.run(f"CREATE OR REPLACE TEMP TABLE pieces AS SELECT source, trial, metric {which}")
    store.run("DELETE FROM curves WHERE (source, trial, metric) IN (SELECT (source, trial, metric) FROM pieces)")
    text = apart.of_other_points(sql("staging/curves.sql"), "raw_points SEMI JOIN pieces USING (source, trial, metric)")
    store.run("INSERT INTO curves " + text.replace("OVER ()", "OVER (PARTITION BY curve ORDER BY line, step)"))


def audits_of(store: Store, thinned: str) -> str:
    """The query that audits curves, given by a query in the form of `thinned`, which stays as a table of that name."""
    store.run(f"CREATE OR REPLACE TEMP TABLE thinned AS {thinned}")
    return sql("staging/audits.sql")
