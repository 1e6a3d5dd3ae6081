// Scales and ticks; no drawing.
const niceStep = (span, count) => {
  const raw = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(raw));
  const lead = raw / power;
  return power * (lead <= 1 ? 1 : lead <= 2 ? 2 : lead <= 2.5 ? 2.5 : lead <= 5 ? 5 : 10);
};
const TIMES = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 432000];
const linearTicks = (low, high, count, time) => {
  const span = high - low;
  if (!(span > 0)) return [low];
  const step = time && span > 10 ? (TIMES.find((t) => span / t <= count) ?? niceStep(span, count)) : niceStep(span, count);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + span * 1e-9; i += 1) ticks.push(i * step);
  return ticks;
};
const logTicks = (low, high, count) => {
  const [first, last] = [Math.floor(Math.log10(low)), Math.ceil(Math.log10(high))];
  const ticks = [];
  const leads = last - first <= 1 ? [1, 1.5, 2, 3, 4, 5, 6, 7, 8, 9] : last - first <= 3 ? [1, 2, 5] : [1];
  for (let e = first; e <= last; e += 1) for (const lead of leads) ticks.push(lead * 10 ** e);
  const inside = ticks.filter((t) => t >= low * 0.999999 && t <= high * 1.000001);
  if (inside.length < 3) return linearTicks(low, high, count);
  const every = Math.ceil(inside.length / (count * 1.6));
  return inside.filter((_, i) => i % every === 0);
};
// A scale from data to pixels and back.
const scale = (low, high, from, to, log) => {
  const f = log ? Math.log : (v) => v;
  const g = log ? Math.exp : (v) => v;
  const [a, b] = [f(low), f(high)];
  const k = b === a ? 0 : (to - from) / (b - a);
  return { low, high, log, at: (v) => from + (f(v) - a) * k, back: (p) => g(a + (p - from) / (k || 1)) };
};
const tickText = (ticks) => {
  const step = ticks.length > 1 ? Math.min(...ticks.slice(1).map((t, i) => Math.abs(t - ticks[i]))) : Math.abs(ticks[0]) || 1;
  const places = Math.max(0, Math.min(6, Math.ceil(-Math.log10(step) - 1e-9) + (String(step / 10 ** Math.floor(Math.log10(step))).startsWith("2.5") ? 1 : 0)));
  return (v) => (Math.abs(v) >= 1e4 || (v !== 0 && Math.abs(v) < 1e-4) ? compact(v) : v.toFixed(places));
};
