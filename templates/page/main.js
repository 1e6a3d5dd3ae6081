// Order of work: the first table at once, the curves when the page has arrived, the charts when they come into view.
document.addEventListener("click", (event) => {
  const target = event.target.closest?.("[data-go]");
  if (!target) return;
  event.preventDefault();
  const element = byId(target.dataset.go);
  if (!element) { say("this run is not in the table at present: the filter or the limit of rows leaves it out"); return; }
  element.scrollIntoView({ behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth", block: "center" });
  element.classList.add("found");
  setTimeout(() => element.classList.remove("found"), 2500);
  if (element.tagName === "SECTION") { element.tabIndex = -1; element.focus({ preventScroll: true }); element.scrollIntoView(); }
});
byId("link").addEventListener("click", async () => { writeHash(); await copyText(location.href); say("copied a link to this view of the file"); });
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
});
window.addEventListener("beforeprint", () => { for (const d of document.querySelectorAll("details:not(.menu, .numbers)")) d.open = true; });
startTable();
performance.mark("table");
const tablePainted = painted();
window.drawTheRest = async () => {
  await tablePainted;
  startCurves();
  performance.mark("curves");
  panels.forEach((p) => { p.element.dataset.drawn = "yes"; });
  await painted();
  drawSparks();
  startCharts();
  performance.mark("drawn");
};
