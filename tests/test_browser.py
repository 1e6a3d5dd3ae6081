"""dashboard.html in a browser: what is clicked does what it says, nothing is asked of the network, the view is in the address."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import pytest

from ngt_report.build import Request, build
from tests.browser import Browser
from tests.test_charts import write_run


@pytest.fixture
def page(chromium: Browser, built: Path) -> Iterator[Browser]:
    """The sample's page; a test that leaves an error in the console fails."""
    chromium.open(built / "dashboard.html")
    yield chromium
    assert (chromium.problems(), chromium.requests()) == ([], [])


NAMES = "[...document.querySelectorAll('.runs tbody tr:not(.head) th .label')].map((e) => e.textContent)"
HASH = "decodeURIComponent(location.hash)"
TIP = "document.getElementById('tip').textContent"
INK = "(() => { const c = document.querySelector('.stage canvas'); return c.toDataURL(); })()"  # of the first panel


def test_sorting_by_a_column_orders_the_rows_and_is_said(page: Browser) -> None:
    start = page.js(NAMES)
    page.click("[data-sort='rate']")
    slowest = page.js(NAMES)
    assert slowest != start and page.js("document.querySelector('[aria-sort]').ariaSort") == "ascending"
    page.click("[data-sort='rate']")
    assert page.js(NAMES)[0] == "screen_vanilla_25m" and page.js(HASH) == "#sort=-rate"


def test_filter_takes_words_and_comparisons(page: Browser) -> None:
    page.type("#filter", "best<4.7")
    assert sorted(page.js(NAMES)) == ["final_ngt_mass_in_value_resume_50k", "screen_ngt_mass_in_value", "screen_vanilla_25m"]
    page.type("#filter", "no_radius model=ngt")
    assert page.js(NAMES) == ["screen_ngt_no_radius"]
    assert "1 of 7 runs" in page.js("document.getElementById('table-note').textContent")


def test_only_settings_that_differ_are_shown(page: Browser) -> None:
    page.click("#diff")
    heads = page.js("[...document.querySelectorAll('.runs thead th')].map((e) => e.textContent)")
    assert "mass_in_value" in heads and "use_radius_cutoff" in heads and "layers" not in heads and "seed" not in heads


def test_columns_are_chosen_and_pinned(page: Browser) -> None:
    page.click("#columns summary")
    page.click("[data-column='gap']")
    page.click("[data-pin='ppl']")
    assert page.js("document.querySelector('.runs thead th:nth-child(3)').textContent") == "ppl"
    assert page.js("getComputedStyle(document.querySelector('.runs tbody td:nth-child(3)')).position") == "sticky"
    assert "gap" in page.js(HASH) and "pin=ppl" in page.js(HASH)


def test_a_group_row_has_the_mean_and_the_spread(page: Browser) -> None:
    page.choose("#group", "model")
    rows = "[...document.querySelectorAll('.runs tr.head')]"
    got = page.js(rows + ".map((r) => [r.querySelector('.label').textContent, r.querySelector('.tag').textContent])")
    assert ["ngt", "n = 6"] in got
    values = page.js("[...document.querySelectorAll('.runs tr:not(.head) td[data-key=rate]')].map((e) => Number(e.textContent))")
    mean = page.js("Number(document.querySelector('.runs tr.head td[data-mean]').dataset.mean)")
    assert mean and len(values) == 7


def test_hiding_a_run_takes_it_from_the_curves(page: Browser) -> None:
    before = page.js(INK)
    page.click("#run-0 input")
    assert page.js(INK) != before and page.js(HASH) == "#hide=0"
    assert page.js("document.querySelector('#run-0').className") == "off"
    page.click("[data-toggle='0']")
    assert page.js(INK) == before and page.js(HASH) == ""


@pytest.mark.parametrize(("control", "value", "said"), [
    ("#x", "clock", "x=clock"), ("#lx", True, "lx=1"), ("#ly", True, "ly=1"), ("#smooth", "0.9", "smooth=0.9"), ("#clip", False, "clip=0"),
])  # fmt: skip
def test_a_control_redraws_the_curves_and_is_in_the_address(page: Browser, control: str, value: object, said: str) -> None:
    before = page.js(INK)
    page.choose(control, value)
    assert page.js(INK) != before and said in page.js(HASH)


