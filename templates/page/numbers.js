// The numbers of a comparison chart as a table, for those who do not point at marks: each with its lines, by keyboard too.
const tipFields = (node) => {
  if (!node || typeof node !== "object") return null;
  if (Array.isArray(node.tooltip)) return node.tooltip;
  for (const child of Object.values(node)) { const found = tipFields(child); if (found) return found; }
  return null;
};
const numberText = (value) => (Number.isInteger(value) ? thousands(value) : printed(value));
const numbersTable = (chart) => {
  const fields = tipFields(chart.spec).map(({ field, title, type }) => ({ field, number: type === "quantitative", title: title ?? chart.rows[0][`${field}_title`] ?? field }));
  const body = make("tbody");
  const seen = new Set();
  for (const row of rowsOf(chart)) {
    const key = JSON.stringify(fields.map(({ field }) => row[field]));
    if (seen.has(key)) continue;
    seen.add(key);
    const origin = markOrigin(chart, { datum: row });
    body.append(make("tr", {}, ...fields.map(({ field, title, number }) => {
      const value = row[field];
      if (!number || typeof value !== "number") return make("td", { class: number ? "n" : null, text: value ?? "–" });
      const cell = make("td", { class: "n", tabindex: -1, text: numberText(value), "data-origin": origin !== null });
      cell.origin = origin && [`${origin[0]}: ${title} ${numberText(value)}`, null, origin[2]];
      return cell;
    })));
  }
  const first = body.querySelector("[data-origin]");
  if (first) first.tabIndex = 0;
  const head = make("thead", {}, make("tr", {}, ...fields.map(({ title, number }) => make("th", { scope: "col", class: number ? "n" : null, text: title }))));
  return make("table", { class: "plain", on: { keydown: moveInTable } }, make("caption", { class: "off", text: chart.title }), head, body);
};
const numbersOf = (chart) => {
  const box = make("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": `Numbers of ${chart.title}` });
  const fill = () => { if (details.open) box.replaceChildren(numbersTable(chart)); };
  const details = make("details", { class: "numbers", on: { toggle: fill } }, make("summary", { text: "Numbers" }), box);
  on("hide", fill);
  return details;
};
