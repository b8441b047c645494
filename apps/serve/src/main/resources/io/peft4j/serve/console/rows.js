import { attempt, post, remove, upload } from "./api.js";
import { el, fill, labelled, say, table } from "./dom.js";

const MOST_REVIEWED = 1000;
const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
const jsonl = name => `${name.replace(/\.[^.]*$/, "")}.jsonl`;

/**
 * What was uploaded and is no JSON Lines: a table whose columns get names, or a handbook whose rows are reviewed. Tells
 * when a file to train on was made of it.
 */
export async function rowsForm(place, stored, onMade) {
  const path = `/v1/files/${stored.id}/rows`;
  const end = async made => {
    fill(place);
    await attempt(() => remove(`/v1/files/${stored.id}`));
    if (made) {
      say(`${made.filename} is ready`);
      await onMade(made);
    }
  };
  const discard = el("button", { type: "button", class: "plain", onclick: () => end() }, "Discard");
  const show = async columns => {
    const read = await attempt(() => post(path, { first: MOST_REVIEWED, ...columns && { columns } }));
    if (!read) {
      await end();
    } else if (read.columns.length === 0) {
      await end();
      say(`${stored.filename} cannot be read: ${read.problem || "it holds no rows"}`);
    } else if ("statements" in read) {
      review(place, stored, read, discard, end, path);
    } else {
      mapping(place, stored, read, discard, show, names => attempt(async () =>
        end(await post(path, { columns: names, save_as: jsonl(stored.filename) }))));
    }
  };
  await show();
}

/** The columns, each with a choice of what it is, above three rows. */
function mapping(place, stored, read, discard, show, save) {
  const selects = read.columns.map((column, i) => {
    const named = read.mapping[column] ?? (read.names.includes(column) ? column : "");
    return el("select", { id: `column-${i}`, onchange: () => show(chosen()) }, ["", ...read.names].map(name =>
      el("option", { value: name, selected: name === named }, name || "as it is")));
  });
  const chosen = () => Object.fromEntries(read.columns.map((column, i) => [column, selects[i].value])
    .filter(([column, name]) => name && name !== column));
  fill(place, el("section", { class: "card", "aria-label": `Columns of ${stored.filename}` },
    el("h2", {}, `${stored.filename}: what are its columns?`),
    el("p", { class: "hint" }, "To answer questions: question and answer. For labels: text and label. To prefer answers: "
      + "prompt, chosen and rejected."),
    el("div", { class: "row" }, read.columns.map((column, i) => el("div", {},
      el("label", { for: `column-${i}` }, column), selects[i]))),
    table("First rows", read.columns.map(column => [read.mapping[column] ? `${column} → ${read.mapping[column]}` : column,
      row => String(row[read.mapping[column] ?? column] ?? "")]), read.rows.slice(0, 3)),
    read.wrong > 0 && el("p", { class: "warn", id: "rows-problem" },
      `${read.wrong} of ${count(read.total, "row")} cannot be learned yet; ${read.problem}`),
    el("p", { class: "row" }, el("button", { type: "button", id: "save-rows", onclick: () => save(chosen()) },
      `Use these ${count(read.total, "row")}`), discard)));
}

/** The questions of each answer of a handbook, and statements without one; what has none, or is not ticked, is left out. */
function review(place, stored, read, discard, end, path) {
  const facts = new Map();
  for (const row of read.rows.filter(one => one.question)) {
    const key = `${row.heading}\n${row.answer}`;
    facts.set(key, [...facts.get(key) ?? [], row]);
  }
  const open = read.without_question.filter(one => one.to_fill_in)
    .map(one => [{ question: "", answer: one.text, heading: one.heading }]);
  const cards = [...facts.values(), ...open].map((rows, i) => {
    const questions = el("textarea", { id: `questions-of-${i}`, rows: 5 }, rows.map(row => row.question).join("\n"));
    const answer = el("textarea", { id: `answer-of-${i}` }, rows[0].answer);
    const keep = el("input", { type: "checkbox", checked: true });
    return { made: () => !keep.checked || !answer.value.trim() ? [] : questions.value.split("\n").map(line => line.trim())
      .filter(line => line).map(question => ({ ...rows.find(row => row.question === question) ?? { heading: rows[0].heading },
        question, answer: answer.value.trim() })),
    card: el("fieldset", {}, el("legend", {}, el("label", { class: "inline" }, keep, rows[0].heading || `Section ${i + 1}`)),
      labelled(questions, "Questions", "What people ask that this answers, a line each; without one it is left out."),
      el("label", { for: answer.id }, "Answer"), answer) };
  });
  let changed = false;
  const made = () => cards.flatMap(card => card.made());
  const file = (name, rows) => upload(new File([rows.map(({ held_out, ...row }) => JSON.stringify(row)).join("\n")], name));
  const save = el("button", { type: "button", id: "save-rows", onclick: () => attempt(async () => {
    const name = jsonl(stored.filename);
    const [learned, held] = [false, true].map(out => made().filter(row => Boolean(row.held_out) === out));
    const out = changed && held.length > 0 && await file(`heldout-${name}`, held);
    await end(changed ? { ...await file(name, learned), held_out_file: out.id } : await post(path, { save_as: name }));
  }) });
  const tell = event => {
    changed ||= Boolean(event);
    const kept = changed ? made().length : read.total;
    save.disabled = kept === 0;
    save.textContent = `Use the ${count(kept, "row")} with a question`;
  };
  const section = el("section", { class: "card", "aria-label": `Rows of ${stored.filename}`, oninput: tell, onchange: tell },
    el("h2", {}, `${stored.filename}: ${count(read.questions, "question")} in ${count(read.total, "row")}`),
    el("p", { class: "hint" }, `${read.with_question} of ${count(read.statements, "statement")} have a question. `
      + `${count(read.held_out, "wording")} of them ${read.held_out === 1 ? "is" : "are"} held out in a second file.`),
    read.total > read.rows.length && el("p", { class: "warn" }, `Only ${read.rows.length} are shown; where you change one, the `
      + "others are left out."), cards.map(one => one.card), el("p", { class: "row" }, save, discard));
  tell();
  fill(place, section);
}
