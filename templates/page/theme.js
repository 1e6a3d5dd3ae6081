// Light and dark: as the system, unless switched. Colours of runs by their place: few have a colour each, many a ramp from best to worst.
const system = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (state.theme === "auto" ? system.matches : state.theme === "dark");
const FEW = {
  light: ["#1f6fb4", "#d9480f", "#2b8a3e", "#9c36b5", "#b08900", "#c2255c", "#0b7285", "#5f3dc4", "#7a5230", "#5c940d", "#a61e4d", "#364fc7"],
  dark: ["#74b9ff", "#ff9457", "#69db7c", "#da8cf5", "#ffd43b", "#f783ac", "#5bd5e6", "#a99bff", "#d0a583", "#b7e05a", "#ff8787", "#8ea6ff"],
};
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const others = runs.map((run, i) => i).filter((i) => !runs[i].base);
const ranks = new Map(others.map((run, place) => [run, place]));
const colour = (run) => {
  if (runs[run].base) return isDark() ? "#ffffff" : "#111111";
  const few = FEW[isDark() ? "dark" : "light"];
  const place = ranks.get(run);
  if (others.length <= few.length) return few[place];
  const part = place / (others.length - 1);
  return isDark() ? `hsl(${200 + 150 * part} 75% ${72 - 14 * part}%)` : `hsl(${215 + 145 * part} 72% ${38 + 20 * part}%)`;
};
const applyTheme = () => {
  document.documentElement.dataset.theme = isDark() ? "dark" : "light";
  const said = { auto: "as the system", light: "light", dark: "dark" }[state.theme] ?? "as the system";
  byId("theme").textContent = { light: "☀ Light", dark: "☾ Dark" }[state.theme] ?? "◐ Auto";
  byId("theme").setAttribute("aria-label", `Theme: ${said}`);
};
byId("theme").addEventListener("click", () => set({ theme: { auto: "dark", dark: "light" }[state.theme] ?? "auto" }));
system.addEventListener("change", () => tell(new Set(["theme"])));
on("theme", applyTheme);
applyTheme();
