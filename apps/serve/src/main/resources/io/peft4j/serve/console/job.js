import { attempt, download, get, post, text } from "./api.js";
import { clock, duration, el, facts, fill, folded, table, when } from "./dom.js";
import { isOver, polled, reason, state } from "./live.js";
import { barPlot, linePlot } from "./plot.js";

const MERGED_TYPES = ["q8_0", "q4_0", "bf16", "f16"];

/** One job: its verdict, its losses as they come, and folded what it was asked for and what happened. */
export function job(main, id) {
  const parts = Object.fromEntries(["head", "verdict", "actions", "progress", "plot", "answers", "results", "data", "facts",
    "checkpoints", "events"].map(name => [name, el("div", {})]));
  fill(main, parts.head, parts.verdict, parts.actions, parts.progress, parts.plot, parts.answers, parts.results, parts.data,
    folded("Settings", parts.facts), folded("Checkpoints", parts.checkpoints), folded("Events", parts.events));
  let reported = false;
  const show = async () => {
    const current = await get(`/v1/fine_tuning/jobs/${id}`);
    const events = (await get(`/v1/fine_tuning/jobs/${id}/events?limit=1000`)).data;
    const checkpoints = (await get(`/v1/fine_tuning/jobs/${id}/checkpoints?limit=100`)).data;
    fill(parts.head, el("h1", {}, current.user_provided_suffix || current.id), el("p", {}, state(current)));
    if (current.status === "failed") {
      fill(parts.verdict, el("section", { class: "card verdict do_not_ship", "aria-label": "Why it failed" },
        el("h2", {}, "Why it failed"), el("p", {}, reason(current)), current.error?.param
          && el("p", { class: "hint" }, `It is the ${current.error.param.replaceAll("_", " ")}.`)));
    }
    fill(parts.actions, actions(current, show));
    const metrics = events.filter(event => event.type === "metrics").map(event => event.data)
      .sort((a, b) => a.step - b.step);
    fill(parts.progress, progress(current, metrics.at(-1)));
    fill(parts.plot, ...plots(metrics));
    fill(parts.answers, ...answers(events));
    fill(parts.facts, settings(current));
    fill(parts.checkpoints, checkpointTable(checkpoints));
    fill(parts.events, el("ol", { class: "events", tabindex: "0", "aria-label": "Events" }, events.map(event =>
      el("li", { class: event.level }, clock(event.created_at), event.message))));
    if (isOver(current) && !reported) {
      reported = true;
      await attempt(() => showReports(parts, current));
    }
  };
  return polled(show);
}

function actions(job, refresh) {
  const act = (label, verb, style) => el("button", { class: style, onclick: async () => {
    await attempt(() => post(`/v1/fine_tuning/jobs/${job.id}/${verb}`));
    await attempt(refresh);
  } }, label);
  return el("p", { class: "row" },
    !isOver(job) && (job.paused ? act("Resume", "resume") : act("Pause", "pause", "plain")),
    !isOver(job) && act("Cancel", "cancel", "danger"),
    job.status === "succeeded" && el("a", { class: "button",
      href: `#/playground?model=${encodeURIComponent(job.fine_tuned_model)}` }, "Try it beside the base model"));
}

function progress(job, last) {
  if (isOver(job) || !last) {
    return undefined;
  }
  const left = job.estimated_finish ? `, about ${duration(job.estimated_finish - Date.now() / 1000)} left` : "";
  return [el("progress", { max: last.total_steps, value: last.step, "aria-label": "Steps" }),
    el("p", { class: "hint" }, `step ${last.step} of ${last.total_steps}${left}`)];
}

function plot(metrics, title, training, valid) {
  const drawn = name => metrics.filter(point => point[name] !== undefined).map(point => [point.step, point[name]]);
  return [el("h2", {}, title), linePlot(`${title} by step`, [{ title: "training", points: drawn(training) },
    { title: "validation", points: drawn(valid) }]),
    el("p", { class: "legend" }, drawn(valid).length > 0 ? "solid: training; dashed: validation" : "training")];
}

