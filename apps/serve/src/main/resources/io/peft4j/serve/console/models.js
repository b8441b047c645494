import { attempt, get, remove, text } from "./api.js";
import { el, facts, fill, size, table, when } from "./dom.js";
import { polled } from "./live.js";

/** What answers here, and how much memory it takes. */
export function models(main) {
  const list = el("div", {});
  const memory = el("div", {});
  fill(main, el("h1", {}, "Models"), list, el("h2", {}, "This process"), memory);
  const show = async () => {
    const { data } = await get("/v1/models");
    fill(list, table("Models", [
      ["Model", model => el("a", { href: `#/playground?model=${encodeURIComponent(model.id)}` }, model.id)],
      ["Owner", model => model.owned_by], ["Since", model => model.created ? when(model.created) : ""],
      ["", model => model.id.startsWith("ft:") && el("button", { class: "danger", "aria-label": `Delete ${model.id}`,
        onclick: async () => {
          if (confirm(`Delete ${model.id}? Its adapter is lost.`)) {
            await attempt(() => remove(`/v1/models/${encodeURIComponent(model.id)}`));
            await attempt(show);
          }
        } }, "Delete")],
    ], data));
    fill(memory, process(await text("/metrics")));
  };
  return polled(show, 4000);
}

/** A few figures out of Prometheus' text. */
function process(metrics) {
  const values = {};
  for (const line of metrics.split("\n").filter(one => one && !one.startsWith("#"))) {
    const name = line.split(/[{ ]/)[0];
    values[name] = (values[name] || 0) + Number(line.slice(line.lastIndexOf(" ")));
  }
  const bytes = name => Number.isFinite(values[name]) ? size(values[name]) : undefined;
  return facts([["Memory of the process", bytes("process_resident_memory_bytes")],
    ["Java heap in use", bytes("jvm_memory_used_bytes")], ["Threads", values.jvm_threads]]);
}
