import { attempt, post } from "./api.js";
import { el, fill, labelled, say } from "./dom.js";

const ANSWER = "{{sample.output_text}}";
const REFERENCE = ["reference", "What is right", "A text; {{item.answer}} is the row's value \"answer\".", "{{item.answer}}"];
const ask = prompt => [{ role: "user", content: `${prompt}\n\n${ANSWER}` }];
const list = text => text.split(",").map(one => one.trim()).filter(one => one);

/** Kinds of graders: their words, what is asked for (a list is chosen from), and the grader of these values. */
const kinds = models => ({
  string_check: ["The answer is, or contains, a text", [["operation", "It", "", ["ilike", "like", "eq", "ne"],
    ["contains it, in any case", "contains it", "is the same", "is not the same"]], REFERENCE],
  values => ({ ...values, input: ANSWER })],
  text_similarity: ["The answer is like a text", [["evaluation_metric", "Measured by", "", ["fuzzy_match", "bleu", "gleu",
    "meteor", "rouge_l"]], REFERENCE], values => ({ ...values, input: ANSWER })],
  score_model: ["A model gives a score", [["model", "Model", "", models], ["prompt", "Its instructions",
    "The answer follows below it.", "How good is this answer, from 0 to 1? Say the number only."]],
  ({ model, prompt }) => ({ model, input: ask(prompt), range: [0, 1] })],
  label_model: ["A model gives a label", [["model", "Model", "", models], ["prompt", "Its instructions",
    "The answer follows below it.", "Is this answer polite? Say yes or no."], ["labels", "Labels, with commas", "", "yes, no"],
  ["passing", "Labels of a good answer", "", "yes"]], ({ model, prompt, labels, passing }) => ({ model,
    input: ask(prompt), labels: list(labels), passing_labels: list(passing) })],
});

/** A form of one grader or several with weights; `grader()` gives what is filled in. `row` gives a row to try it on. */
export function graderForm(models, row) {
  const all = kinds(models);
  const place = el("div", {});
  let parts = [];
  let number = 0;
  const add = () => {
    const part = onePart(all, number++);
    parts.push(part);
    if (parts.length > 1) {
      part.field.append(el("button", { type: "button", class: "plain", onclick: () => {
        parts = parts.filter(other => other !== part);
        part.field.remove();
      } }, "Remove this check"));
    }
    place.append(part.field);
  };
  const grader = () => parts.length === 1 ? parts[0].grader() : { type: "multi", name: "all",
    graders: Object.fromEntries(parts.map((part, i) => [`g${i + 1}`, part.grader()])),
    calculate_output: parts.map((part, i) => `${part.weight()} * g${i + 1}`).join(" + ") };
  add();
  const sample = el("textarea", { id: "sample" });
  const reward = el("p", { id: "reward", "aria-live": "polite" });
  const run = () => attempt(async () => {
    const item = await row();
    const told = await post("/v1/fine_tuning/alpha/graders/run", { grader: grader(), item, model_sample: sample.value });
    fill(reward, `Reward ${told.reward.toFixed(3)} in the first row of the training file`);
    say(reward.textContent);
  });
  return { grader, field: el("fieldset", {}, el("legend", {}, "Grader: what a good answer is"), place,
    el("p", { class: "row" }, el("button", { type: "button", class: "plain", id: "add-grader", onclick: add }, "Add a check")),
    labelled(sample, "An answer to try it on", "It is graded with the first row of the training file."),
    el("p", { class: "row" }, el("button", { type: "button", class: "plain", id: "try-grader", onclick: run }, "Grade it")),
    reward) };
}

function onePart(all, number) {
  const kind = el("select", { id: `grader-${number}` }, Object.entries(all).map(([value, [words]]) =>
    el("option", { value }, words)));
  const weight = el("input", { id: `weight-${number}`, type: "number", min: 0, step: "any", value: 1 });
  const place = el("div", {});
  let fields = {};
  const show = () => {
    fields = Object.fromEntries(all[kind.value][1].map(([name, , , given, words]) => [name, Array.isArray(given)
      ? el("select", { id: `${name}-${number}` }, given.map((value, i) => el("option", { value }, words?.[i] ?? value)))
      : el("input", { id: `${name}-${number}`, value: given, required: true, autocomplete: "off" })]));
    fill(place, ...all[kind.value][1].flatMap(([name, title, hint]) => labelled(fields[name], title, hint)));
  };
  kind.addEventListener("change", show);
  show();
  return { weight: () => Number(weight.value), grader: () => ({ type: kind.value, name: `check ${number + 1}`,
    ...all[kind.value][2](Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.value]))) }),
  field: el("div", { class: "card" }, labelled(kind, "Check", ""), place,
    labelled(weight, "Weight", "Counts where there are several checks.")) };
}
