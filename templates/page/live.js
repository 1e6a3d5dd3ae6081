// Only in the page that `ngtreport watch` serves: loads it anew when a build has made another one.
const shown = document.querySelector("meta[name='build']").content;
new EventSource("events").addEventListener("build", (event) => {
  if (event.data !== shown) location.reload();
});
