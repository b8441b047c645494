import { attempt, get, post } from "./api.js";
import { el, fill } from "./dom.js";

const KINDS = { choice: "One of the options", score: "A level, the lowest first", predicate: "Yes or no" };

/** Asks questions about a text and shows how likely each answer is. */
export function decisions(main) {
  attempt(async () => {
    const { models } = await get("/v1/models");
    if (models.length === 0) {
      fill(main, el("h1", {}, "Decisions"), el("p", {}, "No model of this server answers typed questions."));
      return;
    }
    const model = el("select", { id: "decision-model" }, models.map(one => el("option", {}, one.name)));
    const state = el("textarea", { id: "state" });
    const list = el("div");
    const answer = el("section", { class: "card", "aria-label": "Answers", "aria-live": "polite", hidden: true });
    const ask = el("button", { type: "submit" }, "Ask");
    let questions = [];
    let number = 0;
    const add = () => {
      const one = question(number++);
      if (questions.length > 0) {
        one.field.append(el("p", { class: "row" }, el("button", { type: "button", class: "plain", onclick: () => {
          questions = questions.filter(other => other !== one);
          one.field.remove();
        } }, "Remove question")));
      }
      questions.push(one);
      list.append(one.field);
    };
    add();
    const more = el("button", { type: "button", class: "plain", id: "add", onclick: add }, "Add question");
    const form = el("form", {}, el("label", { for: "decision-model" }, "Model"), model,
      el("label", { for: "state" }, "Text"), state, list, el("p", { class: "row" }, ask, more));
    form.addEventListener("submit", async event => {
      event.preventDefault();
      ask.disabled = true;
      const asked = questions.map(one => one.asked());
      const said = await attempt(() => post("/v1/decisions", { model: model.value, input: state.value, questions: asked }));
      if (said) {
        answer.hidden = false;
        fill(answer, ...said.answers.flatMap((one, i) => bars(one, asked[i].instructions, i)),
          el("p", { class: "hint" }, `${said.usage.input_tokens} tokens`));
      }
      ask.disabled = false;
    });
    fill(main, el("h1", {}, "Decisions"), form, answer);
  });
}

/** The fields of a question, and what is asked by them. */
function question(number) {
  const kind = el("select", { id: `kind-${number}` }, Object.entries(KINDS).map(([value, words]) => el("option", { value }, words)));
  const text = el("input", { id: `question-${number}`, required: true, autocomplete: "off" });
  const options = el("textarea", { id: `options-${number}` });
  const optionField = el("div", {}, el("label", { for: options.id }, "Options, one a line; after a colon what it means"), options);
  kind.addEventListener("change", () => { optionField.hidden = kind.value === "predicate"; });
  return { asked: () => asked(kind.value, text.value, options.value), field: el("div", {},
    el("label", { for: text.id }, "Question"), text, el("label", { for: kind.id }, "Answer"), kind, optionField) };
}

function asked(type, instructions, options) {
  const lines = options.split("\n").map(line => line.trim()).filter(line => line)
    .map(line => [line.split(":")[0].trim(), line.split(":").slice(1).join(":").trim()]);
  const described = name => lines.map(([text, description]) => ({ [name]: text, ...description ? { description } : {} }));
  return { type, instructions, ...type === "choice" ? { choices: described("value") }
    : type === "score" ? { levels: described("label") } : {} };
}

/** A bar for each option, the likeliest named first in a sentence. */
function bars(answer, question, number) {
  const title = el("p", { class: "hint" }, question);
  if (answer.type === "refusal") {
    return [title, el("p", {}, "No answer is certain enough; leave it to a person.")];
  }
  const all = answer.type === "predicate" ? [["yes", answer.probability], ["no", 1 - answer.probability]]
    : answer.probabilities.map(one => [String(one.label ?? one.value), one.probability]);
  const best = all.reduce((a, b) => b[1] > a[1] ? b : a);
  return [title, el("h2", {}, `${best[0]}: ${percent(best[1])}`), ...all.map(([name, probability], i) => el("p", {},
    el("label", { for: `bar-${number}-${i}` }, `${name}, ${percent(probability)}`),
    el("meter", { id: `bar-${number}-${i}`, min: 0, max: 1, value: probability }, percent(probability))))];
}

const percent = share => `${(100 * share).toFixed(1)} %`;
