import { attempt, download, get, remove, upload } from "./api.js";
import { el, fill, say, size, table, when } from "./dom.js";
import { rowsForm } from "./rows.js";

const LINES = /\.jsonl?(\.(gz|zst))?$/i;

/** What a file is shown with where it cannot be learned from. */
export const fault = file => file.status === "error" && `broken: ${file.status_details || "it is not JSON Lines"}`;

/** A place to drop files on, or to choose them; tells when there is one more to train on. */
export function dropPlace(onUploaded) {
  const input = el("input", { type: "file", id: "upload", multiple: true,
    accept: ".jsonl,.json,.csv,.tsv,.xlsx,.pdf,.docx,.md,.html,.gz,.zst" });
  const made = el("div", {});
  const take = async files => {
    for (const file of files) {
      say(`Sending ${file.name} …`);
      const lines = LINES.test(file.name);
      const stored = await attempt(() => upload(file, lines ? "fine-tune" : "user_data"));
      if (stored && !lines) {
        say("");
        await rowsForm(made, stored, onUploaded);
      } else if (stored) {
        say(`${file.name} is uploaded`);
        await onUploaded(stored);
      }
    }
    input.value = "";
  };
  input.addEventListener("change", () => take([...input.files]));
  const place = el("div", { class: "drop" }, el("label", { for: "upload" }, "Drop files here, or choose them"), input,
    el("p", { class: "hint" }, "A table (CSV, XLSX), whose columns you name next; a handbook (PDF, DOCX, Markdown, HTML), "
      + "whose rows you review; or JSON Lines as they are."));
  const over = on => event => {
    event.preventDefault();
    place.classList.toggle("over", on);
  };
  place.addEventListener("dragover", over(true));
  place.addEventListener("dragleave", over(false));
  place.addEventListener("drop", event => {
    over(false)(event);
    take([...event.dataTransfer.files]);
  });
  return el("div", {}, place, made);
}

/** The files of the server. */
export function files(main) {
  const list = el("div", {});
  const show = async () => {
    const { data } = await get("/v1/files?limit=1000");
    fill(list, data.length === 0 ? el("p", {}, "There are no files yet.") : table("Files", [
      ["Name", file => [file.filename, fault(file) && el("p", { class: "error hint" }, fault(file))]], ["Purpose", file => file.purpose], ["Size", file => size(file.bytes), true],
      ["Created", file => when(file.created_at)], ["Id", file => el("span", { class: "id" }, file.id)],
      ["Actions", file => el("span", { class: "row" },
        el("button", { class: "plain", onclick: () => attempt(() =>
          download(`/v1/files/${encodeURIComponent(file.id)}/content`, file.filename)),
          "aria-label": `Download ${file.filename}` }, "Download"),
        el("button", { class: "danger", "aria-label": `Delete ${file.filename}`, onclick: async () => {
          if (confirm(`Delete ${file.filename}?`)) {
            await attempt(() => remove(`/v1/files/${encodeURIComponent(file.id)}`));
            await attempt(show);
          }
        } }, "Delete"))],
    ], data));
  };
  fill(main, el("h1", {}, "Files"), dropPlace(show), list);
  attempt(show);
}
