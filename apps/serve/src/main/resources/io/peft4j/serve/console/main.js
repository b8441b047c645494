import { attempt, get } from "./api.js";
import { decisions } from "./decisions.js";
import { files } from "./files.js";
import { job } from "./job.js";
import { jobs } from "./jobs.js";
import { models } from "./models.js";
import { newJob } from "./newjob.js";
import { playground } from "./playground.js";

const PAGES = { jobs, new: newJob, files, playground, decisions, models };
let leave = () => {};

/** Shows the page that the address names; a page gives back how it is left. */
function show() {
  const [path, query] = location.hash.replace(/^#\//, "").split("?");
  const [name, id] = path.split("/");
  const main = document.getElementById("main");
  leave();
  main.replaceChildren();
  const page = PAGES[name] || jobs;
  leave = (page === jobs && id ? job(main, encodeURIComponent(id)) : page(main, new URLSearchParams(query))) || (() => {});
  document.querySelectorAll("nav a").forEach(link => {
    const here = link.getAttribute("href") === `#/${PAGES[name] ? name : "jobs"}`;
    here ? link.setAttribute("aria-current", "page") : link.removeAttribute("aria-current");
  });
  const title = main.querySelector("h1")?.textContent || "Job";
  document.title = `${title} – PEFT4J`;
  main.focus({ preventScroll: true });
}

addEventListener("hashchange", show);
show();
attempt(async () => { document.getElementById("model-name").textContent = (await get("/health")).model; });
