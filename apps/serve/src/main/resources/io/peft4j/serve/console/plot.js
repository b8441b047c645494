const SPACE = "http://www.w3.org/2000/svg";
const [HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [260, 52, 30, 10, 12];
/** As wide as the page, so that letters keep their size. */
const pageWidth = () => Math.max(300, document.getElementById("main").clientWidth - 64);

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

/** Parts of a whole beside each other, each [title, size]. */
export function partsBar(label, parts) {
  const sum = parts.reduce((all, [, size]) => all + size, 0) || 1;
  const bar = svg("svg", { viewBox: "0 0 100 6", class: "parts", role: "img", "aria-label": label, preserveAspectRatio: "none" });
  let at = 0;
  parts.forEach(([title, size], i) => {
    const part = svg("rect", { x: at, y: 0, width: 100 * size / sum, height: 6, class: `part${i}` });
    part.append(svg("title", {}, title));
    bar.append(part);
    at += 100 * size / sum;
  });
  return bar;
}

/** Shares with their intervals as bars; a bar is {name, share, low, high}, and the last one is what the others stand beside. */
export function barPlot(title, bars) {
  const [row, left, right, width] = [30, 110, 140, pageWidth()];
  const x = share => left + share * (width - left - right);
  const percent = share => (100 * share).toFixed(1);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${row * bars.length}`, class: "plot", role: "img", "aria-label": title });
  bars.forEach(({ name, share, low, high }, i) => picture.append(
    svg("text", { x: left - 8, y: row * i + 20, "text-anchor": "end" }, name.length > 20 ? `${name.slice(0, 19)}…` : name),
    svg("rect", { class: i === bars.length - 1 ? "bar" : "bar weak", x: left, y: row * i + 6, width: x(share) - left, height: 18 }),
    svg("path", { class: "whisker", d: `M${x(low)} ${row * i + 10}v10m0 -5H${x(high)}m0 -5v10` }),
    svg("text", { x: width - right + 8, y: row * i + 20 }, `${percent(share)} % [${percent(low)}, ${percent(high)}]`)));
  return picture;
}

/**
 * Lines over steps: series are {title, points: [[step, value], ...]}, the first solid, the second dashed.
 */
export function linePlot(title, series) {
  const width = pageWidth();
  const shown = series.filter(one => one.points.length > 0);
  const picture = svg("svg", { viewBox: `0 0 ${width} ${HEIGHT}`, class: "plot", role: "img", "aria-label": title });
  if (shown.length === 0) {
    picture.append(svg("text", { x: width / 2, y: HEIGHT / 2, "text-anchor": "middle" }, "no values yet"));
    return picture;
  }
  const all = shown.flatMap(one => one.points);
  const steps = ticks(Math.min(...all.map(p => p[0])), Math.max(...all.map(p => p[0])));
  const values = ticks(Math.min(...all.map(p => p[1])), Math.max(...all.map(p => p[1])));
  const x = step => LEFT + (step - steps[0]) / (steps.at(-1) - steps[0] || 1) * (width - LEFT - RIGHT);
  const y = value => HEIGHT - BOTTOM - (value - values[0]) / (values.at(-1) - values[0] || 1) * (HEIGHT - BOTTOM - TOP);
  for (const value of values) {
    picture.append(svg("path", { class: "axis", d: `M${LEFT} ${y(value)}H${width - RIGHT}` }),
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
