// Two pens that draw the same: on a canvas for the screen, as SVG for a file.
const FONT = "12px system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif";
const canvasPen = (context) => ({
  line(points, { color, width = 1.5, dash = [], alpha = 1, plain = false }) {
    context.globalAlpha = alpha;
    context.strokeStyle = color;
    context.lineWidth = width;
    context.setLineDash(dash);
    context.lineJoin = plain ? "bevel" : "round";
    context.beginPath();
    let down = false;
    for (let i = 0; i < points.length; i += 2) {
      if (Number.isNaN(points[i + 1])) { down = false; continue; }
      if (down) context.lineTo(points[i], points[i + 1]); else context.moveTo(points[i], points[i + 1]);
      down = true;
    }
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  },
  area(points, { color, alpha }) {
    context.globalAlpha = alpha;
    context.fillStyle = color;
    context.beginPath();
    for (let i = 0; i < points.length; i += 2) context[i ? "lineTo" : "moveTo"](points[i], points[i + 1]);
    context.closePath();
    context.fill();
    context.globalAlpha = 1;
  },
  dot(x, y, radius, { color, ring }) {
    context.beginPath();
    context.arc(x, y, radius, 0, 7);
    context.fillStyle = color;
    context.fill();
    if (ring) { context.strokeStyle = ring; context.lineWidth = 1.5; context.stroke(); }
  },
  text(said, x, y, { color, align = "left", base = "middle" }) {
    context.fillStyle = color;
    context.font = FONT;
    context.textAlign = align;
    context.textBaseline = base;
    context.fillText(said, x, y);
  },
  within(x, y, width, height, act) {
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    act();
    context.restore();
  },
});
const xml = (t) => String(t).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
const svgPen = (width, height, back) => {
  const parts = [];
  let clips = 0;
  const n = (v) => +v.toFixed(2);
  const path = (points) => {
    let d = "";
    let down = false;
    for (let i = 0; i < points.length; i += 2) {
      if (Number.isNaN(points[i + 1])) { down = false; continue; }
      d += `${down ? "L" : "M"}${n(points[i])} ${n(points[i + 1])}`;
      down = true;
    }
    return d;
  };
  return {
    line: (points, { color, width: w = 1.5, dash = [], alpha = 1 }) => parts.push(`<path d="${path(points)}" fill="none" stroke="${color}" stroke-width="${w}" stroke-opacity="${alpha}"${dash.length ? ` stroke-dasharray="${dash}"` : ""} stroke-linejoin="round"/>`),
    area: (points, { color, alpha }) => parts.push(`<path d="${path(points)}Z" fill="${color}" fill-opacity="${alpha}"/>`),
    dot: (x, y, radius, { color, ring }) => parts.push(`<circle cx="${n(x)}" cy="${n(y)}" r="${radius}" fill="${color}"${ring ? ` stroke="${ring}"` : ""}/>`),
    text: (said, x, y, { color, align = "left", base = "middle" }) => parts.push(`<text x="${n(x)}" y="${n(y)}" fill="${color}" text-anchor="${{ left: "start", right: "end", center: "middle" }[align]}" dominant-baseline="${{ middle: "central", top: "hanging", bottom: "auto" }[base]}">${xml(said)}</text>`),
    within(x, y, w, h, act) {
      clips += 1;
      parts.push(`<clipPath id="c${clips}"><rect x="${x}" y="${y}" width="${w}" height="${h}"/></clipPath><g clip-path="url(#c${clips})">`);
      act();
      parts.push("</g>");
    },
    done: () => `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="12"><rect width="100%" height="100%" fill="${back}"/>${parts.join("")}</svg>`,
  };
};
