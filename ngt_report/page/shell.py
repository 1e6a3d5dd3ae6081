"""The shell of a page: our style and scripts, JSON islands, libraries from installed packages, and the policy that allows no more."""

from __future__ import annotations

import base64
import hashlib
import re
import zlib
from collections.abc import Iterable
from functools import cache
from typing import Any, NamedTuple

from markupsafe import Markup

from ngt_report.errors import ReportError
from ngt_report.page.model import Island, Library
from ngt_report.render import environment, templates_folder

POLICY = (
    "default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; connect-src 'none';"
    " worker-src blob:; base-uri 'none'; form-action 'none'"
)  # styles are inline because Vega and Plotly set them; nothing else may be
ENDINGS = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
OTHER = re.compile(r"[^\x00-\x7f]")  # than ASCII


@cache
def asset(*names: str) -> str:
    """Files of templates/page, one after the other; scripts share one scope that nobody else sees."""
    text = "\n".join((templates_folder() / "page" / name).read_text(encoding="utf-8") for name in names)
    if names[0].endswith(".js"):
        return '"use strict";\n(() => {\n' + OTHER.sub(_units, text) + "})();\n"
    return OTHER.sub(lambda found: f"\\{ord(found[0]):x} ", text)


def _units(found: re.Match[str]) -> str:
    r"""A character as JavaScript and JSON escape it: \\u and four digits for each UTF-16 unit."""
    return re.sub("....", r"\\u\g<0>", found[0].encode("utf-16-be").hex())


def document(template: str, page: Any) -> str:
    """A whole page in ASCII: a browser decodes and holds it in half the time and memory that one other character would cost."""
    return environment().get_template(template).render(p=page).encode("ascii", "xmlcharrefreplace").decode("ascii")


def island(name: str, value: Any) -> Island:
    """JSON in an element: `<`, `>` and `&` are written as escapes, so no text in it can end the element; NaN is null."""
    import orjson

    text = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode("utf-8")
    return Island(name, Markup(OTHER.sub(_units, text).translate(ENDINGS)))


def verbatim(text: str) -> Markup:
    """A script or style sheet of ours or of an installed package, as it is; refused when it would end its element."""
    for end in ("</script", "</style", "<!--"):
        if end in text.lower():
            raise ReportError(f"a script of the page holds {end!r} and cannot stand in HTML; please report this")
    return Markup(text)


class Packed(NamedTuple):
    """A library and what the policy calls its script."""

    element: Library
    hash: str


def library(name: str, script: str) -> Packed:
    """A package's script for the page, which unpacks it when it is needed: a third of its size, and nothing in it can end its element."""
    data = script.encode("utf-8")
    return Packed(Library(name, Markup(base64.b64encode(zlib.compress(data, 9)).decode("ascii"))), hashed(data))


def hashed(script: bytes) -> str:
    """A script as the policy names it."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script).digest()).decode()}'"


def policy(scripts: Iterable[str], libraries: Iterable[Packed]) -> str:
    """The Content-Security-Policy that runs these scripts and no other."""
    return POLICY.format(hashes=" ".join([hashed(s.encode("utf-8")) for s in scripts] + [lib.hash for lib in libraries]))
