// The runs table: filter, sort, group, choose and pin columns, settings that differ, copies for papers.
const START = ["rank", "best", "ppl", "best_step", "last", "fixed", "delta", "delta_ppl", "rate", "time", "model", "flags", "seed", "status"];
const MANY = 100; // rows drawn at first
const column = new Map(columns.map((c) => [c.key, c]));
const cellOf = (run, key) => runs[run].cells[key];
const valueOf = (run, key) => (key === "name" ? runs[run].name : cellOf(run, key)?.[0]);
const numeric = (c) => c.kind === "number";
let everything = false;

// -- filter: words are parts of a name or a text; best<4.7, model=ngt compare a column
const TEST = /^([\w.]+)(<=|>=|=|<|>)(.+)$/;
const passes = (run, words) => words.every((word) => {
  const test = TEST.exec(word);
  const key = test && (column.has(test[1]) ? test[1] : column.has(`config.${test[1]}`) ? `config.${test[1]}` : null);
  if (key) {
    const value = valueOf(run, key);
    if (value === undefined) return false;
    if (test[2] === "=") return String(value).toLowerCase() === test[3].toLowerCase() || cellOf(run, key)[1].toLowerCase() === test[3].toLowerCase();
    const [a, b] = [Number(value), Number(test[3])];
    return { "<": a < b, ">": a > b, "<=": a <= b, ">=": a >= b }[test[2]];
  }
  const low = word.toLowerCase();
  return runs[run].name.toLowerCase().includes(low) || columns.some((c) => !numeric(c) && cellOf(run, c.key)?.[1].toLowerCase().includes(low));
});
const filtered = () => {
  const words = state.q.split(/\s+/).filter(Boolean);
  return runs.map((run, i) => i).filter((i) => passes(i, words));
};
const compared = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), "en", { numeric: true }));
const sorted = (found) => {
  const down = state.sort.startsWith("-");
  const key = down ? state.sort.slice(1) : state.sort;
  return found.toSorted((a, b) => {
    const [x, y] = [valueOf(a, key), valueOf(b, key)];
    if (x === undefined || y === undefined) return (x === undefined) - (y === undefined) || a - b;
    if (key === "rank" && runs[a].set !== runs[b].set) return a - b;
    return (down ? -1 : 1) * compared(x, y) || a - b;
  });
};

// -- columns
const varies = (key, found) => new Set(found.map((i) => valueOf(i, key)).filter((v) => v !== undefined).map((v) => JSON.stringify(v))).size > 1;
const shownColumns = (found) => {
  const chosen = state.cols ?? START;
  const settings = columns.filter((c) => c.kind === "setting" && state.diff && varies(c.key, found));
  const own = columns.filter((c) => chosen.includes(c.key) && (!state.diff || numeric(c) || varies(c.key, found)));
  return [...new Set([...own, ...settings])].sort((a, b) => state.pin.includes(b.key) - state.pin.includes(a.key));
};
const bestOf = (found, c) => {
  const best = new Map();
  if (!c.better) return best;
  const several = new Set(tables.sets.filter((s) => s.size > 1).map((s) => s.key));
  for (const i of found.filter((run) => runs[run].out === null && several.has(runs[run].set) && typeof valueOf(run, c.key) === "number" && cellOf(run, c.key)[1] !== "baseline")) {
    const [value, kept] = [valueOf(i, c.key), best.get(runs[i].set)];
    if (kept === undefined || (c.better === "lower" ? value < kept : value > kept)) best.set(runs[i].set, value);
  }
  return best;
};