def test_dragging_zooms_and_double_click_resets(page: Browser) -> None:
    before = page.js(INK)
    page.js("document.querySelector('.over').scrollIntoView({block: 'center'})")
    x, y = page.middle(".over")
    page.drag((x - 100, y), (x + 60, y + 5))
    assert "zoom=" in page.js(HASH) and page.js(INK) != before
    zoomed = page.js(HASH)
    page.drag((x, y), (x + 50, y), modifiers=8)  # shift: pan
    assert page.js(HASH) != zoomed
    page.click("[data-zoom='reset']")
    assert page.js(INK) == before


def test_hovering_lists_all_runs_in_order_with_their_lines(page: Browser) -> None:
    page.js("document.querySelector('.over').scrollIntoView({block: 'center'})")
    x, y = page.middle(".over")
    page.mouse("mouseMoved", x - 200, y)
    rows = page.js("[...document.querySelectorAll('#tip tr')].map((r) => [...r.cells].map((c) => c.textContent))")
    values = [float(r[2]) for r in rows]
    assert len(rows) == 6 and values == sorted(values)
    assert all(".log:" in r[4] for r in rows)
    page.mouse("mousePressed", x - 200, y)
    page.mouse("mouseReleased", x - 200, y)
    assert page.js("document.querySelectorAll('#readout tbody tr').length") == 6


def test_arrow_keys_walk_along_a_curve(page: Browser) -> None:
    page.js("document.querySelector('.over').focus()")
    page.key("ArrowRight")
    first = page.js("document.querySelector('#tip b').textContent")
    page.key("ArrowRight")
    assert first == "val/loss at step 500" and page.js("document.querySelector('#tip b').textContent") == "val/loss at step 1,000"


def test_a_number_says_where_it_is_from_and_is_copied(page: Browser) -> None:
    cell = "#run-0 td[data-key='best']"
    page.js(f"document.querySelector(\"{cell}\").scrollIntoView({{block: 'center'}})")
    page.mouse("mouseMoved", *page.middle(cell))
    said = page.js("document.getElementById('tip').textContent")
    assert "w3_25m_screen_vanilla_25m.log:" in said and "val_loss=4.5524" in said
    page.click(cell)
    assert "copied: screen_vanilla_25m best val loss 4.5524" in page.wait("document.getElementById('said').textContent")
    assert not page.js("document.getElementById('origin').hidden")


def test_a_number_of_the_headline_says_where_it_is_from_and_is_copied(page: Browser) -> None:
    page.js("document.querySelector('.card .big .number').focus()")
    assert "w3_25m_screen_vanilla_25m.log:51" in page.js("document.getElementById('tip').textContent")
    page.click(".card .big .number")
    assert "copied: screen_vanilla_25m val loss 4.5554" in page.wait("document.getElementById('said').textContent")


def test_a_group_row_says_the_lines_of_its_runs(page: Browser) -> None:
    page.choose("#group", "model")
    cell = "tr.head td[data-mean]"
    page.js(f"document.querySelector('{cell}').scrollIntoView({{block: 'center'}})")
    page.mouse("mouseMoved", *page.middle(cell))
    said = page.js("document.getElementById('tip').textContent")
    assert "mean and sample standard deviation of 6 runs" in said and said.count(".log:") == 4 and "and 3 more lines" in said
    page.click(cell)
    assert "copied: ngt best val loss" in page.wait("document.getElementById('said').textContent")


def test_arrow_keys_walk_the_table_and_enter_copies(page: Browser) -> None:
    page.js("document.querySelector('.runs td[tabindex=\"0\"]').focus()")
    page.key("ArrowDown")
    page.key("ArrowRight")
    assert page.js("document.activeElement.textContent") == "4.6451"
    page.key("Enter")
    assert "copied: screen_ngt_mass_in_value best val loss 4.6451" in page.wait("document.getElementById('said').textContent")


def test_the_theme_follows_the_system_and_can_be_switched(page: Browser, built: Path) -> None:
    assert page.js("document.documentElement.dataset.theme") == "light"
    page.click("#theme")
    assert page.js("document.documentElement.dataset.theme") == "dark" and "theme=dark" in page.js(HASH)
    page.open(built / "dashboard.html", dark=True)
    assert page.js("document.documentElement.dataset.theme") == "dark"


