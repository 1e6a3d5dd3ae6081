// Where a number comes from: shown on hover and focus, copied and kept in view on click.
const lineTexts = new Map(tables.lines.map(([path, line, said]) => [`${path}:${line}`, said]));
const where = ([path, line, pointer]) => `${tables.paths[path]}${line === null ? "" : `:${line}`}${pointer ? ` (${pointer})` : ""}`;
const placeOf = (point) => {
  const said = lineTexts.get(`${point[0]}:${point[1]}`);
  const out = make("div", { class: "at" }, make("div", { class: "where mono", text: where(point) }));
  if (said !== undefined) out.append(make("pre", { text: said }));
  return out;
};
// What a cell of the runs table holds.
const whatOf = (element) => {
  const row = element.closest("tr[id]");
  return row ? `${runs[row.id.slice(4)].name} ${column.get(element.dataset.key).title} ${element.textContent}` : "";
};
// The origin of an element: [what it is, its formula or null, [[path, line, pointer], ...]]
const originOf = (element) => {
  if (element.origin) return element.origin;
  if (element.dataset.o !== undefined) {
    const [formula, points] = tables.origins[element.dataset.o];
    return [element.dataset.what ?? whatOf(element), formula, points];
  }
  const path = tables.paths.indexOf(element.dataset.path);
  const line = element.dataset.line === undefined ? null : Number(element.dataset.line);
  return path < 0 ? null : [element.dataset.what ?? "", null, [[path, line, null]]];
};
const describe = (origin) => {
  const [what, formula, points] = origin;
  const out = make("div");
  if (what) out.append(make("b", { text: what }));
  if (formula) out.append(make("div", { class: "mono", text: `= ${formula}` }));
  for (const point of points.slice(0, MOST_PLACES)) out.append(placeOf(point));
  if (points.length > MOST_PLACES) out.append(make("div", { class: "where", text: `and ${points.length - MOST_PLACES} more lines` }));
  return out;
};
const MOST_PLACES = 8;
// Where the numbers of a run's cells stand, each line once.
const pointsOf = (run, ...keys) => {
  const all = keys.flatMap((key) => tables.origins[runs[run].cells[key]?.[2]]?.[1] ?? []);
  return [...new Map(all.map((point) => [point.join(":"), point])).values()];
};
const tip = byId("tip");
const showTip = (content, x, y) => {
  tip.replaceChildren(content);
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const right = x + 14 + width + 8 <= innerWidth;
  tip.style.left = `${right ? x + 14 : x - width - 14 >= 8 ? x - width - 14 : Math.max(8, innerWidth - width - 8)}px`;
  tip.style.top = `${y + 18 + height > innerHeight ? Math.max(8, y - height - 12) : y + 18}px`;
};
const hideTip = () => { tip.hidden = true; };
const cited = (target) => target.closest?.("[data-o],[data-path],[data-mean],[data-origin]");
const tipFor = (element) => {
  const origin = originOf(element);
  if (!origin) return;
  const box = element.getBoundingClientRect();
  showTip(describe(origin), box.left, box.bottom - 12);
};
const keepOrigin = (origin) => {
  const close = make("button", { type: "button", class: "close", text: "Close", on: { click: () => { byId("origin").hidden = true; } } });
  byId("origin").replaceChildren(close, describe(origin));
  byId("origin").hidden = false;
};
const copyOrigin = async (origin) => {
  const [what, formula, points] = origin;
  const said = [what, formula ? `= ${formula}` : "", ...points.slice(0, MOST_PLACES).map(where)].filter(Boolean).join("  ");
  await copyText(said);
  say(`copied: ${said}`);
  hideTip();
  keepOrigin(origin);
};
document.addEventListener("pointerover", (event) => { const found = cited(event.target); if (found) tipFor(found); });
document.addEventListener("pointerout", (event) => { if (cited(event.target)) hideTip(); });
document.addEventListener("focusin", (event) => { const found = cited(event.target); if (found) tipFor(found); else hideTip(); });
document.addEventListener("click", (event) => {
  const found = cited(event.target);
  const origin = found && originOf(found);
  if (origin) copyOrigin(origin);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") { hideTip(); byId("origin").hidden = true; }
  const found = event.key === "Enter" && event.target.matches?.("td, [role='button']") && cited(event.target);
  if (found) copyOrigin(originOf(found));
});
