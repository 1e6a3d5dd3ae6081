// The pointer on the curves: all runs at that x in order of value, zoom by dragging, keys; a click keeps the list below.
let hover = null; // {panel, at}: x of the nearest point of the panel under the pointer
const rowsAt = (metric, at) => {
  const rows = [];
  for (const s of visible(metric)) {
    const xs = onAxis(s, state.x);
    if (at < xs[0] - (xs[1] - xs[0] || 0) || at > xs[s.count - 1] + (xs[s.count - 1] - xs[s.count - 2] || 0)) continue;
    const i = nearest(xs, at);
    if (!Number.isNaN(s.values[i]) && !xs.absent?.[i]) rows.push({ s, i, x: xs[i], value: s.values[i] });
  }
  const sign = better(metric) === 1 ? -1 : 1;
  return rows.sort((a, b) => sign * (a.value - b.value) || a.s.run - b.s.run);
};
const snap = (panel, at) => {
  let best = NaN;
  for (const s of visible(panel.metric)) {
    const xs = onAxis(s, state.x);
    const x = xs[nearest(xs, at)];
    if (Number.isNaN(best) || Math.abs(x - at) < Math.abs(best - at)) best = x;
  }
  return best;
};
const xText = (v) => (isTime() ? duration(v) : thousands(v));
const pointOf = (row) => [row.s.files[row.i], row.s.line?.[row.i] ?? null, row.s.step && row.s.line === null ? `step ${row.s.step[row.i]}` : null];
const rowCells = (row, at) => {
  const swatch = make("span", { class: "swatch" });
  swatch.style.background = colour(row.s.run);
  const own = row.x === at ? "" : `@ ${xText(row.x)}`;
  return [make("td", {}, swatch), make("td", {}, nameOf(runs[row.s.run].name, null)), make("td", { class: "n", text: printed(row.value, row.s.decimals) }), make("td", { class: "where", text: own })];
};
const MOST = 18;
const tailOf = (place) => (place.length > 44 ? `…${place.slice(-43)}` : place);
const tipOf = (metric, at) => {
  const rows = rowsAt(metric, at);
  const table = make("table");
  for (const row of rows.slice(0, MOST)) table.append(make("tr", {}, ...rowCells(row, at), make("td", { class: "where mono", text: tailOf(where(pointOf(row))) })));
  const more = rows.length > MOST ? [make("div", { class: "where", text: `and ${rows.length - MOST} more: click to list all` })] : [];
  return make("div", {}, make("b", { text: `${curves.metrics[metric]} at ${AXES[state.x]} ${xText(at)}` }), table, ...more);
};
const drawHover = () => {
  for (const panel of panels) {
    if (!panel.x) continue;
    const context = panel.over.getContext("2d");
    context.clearRect(0, 0, panel.width, panel.height);
    if (!hover || Number.isNaN(hover.at) || hover.at < panel.x.low || hover.at > panel.x.high) continue;
    const pen = canvasPen(context);
    const px = panel.x.at(hover.at);
    pen.line([px, panel.box.top, px, panel.box.bottom], { color: css("--faint"), width: 1 });
    for (const row of rowsAt(panel.metric, hover.at)) {
      const py = panel.y.at(row.value);
      if (py >= panel.box.top - 2 && py <= panel.box.bottom + 2) pen.dot(panel.x.at(row.x), py, 3.5, { color: colour(row.s.run), ring: css("--paper") });
    }
  }
};
const keepRows = (metric, at) => {
  const rows = rowsAt(metric, at);
  if (!rows.length) return;
  const table = make("table", {}, make("thead", {}, make("tr", {}, ...["", "run", "value", "", "source"].map((t) => make("th", { scope: "col", text: t })))));
  const body = make("tbody");
  for (const row of rows) {
    const point = pointOf(row);
    const cite = make("button", { type: "button", class: "cite", text: where(point), on: { click: () => copyOrigin([`${runs[row.s.run].name} ${curves.metrics[metric]} ${printed(row.value, row.s.decimals)} at ${AXES[state.x]} ${xText(row.x)}`, null, [point]]) } });
    body.append(make("tr", {}, ...rowCells(row, at), make("td", {}, cite)));
  }
  table.append(body);
  const lines = () => rows.map((row) => [runs[row.s.run].name, printed(row.value, row.s.decimals), xText(row.x), where(pointOf(row))].join("\t")).join("\n");
  const copy = make("button", { type: "button", text: "Copy", on: { click: async () => { await copyText(lines()); say(`copied ${rows.length} values`); } } });
  const close = make("button", { type: "button", text: "Close", on: { click: () => { byId("readout").hidden = true; } } });
  byId("readout").replaceChildren(make("h3", {}, `${curves.metrics[metric]} at ${AXES[state.x]} ${xText(at)}`, copy, close), table);
  byId("readout").hidden = false;
};

