"""Vega, Vega-Lite and vega-embed for the page, out of the installed vl-convert; one script, kept in the user's cache.

vl-convert's library holds them as ES modules of jsDelivr, in plain text. Joining those takes a tenth of a second, its own bundler two
seconds; the bundler is asked where the modules are not found as expected.
"""

from __future__ import annotations

import mmap
import re
from importlib.util import find_spec
from pathlib import Path

from markupsafe import Markup

from ngt_report.atomic import digest, keep
from ngt_report.cachefolder import cache_folder
from ngt_report.errors import ReportError
from ngt_report.page import shell
from ngt_report.page.model import Library
from ngt_report.text.late import late

ENTRIES = {"vega": "vega", "vegaEmbed": "vega-embed"}  # what the page needs: global names, packages
FORM = 3  # of the kept script; part of the cached file's name
LARGE = 1 << 20  # bytes: a library, not a stub
START, END = b"/**\n * Bundled by jsDelivr", b"//# sourceMappingURL="
HEADER = late(r"/\*\*.*?Original file: /npm/(?P<name>[^@\s]+)@(?P<version>[\w.-]+)/.*?\*/\s*", re.DOTALL)
NAMES = r"\{(?P<names>[\w$,\s]*)\}"
FROM = r'from"/npm/(?P<of>[^@"]+)@[\w.-]+/\+esm";'
IMPORT = late(rf"import(?: ?(?P<default>[\w$]+),?)?(?: ?\* ?as (?P<whole>[\w$]+)|{NAMES})? ?{FROM}")
EXPORT = late(rf"export(?:\*{FROM.replace('<of>', '<all>')}|{NAMES}(?:{FROM}|;|\Z)|\s+default (?P<null>null);)")
LEFT = late(r'from"/npm/|\bexport(?:\{|\*|\s+(?:default|class|function|async|const|let|var)\b)|\bimport[\s("*{]|import\.meta')


def library() -> shell.Packed:
    """The script, from the cache where there is one; a cache that cannot be written is no error."""
    path = _cached()
    made = _read(path) if path else None
    if made is None:
        made = shell.library("library-vega", joined(_libraries()) or _bundled())
        if path:
            _keep(path, made)
    return made


def _bundled() -> str:
    import vl_convert

    snippet = "window.vega = vega; window.vegaEmbed = vegaEmbed;"
    return str(vl_convert.javascript_bundle(snippet))


# -- the modules, joined ----------------------------------------------------------------------------------------------
def joined(paths: list[Path]) -> str | None:
    """One script of the modules that the entries need, each before those that import it; None when anything is not as expected.

    Values are bound when a module has run, not live: nothing that the page uses is bound anew later.
    """
    found = _modules(paths)
    order: list[str] = []
    texts: dict[str, str] = {}

    def visit(name: str, above: tuple[str, ...] = ()) -> bool:
        if name in texts:
            return True
        if name in above or name not in found:
            return False
        text, needs = _function(found[name][1])
        if text is None or not all(visit(n, (*above, name)) for n in needs):
            return False
        order.append(name)
        texts[name] = text
        return True

    if not all(visit(name) for name in ENTRIES.values()):
        return None
    said = ", ".join(f"{name} {'.'.join(map(str, found[name][0]))}" for name in order)
    body = "".join(f"const {_variable(name)}={texts[name]};\n" for name in order)
    ends = "".join(f"window.{key}={_variable(n)}.default??{_variable(n)};" for key, n in ENTRIES.items())
    return f'/* {said}: as jsDelivr bundles them */\n(()=>{{"use strict";\n{body}{ends}\n}})();'


def _variable(name: str) -> str:
    return "npm_" + re.sub(r"\W", "_", name)


def _modules(paths: list[Path]) -> dict[str, tuple[tuple[int, ...], str]]:
    """Package: the version and the text of its newest module in these files."""
    out: dict[str, tuple[tuple[int, ...], str]] = {}
    for path in paths:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            at = data.find(START)
            while at >= 0:
                end = data.find(END, at)
                text = data[at:end].decode("utf-8", "replace") if end > 0 else ""
                if head := HEADER.match(text):
                    version = tuple(int(p) for p in re.findall(r"\d+", head["version"]))
                    out[head["name"]] = max(out.get(head["name"], ((), "")), (version, text[head.end() :]))
                at = data.find(START, max(end, at + 1))
    return out


def _function(text: str) -> tuple[str | None, list[str]]:
    """A module as a function's call that returns what it exports, and the packages it needs; None for what we do not know."""
    heads, returned, needs = [], [], []
    for i in IMPORT.finditer(text):
        needs.append(i["of"])
        source = _variable(i["of"])
        if i["default"]:
            heads.append(f"{i['default']}={source}.default")
        if i["whole"]:
            heads.append(f"{i['whole']}={source}")
        if i["names"]:
            heads.append("{" + re.sub(r"\s+as\s+", ":", i["names"]) + "}=" + source)
    for e in EXPORT.finditer(text):
        of = e["of"] or e["all"]
        needs += [of] if of else []
        if e["all"]:
            returned.append(f"...{_variable(of)}")
        for pair in (e["names"] or "").split(",") if e["names"] else ():
            own, _, name = pair.partition(" as ")
            returned.append(f"{name or own}:{f'{_variable(of)}.' if of else ''}{own}")
    body = EXPORT.sub("", IMPORT.sub("", text))
    if LEFT.search(body):
        return None, needs
    head = f"const {','.join(heads)};" if heads else ""
    return f"(()=>{{{head}{body};return{{{','.join(returned)}}};}})()", needs


# -- the cache --------------------------------------------------------------------------------------------------------
def _folder() -> Path:
    spec = find_spec("vl_convert")
    if spec is None or spec.origin is None:
        raise ReportError("vl-convert-python is not installed; install it, or build with --no-dashboard")
    return Path(spec.origin).parent


def _libraries() -> list[Path]:
    return sorted(p for p in _folder().iterdir() if p.is_file() and p.stat().st_size > LARGE)


def _cached() -> Path | None:
    """Where this very build of vl-convert has its script; None when it cannot be told."""
    parts = sorted((p.name, p.stat().st_size, p.stat().st_mtime_ns) for p in _folder().iterdir() if p.is_file())
    folder = cache_folder()
    return folder / f"vega-{digest(repr((FORM, parts)).encode())[:16]}" if folder else None


def _read(path: Path) -> shell.Packed | None:
    """The kept library, when it is whole: its first line is the checksum of the rest."""
    try:
        mark, _, kept = path.read_bytes().partition(b"\n")
    except OSError:
        return None
    if mark.decode("ascii", "replace") != digest(kept):
        return None
    name, policy, text = kept.decode("ascii").split("\n")
    return shell.Packed(Library(name, Markup(text)), policy)


def _keep(path: Path, made: shell.Packed) -> None:
    """Keep it; the next build only does it again where that fails."""
    kept = f"{made.element.id}\n{made.hash}\n{made.element.text}".encode("ascii")
    keep(path, digest(kept).encode("ascii") + b"\n" + kept)