def test_paper_is_light(page: Browser, built: Path) -> None:
    page.open(built / "dashboard.html", dark=True)
    page.js("window.addEventListener('beforeprint', () => { window.printed = document.documentElement.dataset.theme; })")
    page.call("Page.printToPDF")
    assert page.js("[window.printed, document.documentElement.dataset.theme]") == ["light", "dark"]


def test_a_view_is_restored_from_its_link(page: Browser, built: Path) -> None:
    page.type("#filter", "ngt")
    page.choose("#x", "clock")
    page.choose("#smooth", "0.6")
    page.click("[data-sort='last']")
    page.click("[data-zoom='in']")
    wanted = page.js("[location.hash, " + NAMES + ", " + INK + "]")
    page.open(built / "dashboard.html", wanted[0])
    assert page.js("[location.hash, " + NAMES + ", " + INK + "]") == wanted


def test_curves_are_saved_as_svg_and_png(page: Browser) -> None:
    page.click(".panel button[aria-label='Save val/loss as SVG']")
    root = ET.fromstring(page.downloaded("w3_25m_val_loss.svg"))
    said = [(text.text or "", text.attrib) for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"screen_vanilla_25m", "val/loss, nats per token", "step"} <= {text for text, _ in said}
    page.click(".panel button[aria-label='Save val/loss as PNG']")
    assert page.downloaded("w3_25m_val_loss.png").startswith(b"\x89PNG")


PEN = """(() => {
  startCurves();
  const texts = [];
  const pen = { line() {}, dot() {}, area() { texts.areas = (texts.areas ?? 0) + 1; }, within(a, b, c, d, act) { act(); },
    text: (said, x, y, style) => texts.push([said, x, y, style.align, style.base]) };
  BODY
})()"""


def pen(page: Browser, body: str) -> Any:
    """What the page's own script draws on a pen that writes it down; the script is run in a scope of its own."""
    script = page.js("[...document.scripts].find((s) => s.textContent.includes('const drawPanel')).textContent")
    inner = script.replace('"use strict";\n(() => {', "", 1).rsplit("})();", 1)[0]
    return page.js(f"(() => {{ {inner}\n return {PEN.replace('BODY', body)}; }})()")


@pytest.mark.parametrize("width", [350, 600])
def test_no_label_of_an_axis_is_cut(page: Browser, width: int) -> None:
    drawn = pen(page, f"drawPanel(pen, 0, {width}, 300, [0, 50000]); return texts;")
    reach = {"center": 0.5, "right": 0, "left": 1}
    assert any(said == "50k" for said, *_ in drawn)
    assert all(x + 7 * len(said) * reach[align or "left"] <= width for said, x, _, align, _ in drawn)


def test_labels_of_close_targets_do_not_overlap(page: Browser) -> None:
    code = "tables.sets[0].targets = [[4.6, 'a'], [4.601, 'b'], [4.602, 'c']]; drawPanel(pen, 0, 600, 300, [0, 50000]); return texts;"
    feet = sorted(y for said, _, y, *_ in pen(page, code) if said.startswith("target"))
    assert len(feet) == 3 and min(b - a for a, b in pairwise(feet)) >= 12


def test_a_finding_leads_to_its_run(page: Browser) -> None:
    page.click(".findings a[data-go]")
    assert page.js("document.querySelector('.found .label').textContent") == "screen_ngt_no_repulsion"


@pytest.mark.parametrize("width", [1400, 900, 390])
def test_nothing_is_wider_than_the_window(page: Browser, built: Path, width: int) -> None:
    page.open(built / "dashboard.html", width=width)
    assert page.js("document.documentElement.scrollWidth") <= width


CHARTS = "document.querySelectorAll('[data-chart]').length"
DRAWN = "[...document.querySelectorAll('[data-chart] .plot')].filter((e) => e.dataset.drawn).length"


def draw_all_charts(page: Browser) -> None:
    """Scroll to every chart and wait until it is drawn."""
    for i in range(page.js(CHARTS)):
        page.js(f"document.querySelector('[data-chart=\"{i}\"]').scrollIntoView()")
        page.wait(f"document.querySelector('[data-chart=\"{i}\"] .plot').dataset.drawn")


def test_charts_are_drawn_when_they_come_into_view(page: Browser) -> None:
    assert not page.js("!!window.vega")
    draw_all_charts(page)
    assert page.js(CHARTS) == page.js(DRAWN) == 7
    assert page.js("[...document.querySelectorAll('.plot canvas')].every((c) => c.width > 200 && c.height > 40)")