// -- groups
const spokenSet = (key) => {
  const one = tables.sets.find((s) => s.key === key);
  return !one ? "in no comparison" : one.total === null ? "final values" : `${thousands(one.total)} steps`;
};
const GROUPS = { none: "none", seeds: "seeds", set: "compared set" };
const groupOf = (run) => {
  if (state.group === "seeds") return runs[run].seeds;
  if (state.group === "set") return spokenSet(runs[run].set);
  return valueOf(run, state.group) ?? null;
};
const grouped = (found) => {
  if (state.group === "none") return [[null, found]];
  const groups = new Map();
  for (const i of found) {
    const key = groupOf(i) ?? (state.group === "seeds" ? `run ${i}` : "not recorded");
    groups.set(key, [...(groups.get(key) ?? []), i]);
  }
  return [...groups].map(([key, own]) => [state.group === "seeds" ? (own.length > 1 ? own : null) && seedName(own) : String(key), own]);
};
const seedName = (own) => tables.seeds.find((s) => s.runs.includes(own[0]))?.name ?? runs[own[0]].name;
const spread = (values) => {
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / (values.length - 1);
  return [mean, Math.sqrt(variance)];
};
const digits = (own, key) => Math.max(0, ...own.map((i) => (/^-?\d+\.(\d+)$/.exec(cellOf(i, key)?.[1] ?? "") ?? ["", ""])[1].length));
const headRow = (name, own, shown) => {
  const cells = shown.map((c) => {
    const values = own.map((i) => valueOf(i, c.key)).filter((v) => typeof v === "number");
    if (!numeric(c) || c.key === "rank" || values.length < 2) return make("td", { class: numeric(c) ? "n" : "" });
    const [mean, std] = spread(values);
    const places = digits(own, c.key);
    const [said, about] = c.key === "time" ? [duration(mean), duration(std)] : [fixed(mean, places), fixed(std, places)];
    const td = make("td", { class: "n", tabindex: -1, "data-mean": mean, "data-std": std });
    td.origin = [`${name} ${c.title} ${said} ± ${about}`, `mean and sample standard deviation of ${values.length} runs`, own.flatMap((i) => pointsOf(i, c.key))];
    td.append(said, make("span", { class: "spread", text: ` ± ${about}` }));
    return td;
  });
  const count = make("button", { type: "button", class: "number tag", text: `n = ${own.length}`, "data-origin": true });
  count.origin = [`${name}: ${own.length} runs`, null, own.flatMap((i) => pointsOf(i, "best"))];
  const title = make("th", { scope: "rowgroup", class: "run pin" }, make("span", { class: "label", text: name }), count);
  return make("tr", { class: "head" }, title, ...(tables.drawn ? [make("td", { class: "curve" })] : []), ...cells);
};

// -- rows
const tagsOf = (run) => {
  const r = runs[run];
  if (r.base) return ["baseline"];
  if (r.parent !== null && r.parent !== undefined) return [`continues ${runs[r.parent].name}${r.resumed === null ? "" : ` from ${thousands(r.resumed)}`}`];
  return r.out === null ? [] : [r.out];
};
// A name that loses its middle where there is no room: names of runs differ at their ends.
const TAIL = 14;
const nameOf = (name, title) => {
  if (name.length <= TAIL + 4) return make("span", { class: "label", text: name, title });
  const words = /[\s_/#]*[^\s_/#]*$/.exec(name.slice(0, -TAIL / 2))[0].length;
  const cut = name.length - (words > 0 && words < TAIL ? words + TAIL / 2 : TAIL);
  const [head, tail] = [name.slice(0, cut), name.slice(cut)];
  return make("span", { class: "label", title }, make("span", { class: "front", text: head }), make("span", { class: "end", text: tail }));
};
const nameCell = (run) => {
  const box = make("input", { type: "checkbox", "aria-label": `Show ${runs[run].name} in the charts`, "data-run": run });
  box.checked = !state.hide.has(run);
  const swatch = make("span", { class: "swatch" });
  swatch.style.background = colour(run);
  const label = nameOf(runs[run].name, runs[run].id);
  const tags = tagsOf(run).map((t) => make("span", { class: "tag", text: t, title: t }));
  return make("th", { scope: "row", class: "run pin" }, make("label", {}, box, swatch, label, ...tags));
};
const dataCell = (run, c, best) => {
  const cell = cellOf(run, c.key);
  const kind = numeric(c) ? "n" : "text";
  if (!cell) return make("td", { class: `${kind} missing`, tabindex: -1, text: "–" });
  const isBest = best.get(c.key).get(runs[run].set) === cell[0] && runs[run].out === null && best.get(c.key).size > 0;
  return make("td", { class: kind + (isBest ? " best" : ""), tabindex: -1, text: cell[1], title: numeric(c) ? null : cell[1], "data-o": cell[2] ?? null, "data-key": c.key });
};
const runRow = (run, shown, best) => {
  const row = make("tr", { id: `run-${run}`, class: [state.hide.has(run) ? "off" : "", runs[run].out === null ? "" : "out"].join(" ").trim() || null });
  row.append(nameCell(run), ...(tables.drawn ? [curveCell(run)] : []), ...shown.map((c) => dataCell(run, c, best)));
  return row;
};

// -- sparklines: drawn once the curves are read
const sparks = new Map();
const SVG = "http://www.w3.org/2000/svg";
const sparkline = (run) => {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "spark");
  svg.setAttribute("viewBox", "0 0 84 22");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", sparks.get(run));
  path.setAttribute("stroke", colour(run));
  svg.append(path);
  return svg;
};
const curveCell = (run) => make("td", { class: "curve", "data-curve": run });
const fillSparks = () => {
  for (const cell of document.querySelectorAll("[data-curve]")) {
    const run = Number(cell.dataset.curve);
    if (sparks.get(run)) cell.replaceChildren(sparkline(run));
  }
};

