// The comparison charts: Vega runs when the first of them comes into view; specifications are fixed, all text of users is data.
let charts = [];
const views = new Map(); // place of the chart -> its Vega view
// From the lowest loss, which stands out, to the highest, which can still be seen: on light, on dark.
const RAMPS = [["#440154", "#3b528b", "#21918c", "#48a868", "#b0ae2e"], ["#fde725", "#5ec962", "#21a39a", "#4f7fc0", "#8a78c8"]];
const chartLook = () => ({
  background: null, font: "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif", view: { stroke: null },
  text: { color: css("--ink"), fontSize: 12 },
  range: { ramp: RAMPS[Number(isDark())], heatmap: RAMPS[Number(isDark())] },
  style: { halo: { stroke: css("--paper"), strokeWidth: 4, strokeJoin: "round" } },
  axis: { labelColor: css("--ink"), titleColor: css("--soft"), gridColor: css("--grid"), domainColor: css("--faint"), tickColor: css("--rule"), labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", labelSeparation: 6 },
  legend: { labelColor: css("--ink"), titleColor: css("--soft"), labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal" },
});
const loadVega = () => runLibrary("library-vega", "vegaEmbed");
const ranges = new Map(); // axis of the parallel coordinates -> chosen range
const kept = (rows) => {
  const out = new Set();
  const field = state.logs ? "log" : "lin";
  for (const row of rows) {
    const range = ranges.get(row.key);
    if (range && (row[field] < range[0] || row[field] > range[1])) out.add(row.run);
  }
  return out;
};
const rowsOf = (chart) => {
  const rows = chart.rows.filter((row) => row.i === undefined || !state.hide.has(row.i));
  if (chart.mark !== "parallel") return rows;
  const left = kept(rows);
  return rows.map((row) => ({ ...row, keep: !left.has(row.run) }));
};
// Where the numbers of a mark come from: the lines of its runs' cells.
const markOrigin = (chart, item) => {
  const row = item?.datum?.datum ?? item?.datum;
  const own = row?.is ?? (row?.i === undefined ? [] : [row.i]);
  const points = own.flatMap((run) => pointsOf(run, ...chart.source));
  return points.length ? [[row.run, chart.title].filter(Boolean).join(": "), null, points] : null;
};
const chartTip = (chart) => (handler, event, item, value) => {
  if (!value || typeof value !== "object") { hideTip(); return; }
  const table = make("table");
  for (const [key, said] of Object.entries(value)) table.append(make("tr", {}, make("td", { class: "where", text: key }), make("td", { text: String(said) })));
  const origin = markOrigin(chart, item);
  showTip(make("div", {}, table, ...(origin ? [describe(["", null, origin[2]])] : [])), event.clientX, event.clientY);
};
const copyMark = (chart, item) => {
  const origin = markOrigin(chart, item);
  const said = Object.entries(item?.tooltip ?? {}).map(([key, value]) => `${key} ${value}`).join(", ");
  if (origin) copyOrigin([[chart.title, said].filter(Boolean).join(": "), null, origin[2]]);
};
// As many characters of labels as fit, figures in cells that hold them.
const LETTER = 6.7;
const LABEL_SHARE = 0.4;
const fitted = ({ spec, rows }, width) => {
  const [axes, cells] = ["key", "x"].map((field) => new Set(rows.map((row) => row[field])).size);
  const inner = (1 - LABEL_SHARE) * width;
  const values = { reach: 1 + (8 * LETTER) / inner, room: Math.max(10, Math.floor(axes > 1 ? width / axes / LETTER : (LABEL_SHARE * width) / LETTER)), figures: inner / cells > 8 * LETTER, dark: isDark() };
  return (spec.params ?? []).map((p) => ({ ...p, value: values[p.name] ?? p.value }));
};
const drawChart = async (place) => {
  await loadVega();
  const chart = charts[place];
  const plot = document.querySelector(`[data-chart="${place}"] .plot`);
  views.get(place)?.finalize();
  const width = Math.max(260, plot.clientWidth - 4);
  const spec = { ...chart.spec, width, params: fitted(chart, width), datasets: { rows: rowsOf(chart) } };
  const { view } = await window.vegaEmbed(plot, spec, { mode: "vega-lite", ast: true, actions: false, defaultStyle: false, renderer: "canvas", config: chartLook(), tooltip: chartTip(chart) });
  views.set(place, view);
  view.addEventListener("click", (event, item) => copyMark(chart, item));
  if (chart.mark === "parallel") {
    if (state.logs) await view.signal("logs", true).runAsync();
    listenToRanges(view, chart, place, plot);
  }
  plot.dataset.drawn = "yes";
};
// Dragging over an axis of the parallel coordinates chooses a range of it, a click on an axis forgets its range.
const listenToRanges = (view, chart, place, plot) => {
  const canvas = plot.querySelector("canvas");
  const region = make("div", { class: "region", hidden: true });
  plot.append(region);
  let from = null;
  const at = (event) => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  canvas.addEventListener("pointerdown", (event) => { from = at(event); canvas.setPointerCapture(event.pointerId); });
  canvas.addEventListener("pointermove", (event) => {
    if (!from) return;
    const to = at(event);
    region.hidden = false;
    [0, 1].forEach((i) => {
      region.style[["left", "top"][i]] = `${Math.min(from[i], to[i]) + [canvas.offsetLeft, canvas.offsetTop][i]}px`;
      region.style[["width", "height"][i]] = `${Math.abs(from[i] - to[i])}px`;
    });
  });
  canvas.addEventListener("pointerup", (event) => {
    const start = from;
    from = null;
    region.hidden = true;
    if (start) choose(start, at(event));
  });
  const choose = (start, end) => {
    const [left, top] = view.origin();
    const [x, y] = [view.scale("x"), view.scale("y")];
    const whole = Math.abs(end[1] - start[1]) < 5;
    const reach = whole ? 12 : 0;
    for (const key of x.domain()) {
      const px = x(key) + left + (x.bandwidth?.() ?? 0) / 2;
      if (px < Math.min(start[0], end[0]) - reach || px > Math.max(start[0], end[0]) + reach) continue;
      if (whole) ranges.delete(key); else ranges.set(key, [y.invert(Math.max(start[1], end[1]) - top), y.invert(Math.min(start[1], end[1]) - top)]);
    }
    view.data("rows", rowsOf(chart)).runAsync();
    noteRanges(chart, place);
  };
};
const noteRanges = (chart, place) => {
  const note = document.querySelector(`[data-chart="${place}"] .ranges`);
  const all = new Set(chart.rows.map((row) => row.run));
  const clear = make("button", { type: "button", text: "Clear ranges", on: { click: () => { ranges.clear(); noteRanges(chart, place); drawChart(place); } } });
  note.replaceChildren(...(ranges.size ? [`${all.size - kept(chart.rows).size} of ${all.size} runs cross the chosen ranges of ${[...ranges.keys()].join(", ")}. `, clear] : []));
};
const PAPER = 480; // pixels of 1/96 inch
const saveChart = async (place, kind) => {
  await loadVega();
  const chart = charts[place];
  const holder = make("div", { class: "off" });
  document.body.append(holder);
  const config = { ...chartLook(), background: css("--paper") };
  const spec = { ...chart.spec, width: PAPER, params: fitted(chart, PAPER), title: { text: chart.title, anchor: "start", color: css("--ink"), offset: 10 }, datasets: { rows: rowsOf(chart) } };
  const { view } = await window.vegaEmbed(holder, spec, { mode: "vega-lite", ast: true, actions: false, defaultStyle: false, renderer: "none", config });
  const name = fileName(tables.title, chart.name);
  if (kind === "SVG") save(`${name}.svg`, await view.toSVG(), "image/svg+xml");
  else (await view.toCanvas(3)).toBlob((blob) => save(`${name}.png`, blob, "image/png"));
  view.finalize();
  holder.remove();
};
// About as high as it will be, so that the page does not move when it is drawn.
const heightOf = ({ mark, rows }) => {
  const lines = new Set(rows.map((row) => (mark === "heat" ? row.y : row.run))).size;
  return { scatter: 330, parallel: 389, target: 32 * lines + 95, heat: 34 * lines + 50, line: 400 }[mark] ?? 24 * lines + 43;
};
const dressChart = (article) => {
  const place = Number(article.dataset.chart);
  const chart = charts[place];
  article.querySelector(".plot").style.minHeight = `${heightOf(chart)}px`;
  article.classList.toggle("wide", chart.mark === "parallel");
  const head = make("header", {}, article.querySelector("h3"));
  if (chart.mark === "parallel") {
    const box = make("input", { type: "checkbox", id: "logs", on: { change: (e) => set({ logs: e.target.checked }) } });
    box.checked = state.logs;
    head.append(make("label", { class: "tick" }, box, " log axes"));
  }
  head.append(...["PNG", "SVG"].map((kind) => make("button", { type: "button", text: kind, "aria-label": `Save ${chart.title} as ${kind}`, on: { click: () => saveChart(place, kind) } })));
  article.prepend(head);
  article.append(make("p", { class: "note ranges" }), make("p", { class: "note", text: chart.note }), numbersOf(chart));
};
// Cards of different heights lie close, in their order: rows of the grid are one pixel high, a card takes as many as it needs.
const GAP = 14;
const pack = (cards) => {
  const heights = cards.map((card) => card.offsetHeight); // all are read before one is set: one layout, not one a card
  cards.forEach((card, i) => { card.style.gridRowEnd = `span ${Math.ceil(heights[i] + GAP)}`; });
};
const packCards = new ResizeObserver((entries) => pack(entries.map((entry) => entry.target)));
const startCharts = () => {
  charts = island("data-charts");
  const articles = [...document.querySelectorAll("[data-chart]")];
  articles.forEach(dressChart);
  if (articles.length) unpackLibrary("library-vega");
  pack(articles); // at once: whoever clicks on a card must not find another one there
  articles.forEach((article) => packCards.observe(article));
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) if (entry.isIntersecting && !entry.target.querySelector(".plot").dataset.drawn) drawChart(Number(entry.target.dataset.chart));
  }, { rootMargin: "200px" });
  articles.forEach((article) => seen.observe(article));
  const redraw = () => { for (const place of views.keys()) drawChart(place); };
  on("theme", redraw);
  on("hide", () => { for (const [place, view] of views) view.data("rows", rowsOf(charts[place])).runAsync(); });
  on("logs", () => { ranges.clear(); charts.forEach((chart, place) => { if (chart.mark === "parallel" && views.has(place)) { byId("logs").checked = state.logs; noteRanges(chart, place); drawChart(place); } }); });
  let width = byId("chart-list")?.clientWidth;
  if (width !== undefined) new ResizeObserver(() => {
    if (byId("chart-list").clientWidth === width) return;
    width = byId("chart-list").clientWidth;
    redraw();
  }).observe(byId("chart-list"));
  window.addEventListener("beforeprint", () => articles.forEach((_, place) => { if (!views.has(place)) drawChart(place); }));
};
