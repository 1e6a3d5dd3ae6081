// Panels of curves: one a metric, all on the same x axis.
const panels = [];
const PAD = { left: 58, right: 14, top: 10, bottom: 34 };
const shownMetrics = () => {
  const chosen = (state.m ?? []).map((m) => curves.metrics.indexOf(m)).filter((m) => m >= 0);
  if (chosen.length) return chosen;
  const usual = ["val/loss", "train/loss"].map((m) => curves.metrics.indexOf(m)).filter((m) => m >= 0);
  return usual.length ? usual : curves.metrics.length ? [0] : [];
};
const LEAST_CLIPPED = 20; // points, of which none is an outlier
const visible = (metric) => seriesOf(metric).filter((s) => !state.hide.has(s.run) && onAxis(s, state.x));

// -- domains
const xDomain = () => {
  if (state.zoom && !(state.lx && state.zoom[0] <= 0)) return state.zoom;
  let [low, high] = [Infinity, -Infinity];
  for (const metric of shownMetrics()) for (const s of visible(metric)) {
    for (const v of onAxis(s, state.x)) if (!Number.isNaN(v) && (!state.lx || v > 0)) { if (v < low) low = v; if (v > high) high = v; }
  }
  return low < high ? [low, high] : low === high ? [low - 0.5, high + 0.5] : state.lx ? [1, 10] : [0, 1];
};
const yDomain = (metric, [from, to]) => {
  const chosen = state.zy.get(metric);
  if (chosen && !(state.ly && chosen[0] <= 0)) return chosen;
  const values = [];
  for (const s of visible(metric)) {
    const xs = onAxis(s, state.x);
    for (let i = 0; i < s.count; i += 1) if (xs[i] >= from && xs[i] <= to && !Number.isNaN(s.values[i]) && (!state.ly || s.values[i] > 0)) values.push(s.values[i]);
  }
  if (!values.length) return state.ly ? [1, 10] : [0, 1];
  let low = values.reduce((a, b) => (b < a ? b : a));
  let high = values.reduce((a, b) => (b > a ? b : a));
  if (state.clip && better(metric) < 0 && values.length > LEAST_CLIPPED) {
    const every = Math.ceil(values.length / 4000);
    const some = Float64Array.from({ length: Math.floor(values.length / every) }, (_, i) => values[i * every]).sort();
    high = Math.max(low, some[Math.floor(some.length * 0.9)]);
  }
  if (low === high) { const room = Math.abs(low) * 0.05 || 1; return [low - (state.ly ? 0 : room), high + room]; }
  const room = (high - low) * 0.04;
  return state.ly ? [low / (high / low) ** 0.04, high * (high / low) ** 0.04] : [low - room, high + room];
};
const isTime = () => state.x === "clock" || state.x === "wall";

