const SPACE = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [640, 260, 52, 30, 10, 12];

function svg(tag, attributes, text) {
  const element = document.createElementNS(SPACE, tag);
  Object.entries(attributes).forEach(([name, value]) => element.setAttribute(name, value));
  if (text !== undefined) {
    element.textContent = text;
  }
  return element;
}

/** Round numbers from below the least to above the greatest value. */
function ticks(low, high) {
  const span = high - low || Math.abs(high) || 1;
  const power = 10 ** Math.floor(Math.log10(span / 4));
  const step = [1, 2, 5, 10].map(factor => factor * power).find(size => span / size <= 5);
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

/**
 * Lines over steps: series are {title, points: [[step, value], ...]}, the first solid, the second dashed.
 */
export function linePlot(title, series) {
  const shown = series.filter(one => one.points.length > 0);
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "plot", role: "img", "aria-label": title });
  if (shown.length === 0) {
    picture.append(svg("text", { x: WIDTH / 2, y: HEIGHT / 2, "text-anchor": "middle" }, "no values yet"));
    return picture;
  }
  const all = shown.flatMap(one => one.points);
  const steps = ticks(Math.min(...all.map(p => p[0])), Math.max(...all.map(p => p[0])));
  const values = ticks(Math.min(...all.map(p => p[1])), Math.max(...all.map(p => p[1])));
  const x = step => LEFT + (step - steps[0]) / (steps.at(-1) - steps[0] || 1) * (WIDTH - LEFT - RIGHT);
  const y = value => HEIGHT - BOTTOM - (value - values[0]) / (values.at(-1) - values[0] || 1) * (HEIGHT - BOTTOM - TOP);
  for (const value of values) {
    picture.append(svg("path", { class: "axis", d: `M${LEFT} ${y(value)}H${WIDTH - RIGHT}` }),
      svg("text", { x: LEFT - 6, y: y(value) + 4, "text-anchor": "end" }, String(value)));
  }
  for (const step of steps) {
    picture.append(svg("text", { x: x(step), y: HEIGHT - 10, "text-anchor": "middle" }, String(step)));
  }
  shown.forEach(one => {
    const kind = series.indexOf(one) === 0 ? "first" : "second";
    picture.append(svg("path", { class: kind, d: one.points.map(([step, value], i) =>
      `${i === 0 ? "M" : "L"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`).join("") }));
    if (kind === "second") {
      one.points.forEach(([step, value]) => picture.append(svg("circle", { class: "dot", cx: x(step), cy: y(value), r: 3 })));
    }
  });
  return picture;
}
