"""Which losses measure one thing: runs of another tokenizer, dataset or validation set are ranked by themselves."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from typing import Any

from ngt_report.formatting import number
from ngt_report.store import Store

OTHER_LOSS = ("dataset", "tokenizer", "vocab_size", "val_tokens", "val_loss_unit")  # where these differ, losses measure different things
OTHER_VALIDATION = re.compile(
    r"(?:^|_)(?:val|valid|validation|eval)_(?:samples|examples|batches|iters|steps|split|set|data|bin)$|^subset_(?:val|eval)"
)
SPOKEN = {"vocab_size": "vocabulary size", "val_tokens": "validation tokens", "val_loss_unit": "unit of the loss"}
Said = dict[str, Any]  # what a run records of what its loss measures


def said_of(run: dict[str, Any]) -> Said:
    """What a run records of what its loss measures; `config` is a dictionary here."""
    config = run["config"]
    keys = (*OTHER_LOSS, *(k for k in sorted(config) if OTHER_VALIDATION.search(k)))
    found = {k: run[k] if run.get(k) is not None else config.get(k) for k in keys}
    return {k: v for k, v in found.items() if v is not None}


def kinds_of(runs: dict[str, Said]) -> dict[str, str]:
    """Run -> kind of its loss in words, '' where all are of one. A run that records less is of the only kind that it may be of."""
    recorded: dict[str, set[str]] = defaultdict(set)
    for said in runs.values():
        for key, value in said.items():
            recorded[key].add(_text(value))
    keys = [k for k in recorded if len(recorded[k]) > 1]
    if not keys:
        return dict.fromkeys(runs, "")
    whole = Counter(own for said in runs.values() if None not in (own := tuple(_of(said, k) for k in keys)))
    usual = sorted(whole, key=lambda kind: (-whole[kind], str(kind)))
    return {run: _kind(said, keys, usual) for run, said in runs.items()}


def _kind(said: Said, keys: list[str], usual: list[tuple[str | None, ...]]) -> str:
    own = tuple(_of(said, k) for k in keys)
    fitting = [kind for kind in usual if all(a in (None, b) for a, b in zip(own, kind, strict=True))]
    found = fitting[0] if len(fitting) == 1 else own
    named = [SPOKEN.get(k, k.replace("_", " ")) for k in keys]
    return ", ".join(f"{k} {'not recorded' if v is None else v}" for k, v in zip(named, found, strict=True))


def _of(said: Said, key: str) -> str | None:
    return _text(said[key]) if key in said else None


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True) if isinstance(value, dict | list) else number(value)


def write_kinds(store: Store) -> None:
    """Fill the table kinds: for every compared run, what its loss measures where the runs of its set differ in that."""
    store.clear("kinds")
    rows = store.rows(
        "SELECT c.budget, r.run, r.dataset, r.tokenizer, r.config FROM compared AS c JOIN runs AS r USING (run)"
        " WHERE c.budget IS NOT NULL ORDER BY r.run"
    )
    sets: dict[str, dict[str, Said]] = defaultdict(dict)
    for r in rows:
        sets[r["budget"]][r["run"]] = said_of({**r, "config": json.loads(r["config"] or "{}")})
    found = [(budget, run, kind) for budget, runs in sets.items() for run, kind in kinds_of(runs).items()]
    store.insert("kinds", "budget VARCHAR, run VARCHAR, kind VARCHAR", found)
