"""Vega's script: modules of an installed library joined into one, kept, made anew when torn; else the bundler."""

from __future__ import annotations

from pathlib import Path

import pytest

from ngt_report.errors import ReportError
from ngt_report.page import shell, vega
from tests.browser import Browser

MODULES = {
    "d3-a@1.0.0": "const e=2;function t(r){return r*e}export{t as twice,e};export default null;",
    "vega@6.2.0": 'import{twice as t}from"/npm/d3-a@1.0.0/+esm";export*from"/npm/d3-a@1.0.0/+esm";import*as n from"/npm/d3-a@1.0.0/+esm";'
    'const v=t(21)+n.e;export{v as version};export{twice as double}from"/npm/d3-a@1.0.0/+esm";export default null;',
    "vega-lite@5.9.0": 'export const old=1;export{old as version}',
    "vega-lite@5.10.0": 'var e="new";export{e as version};export default null;',
    "vega-embed@7.0.0": 'import e,{e as two}from"/npm/d3-a@1.0.0/+esm";import*as r from"/npm/vega-lite@5.9.0/+esm";'
    'import{version as o}from"/npm/vega@6.2.0/+esm";'
    "const c=()=>[r.version,o,two,e];export{c as default};",
}  # fmt: skip


def held(folder: Path, modules: dict[str, str]) -> Path:
    """A library that holds modules as jsDelivr writes them, between bytes that are none."""
    head = (
        "/**\n * Bundled by jsDelivr using Rollup v2.79.2 and Terser v5.39.0.\n * Original file: /npm/{}/build/x.js\n *\n * No SRI!\n */\n"
    )
    path = folder / "library.so"
    texts = [f"{head.format(name)}{text}\n//# sourceMappingURL=/sm/0.map" for name, text in modules.items()]
    path.write_bytes(b"\x7fELF\xff" + b"\x00\xfe".join(t.encode() for t in texts) + b"\x00")
    return path


def test_modules_are_joined_and_run(chromium: Browser, tmp_path: Path) -> None:
    text = vega.joined([held(tmp_path, MODULES)])
    assert text is not None and text.startswith("/* d3-a 1.0.0, vega 6.2.0, vega-lite 5.10.0, vega-embed 7.0.0:")
    chromium.call("Page.navigate", url="about:blank")
    chromium.js(text)
    assert chromium.js("vegaEmbed().concat([vega.version, vega.double(4), vega.twice(5)])") == ["new", 44, 2, None, 44, 8, 10]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("d3-a@1.0.0", None),
        ("vega-embed@7.0.0", None),
        ("d3-a@1.0.0", 'import{v}from"/npm/vega@6.2.0/+esm";export{v as twice,v as e};'),
        ("d3-a@1.0.0", "export class A{}"),
        ("d3-a@1.0.0", "export default class{}"),
        ("d3-a@1.0.0", 'const a=import("x");export{a as twice}'),
        ("d3-a@1.0.0", 'import a from"https://example.org/a.js";export{a as twice}'),
    ],
    ids=["a need is missing", "an entry is missing", "a circle", "a class", "a default", "a later import", "another address"],
)
def test_what_is_not_as_expected_is_left_to_the_bundler(name: str, text: str | None, tmp_path: Path) -> None:
    modules = {k: v for k, v in MODULES.items() if k != name} | ({} if text is None else {name: text})
    assert vega.joined([held(tmp_path, modules)]) is None


def test_the_installed_versions_are_joined() -> None:
    import vl_convert

    text = vega.joined(vega._libraries())
    assert text is not None
    head = text.partition("\n")[0]
    assert f"vega {vl_convert.get_vega_version()}," in head and f"vega-embed {vl_convert.get_vega_embed_version()}:" in head
    assert f"vega-lite {vl_convert.get_vegalite_versions()[-1]}." in head


def test_a_torn_cache_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = vega.library()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    path = vega._cached()
    assert path is not None and path.is_relative_to(tmp_path)
    path.parent.mkdir()
    path.write_text(whole.element.text[:1000])
    assert vega.library() == whole
    assert vega._read(path) == whole


def test_without_the_modules_the_bundler_is_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(vega, "_libraries", list)
    monkeypatch.setattr(vega, "_bundled", lambda: "window.vega = 1;")
    assert vega.library() == shell.library("library-vega", "window.vega = 1;")


def test_a_missing_package_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vega, "find_spec", lambda name: None)
    with pytest.raises(ReportError, match="vl-convert-python is not installed"):
        vega.library()
