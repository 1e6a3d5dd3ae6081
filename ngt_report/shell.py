"""The shell of a page: our style and scripts, JSON islands, libraries from installed packages, and the policy that allows no more."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from functools import cache
from typing import Any

from markupsafe import Markup

from ngt_report.errors import ReportError
from ngt_report.pagemodel import Island
from ngt_report.render import templates_folder

POLICY = (
    "default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; connect-src 'none';"
    " worker-src blob:; base-uri 'none'; form-action 'none'"
)  # styles are inline because Vega and Plotly set them; nothing else may be
LINE_ENDS = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


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
