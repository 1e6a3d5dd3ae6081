// Elements, islands and the line at the foot of the page that says what was done.
const island = (id) => JSON.parse(document.getElementById(id).textContent);
const byId = (id) => document.getElementById(id);
// Resolves when what is in the page now has been painted.
const painted = () => new Promise((done) => { requestAnimationFrame(() => setTimeout(done, 0)); });
const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const key in attributes) {
    const value = attributes[key];
    if (key === "text") element.textContent = value;
    else if (key === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
};
// A library stands in the page compressed. Unpacked once, run once: `runLibrary` resolves when it can be used.
const unpackedLibraries = new Map();
const bytesOf = (base64) => {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const letters = atob(base64);
  const out = new Uint8Array(letters.length);
  for (let i = 0; i < out.length; i += 1) out[i] = letters.charCodeAt(i);
  return out;
};
const unpackLibrary = (id) => {
  const unpack = async () => {
    const packed = bytesOf(byId(id).textContent);
    return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"))).text();
  };
  if (!unpackedLibraries.has(id)) unpackedLibraries.set(id, unpack());
  return unpackedLibraries.get(id);
};
const runLibrary = async (id, name) => {
  const text = await unpackLibrary(id);
  if (!window[name]) document.body.append(make("script", { text }));
};
const say = (() => {
  let timer = 0;
  return (text) => {
    byId("said").textContent = text;
    clearTimeout(timer);
    timer = setTimeout(() => { byId("said").textContent = ""; }, 2500);
  };
})();
