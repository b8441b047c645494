"""How long /health takes and how much memory a server keeps, with a training and clients at once:

    python3 benchmarks/serve/health.py --runs 3 -- ./peft4j serve --model M --port 8090 --data DIR

A run starts the server on a folder of its own (DIR and a number), answers and trains once each, so that what the
server loads for that is there, and takes the resident memory as "before". For --seconds, 20 clients chat, some with
long prompts or a schema, while jobs train one after another, and /health is asked ten times a second. The memory
"after" is taken when all have left for --settle seconds. Then the same again: what Java compiled and loaded for the
first load is there by then. Set PEFT4J_JAVA_OPTS=-Xmx512m to compare.
"""
import argparse
import json
import os
import random
import statistics
import subprocess
import threading
import time
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from soak import ROWS

SCHEMA = {"type": "json_schema", "json_schema": {"name": "s", "schema": {
    "type": "object", "properties": {"a": {"enum": ["x", "y"]}}, "required": ["a"]}}}


class Server:
    def __init__(self, words, run):
        words = list(words)
        self.url = "http://127.0.0.1:" + words[words.index("--port") + 1]
        data = words.index("--data") + 1
        words[data] += f"-{run}"
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()
        self.model = self.send("/v1/models")["data"][0]["id"]
        self.replies = {}

    def send(self, path, body=None, kind="application/json"):
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        with urlopen(Request(self.url + path, data, {"Content-Type": kind}), timeout=300) as reply:
            return json.load(reply)

    def chat(self, rng):
        body = {"model": self.model, "max_completion_tokens": rng.randint(1, 40), "messages": [
            {"role": "user", "content": "Who is there? " * rng.choice([1, 1, 1, 10])}]}
        if rng.random() < 0.2:
            body["response_format"] = SCHEMA
        try:
            self.send("/v1/chat/completions", body)
            status = 200
        except HTTPError as e:
            status = e.code
        self.replies[status] = self.replies.get(status, 0) + 1

    def train(self):
        form = ("--x\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nfine-tune\r\n--x\r\nContent-Disposition: "
                f"form-data; name=\"file\"; filename=\"rows.jsonl\"\r\n\r\n{ROWS}\r\n--x--\r\n").encode()
        file = self.send("/v1/files", form, "multipart/form-data; boundary=x")["id"]
        job = self.send("/v1/fine_tuning/jobs", {"model": self.model, "training_file": file,
                                                 "hyperparameters": {"n_epochs": 3}})["id"]
        while True:
            found = self.send("/v1/fine_tuning/jobs/" + job)
            if found["status"] in ("succeeded", "failed", "cancelled"):
                return found["status"]
            time.sleep(0.5)

    def resident(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))

    def stop(self):
        self.process.terminate()
        self.process.wait(60)


def measure(server, seconds, settle):
    rng = random.Random(1)
    for _ in range(10):
        server.chat(rng)
    server.train()
    time.sleep(settle)
    before = server.resident()
    end = time.time() + seconds

    def until_end(work, pause):
        while time.time() < end:
            work()
            time.sleep(pause)

    health = []

    def ask():
        begin = time.perf_counter()
        server.send("/health")
        health.append(1000 * (time.perf_counter() - begin))

    work = [(lambda rng=random.Random(i): server.chat(rng), 0.5) for i in range(20)] + [(server.train, 0.1), (ask, 0.1)]
    threads = [threading.Thread(target=until_end, args=each) for each in work]
    for thread in threads:
        thread.start()
    time.sleep(seconds)
    during = server.resident()
    for thread in threads:
        thread.join()
    time.sleep(settle)
    after = server.resident()
    return (f"health {len(health)} times, median {statistics.median(health):.0f} ms, longest {max(health):.0f} ms; "
            f"resident {before:.0f} MB before, {during:.0f} in, {after:.0f} after (+{100 * (after / before - 1):.0f} %); "
            f"answers {server.replies}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--settle", type=int, default=20)
    parser.add_argument("server", nargs="+")
    options = parser.parse_args()
    for run in range(options.runs):
        server = Server(options.server, run)
        try:
            for times in ("first", "second"):
                load = os.getloadavg()[0]
                print(f"run {run + 1}, {times} load, load of the machine {load:.1f}:",
                      measure(server, options.seconds, options.settle), flush=True)
        finally:
            server.stop()


if __name__ == "__main__":
    main()
