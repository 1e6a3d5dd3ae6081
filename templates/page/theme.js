// Light and dark: as the system, unless switched. Colours of runs by their place: few have a colour each, many a ramp from best to worst.
const system = matchMedia("(prefers-color-scheme: dark)");
let printing = false; // paper is light
const isDark = () => !printing && (state.theme === "auto" ? system.matches : state.theme === "dark");
const FEW = {
  light: ["#1f6fb4", "#d9480f", "#2b8a3e", "#9c36b5", "#b08900", "#c2255c", "#0b7285", "#5f3dc4", "#7a5230", "#5c940d", "#a61e4d", "#364fc7"],
  dark: ["#74b9ff", "#ff9457", "#69db7c", "#da8cf5", "#ffd43b", "#f783ac", "#5bd5e6", "#a99bff", "#d0a583", "#b7e05a", "#ff8787", "#8ea6ff"],
};
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
// A colour by lightness, chroma and hue in degrees that look alike to the eye (OKLCH), as every program reads it; less chroma where the screen lacks it.
const shade = (light, chroma, hue) => {
  const [a, b] = [Math.cos, Math.sin].map((f) => chroma * f((hue * Math.PI) / 180));
  const [l, m, s] = [light + 0.3963377774 * a + 0.2158037573 * b, light - 0.1055613458 * a - 0.0638541728 * b, light - 0.0894841775 * a - 1.291485548 * b].map((v) => v ** 3);
  const linear = [4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s, -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s, -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s];
  if (chroma > 0.02 && linear.some((v) => v < -0.001 || v > 1.001)) return shade(light, chroma - 0.01, hue);
  const hex = (v) => Math.round(255 * Math.min(1, Math.max(0, v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055))).toString(16).padStart(2, "0");
  return `#${linear.map(hex).join("")}`;
};
// Runs that differ in nothing but the seed share a colour where not every run can have its own.
const WHEEL = 60; // families that a turn of the hues can tell apart
const families = new Map();
const others = runs.map((run, i) => i).filter((i) => !runs[i].base);
for (const i of others) {
  const key = others.length > FEW.light.length && runs[i].seeds !== null ? `seeds ${runs[i].seeds}` : `run ${i}`;
  families.set(key, [...(families.get(key) ?? []), i]);
}
const familyPlace = new Map([...families.values()].flatMap((own, place) => own.map((i) => [i, place])));
const placeInSet = (run) => {
  const own = others.filter((i) => runs[i].set === runs[run].set);
  return own.length > 1 ? own.indexOf(run) / (own.length - 1) : 0.5;
};
const shades = new Map();
const colour = (run) => {
  const key = isDark() ? run : -1 - run;
  if (!shades.has(key)) shades.set(key, chosenColour(run));
  return shades.get(key);
};
const chosenColour = (run) => {
  if (runs[run].base) return isDark() ? "#ffffff" : "#111111";
  const few = FEW[isDark() ? "dark" : "light"];
  const place = familyPlace.get(run);
  if (families.size <= few.length) return few[place];
  if (families.size <= WHEEL) return shade((isDark() ? 0.76 : 0.55) + 0.06 * ((place % 3) - 1), 0.17, 250 + 137.508 * place);
  const part = placeInSet(run);
  return isDark() ? shade(0.82 - 0.14 * part, 0.15, 220 + 170 * part) : shade(0.42 + 0.2 * part, 0.19, 255 + 130 * part);
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
for (const [event, now] of [["beforeprint", true], ["afterprint", false]]) window.addEventListener(event, () => {
  const before = isDark();
  printing = now;
  if (isDark() !== before) tell(new Set(["theme"]));
});