def test_cards_of_charts_lie_apart_from_the_start(chromium: Browser, built: Path) -> None:
    still = "window.ResizeObserver = class { observe() {} }"
    added = chromium.call("Page.addScriptToEvaluateOnNewDocument", source=still)["identifier"]
    chromium.open(built / "dashboard.html")
    chromium.call("Page.removeScriptToEvaluateOnNewDocument", identifier=added)
    boxes = chromium.js(
        "[...document.querySelectorAll('[data-chart]')].map((e) => e.getBoundingClientRect()).map((b) => [b.x, b.right, b.y, b.bottom])"
    )
    assert all(a[1] <= b[0] or b[1] <= a[0] or a[3] <= b[2] or b[3] <= a[2] for a, b in combinations(boxes, 2))


def test_the_page_does_not_move_when_its_charts_are_drawn(page: Browser) -> None:
    before = page.js("document.documentElement.scrollHeight")
    draw_all_charts(page)
    assert page.js("document.documentElement.scrollHeight") == before


def test_a_chart_is_saved_as_svg_and_png(page: Browser) -> None:
    page.click("[data-chart='0'] button[aria-label$='as SVG']")
    text = "".join(ET.fromstring(page.downloaded("w3_25m_best_last.svg")).itertext())
    assert "Best against last validation loss" in text and "screen_ngt_no_radius" in text
    page.click("[data-chart='0'] button[aria-label$='as PNG']")
    assert page.downloaded("w3_25m_best_last.png").startswith(b"\x89PNG")


def test_a_mark_of_a_chart_says_where_its_number_is_from_and_is_copied(page: Browser) -> None:
    page.js("document.querySelector('[data-chart=\"1\"]').scrollIntoView({block: 'center'})")
    page.wait("document.querySelector('[data-chart=\"1\"] .plot').dataset.drawn")
    box = "document.querySelector('[data-chart=\"1\"] canvas').getBoundingClientRect()"
    left, top, width = page.js(f"[{box}.x, {box}.y, {box}.width]")
    x, y = left + 0.45 * width, top + 24 * 2.5  # within the third bar
    page.mouse("mouseMoved", x - 3, y)
    page.mouse("mouseMoved", x, y)
    said = page.wait("document.getElementById('tip').hidden ? '' : document.getElementById('tip').textContent")
    assert "screen_ngt_no_repulsion" in said and "w3_25m_screen_ngt_no_repulsion.log:55" in said
    page.mouse("mousePressed", x, y)
    page.mouse("mouseReleased", x, y)
    assert "w3_25m_screen_ngt_no_repulsion.log:55" in page.wait("document.getElementById('said').textContent")


def test_the_numbers_of_a_chart_are_reached_by_keyboard_with_their_lines(page: Browser) -> None:
    page.click("[data-chart='1'] .numbers summary")
    page.wait("!!document.querySelector(\"[data-chart='1'] .numbers tbody tr\")")
    rows = page.js("[...document.querySelectorAll(\"[data-chart='1'] .numbers tbody tr\")].map((r) => r.textContent)")
    drawn = page.js("JSON.parse(document.getElementById('data-charts').textContent)[1].rows.map((r) => [r.run, r.x])")
    assert [row.startswith(f"{run}{loss:g}") for row, (run, loss) in zip(rows, drawn, strict=True)] == [True] * len(drawn)
    page.js("document.querySelector(\"[data-chart='1'] .numbers td[tabindex='0']\").focus()")
    page.key("ArrowDown")
    assert drawn[1][0] in page.js(TIP) and ".log:" in page.js(TIP)
    page.key("Enter")
    assert ".log:" in page.wait("document.getElementById('said').textContent")
    name = json.dumps(drawn[0][0])
    page.js(f"[...document.querySelectorAll('.runs tbody tr')].find((r) => r.textContent.includes({name})).querySelector('input').click()")
    assert page.js("document.querySelectorAll(\"[data-chart='1'] .numbers tbody tr\").length") == len(drawn) - 1


def test_hiding_a_run_takes_it_from_the_charts(page: Browser) -> None:
    page.js("document.querySelector('[data-chart=\"2\"]').scrollIntoView()")
    page.wait("document.querySelector('[data-chart=\"2\"] .plot').dataset.drawn")
    ink = "document.querySelector('[data-chart=\"2\"] canvas').toDataURL()"
    before = page.js(ink)
    page.click("#run-0 input")
    page.wait(f"{ink} !== {before!r}")


