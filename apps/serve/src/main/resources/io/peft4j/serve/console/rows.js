import { attempt, post, remove, upload } from "./api.js";
import { el, fill, labelled, say, table } from "./dom.js";

const MOST_REVIEWED = 1000;
const UNFILLED = "[fill in: ";
const HANDBOOK = /\.(pdf|docx|md|markdown|html?)(\.(gz|zst))?$/i;
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
    } else if (HANDBOOK.test(stored.filename) || read.rows.some(row => row.question?.startsWith?.(UNFILLED))) {
      review(place, stored, read, discard, end);
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

/** The sections of a handbook as rows; those without a question, or that are not ticked, are left out. */
function review(place, stored, read, discard, end) {
  const rows = read.rows.filter(row => row.question).map((row, i) => {
    const question = el("input", { id: `question-of-${i}`, autocomplete: "off",
      value: row.question.startsWith(UNFILLED) ? "" : row.question });
    const answer = el("textarea", { id: `answer-of-${i}` }, row.answer);
    const keep = el("input", { type: "checkbox", checked: true });
    return { filled: () => keep.checked && question.value.trim() && answer.value.trim(), made: () => ({ ...row, question: question.value.trim(),
      answer: answer.value.trim() }), card: el("fieldset", {}, el("legend", {}, el("label", { class: "inline" }, keep, row.heading || `Section ${i + 1}`)),
      labelled(question, "Question", "Write what people ask that this answers; without one the row is left out."),
      el("label", { for: answer.id }, "Answer"), answer) };
  });
  const save = el("button", { type: "button", id: "save-rows", onclick: () => attempt(async () => {
    const lines = rows.filter(row => row.filled()).map(row => JSON.stringify(row.made()));
    await end(await upload(new File([lines.join("\n")], jsonl(stored.filename))));
  }) });
  const tell = () => {
    const filled = rows.filter(row => row.filled()).length;
    save.disabled = filled === 0;
    save.textContent = `Use the ${count(filled, "row")} with a question`;
  };
  const section = el("section", { class: "card", "aria-label": `Rows of ${stored.filename}`, oninput: tell, onchange: tell },
    el("h2", {}, `${stored.filename}: ${count(rows.length, "row")} to review`), rows.map(row => row.card),
    el("p", { class: "row" }, save, discard));
  tell();
  fill(place, section);
}
