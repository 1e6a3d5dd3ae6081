// What is looked at, and its form in location.hash: a view can be sent as a link to the file.
const tables = island("data-tables");
const runs = tables.runs;
const columns = tables.columns.map(([key, title, kind, better, about]) => ({ key, title, kind, better, about }));

const list = { parse: (t) => (t ? t.split(",") : []), print: (v) => v.join(",") };
const whole = { parse: (t) => new Set(t ? t.split(",").map(Number) : []), print: (v) => [...v].sort((a, b) => a - b).join(",") };
const flag = { parse: (t) => t === "1", print: (v) => (v ? "1" : "0") };
const text = { parse: (t) => t, print: (v) => v };
const pair = { parse: (t) => (t ? t.split(":").map(Number) : null), print: (v) => (v ? v.join(":") : "") };
const pairs = {
  parse: (t) => new Map(t ? t.split(",").map((p) => p.split(":")).map(([m, a, b]) => [Number(m), [Number(a), Number(b)]]) : []),
  print: (v) => [...v].map(([m, [a, b]]) => `${m}:${a}:${b}`).join(","),
};
const fields = {
  theme: [text, "auto"], q: [text, ""], sort: [text, "rank"], group: [text, tables.seeds.length ? "seeds" : "none"], diff: [flag, false],
  cols: [list, null], pin: [list, []], hide: [whole, new Set()], x: [text, "step"], lx: [flag, false], ly: [flag, false], clip: [flag, true],
  band: [flag, true], logs: [flag, false], smooth: [{ parse: Number, print: String }, 0], m: [list, null], zoom: [pair, null], zy: [pairs, new Map()],
};
const state = {};
const listeners = [];
const on = (keys, act) => listeners.push([keys.split(" "), act]);

const readHash = () => {
  const said = new URLSearchParams(location.hash.slice(1));
  for (const [key, [form, standard]] of Object.entries(fields)) state[key] = said.has(key) ? form.parse(said.get(key)) : standard;
  if (!Number.isFinite(state.smooth)) state.smooth = 0;
  if (state.zoom && !state.zoom.every(Number.isFinite)) state.zoom = null;
};
const writeHash = () => {
  const said = new URLSearchParams();
  for (const [key, [form, standard]] of Object.entries(fields)) {
    const value = state[key] === null ? "" : form.print(state[key]);
    if (value !== (standard === null ? "" : form.print(standard))) said.set(key, value);
  }
  const hash = said.toString();
  if (hash !== location.hash.slice(1)) history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
};
const tell = (changed) => {
  for (const [keys, act] of listeners) if (keys.some((key) => changed.has(key))) act();
};
const set = (changes) => {
  Object.assign(state, changes);
  writeHash();
  tell(new Set(Object.keys(changes)));
};
readHash();
window.addEventListener("hashchange", () => {
  if (location.hash && !location.hash.includes("=")) return;
  readHash();
  tell(new Set(Object.keys(fields)));
});
