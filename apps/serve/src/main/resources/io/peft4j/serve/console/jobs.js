import { get } from "./api.js";
import { duration, el, fill, table, when } from "./dom.js";
import { polled, reason, state } from "./live.js";

/** All jobs, the newest first. */
export function jobs(main) {
  const list = el("div", {});
  fill(main, el("h1", {}, "Fine-tuning jobs"),
    el("p", { class: "row" }, el("a", { class: "button", href: "#/new" }, "Start a job")), list);
  return polled(async () => {
    const { data } = await get("/v1/fine_tuning/jobs?limit=100");
    fill(list, data.length === 0 ? el("p", {}, "There are no jobs yet. Upload a file of examples and start one.")
      : table("Jobs", [
        ["Job", job => el("a", { href: `#/jobs/${job.id}` }, job.user_provided_suffix || job.id)],
        ["Status", job => [state(job), reason(job, 160) && el("p", { class: "error hint" }, reason(job, 160))]],
        ["Model", job => job.fine_tuned_model || job.model],
        ["Method", job => job.method.type],
        ["Created", job => when(job.created_at)],
        ["Left", job => job.status === "running" && job.estimated_finish
          ? duration(job.estimated_finish - Date.now() / 1000) : ""],
      ], data));
  });
}