// -- drawing
const headCell = (c) => {
  const down = state.sort === `-${c.key}`;
  const up = state.sort === c.key;
  const arrow = up ? " ↑" : down ? " ↓" : "";
  const button = make("button", { type: "button", title: c.about, text: c.title + arrow, "data-sort": c.key });
  return make("th", { scope: "col", class: numeric(c) ? "n" : "", "aria-sort": up ? "ascending" : down ? "descending" : null }, button);
};
const drawTable = () => {
  const found = sorted(filtered());
  const shown = shownColumns(found);
  const best = new Map(shown.map((c) => [c.key, bestOf(found, c)]));
  const first = headCell({ key: "name", title: "run", about: "display name", kind: "text" });
  first.className = "run pin";
  const head = make("thead", {}, make("tr", {}, first, ...(tables.drawn ? [make("th", { scope: "col", class: "plain", text: "curve" })] : []), ...shown.map(headCell)));
  const body = make("tbody");
  const limit = everything ? Infinity : MANY;
  let drawn = 0;
  for (const [name, own] of grouped(found)) {
    if (drawn >= limit) break;
    if (name !== null) body.append(headRow(name, own, shown));
    for (const i of own.slice(0, limit - drawn)) body.append(runRow(i, shown, best));
    drawn += own.length;
  }
  const kept = document.activeElement?.dataset?.sort;
  byId("table").replaceChildren(make("table", { class: "runs" }, make("caption", { class: "off", text: "Runs, their losses, speeds and settings" }), head, body));
  pinColumns(shown);
  const start = byId("table").querySelector("td[data-o]");
  if (start) start.tabIndex = 0;
  if (kept) byId("table").querySelector(`[data-sort="${CSS.escape(kept)}"]`)?.focus();
  noteTable(found, drawn, limit);
};
const noteTable = (found, drawn, limit) => {
  const said = found.length === runs.length ? `${runs.length} ${runs.length === 1 ? "run" : "runs"}.` : `${found.length} of ${runs.length} runs pass the filter.`;
  byId("table-note").replaceChildren(`${said} Bold is the best of a compared set. Hover or focus a number for its source, click to copy it.`);
  if (drawn > limit || found.length > limit) byId("table-note").append(" ", make("button", { type: "button", text: `Show all ${found.length}`, on: { click: () => { everything = true; drawTable(); } } }));
};
const pinColumns = (shown) => {
  if (!state.pin.length) return;
  const table = byId("table").querySelector("table");
  const rows = [...table.rows];
  let left = rows[0].cells[0].offsetWidth;
  shown.forEach((c, i) => {
    if (!state.pin.includes(c.key)) return;
    const place = i + (tables.drawn ? 2 : 1);
    for (const row of rows) { row.cells[place].classList.add("pin"); row.cells[place].style.left = `${left}px`; }
    left += rows[0].cells[place].offsetWidth;
  });
};
const drawColumnList = () => {
  const chosen = state.cols ?? START;
  byId("column-list").replaceChildren(...columns.map((c) => {
    const box = make("input", { type: "checkbox", "data-column": c.key });
    box.checked = chosen.includes(c.key);
    const pin = make("button", { type: "button", text: state.pin.includes(c.key) ? "unpin" : "pin", "aria-label": `${state.pin.includes(c.key) ? "Unpin" : "Pin"} ${c.title}`, "data-pin": c.key });
    return make("label", { title: c.about }, box, make("span", { text: c.title, class: "grow" }), pin);
  }));
};

