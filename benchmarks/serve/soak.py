"""Asks a server everything at once for a while and tells whether it grows:

    python3 benchmarks/serve/soak.py --seconds 1800 -- ./peft4j serve --model M --port 8090 --data DIR

Starts the server, which must listen at --port, and beside it clients that chat, stream, leave in the middle, upload,
start and delete jobs, and send nonsense. Prints a row of the process's memory, threads, open files and database a
minute, and the means of the second and the last quarter. Exit status 1 if a reply was an error that is the server's.
"""
import argparse
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

ROWS = "".join(json.dumps({"messages": [{"role": "user", "content": f"Who is number {i}?"},
                                        {"role": "assistant", "content": f"The keeper {i}."}]}) + "\n"
               for i in range(12))


class Load:
    def __init__(self, port, seconds, pause):
        self.port = port
        self.pause = pause
        self.end = time.time() + seconds
        self.counts = {}
        self.failures = []
        self.lock = threading.Lock()
        self.known = []

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        try:
            connection.request(method, path, body, headers or {"Content-Type": "application/json"})
            reply = connection.getresponse()
            data = reply.read()
            self.count(f"{method} {'/'.join(path.split('/')[1:3])}", reply.status)
            if reply.status >= 500 and reply.status != 503:
                self.failures.append((method, path, reply.status, data[:300]))
            return reply.status, data
        finally:
            connection.close()

    def count(self, what, status):
        with self.lock:
            key = f"{what} {status}"
            self.counts[key] = self.counts.get(key, 0) + 1

    def models(self):
        return [m["id"] for m in json.loads(self.request("GET", "/v1/models")[1])["data"]]

    def chat(self, rng, **more):
        return json.dumps({"model": rng.choice(self.known), "max_completion_tokens": rng.randint(1, 40), "messages": [
            {"role": "user", "content": f"Who is number {rng.randint(0, 99)}?"}], **more})

    def chats(self, rng):
        self.request("POST", "/v1/chat/completions", self.chat(rng, n=rng.randint(1, 3)))

    def streams(self, rng):
        self.request("POST", "/v1/chat/completions", self.chat(rng, stream=True))

    def leaves(self, rng):
        body = self.chat(rng, stream=rng.random() < 0.5, n=2)
        with socket.create_connection(("127.0.0.1", self.port)) as line:
            line.sendall((f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json"
                          f"\r\nContent-Length: {len(body)}\r\n\r\n{body}").encode())
            time.sleep(rng.random() * 0.2)
        self.count("left", 0)

    def nonsense(self, rng):
        kind = rng.randrange(4)
        if kind == 0:
            self.request("POST", "/v1/chat/completions", "{" * rng.randint(1, 2000))
        elif kind == 1:
            self.request("GET", "/v1/files/" + "".join(rng.choices("abc%2e/", k=20)))
        elif kind == 2:
            self.request("POST", "/v1/chat/completions", self.chat(rng, temperature="hot"))
        else:
            with socket.create_connection(("127.0.0.1", self.port)) as line:
                line.sendall(rng.randbytes(rng.randint(1, 500)))
                line.settimeout(2)
                try:
                    line.recv(100)
                except OSError:
                    pass

    def jobs(self, rng):
        form = ("--x\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nfine-tune\r\n--x\r\nContent-Disposition: "
                f"form-data; name=\"file\"; filename=\"rows.jsonl\"\r\n\r\n{ROWS}\r\n--x--\r\n")
        status, data = self.request("POST", "/v1/files", form, {"Content-Type": "multipart/form-data; boundary=x"})
        file = json.loads(data)["id"]
        status, data = self.request("POST", "/v1/fine_tuning/jobs", json.dumps({
            "model": self.known[0], "training_file": file, "hyperparameters": {"n_epochs": 1}}))
        job = json.loads(data)["id"]
        for _ in range(600):
            found = json.loads(self.request("GET", f"/v1/fine_tuning/jobs/{job}")[1])
            if found["status"] in ("succeeded", "failed", "cancelled"):
                break
            time.sleep(0.5)
        made = found.get("fine_tuned_model")
        if made:
            self.known = [self.known[0], made]
            for _ in range(3):
                self.request("POST", "/v1/chat/completions", self.chat(rng))
            self.known = self.known[:1]
            self.request("DELETE", f"/v1/models/{made}")
        for result in [file] + found.get("result_files", []):
            self.request("DELETE", f"/v1/files/{result}")
        time.sleep(5 + 20 * self.pause)

    def client(self, work, seed):
        rng = random.Random(seed)
        while time.time() < self.end:
            try:
                work(rng)
            except (OSError, http.client.HTTPException) as e:
                self.count(type(e).__name__, 0)
            except (KeyError, ValueError) as e:
                self.failures.append((work.__name__, repr(e)))
            time.sleep(self.pause)


def sample(process, data):
    status = dict(line.split(":", 1) for line in Path(f"/proc/{process.pid}/status").read_text().splitlines())
    database = sum(f.stat().st_size for f in Path(data).glob("state.db*"))
    return {"memory MB": int(status["VmRSS"].split()[0]) / 1024, "threads": int(status["Threads"]),
            "open files": len(os.listdir(f"/proc/{process.pid}/fd")), "database KB": database / 1024}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=1800)
    parser.add_argument("--every", type=int, default=60)
    parser.add_argument("--pause", type=float, default=0.02, help="seconds between the requests of a client")
    parser.add_argument("server", nargs="+")
    options = parser.parse_args()
    port = int(options.server[options.server.index("--port") + 1])
    data = options.server[options.server.index("--data") + 1]
    process = subprocess.Popen(options.server, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    load = Load(port, options.seconds, options.pause)
    load.known = [load.models()[0]]
    work = [load.chats] * 3 + [load.streams] * 2 + [load.leaves, load.nonsense, load.jobs]
    clients = [threading.Thread(target=load.client, args=(each, i), daemon=True) for i, each in enumerate(work)]
    for client in clients:
        client.start()
    rows = []
    try:
        while time.time() < load.end:
            time.sleep(options.every)
            rows.append(sample(process, data))
            print(len(rows) * options.every, " ".join(f"{k} {v:.0f}" for k, v in rows[-1].items()), flush=True)
        for client in clients:
            client.join(600)
        time.sleep(5)
        print("after the load:", sample(process, data))
    finally:
        process.terminate()
        process.wait(60)
    quarter = max(1, len(rows) // 4)
    for key in rows[0]:
        second = sum(r[key] for r in rows[quarter:2 * quarter]) / len(rows[quarter:2 * quarter])
        last = sum(r[key] for r in rows[-quarter:]) / quarter
        print(f"{key}: {second:.1f} in the second quarter, {last:.1f} in the last")
    print(json.dumps(load.counts, sort_keys=True, indent=1))
    if load.failures:
        sys.exit("failures: " + repr(load.failures[:10]))


if __name__ == "__main__":
    main()