// -- one panel, with any pen
const drawFrame = (pen, box, x, y) => {
  const ink = { grid: css("--grid"), soft: css("--soft"), rule: css("--faint") };
  const xTicks = (x.log ? logTicks : linearTicks)(x.low, x.high, Math.max(2, Math.floor(box.width / 95)), isTime());
  const yTicks = (y.log ? logTicks : linearTicks)(y.low, y.high, Math.max(2, Math.floor(box.height / 48)));
  const xMost = box.right + PAD.right; // a label stays within the picture
  const [xTick, yTick] = [isTime() ? tickTime : tickText(xTicks), tickText(yTicks)];
  for (const t of xTicks) {
    pen.line([x.at(t), box.top, x.at(t), box.bottom], { color: ink.grid, width: 1 });
    pen.text(xTick(t), Math.min(x.at(t), xMost - 3.8 * xTick(t).length), box.bottom + 6, { color: ink.soft, align: "center", base: "top" });
  }
  for (const t of yTicks) {
    pen.line([box.left, y.at(t), box.right, y.at(t)], { color: ink.grid, width: 1 });
    pen.text(yTick(t), box.left - 7, y.at(t), { color: ink.soft, align: "right" });
  }
  pen.line([box.left, box.bottom, box.right, box.bottom], { color: ink.rule, width: 1 });
  pen.text(AXES[state.x], box.right, box.bottom + 21, { color: ink.soft, align: "right", base: "top" });
};
const familyOf = (metric) => {
  if (!state.band || !tables.seeds.length) return [];
  return tables.seeds.map((seeds) => visible(metric).filter((s) => seeds.runs.includes(s.run))).filter((own) => own.length > 1);
};
// Values of all of them where each has one or lies between two: at the points of the first, no more than pixels can show.
const MOST_ROWS = 600;
const together = (own, x) => {
  const lines = own.map((s) => {
    const xs = onAxis(s, state.x);
    const kept = [...s.values.keys()].filter((i) => !Number.isNaN(s.values[i]) && !xs.absent?.[i]);
    const values = state.smooth > 0 ? smoothed(s.values, state.smooth) : s.values;
    return { xs: Float64Array.from(kept, (i) => xs[i]), values: kept.map((i) => values[i]) };
  });
  const [from, to] = [Math.max(x.low, ...lines.map((l) => l.xs[0])), Math.min(x.high, ...lines.map((l) => l.xs[l.xs.length - 1]))];
  const places = [...lines[0].xs].filter((v) => v >= from && v <= to);
  const every = Math.ceil(places.length / MOST_ROWS);
  return places.filter((_, i) => i % every === 0).map((v) => [v, lines.map((l) => between(l, v))]);
};
const between = ({ xs, values }, v) => {
  const i = Math.min(above(xs, v), xs.length - 1);
  if (i === 0 || xs[i] === v || xs[i] === xs[i - 1]) return values[i];
  return values[i - 1] + ((values[i] - values[i - 1]) * (v - xs[i - 1])) / (xs[i] - xs[i - 1]);
};
// More bands than these are one grey cloud: of those only the means are drawn.
const MOST_BANDS = 8;
const drawBand = (pen, own, x, y, filled) => {
  const rows = together(own, x);
  if (rows.length < 2) return;
  const px = (v) => x.at(v);
  const [over, under, mean] = [[], [], []];
  for (const [v, values] of rows) {
    if (x.log && v <= 0) continue;
    over.push(px(v), y.at(Math.max(...values)));
    under.unshift(px(v), y.at(Math.min(...values)));
    mean.push(px(v), y.at(values.reduce((a, b) => a + b, 0) / values.length));
  }
  const color = colour(own[0].run);
  if (filled) pen.area([...over, ...under], { color, alpha: 0.2 });
  pen.line(mean, { color, width: 2.2 });
};
const drawSeries = (pen, s, x, y, box, faint, marked) => {
  const xs = onAxis(s, state.x);
  const color = colour(s.run);
  const many = runs.length > 40;
  const style = { color, plain: many, width: runs[s.run].base ? 2.4 : many ? 1 : 1.7, dash: runs[s.run].parent == null ? [] : [6, 4] };
  const raw = toPixels(xs, s.values, x, y, box.width);
  if (state.smooth > 0) {
    pen.line(raw, { ...style, width: 1, alpha: 0.25 });
    pen.line(toPixels(xs, smoothed(s.values, state.smooth), x, y, box.width), style);
  } else pen.line(raw, { ...style, alpha: faint ? 0.3 : 1 });
  if (raw.length === 2) pen.dot(raw[0], raw[1], 3, { color });
  for (const step of curves.restarts[s.run] ?? []) {
    const i = s.step ? nearest(s.step, step) : -1;
    if (i >= 0 && xs[i] >= x.low && xs[i] <= x.high) pen.dot(x.at(xs[i]), y.at(s.values[i]), 3.5, { color: css("--paper"), ring: color });
  }
  const best = marked ? bestPlace(s) : -1;
  if (best >= 0 && !xs.absent?.[best] && xs[best] >= x.low && xs[best] <= x.high) pen.dot(x.at(xs[best]), y.at(s.values[best]), 3.6, { color, ring: css("--paper") });
};
// Best points are marked; among many runs those of the ten best.
const markedBest = (metric, shown) => {
  if (shown.length <= 40) return new Set(shown);
  const valued = shown.map((s) => [s, s.values[bestPlace(s)]]).filter(([, value]) => value !== undefined);
  return new Set(valued.sort((a, b) => better(metric) * (b[1] - a[1])).slice(0, 10).map(([s]) => s));
};
const LABEL = 15; // the height of one
const drawTargets = (pen, metric, x, y, box) => {
  if (curves.metrics[metric] !== "val/loss") return;
  const targets = tables.sets.flatMap((s) => s.targets).filter(([loss]) => loss >= y.low && loss <= y.high);
  const losses = [...new Set(targets.map(([loss]) => loss))].sort((a, b) => b - a);
  let free = box.top; // above it other labels stand
  for (const loss of losses.length > 4 ? [] : losses) {
    const at = y.at(loss);
    pen.line([box.left, at, box.right, at], { color: css("--soft"), width: 1, dash: [2, 4] });
    const foot = Math.max(at - 3, free + LABEL);
    pen.text(`target ${printed(loss)}`, box.right - 4, foot, { color: css("--soft"), align: "right", base: "bottom" });
    free = foot;
  }
};
const drawPanel = (pen, metric, width, height, domain, titled = false) => {
  const box = { left: PAD.left, right: width - PAD.right, top: PAD.top + (titled ? 18 : 0), bottom: height - PAD.bottom };
  if (titled) pen.text([curves.metrics[metric], curves.units[metric]].filter(Boolean).join(", "), 8, 12, { color: css("--ink") });
  box.width = box.right - box.left;
  box.height = box.bottom - box.top;
  const [lowY, highY] = yDomain(metric, domain);
  const x = scale(domain[0], domain[1], box.left, box.right, state.lx && domain[0] > 0);
  const y = scale(lowY, highY, box.bottom, box.top, state.ly && lowY > 0);
  drawFrame(pen, box, x, y);
  pen.within(box.left, box.top - 4, box.width + 4, box.height + 8, () => {
    const families = familyOf(metric);
    const faint = new Set(families.flat());
    drawTargets(pen, metric, x, y, box);
    const shown = visible(metric);
    const marked = markedBest(metric, shown);
    for (const s of shown.toReversed()) drawSeries(pen, s, x, y, box, faint.has(s), marked.has(s));
    for (const own of families) drawBand(pen, own, x, y, families.length <= MOST_BANDS);
  });
  return { x, y, box };
};

