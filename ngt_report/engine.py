"""DuckDB's engine, without the Python layer of relations around it: a start would pay as much for that layer as for the engine.

`duckdb` re-exports what is here: connections and errors are of the same classes in both.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

_engine = import_module("_duckdb" if find_spec("_duckdb") else "duckdb")
connect = _engine.connect
Error: type[Exception] = _engine.Error
IOException: type[Exception] = _engine.IOException


def interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl+C ended a statement, or is behind an error: the engine says so in errors of its own, which are no KeyboardInterrupt."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:  # an error may be its own cause
        seen.add(id(error))
        if type(error).__name__ == "InterruptException" or isinstance(error, RuntimeError) and str(error) == "Query interrupted":
            return True
        error = error.__cause__
    return False
