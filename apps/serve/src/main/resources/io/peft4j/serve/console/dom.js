/** Makes an element. Text is only ever text: nothing that a server or a person says becomes markup. */
export function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) {
      continue;
    } else if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value);
    } else if (name === "class") {
      element.className = value;
    } else {
      element.setAttribute(name, value === true ? "" : value);
    }
  }
  element.append(...children.flat().filter(child => child !== undefined && child !== null && child !== false)
    .map(child => child instanceof Node ? child : String(child)));
  return element;
}

/** Puts new content into an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter(child => child));
}

/** A table; a column is [title, function of a row, whether it holds numbers]. */
export function table(caption, columns, rows) {
  return el("div", { class: "wide", tabindex: "0", role: "region", "aria-label": caption },
    el("table", {}, el("thead", {}, el("tr", {}, columns.map(([title, , number]) =>
      el("th", { scope: "col", class: number && "number" }, title)))),
      el("tbody", {}, rows.map(row => el("tr", {}, columns.map(([, cell, number]) =>
        el("td", { class: number && "number" }, [cell(row) ?? ""].flat())))))));
}

/** Names and values. */
export function facts(pairs) {
  return el("dl", {}, pairs.filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]).flat());
}

/** A field with its label and a hint. */
export function labelled(field, title, hint) {
  if (hint) {
    field.setAttribute("aria-describedby", `${field.id}-hint`);
  }
  return [el("label", { for: field.id }, title), field, hint && el("p", { class: "hint", id: `${field.id}-hint` }, hint)];
}

/** A part that is folded until it is opened. */
export const folded = (title, ...content) => el("details", {}, el("summary", {}, title), ...content);

let wiping;

/** Says something in a line that screen readers announce. */
export function say(text) {
  const status = document.getElementById("status");
  status.textContent = text;
  clearTimeout(wiping);
  wiping = setTimeout(() => { status.textContent = ""; }, 8000);
}

export const when = seconds => new Date(seconds * 1000).toLocaleString();
export const clock = seconds => el("time", { datetime: new Date(seconds * 1000).toISOString() },
  new Date(seconds * 1000).toLocaleTimeString());
export const size = bytes => bytes < 1e3 ? `${bytes} B` : bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB`
  : bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
export const duration = seconds => seconds < 60 ? `${Math.max(0, Math.round(seconds))} s`
  : seconds < 3600 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
