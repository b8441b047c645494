import { attempt, get, post } from "./api.js";
import { el, fill, say, when } from "./dom.js";
import { dropPlace } from "./files.js";

const NUMBERS = [
  ["n_epochs", "Epochs", "How often every example is seen. auto looks at the number of examples: few examples want more "
    + "passes, many want fewer."],
  ["batch_size", "Batch size", "Examples that one update learns from. Larger is steadier, and there are fewer updates."],
  ["learning_rate_multiplier", "Learning rate multiplier", "Scales the learning rate that the server chooses. Below 1 "
    + "learns more slowly and forgets less, above 1 the other way round."],
];
const BETA = ["beta", "Beta", "How closely the tuned model stays to the one it starts from; between 0 and 2. Small values "
  + "let it move further."];

/** A form that starts a job and explains each setting. */
export function newJob(main) {
  const form = el("form", {});
  fill(main, el("h1", {}, "Start a fine-tuning job"), form);
  attempt(async () => {
    const models = (await get("/v1/models")).data.map(model => model.id);
    const chosen = {};
    const fields = {
      model: choice("model", models), training: el("select", { id: "training", required: true }),
      validation: el("select", { id: "validation" }), method: choice("method", ["supervised", "dpo"]),
      suffix: el("input", { id: "suffix", maxlength: 64, autocomplete: "off" }),
      seed: el("input", { id: "seed", type: "number", min: 0, step: 1 }),
    };
    const numbers = el("div", {});
    const showNumbers = () => fill(numbers, ...[...NUMBERS, ...fields.method.value === "dpo" ? [BETA] : []]
      .map(([name, title, hint]) => number(chosen, name, title, hint)).flat());
    const listFiles = async () => {
      const files = (await get("/v1/files?purpose=fine-tune&limit=1000")).data;
      const options = () => files.map(file => el("option", { value: file.id }, `${file.filename}, ${when(file.created_at)}`));
      fill(fields.training, ...options());
      fill(fields.validation, el("option", { value: "" }, "none"), ...options());
    };
    fields.method.addEventListener("change", showNumbers);
    form.addEventListener("submit", event => {
      event.preventDefault();
      attempt(() => start(fields, chosen));
    });
    fill(form, dropPlace(listFiles),
      labelled(fields.training, "Training file", "What the model learns; ten examples at least."),
      labelled(fields.validation, "Validation file", "Examples that are not learned, so that you see whether the model "
        + "generalizes. They must not stand in the training file."),
      labelled(fields.model, "Base model", "The model that is tuned. A tuned model can be tuned further."),
      labelled(fields.method, "Method", "supervised learns the answers as they stand; dpo learns to prefer one answer to "
        + "another."), numbers,
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

function labelled(field, title, hint) {
  field.setAttribute("aria-describedby", `${field.id}-hint`);
  return [el("label", { for: field.id }, title), field, el("p", { class: "hint", id: `${field.id}-hint` }, hint)];
}

function number(chosen, name, title, hint) {
  const field = el("input", { id: name, autocomplete: "off", inputmode: "decimal", pattern: "auto|[0-9]*[.]?[0-9]+",
    title: "auto, or a number", value: chosen[name] ?? "auto", required: true });
  field.addEventListener("input", () => { chosen[name] = field.value.trim(); });
  return labelled(field, title, hint);
}

async function start(fields, chosen) {
  const names = [...NUMBERS, ...fields.method.value === "dpo" ? [BETA] : []].map(([name]) => name);
  const hyperparameters = Object.fromEntries(names.map(name => [name, chosen[name] === undefined || chosen[name] === "auto"
    ? "auto" : Number(chosen[name])]));
  const type = fields.method.value;
  const job = await post("/v1/fine_tuning/jobs", {
    model: fields.model.value, training_file: fields.training.value,
    ...fields.validation.value && { validation_file: fields.validation.value },
    ...fields.suffix.value.trim() && { suffix: fields.suffix.value.trim() },
    ...fields.seed.value !== "" && { seed: Number(fields.seed.value) },
    method: { type, [type]: { hyperparameters } },
  });
  say(`Job ${job.id} is created`);
  location.hash = `#/jobs/${job.id}`;
}
