"""The shell of a page: our style and scripts, JSON islands, libraries from installed packages, and the policy that allows no more."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from markupsafe import Markup

from ngt_report.cachefolder import cache_folder
from ngt_report.errors import ReportError
from ngt_report.pagemodel import Island, Library
from ngt_report.render import templates_folder

POLICY = (
    "default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; connect-src 'none';"
    " worker-src blob:; base-uri 'none'; form-action 'none'"
)  # styles are inline because Vega and Plotly set them; nothing else may be
LINE_ENDS = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


SNIPPET = "window.vega = vega; window.vegaEmbed = vegaEmbed;"  # what the page needs of Vega


@cache
def asset(*names: str) -> str:
    """Files of templates/page, one after the other; scripts share one scope that nobody else sees."""
    text = "\n".join((templates_folder() / "page" / name).read_text(encoding="utf-8") for name in names)
    return '"use strict";\n(() => {\n' + text + "})();\n" if names[0].endswith(".js") else text


def island(name: str, value: Any) -> Island:
    """JSON in an element: `<`, `>` and `&` are written as escapes, so no text in it can end the element; NaN is null."""
    import orjson

    text = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode("utf-8")
    return Island(name, Markup(text.translate(LINE_ENDS)))


def verbatim(text: str) -> Markup:
    """A script or style sheet of ours or of an installed package, as it is; refused when it would end its element."""
    for end in ("</script", "</style", "<!--"):
        if end in text.lower():
            raise ReportError(f"a script of the page holds {end!r} and cannot stand in HTML; please report this")
    return Markup(text)


def policy(scripts: Iterable[str]) -> str:
    """The Content-Security-Policy that runs these scripts and no other."""
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    return POLICY.format(hashes=hashes)


# -- Vega, out of vl-convert ------------------------------------------------------------------------------------------
def vega() -> Library:
    """Vega, Vega-Lite and vega-embed as vl-convert bundles them. Bundling takes seconds, so the text is kept in the user's cache."""
    path = _cached()
    text = _read(path) if path else None
    if text is None:
        import vl_convert

        text = vl_convert.javascript_bundle(SNIPPET)
        if path:
            _keep(path, text)
    return Library("library-vega", verbatim(text))


def _cached() -> Path | None:
    """Where this very build of vl-convert has its bundle; None when it cannot be told."""
    spec = find_spec("vl_convert")
    if spec is None or spec.origin is None:
        raise ReportError("vl-convert-python is not installed; install it, or build with --no-dashboard")
    parts = sorted((p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in Path(spec.origin).parent.iterdir() if p.is_file())
    folder = cache_folder()
    return folder / f"vega-{hashlib.sha256(repr((SNIPPET, parts)).encode()).hexdigest()[:16]}.js" if folder else None


def _read(path: Path) -> str | None:
    """The kept text, when it is whole: its last line is its own checksum."""
    try:
        text, _, mark = path.read_bytes().decode("utf-8").rpartition("\n")
    except (OSError, ValueError):
        return None
    return text if mark == _mark(text) else None


def _mark(text: str) -> str:
    return f"// sha256 {hashlib.sha256(text.encode()).hexdigest()}"


def _keep(path: Path, text: str) -> None:
    """Keep the text under a temporary name first; a cache that cannot be written is no error, the next build only waits again."""
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary.write_bytes(f"{text}\n{_mark(text)}".encode())
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
