// Tokens in three dimensions: layer, step, colour, highlighted groups. All text of users is escaped before Plotly sees it.
const sample = island("data-sample");
const empty = island("data-figure");
const view = { layer: sample.layers.length - 1, step: Infinity, colour: "mass", group: "", probe: "", theme: "auto" };
const said = new URLSearchParams(location.hash.slice(1));
for (const key of Object.keys(view)) if (said.has(key)) view[key] = typeof view[key] === "number" ? Number(said.get(key)) : said.get(key);
if (!sample.layers[view.layer]) view.layer = sample.layers.length - 1;

const SPACE = /^[\u0120\u2581 ]/;
const bare = (label) => label.replace(SPACE, "");
const spoken = (label) => {
  const told = [];
  if (SPACE.test(label)) told.push("leading space");
  if (/[\u010a\n]/.test(label)) told.push("newline");
  return told.length ? `${label} (${told.join(", ")})` : label;
};
const escaped = (text) => text.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);
const GROUPS = {
  space: (l) => SPACE.test(l), inside: (l) => /^\p{L}/u.test(l), capital: (l) => /^\p{Lu}/u.test(bare(l)), number: (l) => /^\p{N}+$/u.test(bare(l)),
  mark: (l) => /^[\p{P}\p{S}]+$/u.test(bare(l)), line: (l) => /[\u010a\n]/.test(l),
};
const PROBES = ["#e8590c", "#0ca678", "#c2255c", "#f2b705", "#4263eb", "#9c36b5"];
const system = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (view.theme === "auto" ? system.matches : view.theme === "dark");

