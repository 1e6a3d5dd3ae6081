// The curves of the page: unpacked when they are first drawn, put on an axis, smoothed, thinned to pixels.
let curves = { metrics: [], series: [], restarts: {} };
const byMetric = new Map();
const unpack = (packed, count) => {
  if (!packed) return null;
  const out = new Array(count);
  let before = 0;
  let i = 0;
  const put = (d) => { out[i] = d === null ? null : (before += d); i += 1; };
  for (const d of packed) if (Array.isArray(d)) for (let n = 0; n < d[1]; n += 1) put(d[0]); else put(d);
  return out;
};
const unpackFiles = (pairs) => pairs.flatMap(([path, n]) => new Array(n).fill(path));
const seriesOf = (metric) => {
  if (!byMetric.has(metric)) {
    const found = curves.series.filter((s) => s.m === metric).map((s) => {
      const count = s.v.length;
      return {
        run: s.r, metric, total: s.n, bad: s.bad ?? 0, decimals: s.d, count, values: Float64Array.from(s.v, (v) => (v === null ? NaN : v)),
        step: unpack(s.s, count), line: unpack(s.l, count), tokens: unpack(s.k, count), clock: s.c ?? null, wall: unpack(s.w, count)?.map((t) => (t === null ? null : t / 10)) ?? null, files: unpackFiles(s.f), axes: new Map(),
      };
    });
    byMetric.set(metric, found);
  }
  return byMetric.get(metric);
};

// -- axes
const AXES = { step: "step", tokens: "tokens", clock: "training time", wall: "wall time", epoch: "epoch" };
const availableAxes = () => Object.keys(AXES).filter((axis) => (axis === "epoch" ? curves.metrics.includes("epoch") : axis === "step" || curves.series.some((s) => s[{ tokens: "k", clock: "c", wall: "w" }[axis]])));
const epochsOf = (run) => seriesOf(curves.metrics.indexOf("epoch")).find((s) => s.run === run);
const onAxis = (series, axis) => {
  if (!series.axes.has(axis)) {
    let from = series[axis];
    if (axis === "step" && !from) from = series.values.map((_, i) => i + 1);
    if (axis === "epoch") from = epochsAt(series);
    series.axes.set(axis, from && from.some((x) => x !== null) ? placed(from) : null);
  }
  return series.axes.get(axis);
};
// Places on an axis, in order; a point whose place is not known has its neighbour's and is marked as absent, so that it is not drawn.
const placed = (from) => {
  const xs = new Float64Array(from.length);
  const absent = new Uint8Array(from.length);
  let last = from.find((x) => x !== null);
  for (let i = 0; i < from.length; i += 1) {
    if (from[i] === null) absent[i] = 1; else last = from[i];
    xs[i] = last;
  }
  xs.absent = absent.includes(1) ? absent : null;
  return xs;
};
const epochsAt = (series) => {
  const epochs = epochsOf(series.run);
  if (!epochs?.step || !series.step) return null;
  const xs = Float64Array.from(epochs.step);
  return series.step.map((step) => {
    const right = Math.min(Math.max(1, above(xs, step)), xs.length - 1);
    const [a, b] = [xs[right - 1], xs[right]];
    if (step < xs[0] || step > xs[xs.length - 1] || b === undefined) return xs[0] === step ? epochs.values[0] : null;
    return epochs.values[right - 1] + ((epochs.values[right] - epochs.values[right - 1]) * (step - a)) / (b - a || 1);
  });
};
// The first place in sorted numbers that is not below x.
const above = (xs, x) => {
  let [low, high] = [0, xs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (xs[middle] < x) low = middle + 1; else high = middle;
  }
  return low;
};
const nearest = (xs, x) => {
  const right = above(xs, x);
  if (right === 0) return 0;
  return right === xs.length || x - xs[right - 1] <= xs[right] - x ? right - 1 : right;
};

// -- smoothing: an exponential mean that starts unbiased, as TensorBoard and W&B draw it; for the eye only
const smoothed = (values, weight) => {
  const out = new Float64Array(values.length);
  let [last, count] = [0, 0];
  for (let i = 0; i < values.length; i += 1) {
    if (Number.isNaN(values[i])) { out[i] = NaN; continue; }
    last = last * weight + (1 - weight) * values[i];
    count += 1;
    out[i] = last / (1 - weight ** count);
  }
  return out;
};

// -- best points: where less is better the lowest, of an accuracy the highest, the first if several
const better = (metric) => (/accuracy$|^tokens_per_s$|^mfu$/.test(curves.metrics[metric]) ? 1 : /(loss|perplexity|ppl|bpb|objective)$/.test(curves.metrics[metric]) ? -1 : 0);
const bestPlace = (series) => {
  const sign = better(series.metric);
  let best = -1;
  for (let i = 0; sign && i < series.count; i += 1) {
    if (!Number.isNaN(series.values[i]) && (best < 0 || (series.values[i] - series.values[best]) * sign > 0)) best = i;
  }
  return best;
};

// -- pixels: where points are denser than pixels, the first, lowest, highest and last of each column are drawn
const toPixels = (xs, values, x, y, width) => {
  const from = Math.max(0, above(xs, x.low) - 1);
  const to = Math.min(xs.length, above(xs, x.high) + 1);
  const dense = to - from > 3 * width;
  const out = [];
  let [column, low, high, last] = [NaN, null, null, null];
  const close = () => { if (low) { for (const p of low[2] < high[2] ? [low, high] : [high, low]) out.push(p[0], p[1]); out.push(last[0], last[1]); } low = null; };
  for (let i = from; i < to; i += 1) {
    if ((x.log && xs[i] <= 0) || xs.absent?.[i]) continue;
    const [px, py] = [x.at(xs[i]), y.log && values[i] <= 0 ? NaN : y.at(values[i])];
    if (!dense || Number.isNaN(py)) { close(); out.push(px, py); continue; }
    if (Math.floor(px) !== column) { close(); column = Math.floor(px); }
    last = [px, py, i];
    if (!low || py < low[1]) low = last;
    if (!high || py > high[1]) high = last;
  }
  close();
  return out;
};
const sparkPath = (series) => {
  const xs = onAxis(series, "step");
  const finite = series.values.filter((v) => !Number.isNaN(v));
  if (!xs || finite.length < 2) return "";
  const sortedValues = finite.toSorted();
  const top = sortedValues[Math.floor(sortedValues.length * 0.9)];
  const [x, y] = [scale(xs[0], xs[xs.length - 1] + 1e-9, 1, 83, false), scale(sortedValues[0], Math.max(top, sortedValues[0] + 1e-9), 20, 2, false)];
  const points = toPixels(xs, series.values, x, y, 28);
  let d = "";
  for (let i = 0; i < points.length; i += 2) if (!Number.isNaN(points[i + 1])) d += `${d ? "L" : "M"}${points[i].toFixed(1)} ${Math.max(1, points[i + 1]).toFixed(1)}`;
  return d;
};
