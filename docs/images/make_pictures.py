"""Makes the pictures of README and the pages of docs from real runs: the terminal of a quickstart as SVG, reports and the
console as a browser shows them (Chromium, headless) as PNG. Needs Chromium and Pillow (tested with 13.0); the quickstart
takes some minutes, all else a few, on the model that comes along.

    python docs/images/make_pictures.py [NAME ...] [--work DIR]

quickstart  quickstart.svg, what the terminal says; report.png, the report with its verdict
data        data.png, the report of `data check` on tickets with the mistakes that this file makes
sweep       sweep.png, the page of a sweep
decisions   decisions.png, the report on held-out decisions
console     console.png, the page of a job on the server

With --work runs are kept there, and those that are there already are shown as they are. A picture above 150 KB, or of a page
without content, is an error.
"""
import argparse
import contextlib
import html
import json
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from PIL import Image

IMAGES = pathlib.Path(__file__).resolve().parent
ROOT = IMAGES.parent.parent
HANDBOOK = ROOT / "examples/handbook"
TICKETS = ROOT / "examples/tickets"
LEAST_BYTES, MOST_BYTES = 4_000, 150_000
COLUMNS = 116
LINE = 17
COLOURS = 96


def peft4j(work, *words, log="log.txt"):
    """Runs the command line in a folder and gives its exit code and output; stderr goes to a file of the folder."""
    with (work / log).open("w", encoding="utf-8") as said:
        done = subprocess.run([str(ROOT / "peft4j"), *map(str, words)], cwd=work, stdout=subprocess.PIPE, stderr=said, text=True,
                              check=False)
    return done.returncode, done.stdout


def must(work, *words):
    code, out = peft4j(work, *words)
    if code:
        sys.exit(f"peft4j {' '.join(map(str, words))} failed: {(work / 'log.txt').read_text(encoding='utf-8')[-2000:]}")
    return out


def wrapped(line):
    """A line as terminals show it: in parts of at most COLUMNS characters, divided at spaces, behind its indent."""
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    parts = []
    while len(line) > COLUMNS:
        cut = line.rfind(" ", len(indent), COLUMNS + 1)
        cut = cut if cut > 0 else COLUMNS
        parts.append(line[:cut])
        line = indent + line[cut:].strip()
    return parts + [line]


def terminal(text, file):
    lines = [part for line in text.rstrip().split("\n") for part in wrapped(line)]
    height = LINE * len(lines) + 24
    rows = "".join(f'<text x="14" y="{LINE * i + 26}" xml:space="preserve">{html.escape(line)}</text>\n'
                   for i, line in enumerate(lines) if line.strip())
    file.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 {height}" width="900" height="{height}">\n'
                    f'<title>What the terminal says</title>\n<rect width="900" height="{height}" rx="8" fill="#14171a"/>\n'
                    '<g font-family="ui-monospace, Menlo, Consolas, monospace" font-size="12.4" fill="#e6e9eb">\n'
                    f'{rows}</g>\n</svg>\n', encoding="utf-8")
    checked(file)


def shot(url, file, height=800, wait=2000):
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not browser:
        sys.exit("pictures of pages need Chromium")
    with tempfile.TemporaryDirectory() as profile:
        subprocess.run([browser, "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                        "--force-device-scale-factor=1", f"--user-data-dir={profile}", f"--window-size=1100,{height}",
                        f"--virtual-time-budget={wait}", f"--screenshot={file}", url], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, timeout=120)
    # Pages have few colours: a palette is a third of the size.
    Image.open(file).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE).save(file, optimize=True)
    checked(file)


def checked(file):
    size = file.stat().st_size
    if not LEAST_BYTES < size <= MOST_BYTES:
        sys.exit(f"{file} has {size} bytes; a picture has at most {MOST_BYTES}, and an empty page fewer than {LEAST_BYTES}")
    print(f"{file}: {size} bytes")


def quickstart(work):
    said = work / "terminal.txt"
    if not said.exists():
        # Answers of earlier runs, which a new user has none of, are not taken.
        out = must(work, "quickstart", "--answers", "answers.jsonl")
        said.write_text(out, encoding="utf-8")
    text = said.read_text(encoding="utf-8").replace(f"{work}/", "").replace(str(ROOT), ".").replace(str(pathlib.Path.home()), "~")
    # Two of the answers are enough for a picture.
    parts = text.split("\n\n")
    answers = [part for part in parts if "(expected: " in part]
    shown = "\n\n".join("..." if part == answers[2] else part for part in parts if part not in answers[3:])
    terminal("$ ./peft4j quickstart\n" + shown, IMAGES / "quickstart.svg")
    shot((work / "quickstart-output/report.html").as_uri(), IMAGES / "report.png")


