import { attempt, get, post } from "./api.js";
import { el, fill } from "./dom.js";

const KINDS = { choice: "One of the options", score: "A level, the lowest first", predicate: "Yes or no" };

/** Asks a question about a text and shows how likely each answer is. */
export function decisions(main) {
  attempt(async () => {
    const models = (await get("/v1/models")).data;
    const model = el("select", { id: "decision-model" }, models.map(one => el("option", {}, one.id)));
    const state = el("textarea", { id: "state" });
    const kind = el("select", { id: "kind" }, Object.entries(KINDS).map(([value, words]) => el("option", { value }, words)));
    const question = el("input", { id: "question", required: true, autocomplete: "off" });
    const options = el("textarea", { id: "options" });
    const answer = el("section", { class: "card", "aria-label": "Answer", "aria-live": "polite", hidden: true });
    const ask = el("button", { type: "submit" }, "Ask");
    const optionField = el("div", {}, el("label", { for: "options" }, "Options, one a line; after a colon what it means"), options);
    kind.addEventListener("change", () => { optionField.hidden = kind.value === "predicate"; });
    const form = el("form", {}, el("label", { for: "decision-model" }, "Model"), model,
      el("label", { for: "state" }, "Text"), state, el("label", { for: "kind" }, "Answer"), kind,
      el("label", { for: "question" }, "Question"), question, optionField, el("p", { class: "row" }, ask));
    form.addEventListener("submit", async event => {
      event.preventDefault();
      ask.disabled = true;
      const said = await attempt(() => post("/v1/decisions", { model: model.value, input: state.value,
        questions: [asked(kind.value, question.value, options.value)] }));
      if (said) {
        answer.hidden = false;
        fill(answer, ...bars(said.answers[0]), el("p", { class: "hint" }, `${said.usage.input_tokens} tokens`));
      }
      ask.disabled = false;
    });
    fill(main, el("h1", {}, "Decisions"), form, answer);
  });
}

function asked(type, instructions, options) {
  const lines = options.split("\n").map(line => line.trim()).filter(line => line)
    .map(line => [line.split(":")[0].trim(), line.split(":").slice(1).join(":").trim()]);
  const described = name => lines.map(([text, description]) => ({ [name]: text, ...description ? { description } : {} }));
  return { type, instructions, ...type === "choice" ? { choices: described("value") }
    : type === "score" ? { levels: described("label") } : {} };
}

/** A bar for each option, the likeliest named first in a sentence. */
function bars(answer) {
  if (answer.type === "refusal") {
    return [el("p", {}, "No answer is certain enough; leave it to a person.")];
  }
  const all = answer.type === "predicate" ? [["yes", answer.probability], ["no", 1 - answer.probability]]
    : answer.probabilities.map(one => [String(one.label ?? one.value), one.probability]);
  const best = all.reduce((a, b) => b[1] > a[1] ? b : a);
  return [el("h2", {}, `${best[0]}: ${percent(best[1])}`), ...all.map(([name, probability], i) => el("p", {},
    el("label", { for: `bar-${i}` }, `${name}, ${percent(probability)}`),
    el("meter", { id: `bar-${i}`, min: 0, max: 1, value: probability }, percent(probability))))];
}

const percent = share => `${(100 * share).toFixed(1)} %`;
