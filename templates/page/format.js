// Numbers and times as people write them.
const compact = (value) => {
  const size = Math.abs(value);
  if (size >= 1e9) return `${+(value / 1e9).toPrecision(4)}B`;
  if (size >= 1e6) return `${+(value / 1e6).toPrecision(4)}M`;
  if (size >= 1e4) return `${+(value / 1e3).toPrecision(4)}k`;
  return size !== 0 && size < 1e-3 ? (+value.toPrecision(3)).toExponential() : String(+value.toPrecision(5));
};
const thousands = (value) => value.toLocaleString("en-US", { maximumFractionDigits: 6 });
const fixed = (value, places) => value.toLocaleString("en-US", { minimumFractionDigits: places, maximumFractionDigits: places });
const duration = (seconds) => {
  if (seconds < 60) return `${seconds.toFixed(1)}s`;
  if (seconds < 3600) {
    const tenths = Math.round(10 * seconds);
    return `${Math.floor(tenths / 600)}m ${((tenths % 600) / 10).toFixed(1)}s`;
  }
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)}h ${minutes % 60}m`;
};
const tickTime = (seconds) => duration(Math.max(0, seconds)).replace(/\.0s$/, "s").replace(/(?<=[hm]) 0[ms]$/, "");
const printed = (value, decimals) => {
  if (decimals !== undefined && decimals !== null) return value.toFixed(Math.min(decimals, 8));
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e7) ? (+value.toPrecision(4)).toExponential() : String(+value.toPrecision(6));
};
const copyText = async (value) => {
  try {
    await navigator.clipboard.writeText(value);
  } catch {
    const area = make("textarea", { class: "off" });
    area.value = value;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
};
const save = (name, data, type) => {
  const url = URL.createObjectURL(data instanceof Blob ? data : new Blob([data], { type }));
  const link = make("a", { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
};
const fileName = (...parts) => parts.join("_").replace(/[^\w.-]+/g, "_").slice(0, 120);