// -- on the screen
const sized = (canvas, width, height) => {
  const dense = devicePixelRatio || 1;
  canvas.width = Math.round(width * dense);
  canvas.height = Math.round(height * dense);
  const context = canvas.getContext("2d");
  context.scale(dense, dense);
  return context;
};
const drawCurves = () => {
  const domain = xDomain();
  for (const panel of panels) {
    const { width, height } = panel.stage.getBoundingClientRect();
    if (width < 50) continue;
    Object.assign(panel, drawPanel(canvasPen(sized(panel.base, width, height)), panel.metric, width, height, domain));
    panel.width = width;
    panel.height = height;
    sized(panel.over, width, height);
  }
  drawHover();
};
const makePanel = (metric) => {
  const name = curves.metrics[metric];
  const base = make("canvas", { "aria-hidden": "true" });
  const over = make("canvas", { class: "over", tabindex: 0, role: "img", "aria-label": `Curves of ${name}. Arrow keys move along x, Enter keeps the values below, plus and minus zoom, 0 resets.` });
  const stage = make("div", { class: "stage" }, base, over);
  const buttons = ["PNG", "SVG"].map((kind) => make("button", { type: "button", text: kind, "aria-label": `Save ${name} as ${kind}`, on: { click: () => savePanel(metric, kind) } }));
  const element = make("article", { class: "panel", "data-metric": name }, make("header", {}, make("h3", {}, name, make("span", { class: "unit", text: curves.units[metric] })), ...buttons), stage);
  const panel = { metric, element, stage, base, over };
  listenTo(panel);
  return panel;
};
const savePanel = (metric, kind) => {
  const [width, height] = [640, 400];
  const name = fileName(tables.title, curves.metrics[metric]);
  const extra = legendRows(metric);
  const whole = height + 18 * extra.length;
  if (kind === "SVG") {
    const pen = svgPen(width, whole, css("--paper"));
    drawPanel(pen, metric, width, height, xDomain(), true);
    drawLegend(pen, extra, height);
    save(`${name}.svg`, pen.done(), "image/svg+xml");
    return;
  }
  const canvas = make("canvas");
  canvas.width = width * 3;
  canvas.height = whole * 3;
  const context = canvas.getContext("2d");
  context.scale(3, 3);
  context.fillStyle = css("--paper");
  context.fillRect(0, 0, width, whole);
  drawPanel(canvasPen(context), metric, width, height, xDomain(), true);
  drawLegend(canvasPen(context), extra, height);
  canvas.toBlob((blob) => save(`${name}.png`, blob, "image/png"));
};
const legendRows = (metric) => {
  const shown = visible(metric);
  return shown.slice(0, 12).map((s) => [colour(s.run), runs[s.run].name]).concat(shown.length > 12 ? [[css("--faint"), `and ${shown.length - 12} more`]] : []);
};
const drawLegend = (pen, rows, top) => rows.forEach(([color, name], i) => {
  pen.line([PAD.left, top + 9 + 18 * i, PAD.left + 22, top + 9 + 18 * i], { color, width: 2.2 });
  pen.text(name, PAD.left + 30, top + 9 + 18 * i, { color: css("--ink") });
});

