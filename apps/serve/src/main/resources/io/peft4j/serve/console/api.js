import { say } from "./dom.js";

const KEPT = "peft4j-key";

/** What a server refused, with OpenAI's error object. */
export class Refusal extends Error {
  constructor(status, error) {
    super(error?.message || `the server answered with status ${status}`);
    this.status = status;
    this.parameter = error?.param;
  }
}

let asking;

/** Asks for a key, once however many requests want one, and says why the one before it was not taken. */
function askForKey(refused) {
  asking ??= new Promise(resolve => {
    const dialog = document.getElementById("key-dialog");
    document.getElementById("key-refused").textContent = refused;
    dialog.addEventListener("close", () => {
      sessionStorage.setItem(KEPT, document.getElementById("key").value);
      document.getElementById("key").value = "";
      asking = undefined;
      resolve();
    }, { once: true });
    dialog.showModal();
  });
  return asking;
}

async function send(path, options) {
  for (;;) {
    const key = sessionStorage.getItem(KEPT);
    const reply = await fetch(path, { ...options, headers: { ...options.headers,
      ...key ? { Authorization: `Bearer ${key}` } : {} } });
    if (reply.ok) {
      return reply;
    }
    const refusal = new Refusal(reply.status, (await reply.json().catch(() => undefined))?.error);
    if (reply.status !== 401) {
      throw refusal;
    }
    // Another request may have got a new key meanwhile.
    if (key === sessionStorage.getItem(KEPT)) {
      await askForKey(key ? `The server refused this key: ${refusal.message}` : "");
    }
  }
}

export const get = async path => (await send(path, {})).json();
export const remove = async path => (await send(path, { method: "DELETE" })).json();
export const post = async (path, body = {}) => (await send(path, {
  method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body),
})).json();
export const text = async path => (await send(path, {})).text();

/** Sends a file. */
export async function upload(file, purpose = "fine-tune") {
  const form = new FormData();
  form.append("purpose", purpose);
  form.append("file", file);
  return (await send("/v1/files", { method: "POST", body: form })).json();
}

/** Saves what the server gives under a path on this machine. */
export async function download(path, name) {
  const url = URL.createObjectURL(await (await send(path, {})).blob());
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** Hands over the pieces of an answer as they come. */
export async function stream(path, body, onPiece, signal) {
  const reply = await send(path, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ ...body, stream: true }), signal,
  });
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) {
      return;
    }
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith("data: ") && line !== "data: [DONE]") {
        onPiece(JSON.parse(line.slice(6)));
      }
    }
  }
}

/** Runs something that a person asked for, and tells what went wrong. */
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    say(error.message);
    return undefined;
  }
}
