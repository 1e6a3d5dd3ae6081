// Elements, islands and the line at the foot of the page that says what was done.
const island = (id) => JSON.parse(document.getElementById(id).textContent);
const byId = (id) => document.getElementById(id);
const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "text") element.textContent = value;
    else if (key === "on") for (const [event, act] of Object.entries(value)) element.addEventListener(event, act);
    else if (value !== null && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
};
const say = (() => {
  let timer = 0;
  return (text) => {
    byId("said").textContent = text;
    clearTimeout(timer);
    timer = setTimeout(() => { byId("said").textContent = ""; }, 2500);
  };
})();
