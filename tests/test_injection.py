"""Hostile text everywhere a page shows text: nothing runs, nothing is fetched, it is shown as it is, the charts are drawn."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest

from ngt_report.build import Request, build
from tests.browser import Browser
from tests.test_browser import draw_all_charts
from tests.test_coords import event, log

RUN = "window.__ran=1"
BASES = (
    "<script>{r}</script>",
    "</script><script>{r}</script>",
    "<img src=x onerror={r}>",
    "<svg onload={r}>",
    "<iframe srcdoc='<script>parent.{r}</script>'>",
    '" onmouseover="{r}',
    "' autofocus onfocus='{r}",
    "javascript:{r}",
    '<a href="javascript:{r}">x</a>',
    "{{{{constructor.constructor('{r}')()}}}}",
    "${{{r}}}",
    "`;{r};//",
    "';{r};//",
    "\\u003cscript\\u003e{r}",
    "</style><script>{r}</script>",
    "<!--<script>{r}</script>-->",
    "]]><script>{r}</script>",
    "</title><script>{r}</script>",
    "<object data='http://127.0.0.1:9/{r}'>",
    "<link rel=stylesheet href=http://127.0.0.1:9/a.css>",
    "<img src=http://127.0.0.1:9/x.png>",
    "url(http://127.0.0.1:9/x)",
    "<base href=http://127.0.0.1:9/>",
    "<meta http-equiv=refresh content='0;url=http://127.0.0.1:9'>",
    "datum['{r}']",
    "datum.x);{r};(",
    "%{{x}}<b onclick={r}>",
    "<b><i>{r}",
    "&lt;script&gt;{r}",
    "<form action=http://127.0.0.1:9><button>",
    "a.b[0]['c']",
    "__proto__",
    "constructor",
    "toString",
    "<math><mi xlink:href='javascript:{r}'>",
    "\u2028{r}",
    "=cmd|' /C calc'!A0",
    "@SUM(1)",
    "<template><script>{r}</script>",
    "</noscript><script>{r}</script>",
)
WRAPS = ("{p}", "x {p}", "{p} x", '"{p}', "{p}\\")
PAYLOADS = [wrap.format(p=base.format(r=RUN)) for base, wrap in product(BASES, WRAPS)]


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report in which names, settings, files, lines and tokens are hostile."""
    folder = tmp_path_factory.mktemp("hostile") / "<img src=x onerror=window.__ran=1>"
    folder.mkdir()
    rows = [
        {"run": p, "steps": 100, "val_loss": 4 + i / 1000, "lr": p, "model": p[::-1], "note": p, "vanilla": i == 0}
        for i, p in enumerate(PAYLOADS)
    ]
    (folder / "sweep.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows), encoding="utf-8")
    for i, p in enumerate(PAYLOADS[:20]):
        name = p.replace("/", "∕").encode()[:120].decode("utf-8", "ignore")
        lines = "".join(f"step {s}/300 train_loss={5 - s / 100} val_loss={5 - s / 200} {p} elapsed={s}s\n" for s in (100, 200, 300))
        (folder / f"{i}{name}.log").write_text(f"{p}\n{lines}Traceback (most recent call last):\nValueError: {p}\n", encoding="utf-8")
    start = [{**event(100, run=p), "token_labels": PAYLOADS[i : i + 6]} for i, p in enumerate(PAYLOADS[:2])]
    log(folder / "c.jsonl", [*start, *({**event(100, run=p), "kind": "eval", "val/loss": 4.5, "seq": 2} for p in PAYLOADS[:2])])
    return build(Request((str(folder),), out=str(folder.parent / "out"))).folder


def ran(page: Browser) -> list[object]:
    """What ran, opened or complained; what the browser says of the speed of its drawing left out."""
    dialogs = [e for e in page.events if e.get("method") == "Page.javascriptDialogOpening"]
    problems = [p for p in page.problems() if "Canvas2D" not in p and "GL" not in p]
    return [*dialogs, *page.requests(), *problems, *([True] if page.js("'__ran' in window") else [])]


def test_there_are_two_hundred_payloads() -> None:
    assert len(set(PAYLOADS)) == 200


def test_no_hostile_text_runs_and_all_is_shown_as_it_is(chromium: Browser, hostile: Path) -> None:
    page = chromium
    page.open(hostile / "dashboard.html")
    page.click("#table-note button")  # show all
    known = {r["run"]: r for r in json.loads((hostile / "summary.json").read_text(encoding="utf-8"))["runs"]}
    shown = page.js("[...document.querySelectorAll('.runs tbody th .label')].map((e) => e.textContent)")
    assert set(shown) == set(known)
    assert len([p for p in PAYLOADS if any(name.endswith(p) for name in known)]) >= 195  # a few are renamed where the name is no name
    models = page.js("[...document.querySelectorAll('.runs td[data-key=model]')].map((e) => e.textContent)")
    assert len(set(models) & {p[::-1] for p in PAYLOADS}) >= 195
    draw_all_charts(page)
    page.click("#diff")
    page.js("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    for element in ("td[data-o]", ".cite[data-path]"):
        for i in range(0, page.js(f"document.querySelectorAll({element!r}).length"), 40):
            page.js(f"(() => {{ const e = document.querySelectorAll({element!r})[{i}]; e.scrollIntoView(); e.focus(); e.click(); }})()")
    page.type("#filter", PAYLOADS[0])
    for value in page.js("[...document.querySelectorAll('#group option')].map((o) => o.value)"):
        page.choose("#group", value)
    for form in ("md", "latex", "csv"):
        page.js(f"document.querySelector('[data-copy={form}]').click()")
    page.type("#filter", "")
    x, y = page.middle(".over")
    page.mouse("mouseMoved", x, min(y, 880))
    assert ran(page) == []


def test_a_view_that_is_hostile_runs_nothing(chromium: Browser, hostile: Path) -> None:
    for field in ("q", "sort", "group", "cols", "pin", "hide", "x", "m", "zoom", "zy", "theme", "smooth"):
        chromium.open(hostile / "dashboard.html", f"#{field}=%3Cimg%20src%3Dx%20onerror%3Dwindow.__ran%3D1%3E%2C1%3A2")
        assert ran(chromium) == []


def test_hostile_tokens_are_text(chromium: Browser, hostile: Path) -> None:
    pages = sorted(hostile.glob("coords_*.html"))
    assert len(pages) == 2
    chromium.open(pages[0])
    labels = chromium.js("[...document.querySelectorAll('#tokens tbody td:nth-child(2)')].map((e) => e.textContent)")
    assert set(labels) <= set(PAYLOADS) and len(labels) == 6
    assert ran(chromium) == []


def test_ten_seconds_of_every_control_ask_for_nothing(chromium: Browser, built: Path) -> None:
    page = chromium
    page.open(built / "dashboard.html")
    draw_all_charts(page)
    page.js("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    page.js("document.querySelectorAll('button:not(.cite)').forEach((b) => b.click())")
    boxes = "document.querySelectorAll('input[type=checkbox]')"
    page.js(f"{boxes}.forEach((b) => b.click()); {boxes}.forEach((b) => b.click())")
    use_every_field(page)
    x, y = page.middle(".over")
    page.mouse("mouseMoved", x, y)
    page.drag((x - 50, y), (x + 50, y))
    page.pass_time(10)
    assert ran(page) == []


def test_a_request_that_a_page_makes_seconds_later_would_be_seen(chromium: Browser, built: Path) -> None:
    chromium.open(built / "dashboard.html")
    chromium.js("setTimeout(() => fetch('http://127.0.0.1:9/late').catch(() => 0), 9000)")
    chromium.pass_time(10)
    assert [r for r in ran(chromium) if "http://127.0.0.1:9/late" in str(r)]


def use_every_field(page: Browser) -> None:
    """Every value of every list, both ends of every slider, a word in every field."""
    for select in page.js("[...document.querySelectorAll('select')].map((e) => `#${e.id}`)"):
        for value in page.js(f"[...document.querySelectorAll('{select} option')].map((o) => o.value)"):
            page.choose(select, value)
    for slider in page.js("[...document.querySelectorAll('input[type=range]')].map((e) => `#${e.id}`)"):
        for end in ("min", "max"):
            page.choose(slider, page.js(f"document.querySelector('{slider}').{end}"))
    for field in page.js("[...document.querySelectorAll('input[type=search]')].map((e) => `#${e.id}`)"):
        page.type(field, "ngt")
        page.type(field, "")


def test_ten_seconds_of_every_control_of_the_coordinates_ask_for_nothing(chromium: Browser, hostile: Path) -> None:
    chromium.open(min(hostile.glob("coords_*.html")), width=600, height=500)  # a small picture: it is drawn without a graphics card
    use_every_field(chromium)
    chromium.js("document.querySelectorAll('button, summary').forEach((b) => b.click())")
    chromium.pass_time(10)
    assert ran(chromium) == []
