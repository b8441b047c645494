"""PEFT4J's server beside llama.cpp's, with the same model and the same LoRA adapters, in turn:

    python3 benchmarks/serve/llama_server.py --llama-server BUILD/bin/llama-server --model FILE.gguf --dtype q4 \
        --adapter DIR --adapter DIR --adapter DIR --adapter DIR

Streams ask at the same time, with the adapters one after the other; then all with the first adapter. Prints the tokens a
second of all streams together and the time to the first token, as a Markdown table of medians over the rounds. Each server
answers all streams --warm-up times before it is measured, as one that has run for some seconds has; what the first of these
gave is on stderr. Adapters are converted for llama.cpp by `peft4j adapter convert`. Neither server may keep prompts: each
request asks something new.
"""
import argparse
import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PORT = 8377
WORDS = "river stone garden window letter bridge market forest engine mirror candle harbour".split()


def prompt(number):
    """As many words for each number, none of them twice in a row."""
    return "Tell a long story about " + " and ".join(WORDS[(number * 7 + i * 5) % len(WORDS)] + str(number)
                                                     for i in range(12)) + "."


def ask(body, results):
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=600)
    begin = time.perf_counter()
    connection.request("POST", "/v1/chat/completions", json.dumps(body), {"Content-Type": "application/json"})
    reply = connection.getresponse()
    first, tokens = None, 0
    for line in reply:
        if not line.startswith(b"data: {"):
            continue
        event = json.loads(line[6:])
        if first is None and event["choices"] and event["choices"][0]["delta"].get("content"):
            first = time.perf_counter() - begin
        if event.get("usage"):
            tokens = event["usage"]["completion_tokens"]
    connection.close()
    if reply.status != 200 or not tokens:
        raise SystemExit(f"no answer: status {reply.status}")
    results.append((tokens, first if first is not None else time.perf_counter() - begin))


class Streams:
    def __init__(self, options, adapter):
        self.options = options
        self.adapter = adapter
        self.asked = 0

    def body(self, adapter, tokens):
        self.asked += 1
        return {"messages": [{"role": "user", "content": prompt(self.asked)}], "max_tokens": tokens, "temperature": 0,
                "stream": True, "stream_options": {"include_usage": True}, **self.adapter(adapter)}

    def measure(self, adapters):
        """Tokens a second and the median time to the first token in ms."""
        results = []
        threads = [threading.Thread(target=ask, args=(self.body(i % adapters, self.options.tokens), results))
                   for i in range(self.options.streams)]
        begin = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - begin
        return sum(tokens for tokens, _ in results) / seconds, 1e3 * statistics.median(f for _, f in results)


def wait_for(path):
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=5)
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except OSError:
            pass
        time.sleep(0.2)
    raise SystemExit("the server does not start")


def run(command, path, streams):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(path)
        for i in range(len(streams.options.adapter)):
            ask(streams.body(i, 4), [])
        adapters = len(streams.options.adapter)
        warming = [streams.measure(count) for _ in range(streams.options.warm_up) for count in (adapters, 1)]
        found = streams.measure(adapters), streams.measure(1)
        print(command[0], "at first", warming[:1], "then", found, file=sys.stderr, flush=True)
        return found
    finally:
        process.terminate()
        process.wait(60)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--llama-server", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--dtype", default="auto", help="of PEFT4J's weights")
    parser.add_argument("--adapter", action="append", required=True)
    parser.add_argument("--streams", type=int, default=8)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--warm-up", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--peft4j", default=str(ROOT / "peft4j"), help="the command line, as words")
    options = parser.parse_args()
    peft4j = options.peft4j.split()
    with tempfile.TemporaryDirectory() as folder:
        llama = [options.llama_server, "-m", options.model, "--port", str(PORT), "-t", str(options.threads), "-np",
                 str(options.streams), "-c", str(1024 * options.streams), "--lora-init-without-apply"]
        ours = peft4j + ["serve", "--model", options.model, "--dtype", options.dtype, "--port", str(PORT), "--data",
                         folder + "/data"]
        for i, adapter in enumerate(options.adapter):
            gguf = f"{folder}/a{i}.gguf"
            subprocess.run(peft4j + ["adapter", "convert", "--model", options.model, "--adapter", adapter, "--output",
                                     gguf], check=True, stdout=subprocess.DEVNULL)
            llama += ["--lora", gguf]
            ours += ["--adapter", f"a{i}={adapter}"]
        rows = {"PEFT4J": [], "llama.cpp": []}
        for _ in range(options.rounds):
            rows["PEFT4J"].append(run(ours, "/health", Streams(options, lambda i: {"model": f"a{i}"})))
            rows["llama.cpp"].append(run(llama, "/health", Streams(options, lambda i: {
                "model": "m", "lora": [{"id": i, "scale": 1.0}]})))
    print(f"| {options.streams} streams of {options.tokens} tokens | PEFT4J, tokens/s | llama.cpp | ratio | "
          "first token after, ms |\n|---|---|---|---|---|")
    for place, name in enumerate([f"over {len(options.adapter)} adapters", "with one adapter"]):
        speed, first = ({who: statistics.median(r[place][k] for r in found) for who, found in rows.items()}
                        for k in (0, 1))
        print(f"| {name} | {speed['PEFT4J']:.0f} | {speed['llama.cpp']:.0f} | "
              f"{speed['PEFT4J'] / speed['llama.cpp']:.2f} | {first['PEFT4J']:.0f} / {first['llama.cpp']:.0f} |")


if __name__ == "__main__":
    main()
