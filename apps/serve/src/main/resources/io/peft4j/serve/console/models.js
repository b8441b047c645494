import { attempt, get, remove, text } from "./api.js";
import { clock, el, facts, fill, size, table, when } from "./dom.js";
import { polled } from "./live.js";
import { partsBar } from "./plot.js";

/** What answers here, and how much memory it takes. */
export function models(main) {
  const list = el("div", {});
  const memory = el("div", {});
  const answers = el("div", {});
  fill(main, el("h1", {}, "Models"), list, el("h2", {}, "Last answers"), answers, el("h2", {}, "This process"), memory);
  const show = async () => {
    const { data } = await get("/v1/models");
    fill(list, table("Models", [
      ["Model", model => el("a", { href: `#/playground?model=${encodeURIComponent(model.id)}` }, model.id)],
      ["Owner", model => model.owned_by], ["Since", model => model.created ? when(model.created) : ""],
      ["Actions", model => model.id.startsWith("ft:") && el("button", { class: "danger", "aria-label": `Delete ${model.id}`,
        onclick: async () => {
          if (confirm(`Delete ${model.id}? Its adapter is lost.`)) {
            await attempt(() => remove(`/v1/models/${encodeURIComponent(model.id)}`));
            await attempt(show);
          }
        } }, "Delete")],
    ], data));
    fill(answers, lastAnswers((await get("/metrics/answers")).data));
    fill(memory, process(await text("/metrics")));
  };
  return polled(show, 4000);
}

const seconds = millis => `${(millis / 1000).toFixed(2)} s`;

/** Where the time of each answer went: in the queue, for its prompt, and for the tokens behind the first. */
function lastAnswers(rows) {
  return table("Last answers", [
    ["Ended", row => clock(row.ended_at)], ["Model", row => row.model + (row.adapter_loaded ? " (loaded)" : "")],
    ["Status", row => row.status], ["Took", row => seconds(row.timings.total_ms), true],
    ["Where the time went", row => {
      const parts = [["queue", row.timings.queue_ms], ["prompt", row.timings.prompt_ms],
        ["tokens", row.timings.decoding_ms]].map(([name, millis]) => [`${name} ${seconds(millis)}`, millis]);
      return [partsBar(parts.map(([title]) => title).join(", "), parts), " ", parts.map(([title]) => title).join(", ")];
    }],
    ["Engine", row => seconds(row.timings.engine_wait_ms), true], ["Schema", row => seconds(row.timings.schema_ms), true],
    ["Prompt", row => `${row.timings.prompt_tokens} (${row.timings.reused_tokens} reused)`, true],
    ["Tokens", row => row.timings.new_tokens, true],
  ], rows);
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