// -- the pointer and the keys of one panel
const listenTo = (panel) => {
  const { over, stage } = panel;
  let from = null;
  const at = (event) => { const box = over.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  const region = make("div", { class: "region", hidden: true });
  stage.append(region);
  over.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !panel.x) return;
    from = { at: at(event), pan: event.shiftKey, domain: xDomain() };
    if (event.pointerType === "mouse") over.setPointerCapture(event.pointerId);
  });
  over.addEventListener("pointermove", (event) => {
    if (!panel.x) return;
    const [px, py] = at(event);
    if (from?.pan) { panTo(panel, from, px); return; }
    if (from && event.pointerType === "mouse") { drawRegion(panel, region, from.at, [px, py]); return; }
    const snapped = snap(panel, panel.x.back(px));
    hover = { panel, at: snapped };
    drawHover();
    if (Number.isNaN(snapped)) hideTip(); else showTip(tipOf(panel.metric, snapped), event.clientX, event.clientY);
  });
  over.addEventListener("pointerup", (event) => {
    const start = from;
    from = null;
    region.hidden = true;
    if (!start || start.pan) return;
    const end = at(event);
    if (Math.abs(end[0] - start.at[0]) > 6) zoomTo(panel, start.at, end); else if (hover && !Number.isNaN(hover.at)) keepRows(panel.metric, hover.at);
  });
  over.addEventListener("pointercancel", () => { from = null; region.hidden = true; });
  over.addEventListener("pointerleave", () => { hover = null; drawHover(); hideTip(); });
  over.addEventListener("dblclick", () => zoomBy("reset"));
  over.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    zoomBy(event.deltaY < 0 ? "in" : "out");
  }, { passive: false });
  over.addEventListener("keydown", (event) => keyOn(panel, event));
  over.addEventListener("blur", () => { hover = null; drawHover(); hideTip(); });
};
const drawRegion = (panel, region, [x0, y0], [x1, y1]) => {
  hideTip();
  const tall = Math.abs(y1 - y0) > 40;
  region.hidden = false;
  region.style.left = `${Math.min(x0, x1)}px`;
  region.style.width = `${Math.abs(x1 - x0)}px`;
  region.style.top = `${tall ? Math.min(y0, y1) : panel.box.top}px`;
  region.style.height = `${tall ? Math.abs(y1 - y0) : panel.box.height}px`;
};
const zoomTo = (panel, [x0, y0], [x1, y1]) => {
  const zoom = [panel.x.back(Math.min(x0, x1)), panel.x.back(Math.max(x0, x1))];
  const zy = new Map(state.zy);
  if (Math.abs(y1 - y0) > 40) zy.set(panel.metric, [panel.y.back(Math.max(y0, y1)), panel.y.back(Math.min(y0, y1))]); else zy.delete(panel.metric);
  set({ zoom, zy });
};
const panTo = (panel, from, px) => {
  const shift = panel.x.back(from.at[0]) - panel.x.back(px);
  if (state.lx) {
    const ratio = panel.x.back(from.at[0]) / panel.x.back(px);
    set({ zoom: from.domain.map((v) => v * ratio) });
  } else set({ zoom: from.domain.map((v) => v + shift) });
};
const keyOn = (panel, event) => {
  const zoom = { "+": "in", "=": "in", "-": "out", 0: "reset" }[event.key];
  if (zoom) { zoomBy(zoom); return; }
  if (event.key === "Enter" && hover) { keepRows(panel.metric, hover.at); return; }
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!step) return;
  event.preventDefault();
  const all = [...new Set(visible(panel.metric).flatMap((s) => [...onAxis(s, state.x)]))].sort((a, b) => a - b).filter((v) => v >= panel.x.low && v <= panel.x.high);
  if (!all.length) return;
  const i = hover ? nearest(all, hover.at) + step : step > 0 ? 0 : all.length - 1;
  hover = { panel, at: all[Math.max(0, Math.min(all.length - 1, i))] };
  drawHover();
  const box = panel.over.getBoundingClientRect();
  showTip(tipOf(panel.metric, hover.at), box.left + panel.x.at(hover.at), box.top + 60);
};