const at = () => {
  const all = sample.layers[view.layer].at;
  return all[Math.max(0, Math.min(all.length - 1, Number.isFinite(view.step) ? view.step : all.length - 1))];
};
const frequencies = (labels) => {
  const counts = new Map();
  for (const l of labels) counts.set(l, (counts.get(l) ?? 0) + 1);
  return labels.map((l) => counts.get(l));
};
// For each token the place of its probe group, or -1.
const probed = (labels) => {
  const groups = view.probe.split(";").map((g) => new Set(g.split(",").map((w) => w.trim().toLowerCase()).filter(Boolean))).filter((g) => g.size);
  const chosen = GROUPS[view.group];
  return labels.map((l) => {
    const found = groups.findIndex((g) => g.has(bare(l).toLowerCase()) || g.has(l.toLowerCase()));
    return found >= 0 ? found : chosen?.(l) ? groups.length : -1;
  });
};
const sizes = (masses) => {
  const known = masses.filter((m) => m !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  return masses.map((m) => (m === null ? 4 : 5 + (13 * (m - low)) / (high - low || 1)));
};
const short = (v) => (v === null ? "not known" : String(+v.toPrecision(5)));
const trace = (places, s, labels, values, extra) => {
  const pick = (list) => places.map((i) => list[i]);
  const text = places.map((i) => `<b>${escaped(spoken(labels[i]))}</b><br>position ${s.position[i]}<br>mass ${short(s.mass[i])}<br>frequency ${values.frequency[i]}`);
  return { ...empty.data[0], x: pick(s.xyz[0]), y: pick(s.xyz[1]), z: pick(s.xyz[2]), text, marker: { ...empty.data[0].marker, size: pick(values.size), ...extra(pick) } };
};
const ink = () => (isDark() ? { text: "#e9ebee", grid: "#333a42", spike: "#6b7480", faint: 0.32 } : { text: "#1b1e23", grid: "#dcdee2", spike: "#a3a8b1", faint: 0.22 });
// Viridis, whose dark end cannot be seen on dark: a brighter one there.
const LIT = ["#8a78c8", "#4f7fc0", "#21a39a", "#5ec962", "#fde725"].map((c, i) => [i / 4, c]);
const isNarrow = () => byId("plot").clientWidth < 640;
// From farther away where the plot is narrow, and a little from below the middle, so that axes and their titles are in view.
const camera = () => {
  const far = Math.min(2.6, 1.35 * Math.max(1, byId("plot").clientHeight / byId("plot").clientWidth) ** 1.4);
  return { eye: { x: far, y: far, z: 0.8 * far }, center: { x: 0, y: 0, z: -0.18 } };
};
const figureNow = () => {
  const s = at();
  const labels = sample.texts[s.text];
  const values = { frequency: frequencies(labels), size: sizes(s.mass) };
  const colours = { mass: s.mass, position: s.position, frequency: values.frequency }[view.colour];
  const groups = probed(labels);
  const lit = groups.some((g) => g >= 0);
  const all = labels.map((_, i) => i);
  const shades = { title: { text: view.colour, font: { color: ink().text } }, tickfont: { color: ink().text }, ...empty.data[0].marker.colorbar, ...(isNarrow() ? { orientation: "h", y: -0.02, yanchor: "bottom", len: 0.9 } : {}) };
  const traces = [trace(all.filter((i) => groups[i] < 0), s, labels, values, (pick) => ({ color: pick(colours.map((c) => c ?? 0)), opacity: lit ? ink().faint : 0.9, colorbar: shades, ...(isDark() ? { colorscale: LIT } : {}) }))];
  for (const g of new Set(groups.filter((x) => x >= 0))) {
    const own = all.filter((i) => groups[i] === g);
    const one = trace(own, s, labels, values, () => ({ color: PROBES[g % PROBES.length], opacity: 1, showscale: false }));
    traces.push({ ...one, mode: own.length <= 40 ? "markers+text" : "markers", hovertext: one.text, hovertemplate: "%{hovertext}<extra></extra>", text: own.map((i) => escaped(labels[i])), textfont: { color: ink().text, size: 11 } });
  }
  const shares = sample.layers[view.layer].shares;
  const axis = (i) => ({ ...empty.layout.scene.xaxis, title: { text: `PC${i + 1} (${(100 * shares[i]).toFixed(1)}%)`, font: { color: ink().text } }, color: ink().text, gridcolor: ink().grid, spikecolor: ink().spike, spikethickness: 1, spikesides: false });
  const layout = { ...empty.layout, modebar: { bgcolor: "rgba(0,0,0,0)", color: isDark() ? "#7e8692" : "#8a919c", activecolor: ink().text }, scene: { ...empty.layout.scene, camera: camera(), xaxis: axis(0), yaxis: axis(1), zaxis: axis(2) }, hoverlabel: { bgcolor: isDark() ? "#21252b" : "#ffffff", font: { color: ink().text } } };
  return [traces, layout];
};
const notes = () => {
  const s = at();
  byId("what").textContent = `layer ${sample.layers[view.layer].layer}, step ${s.step.toLocaleString("en-US")}, ${sample.texts[s.text].length} tokens, ${sample.layers[view.layer].dimension} dimensions`;
  const told = [`${sample.path}:${s.line}.`];
  const kept = sample.layers[view.layer].shares.reduce((a, b) => a + b, 0);
  told.push(`The three axes hold ${(100 * kept).toFixed(1)}% of the variance.`);
  if (sample.held < sample.steps) told.push(`${sample.held} of ${sample.steps} samples over training are in this file, evenly spread.`);
  if (sample.bad) told.push(`${sample.bad} coords ${sample.bad === 1 ? "event" : "events"} could not be read and ${sample.bad === 1 ? "is" : "are"} left out.`);
  byId("note").textContent = told.join(" ");
};
const fillTable = () => {
  const s = at();
  const labels = sample.texts[s.text];
  const rows = labels.map((l, i) => make("tr", {}, ...[String(s.position[i]), spoken(l), short(s.mass[i])].map((t) => make("td", { text: t }))));
  byId("tokens").replaceChildren(make("thead", {}, make("tr", {}, ...["position", "token", "mass"].map((t) => make("th", { scope: "col", text: t })))), make("tbody", {}, ...rows));
};
const controls = () => {
  const all = sample.layers[view.layer].at;
  byId("layer").value = view.layer;
  byId("colour").value = view.colour;
  byId("group").value = view.group;
  byId("step").max = all.length - 1;
  byId("step").value = all.indexOf(at());
  byId("step-value").textContent = at().step.toLocaleString("en-US");
  byId("step-label").hidden = byId("play").hidden = all.length < 2;
  byId("theme").textContent = { light: "☀ Light", dark: "☾ Dark" }[view.theme] ?? "◐ Auto";
  document.documentElement.dataset.theme = isDark() ? "dark" : "light";
};
const draw = async () => {
  controls();
  notes();
  fillTable();
  await runLibrary("library-plotly", "Plotly");
  return window.Plotly.react(byId("plot"), ...figureNow(), { displaylogo: false, responsive: true, modeBarButtons: [["toImage", "zoom3d", "pan3d", "orbitRotation", "tableRotation", "resetCameraDefault3d"]] });
};
const set = (changes) => {
  Object.assign(view, changes);
  const hash = new URLSearchParams(Object.entries(view).filter(([, v]) => v !== "" && v !== "auto" && v !== Infinity));
  history.replaceState(null, "", `#${hash}`);
  return draw();
};
let playing = 0;
const play = () => {
  clearInterval(playing);
  const all = sample.layers[view.layer].at;
  let i = 0;
  byId("play").textContent = "Stop";
  const stop = () => { clearInterval(playing); playing = 0; byId("play").textContent = "Play"; };
  playing = setInterval(() => { set({ step: i }); i += 1; if (i >= all.length) stop(); }, 600);
  return stop;
};
let stop = null;
byId("layer").replaceChildren(...sample.layers.map((l, i) => make("option", { value: i, text: String(l.layer) })));
byId("layer").addEventListener("change", (e) => set({ layer: Number(e.target.value) }));
byId("colour").addEventListener("change", (e) => set({ colour: e.target.value }));
byId("group").addEventListener("change", (e) => set({ group: e.target.value }));
byId("step").addEventListener("input", (e) => set({ step: Number(e.target.value) }));
byId("probe").addEventListener("input", (e) => set({ probe: e.target.value }));
byId("play").addEventListener("click", () => { if (playing) { stop(); } else { stop = play(); } });
byId("theme").addEventListener("click", () => set({ theme: { auto: "dark", dark: "light" }[view.theme] ?? "auto" }));
system.addEventListener("change", draw);
byId("probe").value = view.probe;
draw().then(() => performance.mark("drawn"));