def test_ranges_on_parallel_axes_keep_the_runs_that_cross_them(page: Browser) -> None:
    selector = "[data-chart='6']"
    draw_all_charts(page)
    page.js(f'document.querySelector("{selector}").scrollIntoView({{block: "center"}})')
    box = f'document.querySelector("{selector} canvas").getBoundingClientRect()'
    left, top, width, height = page.js(f"[{box}.x, {box}.y, {box}.width, {box}.height]")
    x = left + width * 0.85  # the last axis, best loss: its lower half
    page.drag((x - 25, top + height * 0.45), (x + 40, top + height * 0.9))
    assert "2 of 6 runs cross the chosen ranges of best loss" in page.wait(f'document.querySelector("{selector} .ranges").textContent')
    page.click(f"{selector} .ranges button")
    page.wait(f'!document.querySelector("{selector} .ranges").textContent')
    page.click("#logs")
    assert "logs=1" in page.js(HASH)


# -- other reports ----------------------------------------------------------------------------------------------------
def test_zooming_in_shows_every_point_that_the_file_holds(chromium: Browser, tmp_path: Path) -> None:
    lines = [f"step {i}/5000 val_loss={4 + 4 / (i + 1) ** 0.4 + (i * 7919 % 101) / 2000:.4f}\n" for i in range(1, 5001)]
    (tmp_path / "a.log").write_text("".join(lines))
    chromium.open(build(Request((str(tmp_path / "a.log"),), out=str(tmp_path / "out"))).folder / "dashboard.html", "#zoom=2000:2020")
    chromium.js("document.querySelector('.over').focus()")
    seen = []
    for _ in range(21):
        chromium.key("ArrowRight")
        seen.append(chromium.js("[document.querySelector('#tip b').textContent, document.querySelector('#tip td.n').textContent]"))
    assert seen == [[f"val/loss at step {i:,}", re.findall(r"val_loss=(\S+)", lines[i - 1])[0]] for i in range(2000, 2021)]


def test_seed_bands_are_drawn_on_any_axis(chromium: Browser, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for seed in (1, 2):
        write_run(tmp_path / "in", 0.001, 64, seed)
        write_run(tmp_path / "in", 0.002, 128, seed)
    page = build(Request((str(tmp_path / "in"),), out=str(tmp_path / "out"))).folder / "dashboard.html"
    for axis in ("step", "tokens", "clock"):
        chromium.open(page, f"#x={axis}")
        banded = chromium.js(INK)
        chromium.choose("#band", False)
        assert chromium.js(INK) != banded, axis
    assert (chromium.problems(), chromium.requests()) == ([], [])


def test_a_report_without_curves_has_no_place_for_them(chromium: Browser, tmp_path: Path) -> None:
    (tmp_path / "s.jsonl").write_text("".join(f'{{"run": "r{i}", "steps": 9, "val_loss": {4 + i / 10}}}\n' for i in range(3)))
    chromium.open(build(Request((str(tmp_path),), out=str(tmp_path / "out"))).folder / "dashboard.html")
    assert chromium.js("document.getElementById('curves').hidden") and not chromium.js("document.querySelector('.spark')")
    assert not chromium.js("document.querySelector('nav a[data-go=curves]:not([hidden])')")


def test_a_confound_says_by_keyboard_which_lines_record_it(chromium: Browser, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    for name in ("wikitext2", "tinystories"):
        text = "".join(f"step {i}/300 val_loss={4 + 1 / i:.4f} elapsed={i}s\n" for i in (100, 200, 300))
        (tmp_path / "logs" / f"{name}.log").write_text(f"dataset={name} batch_size=8\n{text}")
    chromium.open(build(Request((str(tmp_path / "logs"),), out=str(tmp_path / "out"))).folder / "dashboard.html")
    chromium.js("document.querySelector('.before [role=button]').focus()")
    assert "wikitext2.log:1" in chromium.js(TIP) and "tinystories.log:1" in chromium.js(TIP)
    chromium.key("Enter")
    assert "copied: dataset: tinystories (1 run" in chromium.wait("document.getElementById('said').textContent")
    best = (
        chromium.js("document.querySelector('.card .big').textContent"),
        chromium.js("document.querySelector('.card .big .number') !== null"),
    )
    assert best == ("4.0033", True)
