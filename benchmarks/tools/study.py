"""Trains a model on the calls of make_calls.py and asks base and tuned model the held-out requests, with calls free and with
calls forced by a grammar. Prints the table of docs/tools.md.

    python study.py --model MODEL --out OUT [--limit ROWS] [training options such as --epochs 3]

A free answer is what `generate` writes. Forced, a server is asked with "tool_choice": "required" where a call is needed, so that
the answer is one call or more, and with "auto" elsewhere, where a grammar follows a call that has begun. OUT keeps the adapter and
all answers, and what is there is not done again. --limit takes the first rows only, for a trial.
"""
import argparse
import collections
import concurrent.futures
import http.client
import json
import os
import pathlib
import subprocess
import sys
import time

import make_calls

ROOT = pathlib.Path(__file__).resolve().parents[2]
PORT = 8379
TOKENS = 96
AT_ONCE = 4
TRAINING = ["--epochs", "3", "--batch-size", "10", "--learning-rate", "1e-3", "--packing", "shared-prefixes",
            "--layers", "18-29"]


def peft4j(log, *words):
    """The JSON lines that a command prints."""
    with open(log, "w", encoding="utf-8") as said:
        done = subprocess.run([ROOT / "peft4j", *map(str, words)], stdout=subprocess.PIPE, stderr=said, text=True, check=False)
    if done.returncode:
        sys.exit(f"peft4j {' '.join(map(str, words))} failed, see {log}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def read(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def write(file, rows):
    part = file.with_suffix(".part")
    part.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    os.replace(part, file)


def free(options, name, rows):
    """The calls in each answer of `generate`."""
    answers = options.out / f"{name}-answers.jsonl"
    tuned = ["--adapter", options.out / "adapter"] if name == "tuned" else ["--tool-form", "hermes"]
    said = peft4j(options.out / f"{name}.log", "generate", "--model", options.model, *tuned, "--data",
                  options.out / "heldout.jsonl", "--max-new-tokens", TOKENS, "--json")
    write(answers, [{"answer": one["text"], "tools": row["tools"]} for one, row in zip(said, rows)])
    parsed = peft4j(options.out / f"{name}.log", "template", "parse", "--template", options.out / "adapter/chat_template.jinja",
                    "--answers", answers, "--json")
    return [[(call["name"], call["arguments"]) for call in one["tool_calls"]] for one in parsed]


def asked(model, row, path="/v1/chat/completions"):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=600)
    body = row and json.dumps({"model": model, "messages": row["messages"][:-1], "tools": row["tools"], "temperature": 0,
                               "max_tokens": TOKENS, "tool_choice": "required" if wanted(row) else "auto"})
    connection.request("POST" if row else "GET", path, body, {"Content-Type": "application/json"})
    reply = connection.getresponse()
    said = json.loads(reply.read())
    connection.close()
    if reply.status != 200:
        sys.exit(f"the server answers {reply.status}: {said}")
    return said


def forced(model, rows):
    """The calls in each answer of the server."""
    def of(row):
        message = asked(model, row)["choices"][0]["message"]
        return [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in message.get("tool_calls") or []]

    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(of, rows))


class Server:
    """The base and the adapter, as long as it is needed."""

    def __init__(self, options):
        with open(options.out / "serve.log", "w", encoding="utf-8") as said:
            self.process = subprocess.Popen([ROOT / "peft4j", "serve", "--model", options.model, "--tool-form", "hermes",
                                             "--adapter", f"tuned={options.out / 'adapter'}", "--port", str(PORT), "--data",
                                             options.out / "server"], stdout=said, stderr=said)

    def __enter__(self):
        while self.process.poll() is None:
            try:
                return {("tuned" if each["id"] == "tuned" else "base"): each["id"]
                        for each in asked("", None, "/v1/models")["data"]}
            except OSError:
                time.sleep(0.5)
        sys.exit("the server does not start, see serve.log")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


def wanted(row):
    """The calls that are right."""
    return [(call["function"]["name"], json.loads(call["function"]["arguments"]))
            for call in row["messages"][-1].get("tool_calls", [])]


def line(name, how, rows, found):
    right = collections.Counter()
    for row, made in zip(rows, found):
        expected = wanted(row)
        right["none"] += not expected and not made
        right["name"] += bool(expected) and [call[0] for call in made] == [call[0] for call in expected]
        right["arguments"] += bool(expected) and made == expected
        right["two"] += len(expected) == 2 and made == expected
    sizes = collections.Counter(len(wanted(row)) for row in rows)
    needed = sizes[1] + sizes[2]
    print(f"| {name} | {how} | {right['name']} of {needed} | {right['arguments']} of {needed} | {right['two']} of {sizes[2]} | "
          f"{right['none']} of {sizes[0]} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a folder, a GGUF file or an ID")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=11, help="of the requests")
    parser.add_argument("--limit", type=int, help="rows of each file")
    options, training = parser.parse_known_args()
    make_calls.main(options.out, options.seed)
    for name in ("train", "heldout"):
        write(options.out / f"{name}.jsonl", read(options.out / f"{name}.jsonl")[:options.limit])
    rows = read(options.out / "heldout.jsonl")
    if not (options.out / "adapter").exists():
        begin = time.monotonic()
        peft4j(options.out / "train.log", "train", "--model", options.model, "--tool-form", "hermes", "--data",
               options.out / "train.jsonl", "--output", options.out / "part", *(training or TRAINING))
        (options.out / "part").rename(options.out / "adapter")
        print(f"trained in {time.monotonic() - begin:.0f} s", flush=True)
    print("| model | calls | right names | right arguments | of these two calls | rightly no call |\n|---|---|---|---|---|---|")
    for name in ("base", "tuned"):
        file = options.out / f"{name}-free.json"
        if not file.exists():
            write(file, [free(options, name, rows)])
    missing = [name for name in ("base", "tuned") if not (options.out / f"{name}-forced.json").exists()]
    if missing:
        with Server(options) as models:
            for name in missing:
                write(options.out / f"{name}-forced.json", [forced(models[name], rows)])
    for name in ("base", "tuned"):
        for how in ("free", "forced"):
            found = read(options.out / f"{name}-{how}.json")[0]
            line(name, how, rows, [[tuple(call) for call in made] for made in found])


if __name__ == "__main__":
    main()
