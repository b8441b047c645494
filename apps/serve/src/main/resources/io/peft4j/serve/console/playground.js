import { attempt, get, stream } from "./api.js";
import { differences } from "./diff.js";
import { el, fill } from "./dom.js";

/** Asks two models the same and marks the words that differ. */
export function playground(main, query) {
  const abort = new AbortController();
  attempt(async () => {
    const models = (await get("/v1/models")).data;
    const isTuned = model => model.owned_by === "user" || model.id.startsWith("ft:");
    const base = models.find(model => !isTuned(model)) || models[0];
    const tuned = query.get("model") || (models.find(isTuned) || base).id;
    const sides = [side("first", models, base.id), side("second", models, tuned)];
    const system = el("input", { id: "system", autocomplete: "off" });
    const prompt = el("textarea", { id: "prompt", required: true });
    const tokens = el("input", { id: "tokens", type: "number", min: 1, max: 4096, value: 128 });
    const temperature = el("input", { id: "temperature", type: "number", min: 0, max: 2, step: "any", value: 0 });
    const ask = el("button", { type: "submit" }, "Ask both");
    const form = el("form", {}, el("label", { for: "system" }, "System message (optional)"), system,
      el("label", { for: "prompt" }, "Question"), prompt, el("div", { class: "sides" },
        el("div", {}, el("label", { for: "tokens" }, "Most tokens"), tokens),
        el("div", {}, el("label", { for: "temperature" }, "Temperature"), temperature)),
      el("p", { class: "row" }, ask));
    form.addEventListener("submit", async event => {
      event.preventDefault();
      ask.disabled = true;
      const messages = [...system.value.trim() ? [{ role: "system", content: system.value.trim() }] : [],
        { role: "user", content: prompt.value }];
      const body = { messages, max_completion_tokens: Number(tokens.value), temperature: Number(temperature.value) };
      await Promise.all(sides.map(one => attempt(() => answer(one, body, abort.signal))));
      mark(sides);
      ask.disabled = false;
    });
    fill(main, el("h1", {}, "Playground"), form, el("div", { class: "sides" }, sides.map(one => one.card)));
  });
  return () => abort.abort();
}

function side(name, models, selected) {
  const select = el("select", { id: `${name}-model` }, models.map(model =>
    el("option", { selected: model.id === selected }, model.id)));
  const answer = el("div", { class: "answer", "aria-live": "off" });
  const speed = el("p", { class: "hint" });
  const card = el("section", { class: "card", "aria-label": `Answer of the ${name} model` },
    el("label", { for: `${name}-model` }, `The ${name} model`), select, answer, speed);
  return { select, answer, speed, card, text: "" };
}

async function answer(side, body, signal) {
  side.text = "";
  fill(side.answer);
  fill(side.speed, "waits …");
  const begin = performance.now();
  let pieces = 0;
  await stream("/v1/chat/completions", { ...body, model: side.select.value }, piece => {
    const text = piece.choices[0]?.delta?.content;
    if (text) {
      pieces++;
      side.text += text;
      side.answer.textContent = side.text;
    }
  }, signal);
  const seconds = (performance.now() - begin) / 1000;
  fill(side.speed, `${seconds.toFixed(1)} s${pieces > 1 ? `, ${(pieces / seconds).toFixed(0)} pieces a second` : ""}`);
}

function mark([first, second]) {
  const marked = differences(first.text, second.text);
  [first, second].forEach((side, i) => fill(side.answer, ...runs(marked[i]).map(([text, differs]) =>
    differs ? el("mark", {}, text) : document.createTextNode(text))));
}

/** Neighbours of one kind as one. */
function runs(pieces) {
  const joined = [];
  for (const [text, differs] of pieces) {
    if (joined.length > 0 && joined.at(-1)[1] === differs) {
      joined.at(-1)[0] += text;
    } else {
      joined.push([text, differs]);
    }
  }
  return joined;
}
