import { attempt, download, get, remove, upload } from "./api.js";
import { el, fill, say, size, table, when } from "./dom.js";

/** A place to drop files on, or to choose them; tells when one has arrived. */
export function dropPlace(onUploaded) {
  const input = el("input", { type: "file", id: "upload", multiple: true, accept: ".jsonl,.json" });
  const take = async files => {
    for (const file of files) {
      say(`Sending ${file.name} …`);
      const stored = await attempt(() => upload(file));
      if (stored) {
        say(`${file.name} is uploaded`);
        await onUploaded(stored);
      }
    }
    input.value = "";
  };
  input.addEventListener("change", () => take([...input.files]));
  const place = el("div", { class: "drop" }, el("label", { for: "upload" }, "Drop JSONL files here, or choose them"), input,
    el("p", { class: "hint" }, "One example a line: {\"messages\": [...]}, or for DPO {\"input\", \"preferred_output\", "
      + "\"non_preferred_output\"}."));
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
  return place;
}

/** The files of the server. */
export function files(main) {
  const list = el("div", {});
  const show = async () => {
    const { data } = await get("/v1/files?limit=1000");
    fill(list, data.length === 0 ? el("p", {}, "There are no files yet.") : table("Files", [
      ["Name", file => file.filename], ["Purpose", file => file.purpose], ["Size", file => size(file.bytes), true],
      ["Created", file => when(file.created_at)], ["Id", file => file.id],
      ["", file => el("span", { class: "row" },
        el("button", { class: "plain", onclick: () => attempt(() => download(file.id, file.filename)),
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