// -- legend, controls
// What tells the runs of a family apart: their names without the words that all of them have.
const apart = (own) => {
  const words = own.map((run) => runs[run].name.split(" "));
  const short = words.map((all) => all.filter((word) => !words.every((other) => other.includes(word))).join(" "));
  return short.every(Boolean) && own.length > 1 ? short : own.map((run) => runs[run].name);
};
const drawLegendList = () => {
  const drawn = [...new Set(shownMetrics().flatMap((m) => seriesOf(m).map((s) => s.run)))].sort((a, b) => a - b);
  const chip = (run, said) => {
    const swatch = make("span", { class: "swatch" });
    swatch.style.background = colour(run);
    return make("button", { type: "button", "data-toggle": run, "aria-pressed": state.hide.has(run) ? "false" : "true", title: `${runs[run].name}: click to hide or show, double-click to show it alone` }, swatch, nameOf(said ?? runs[run].name, null));
  };
  const families = grouped(drawn).map(([name, own]) => [name, own.slice(0, 60)]);
  const alone = families.filter(([name]) => name === null).flatMap(([, own]) => own);
  const boxes = families.filter(([name]) => name !== null).map(([name, own]) => make("div", { class: "family" }, make("button", { type: "button", class: "all", "data-family": own.join(","), text: name, title: "hide or show all of them" }), ...own.map((run, i) => chip(run, apart(own)[i]))));
  const count = families.reduce((sum, [, own]) => sum + own.length, 0);
  byId("legend").replaceChildren(...boxes, ...(alone.length ? [make("div", { class: "family" }, make("button", { type: "button", class: "all", "data-family": alone.join(","), text: "all" }), ...alone.map((run) => chip(run)))] : []));
  if (count < drawn.length) byId("legend").append(make("span", { class: "note", text: `and ${drawn.length - count} more: the boxes of the table hide and show them` }));
};
const noteCurves = () => {
  const said = [];
  for (const metric of shownMetrics()) {
    const all = seriesOf(metric);
    const thin = all.filter((s) => s.total > s.count);
    const bad = all.reduce((sum, s) => sum + s.bad, 0);
    if (thin.length) said.push(`${curves.metrics[metric]}: of ${thin.length} longer ${thin.length === 1 ? "curve" : "curves"} this file holds up to ${thousands(Math.max(...thin.map((s) => s.count)))} of ${thousands(Math.max(...thin.map((s) => s.total)))} points, the lowest and the highest of each bucket of steps, so no minimum is lost; ngtreport export has them all.`);
    if (bad) said.push(`${curves.metrics[metric]}: ${bad} ${bad === 1 ? "value is" : "values are"} no number and leave a gap.`);
    const absent = all.filter((s) => !onAxis(s, state.x)).length;
    if (absent) said.push(`${curves.metrics[metric]}: ${absent} ${absent === 1 ? "run has" : "runs have"} no ${AXES[state.x]} and ${absent === 1 ? "is" : "are"} not drawn.`);
  }
  if (Object.keys(curves.restarts).length) said.push("A ring marks where a log starts again after a stop.");
  if (runs.some((r) => r.parent != null)) said.push("Dashed: a continuation.");
  const families = Math.max(0, ...shownMetrics().map((m) => familyOf(m).length));
  if (families > MOST_BANDS) said.push(`Of ${families} groups of seeds the means are drawn without bands; hide some, and the bands of up to ${MOST_BANDS} are shown.`);
  if (state.clip && shownMetrics().some((m) => better(m) < 0 && visible(m).reduce((sum, s) => sum + s.count, 0) > LEAST_CLIPPED)) said.push("The y axes of losses leave out the highest tenth of the points.");
  if (state.smooth > 0) said.push("Smoothed lines are for the eye: the values below the pointer and in the tables are never smoothed.");
  byId("curves-note").textContent = said.join(" ");
};
const buildPanels = () => {
  panels.splice(0, panels.length, ...shownMetrics().map(makePanel));
  byId("panels").replaceChildren(...panels.map((p) => p.element));
  drawLegendList();
};
const curveControls = () => {
  byId("x").value = state.x;
  byId("smooth").value = state.smooth;
  byId("smooth-value").textContent = state.smooth.toFixed(2);
  for (const key of ["lx", "ly", "clip", "band"]) byId(key).checked = state[key];
  for (const box of byId("metric-list").querySelectorAll("input")) box.checked = shownMetrics().includes(curves.metrics.indexOf(box.value));
};
const zoomBy = (move) => {
  if (move === "reset") { set({ zoom: null, zy: new Map() }); return; }
  const [low, high] = xDomain();
  const f = state.lx && low > 0 ? Math.log : (v) => v;
  const g = state.lx && low > 0 ? Math.exp : (v) => v;
  const [a, b] = [f(low), f(high)];
  const size = b - a;
  const [from, to] = { in: [a + size / 4, b - size / 4], out: [a - size / 2, b + size / 2], left: [a - size / 4, b - size / 4], right: [a + size / 4, b + size / 4] }[move];
  set({ zoom: [g(from), g(to)] });
};
const drawSparks = () => {
  if (!curves.metrics.length) return;
  for (const s of seriesOf(Math.max(0, curves.metrics.indexOf("val/loss")))) sparks.set(s.run, sparkPath(s));
  fillSparks();
};
const startCurves = () => {
  curves = island("data-curves");
  if (!curves.metrics.length) {
    byId("curves").hidden = true;
    document.querySelector("nav [data-go='curves']").hidden = true;
    return;
  }
  const axes = availableAxes();
  if (!axes.includes(state.x)) state.x = "step";
  byId("x").replaceChildren(...axes.map((axis) => make("option", { value: axis, text: AXES[axis] })));
  byId("band-label").hidden = !tables.seeds.length;
  byId("metric-list").replaceChildren(...curves.metrics.map((m) => make("label", {}, make("input", { type: "checkbox", value: m }), make("span", { text: m }))));
  byId("x").addEventListener("change", (e) => set({ x: e.target.value, zoom: null }));
  byId("smooth").addEventListener("input", (e) => set({ smooth: Number(e.target.value) }));
  for (const key of ["lx", "ly", "clip", "band"]) byId(key).addEventListener("change", (e) => set({ [key]: e.target.checked }));
  byId("metric-list").addEventListener("change", () => {
    const chosen = [...byId("metric-list").querySelectorAll("input:checked")].map((box) => box.value);
    set({ m: chosen.length ? chosen : null, zy: new Map() });
  });
  for (const button of document.querySelectorAll("[data-zoom]")) button.addEventListener("click", () => zoomBy(button.dataset.zoom));
  byId("legend").addEventListener("click", (e) => {
    const family = e.target.closest("[data-family]")?.dataset.family;
    const run = e.target.closest("[data-toggle]")?.dataset.toggle;
    if (family) toggleRuns(family.split(",").map(Number)); else if (run !== undefined) toggleRuns([Number(run)]);
  });
  byId("legend").addEventListener("dblclick", (e) => {
    const run = e.target.closest("[data-toggle]")?.dataset.toggle;
    if (run !== undefined) set({ hide: new Set(runs.map((_, i) => i).filter((i) => i !== Number(run))) });
  });
  on("m", () => { buildPanels(); curveControls(); drawCurves(); noteCurves(); });
  on("x lx ly clip band smooth zoom zy", () => { curveControls(); drawCurves(); noteCurves(); });
  on("hide theme group", () => { drawLegendList(); drawCurves(); noteCurves(); });
  buildPanels();
  curveControls();
  drawCurves();
  noteCurves();
  new ResizeObserver(() => { if (panels.some((p) => Math.abs(p.stage.clientWidth - p.width) > 1)) drawCurves(); }).observe(byId("panels"));
};
