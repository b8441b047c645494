import { el, say } from "./dom.js";

/** Runs something now and every two seconds, until the function that is returned is called. */
export function polled(action, milliseconds = 2000) {
  let ended = false;
  let timer;
  const run = async () => {
    try {
      if (!document.hidden) {
        await action();
      }
    } catch (error) {
      say(error.message);
    }
    if (!ended) {
      timer = setTimeout(run, milliseconds);
    }
  };
  run();
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

/** Whether nothing more will happen to a job. */
export const isOver = job => ["succeeded", "failed", "cancelled"].includes(job.status);

/** Why a job failed, in at most so many letters. */
export function reason(job, most = Infinity) {
  const message = job.error?.message || "";
  return message.length > most ? `${message.slice(0, most - 1)}…` : message;
}

/** The status of a job. */
export function state(job) {
  const word = job.paused && !isOver(job) ? "paused" : job.status;
  return el("span", { class: `state ${word}` }, word.replace("_", " "));
}