def data(work):
    rows = [json.loads(line) for line in (TICKETS / "train.jsonl").read_text(encoding="utf-8").splitlines()]
    rows += [{"text": rows[0]["text"], "label": "delivery" if rows[0]["label"] != "delivery" else "billing"},
             {"text": "The parcel went to a neighbour.", "label": "delivry"}, {"text": "", "label": "access"},
             {"text": "Please call Ada Byron at ada@example.org about my bill.", "label": "billing"}]
    (work / "tickets.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    shutil.copy(TICKETS / "heldout.jsonl", work)
    code, _ = peft4j(work, "data", "check", "tickets.jsonl", "--validation", "heldout.jsonl", "--report", "data.html")
    if code != 1:
        sys.exit(f"data check found no error ({code}): {(work / 'log.txt').read_text(encoding='utf-8')[-2000:]}")
    shot((work / "data.html").as_uri(), IMAGES / "data.png")


def sweep(work):
    page = work / "sweep/sweep.html"
    if not page.exists():
        (work / "space.json").write_text(json.dumps({"learning_rate": {"min": 1e-3, "max": 2e-2, "log": True}, "rank": [4, 8, 16]}),
                                         encoding="utf-8")
        must(work, "sweep", "--model", "tiny", "--data", HANDBOOK / "train.jsonl", "--epochs", 1, "--batch-size", 8, "--space",
             "space.json", "--output", "sweep", "--trials", 12)
    shot(page.as_uri(), IMAGES / "sweep.png")


def decisions(work):
    page = work / "page.html"
    if not page.exists():
        must(work, "train", "--model", "tiny", "--objective", "decision", "--data", TICKETS / "train.jsonl", "--output", "tickets")
        must(work, "evaluate", "--model", "tiny", "--adapter", "tickets", "--data", TICKETS / "heldout.jsonl", "--training-data",
             TICKETS / "train.jsonl", "--report", page.name)
    shot(page.as_uri(), IMAGES / "decisions.png")


def call(url, body=None, kind="application/json"):
    request = urllib.request.Request(url, data=body, headers={"Content-Type": kind} if body else {})
    with urllib.request.urlopen(request, timeout=60) as reply:
        return json.loads(reply.read())


def upload(base, file):
    mark = "peft4j-pictures"
    head = (f'--{mark}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n--{mark}\r\n'
            f'Content-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n')
    body = head.encode() + file.read_bytes() + f"\r\n--{mark}--\r\n".encode()
    return call(f"{base}/v1/files", body, f"multipart/form-data; boundary={mark}")["id"]


def wait_for(what, seconds, ready):
    for _ in range(seconds):
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            if ready():
                return
        time.sleep(1)
    sys.exit(f"{what} took longer than {seconds} s")


def console(work):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    with (work / "server.txt").open("w", encoding="utf-8") as said:
        server = subprocess.Popen([str(ROOT / "peft4j"), "serve", "--model", "tiny", "--port", str(port), "--data", str(work / "server"),
                                   "--verdict-items", "88"], stdout=said, stderr=said)
    try:
        wait_for("the server's start", 120, lambda: call(f"{base}/health"))
        jobs = call(f"{base}/v1/fine_tuning/jobs")["data"]
        if not jobs:
            body = {"model": "tiny", "suffix": "handbook", "seed": 0, "training_file": upload(base, HANDBOOK / "train.jsonl"),
                    "validation_file": upload(base, HANDBOOK / "heldout.jsonl")}
            jobs = [call(f"{base}/v1/fine_tuning/jobs", json.dumps(body).encode())]
        job = jobs[0]["id"]

        def ended():
            state = call(f"{base}/v1/fine_tuning/jobs/{job}")["status"]
            if state in ("failed", "cancelled"):
                sys.exit(f"the job has {state}")
            return state == "succeeded"

        wait_for("the job", 1800, ended)
        shot(f"{base}/#/jobs/{job}", IMAGES / "console.png", 900, 10_000)
    finally:
        server.terminate()
        server.wait(60)


PICTURES = {made.__name__: made for made in (quickstart, data, sweep, decisions, console)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(PICTURES) + "; all if none is named")
    parser.add_argument("--work", type=pathlib.Path)
    options = parser.parse_args()
    if unknown := set(options.names) - PICTURES.keys():
        parser.error(f"unknown pictures {sorted(unknown)}; use some of {list(PICTURES)}")
    with contextlib.ExitStack() as stack:
        work = options.work or pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory()))
        for name in options.names or PICTURES:
            folder = (work / name).resolve()
            folder.mkdir(parents=True, exist_ok=True)
            PICTURES[name](folder)


if __name__ == "__main__":
    main()
