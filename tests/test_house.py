"""The house stays small: limits on files and functions that hold for everything in the repository."""

from __future__ import annotations

import ast
from itertools import chain
from pathlib import Path
from statistics import median, quantiles

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("ngt_report", "ngt_train")
MODULES = sorted(chain.from_iterable((ROOT / p).rglob("*.py") for p in PACKAGES))
TREES = {path: ast.parse(path.read_text(encoding="utf-8")) for path in MODULES}


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


@pytest.mark.parametrize(("pattern", "most"), [("*.py", 500), ("*.sql", 80), ("*.js", 500), ("*.j2", 500)])
def test_no_file_is_long(pattern: str, most: int) -> None:
    files = [p for folder in (*PACKAGES, "templates", "tests", "benchmarks") for p in (ROOT / folder).rglob(pattern)]
    assert files
    assert [(str(p.relative_to(ROOT)), lines(p)) for p in files if lines(p) > most] == []


def test_statements_are_read_without_scrolling() -> None:
    texts = {path.name: path.read_text(encoding="utf-8").splitlines() for path in (ROOT / "ngt_report").rglob("*.sql")}
    assert [f"{name}:{n}" for name, lines in texts.items() for n, line in enumerate(lines, 1) if len(line) > 165] == []


def test_functions_are_short() -> None:
    nodes = chain.from_iterable(map(ast.walk, TREES.values()))
    sizes = [(n.end_lineno or 0) - n.lineno + 1 for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)]
    assert median(sizes) <= 12
    assert quantiles(sizes, n=10)[-1] <= 35
    assert sum(size > 50 for size in sizes) < 0.04 * len(sizes)


def test_every_module_says_what_it_is_for() -> None:
    assert [str(path) for path, tree in TREES.items() if not ast.get_docstring(tree)] == []


def test_every_argument_of_the_reporter_is_annotated() -> None:
    bare = [
        f"{path.name}:{node.lineno} {a.arg}"
        for path, tree in TREES.items()
        if "ngt_report" in path.parts
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for a in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)
        if a.annotation is None and a.arg not in ("self", "cls")
    ]
    assert bare == []