// -- as text: Markdown, LaTeX, CSV of what is shown
const asRows = () => {
  const found = sorted(filtered());
  const shown = shownColumns(found);
  return [["run", ...shown.map((c) => c.title)], ...found.map((i) => [runs[i].name, ...shown.map((c) => cellOf(i, c.key)?.[1] ?? "")])];
};
const WRITERS = {
  md: (rows) => [rows[0], rows[0].map((_, i) => (i ? "---:" : "---")), ...rows.slice(1)].map((r) => `| ${r.map((t) => t.replace(/[\\|`*_<>[\]]/g, "\\$&").replace(/\s+/g, " ")).join(" | ")} |`).join("\n"),
  latex: (rows) => {
    const safe = (t) => t.replace(/[\\~^&%$#_{}]/g, (c) => ({ "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}" })[c] ?? `\\${c}`);
    const lines = rows.map((r) => `${r.map(safe).join(" & ")} \\\\`);
    return ["\\begin{tabular}{l" + "r".repeat(rows[0].length - 1) + "}", "\\toprule", lines[0], "\\midrule", ...lines.slice(1), "\\bottomrule", "\\end{tabular}"].join("\n");
  },
  csv: (rows) => rows.map((r) => r.map((t) => (/^[=+\-@\t]/.test(t) && Number.isNaN(Number(t)) ? `'${t}` : t)).map((t) => (/[",\n]/.test(t) ? `"${t.replaceAll('"', '""')}"` : t)).join(",")).join("\n"),
};

// -- what is done with it
// A shadow where the table goes on to the right.
const shadeSides = () => {
  const box = byId("table");
  box.parentElement.classList.toggle("goes-on", box.scrollLeft + box.clientWidth < box.scrollWidth - 2);
};
const startTable = () => {
  for (const part of [byId("runs"), document.querySelector("nav [data-go='runs']")]) part.hidden = !runs.length;
  const keys = ["model", "flags", "dataset", "status", ...columns.filter((c) => c.kind === "setting").map((c) => c.key)].filter((k) => column.has(k));
  const choices = [...Object.entries(GROUPS).filter(([k]) => k !== "seeds" || tables.seeds.length), ...keys.map((k) => [k, column.get(k).title])];
  byId("group").replaceChildren(...choices.map(([value, said]) => make("option", { value, text: said })));
  byId("filter").addEventListener("input", (e) => set({ q: e.target.value }));
  byId("group").addEventListener("change", (e) => set({ group: e.target.value }));
  byId("diff").addEventListener("change", (e) => set({ diff: e.target.checked }));
  byId("table").addEventListener("click", (e) => {
    const key = e.target.closest("[data-sort]")?.dataset.sort;
    if (key) set({ sort: state.sort === key ? `-${key}` : state.sort === `-${key}` && key !== "rank" ? "rank" : key });
  });
  byId("table").addEventListener("change", (e) => { if (e.target.dataset.run) toggleRuns([Number(e.target.dataset.run)]); });
  byId("table").addEventListener("keydown", moveInTable);
  byId("table").addEventListener("scroll", shadeSides, { passive: true });
  new ResizeObserver(shadeSides).observe(byId("table"));
  byId("column-list").addEventListener("change", (e) => {
    const chosen = new Set(state.cols ?? START);
    if (e.target.checked) chosen.add(e.target.dataset.column); else chosen.delete(e.target.dataset.column);
    set({ cols: columns.map((c) => c.key).filter((k) => chosen.has(k)) });
  });
  byId("column-list").addEventListener("click", (e) => {
    const key = e.target.dataset.pin;
    if (!key) return;
    e.preventDefault();
    const cols = state.cols ?? START;
    set({ pin: state.pin.includes(key) ? state.pin.filter((k) => k !== key) : [...state.pin, key], cols: cols.includes(key) ? state.cols : [...cols, key] });
  });
  for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", async () => {
    await copyText(WRITERS[button.dataset.copy](asRows()));
    say(`copied ${filtered().length} rows as ${button.textContent}`);
  });
  const controls = () => {
    byId("filter").value = state.q;
    byId("group").value = state.group;
    byId("diff").checked = state.diff;
  };
  on("q sort group diff cols pin theme", () => { controls(); drawTable(); fillSparks(); shadeSides(); });
  on("cols pin", drawColumnList);
  byId("columns").addEventListener("toggle", drawColumnList);
  on("hide", () => {
    for (const box of document.querySelectorAll("[data-run]")) {
      if (box.type !== "checkbox") continue;
      box.checked = !state.hide.has(Number(box.dataset.run));
      box.closest("tr").classList.toggle("off", !box.checked);
    }
  });
  controls();
  drawTable();
};
const toggleRuns = (which) => {
  const hide = new Set(state.hide);
  const all = which.every((i) => hide.has(i));
  for (const i of which) if (all || (which.length === 1 && hide.has(i))) hide.delete(i); else hide.add(i);
  set({ hide });
};
const moveInTable = (event) => {
  const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  const cell = event.target.closest("td");
  if (!move || !cell) return;
  const row = cell.parentElement;
  let next = move[0] === 0 ? row.cells[cell.cellIndex + move[1]] : null;
  for (let other = row; move[0] && other; ) {
    other = move[0] > 0 ? other.nextElementSibling : other.previousElementSibling;
    if (other && other.cells[cell.cellIndex]?.tabIndex === -1) { next = other.cells[cell.cellIndex]; break; }
  }
  if (next?.tagName !== "TD") return;
  event.preventDefault();
  cell.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
};