/** The loss, or of a training with rewards these and what tells how they come about. */
function plots(metrics) {
  const has = name => metrics.some(point => point[name] !== undefined);
  if (!has("train_mean_reward")) {
    return plot(metrics, "Loss", "train_loss", "full_valid_loss");
  }
  const names = [...new Set(metrics.flatMap(Object.keys))];
  const further = [...names.filter(name => name.startsWith("rewards/")).map(name => [`Reward: ${name.slice(8)}`, name]),
    ["Share of groups whose answers have one reward", "frac_reward_zero_std"],
    ["Tokens of an answer", "completions/mean_length"], ["Share of answers that are cut", "completions/clipped_ratio"],
    ["Divergence from the reference", "kl"], ["Entropy of a token", "entropy"]];
  return [...plot(metrics, "Reward", "train_mean_reward", "full_valid_mean_reward"),
    ...further.filter(([, name]) => has(name)).flatMap(([title, name]) => plot(metrics, title, name, ""))];
}

/** The answers that were told last. */
function answers(events) {
  const latest = events.filter(event => event.data?.answers).map(event => event.data)
    .sort((a, b) => a.step - b.step).at(-1);
  return latest ? [el("h2", {}, `Answers in step ${latest.step}`), table("Answers", [
    ["Prompt", one => one.prompt], ["Answer", one => one.answer],
    ["Reward", one => one.reward === undefined ? "none" : one.reward.toFixed(3), true],
    ["Its parts", one => Object.entries(one.parts).map(([name, value]) => `${name} ${value.toFixed(2)}`).join(", ")],
  ], latest.answers)] : [];
}

function settings(job) {
  const values = job.hyperparameters || {};
  return facts([["Base", job.model], ["Result", job.fine_tuned_model], ["Method", job.method.type],
    ["Epochs", values.n_epochs], ["Batch size", values.batch_size],
    ["Learning rate multiplier", values.learning_rate_multiplier], ["Beta", job.method.dpo?.hyperparameters.beta],
    ["Seed", job.seed], ["Training file", job.training_file], ["Validation file", job.validation_file],
    ["Trained tokens", job.trained_tokens], ["Created", when(job.created_at)],
    ["Finished", job.finished_at && when(job.finished_at)], ["Job", job.id]]);
}

function checkpointTable(checkpoints) {
  return checkpoints.length === 0 ? el("p", {}, "None yet; there is one after each epoch.") : table("Checkpoints", [
    ["Model", one => el("a", { href: `#/playground?model=${encodeURIComponent(one.fine_tuned_model_checkpoint)}` },
      one.fine_tuned_model_checkpoint)],
    ["Step", one => one.step_number, true],
    ["Training loss", one => one.metrics.train_loss?.toFixed(4), true],
    ["Validation loss", one => one.metrics.full_valid_loss?.toFixed(4), true],
  ], checkpoints);
}

/** The base with what was learned as one file, which other programs run. */
function mergedButton(job) {
  const type = el("select", { id: "merged-type" }, MERGED_TYPES.map(name => el("option", {}, name)));
  const button = el("button", { id: "merged", onclick: async () => {
    button.disabled = true;
    button.textContent = "Merging …";
    await attempt(() => download(`/v1/fine_tuning/jobs/${job.id}/merged?type=${type.value}`, `${job.id}-${type.value}.gguf`));
    button.disabled = false;
    button.textContent = "Download the merged file (GGUF)";
  } }, "Download the merged file (GGUF)");
  return el("div", { class: "row" }, button, el("label", { class: "inline", for: type.id }, "with weights in"), type);
}

