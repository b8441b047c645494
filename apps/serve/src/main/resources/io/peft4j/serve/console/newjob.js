import { attempt, get, post } from "./api.js";
import { el, fill, labelled, say, when } from "./dom.js";
import { dropPlace, fault } from "./files.js";
import { graderForm } from "./grader.js";

const NUMBERS = [
  ["n_epochs", "Epochs", "How often every example is seen. auto looks at the number of examples: few examples want more "
    + "passes, many want fewer."],
  ["batch_size", "Batch size", "Examples that one update learns from. Larger is steadier, and there are fewer updates."],
  ["learning_rate_multiplier", "Learning rate multiplier", "Scales the learning rate that the server chooses. Below 1 "
    + "learns more slowly and forgets less, above 1 the other way round."],
];
const BETA = ["beta", "Beta", "How closely the tuned model stays to the one it starts from; between 0 and 2. Small values "
  + "let it move further."];
const COMPUTE = ["compute_multiplier", "Compute multiplier", "Times 8 answers are drawn to each prompt."];
/** What is learned: its words, OpenAI's name of the method, further numbers, and what the rows are. */
const METHODS = {
  supervised: ["Answers, as they stand", "supervised", [], "Rows are conversations, or a question and its answer."],
  classifier: ["Labels of texts", "supervised", [], "Rows are a text and its label; the model then answers with the label."],
  dpo: ["The better of two answers (DPO)", "dpo", [BETA], "Rows are a prompt with a better and a worse answer."],
  reinforcement: ["What a grader rewards (reinforcement)", "reinforcement", [COMPUTE], "Rows are prompts, with what the "
    + "grader reads; it judges answers that the model tries."],
};

/** A form that starts a job and explains each setting. */
export function newJob(main) {
  const form = el("form", {});
  fill(main, el("h1", {}, "Start a fine-tuning job"), form);
  attempt(async () => {
    const models = (await get("/v1/models")).data.map(model => model.id);
    const chosen = {};
    const fields = {
      model: choice("model", models), training: el("select", { id: "training", required: true }),
      validation: el("select", { id: "validation" }), method: el("select", { id: "method" }, Object.entries(METHODS)
        .map(([value, [words]]) => el("option", { value }, words))),
      remember: el("input", { id: "remember", type: "checkbox" }),
      suffix: el("input", { id: "suffix", maxlength: 64, autocomplete: "off" }),
      seed: el("input", { id: "seed", type: "number", min: 0, step: 1 }),
    };
    const numbers = el("div", {});
    const about = el("p", { class: "hint" });
    const remember = el("div", {}, el("label", { class: "inline" }, fields.remember, "Remember: forget less of what the model "
      + "knows"), el("p", { class: "hint" }, "General questions are mixed into the rows; the training takes longer."));
    const grader = graderForm(models, async () =>
      (await post(`/v1/files/${fields.training.value}/rows`, { first: 1, columns: {} })).rows[0] ?? {});
    const showNumbers = () => {
      const [, type, more, words] = METHODS[fields.method.value];
      fill(about, words);
      fill(numbers, ...type === "reinforcement" ? [grader.field] : [], ...type === "supervised" ? [remember] : [],
        ...[...NUMBERS, ...more].map(([name, title, hint]) => number(chosen, name, title, hint)).flat());
    };
    const listFiles = async made => {
      const kept = [made && !fault(made) ? made.id : fields.training.value,
        made?.held_out_file || fields.validation.value];
      const files = (await get("/v1/files?purpose=fine-tune&limit=1000")).data;
      const options = () => files.map(file => el("option", { value: file.id, disabled: Boolean(fault(file)) },
        `${file.filename}, ${fault(file) || when(file.created_at)}`));
      fill(fields.training, ...options());
      fill(fields.validation, el("option", { value: "" }, "none"), ...options());
      [fields.training, fields.validation].forEach((field, i) => { field.value = kept[i] || field.value; });
    };
    fields.method.addEventListener("change", showNumbers);
    form.addEventListener("submit", event => {
      event.preventDefault();
      attempt(() => start(fields, chosen, grader));
    });
    fill(form, dropPlace(listFiles),
      labelled(fields.training, "Training file", "What the model learns; ten examples at least."),
      labelled(fields.validation, "Validation file", "Examples that are not learned, so that you see whether the model "
        + "generalizes. They must not stand in the training file."),
      labelled(fields.model, "Base model", "The model that is tuned. A tuned model can be tuned further."),
      labelled(fields.method, "What it learns"), about, numbers,
      labelled(fields.suffix, "Suffix", "Becomes a part of the model's name."),
      labelled(fields.seed, "Seed", "The same seed and data give the same model. Empty: 42."),
      el("p", { class: "row" }, el("button", { type: "submit" }, "Start the job")));
    showNumbers();
    await listFiles();
  });
}

function choice(id, values) {
  return el("select", { id }, values.map(value => el("option", {}, value)));
}

function number(chosen, name, title, hint) {
  const field = el("input", { id: name, autocomplete: "off", inputmode: "decimal", pattern: "auto|[0-9]*[.]?[0-9]+",
    title: "auto, or a number", value: chosen[name] ?? "auto", required: true });
  field.addEventListener("input", () => { chosen[name] = field.value.trim(); });
  return labelled(field, title, hint);
}

async function start(fields, chosen, grader) {
  const [, type, more] = METHODS[fields.method.value];
  const hyperparameters = Object.fromEntries([...NUMBERS, ...more].map(([name]) => [name, chosen[name] === undefined
    || chosen[name] === "auto" ? "auto" : Number(chosen[name])]));
  if (type === "supervised" && fields.remember.checked) {
    hyperparameters.remember = true;
  }
  const job = await post("/v1/fine_tuning/jobs", {
    model: fields.model.value, training_file: fields.training.value,
    ...fields.validation.value && { validation_file: fields.validation.value },
    ...fields.suffix.value.trim() && { suffix: fields.suffix.value.trim() },
    ...fields.seed.value !== "" && { seed: Number(fields.seed.value) },
    method: { type, [type]: { hyperparameters, ...type === "reinforcement" && { grader: grader.grader() } } },
  });
  say(`Job ${job.id} is created`);
  location.hash = `#/jobs/${job.id}`;
}