async function showReports(parts, job) {
  const files = await Promise.all(job.result_files.map(id => get(`/v1/files/${id}`)));
  const json = async name => {
    const file = files.find(one => one.filename === name);
    return file && JSON.parse(await text(`/v1/files/${file.id}/content`));
  };
  const verdict = await json("verdict.json");
  const data = await json("data_report.json");
  if (verdict) {
    fill(parts.verdict, verdictCard(verdict));
  } else if (job.status === "succeeded") {
    fill(parts.verdict, el("section", { class: "card verdict" }, el("h2", {}, "No verdict"), el("p", {}, job.validation_file
      ? "The held-out rows could not be compared; the events say why." : "The job had no validation file: nothing tells "
        + "whether the model answers better than its base.")));
  }
  fill(parts.data, data && folded("Data report", ...dataParts(data)));
  fill(parts.results, files.length > 0 && el("h2", {}, "Result files"), job.status === "succeeded" && mergedButton(job),
    el("p", { class: "row" }, files.map(file => el("button", { class: "plain", onclick: () => attempt(() =>
      download(`/v1/files/${file.id}/content`, file.filename)) }, `Download ${file.filename}`))));
}

/** What it comes to, in words, as a picture, and folded in figures. */
function verdictCard({ verdict, metrics, arms, deciding_metric: metric }) {
  const all = Object.entries(metrics || {});
  const points = (value, one) => value === undefined || value === null ? ""
    : one.scale ? (100 / one.scale * value).toFixed(1) : value.toFixed(3);
  const score = (value, one) => one.scale === 1 ? `${points(value, one)} %` : points(value, one);
  const bars = Object.entries(arms || {}).filter(([, arm]) => arm.deciding).map(([name, { deciding }]) =>
    ({ name, share: deciding.share, low: deciding.ci_low ?? deciding.share,
      high: deciding.ci_high ?? deciding.share }));
  return el("section", { class: `card verdict ${verdict.decision}`, "aria-label": "Verdict" },
    el("h2", {}, `Verdict: ${(verdict.words || verdict.decision.replaceAll("_", " ")).toLowerCase()}`),
    el("ul", {}, (verdict.sentences || [verdict.sentence]).map((sentence) => el("li", {}, sentence))),
    bars.length > 0 && [barPlot(`${metric} of each, with 95 % intervals`, bars),
      el("p", { class: "legend" }, `${metric.replaceAll("_", " ")} of each, with 95 % intervals`)],
    all.length > 0 && folded("Metrics", table("Metrics", [
      ["Metric", ([name]) => name], ["Base", ([, one]) => score(one.base, one), true],
      ["Tuned", ([, one]) => score(one.tuned, one), true],
      ["Difference, points", ([, one]) =>
        `${points(one.difference, one)} ${one.ci ? `(${one.ci})`
          : `[${points(one.ci_low, one)}, ${points(one.ci_high, one)}]`}`, true],
    ], all)));
}

/** Findings of one kind in one file, of which the first speaks for all. */
function kinds(findings) {
  const groups = new Map();
  for (const one of findings) {
    const key = `${one.code} ${one.file}`;
    groups.set(key, [...groups.get(key) || [], one]);
  }
  return [...groups.values()];
}

function dataParts(data) {
  const groups = kinds(data.findings || []);
  const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
  const rows = group => {
    const lines = [...new Set(group.flatMap(one => one.lines))].sort((a, b) => a - b);
    return lines.slice(0, 5).join(", ") + (lines.length > 5 ? ` and ${lines.length - 5} more` : "");
  };
  return [el("p", {}, [[data.rows, "row"], [data.errors, "error"], [(data.findings || []).length, "finding"]]
      .map(([number, word]) => count(number, word)).join(", ")),
    groups.length > 0 && table("Findings", [
      ["Severity", ([one]) => el("span", { class: one.severity }, one.severity)], ["File", ([one]) => one.file.replace(/\.jsonl$/, "")],
      ["Rows", rows],
      ["What", group => group[0].message + (group.length > 1 ? `; ${group.length - 1} more of this kind` : "")],
      ["Advice", ([one]) => one.advice],
    ], groups)];
}
