"""What ways of training keep of a model's general ability, and what they learn.

    python forgetting.py run --model M --data DIR --results FILE [--dtype f32 --ways remember,osf --seeds 3]
    python forgetting.py table --results FILE

DIR holds train.jsonl (chats) and heldout.jsonl (what trained models are asked), such as examples/handbook; MethodStudy
writes its tickets and its house style as such folders. Each way trains with each seed and is evaluated with the guard set.
A training is one line of FILE, which is continued. The time is that of the processor, of the training and of what
belongs to it, such as finding a scale.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
WAYS = {
    "plain": [],
    "remember": ["--remember"],
    "keep-divergence": ["--keep", "general"],
    "keep-answers": ["--keep", "general", "--keep-by", "answers"],
    "remember-and-keep": ["--remember", "--keep", "general"],
    "scaled": [],
    "remember-and-scaled": ["--remember"],
    "self-distillation": ["--objective", "self-distillation"],
    "osf": ["--method", "osf"],
    "remember-and-osf": ["--remember", "--method", "osf"],
}


def command(a, *words):
    begin = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([a.peft4j, *map(str, words), "--json"], capture_output=True, text=True)
    if done.returncode not in (0, 1) or not done.stdout:
        sys.exit(f"{words} ended with status {done.returncode}:\n{done.stderr[-3000:]}")
    end = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = end.ru_utime + end.ru_stime - begin.ru_utime - begin.ru_stime
    return json.loads(done.stdout.splitlines()[-1]), seconds


def with_contexts(rows, file):
    """The rows with their right answer as what the teacher of a self-distillation reads."""
    lines = []
    for line in rows.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        row["context"] = "This is a right answer to the question below:\n" + row["messages"][-1]["content"]
        lines.append(json.dumps(row))
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return file


def train(a, way, seed, scratch):
    engine = ["--model", a.model, "--dtype", a.dtype]
    data, adapter = a.data / "train.jsonl", scratch / "adapter"
    if way == "self-distillation":
        data = with_contexts(data, scratch / "train.jsonl")
    rate = a.osf_rate if way.endswith("osf") else a.learning_rate
    trained, seconds = command(a, "train", *engine, "--data", data, "--output", adapter, "--epochs", a.epochs,
                               "--batch-size", 8, "--learning-rate", rate, "--seed", seed, *WAYS[way])
    if way.endswith("scaled"):
        scaled, more = command(a, "adapter", "scale", *engine, "--adapter", adapter, "--output", scratch / "scaled",
                               "--find")
        return scratch / "scaled", seconds + more, trained, scaled
    return adapter, seconds, trained, {}


def run(a):
    known = [json.loads(line) for line in a.results.open()] if a.results.exists() else []
    done = {(row["model"], row["data"], row["way"], row["seed"]) for row in known}
    for seed in range(a.seeds):
        for way in a.ways.split(",") if a.ways else WAYS:
            key = (Path(a.model).name, a.data.name, way, seed)
            if key in done:
                continue
            with TemporaryDirectory(prefix="peft4j-") as scratch:
                adapter, seconds, trained, scaled = train(a, way, seed, Path(scratch))
                report, _ = command(a, "evaluate", "--model", a.model, "--dtype", a.dtype, "--adapter", adapter,
                                    "--data", a.data / "heldout.jsonl")
            metric = report["metrics"][report["deciding_metric"]]
            row = dict(zip(("model", "data", "way", "seed"), key)) | {
                "right": metric["tuned"], "base": metric["base"], "guard": report["guard"]["overall"],
                "seconds": seconds, "peak_rss_mb": trained["peak_rss_mb"], "scale": scaled.get("scale")}
            with a.results.open("a") as results:
                results.write(json.dumps(row) + "\n")
            print(f"{key}: {100 * row['right']:.0f} %, guard {100 * row['guard']['difference']:+.1f}, {seconds:.0f} s",
                  file=sys.stderr, flush=True)


def table(a):
    rows = [json.loads(line) for line in a.results.open()]
    print("| model, data | way | right | guard set, points | processor time | peak memory |\n|---|---|---|---|---|---|")
    for model, data in dict.fromkeys((row["model"], row["data"]) for row in rows):
        for way in WAYS:
            mine = [row for row in rows if (row["model"], row["data"], row["way"]) == (model, data, way)]
            if not mine:
                continue
            right = [100 * row["right"] for row in mine]
            guard = [100 * row["guard"]["difference"] for row in mine]
            low, high = (min(100 * row["guard"]["ci_low"] for row in mine),
                         max(100 * row["guard"]["ci_high"] for row in mine))
            print(f"| {model}, {data} | {way} | {statistics.mean(right):.0f} % ({min(right):.0f} to {max(right):.0f}) "
                  f"| {statistics.mean(guard):+.1f} [{low:.1f}, {high:.1f}] | {statistics.mean(row['seconds'] for row in mine):.0f} s "
                  f"| {max(row['peak_rss_mb'] for row in mine)} MB |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    running = commands.add_parser("run")
    running.set_defaults(action=run)
    running.add_argument("--model", required=True)
    running.add_argument("--data", type=Path, required=True)
    running.add_argument("--results", type=Path, required=True)
    running.add_argument("--peft4j", default=os.fspath(ROOT / "peft4j"), help="the command; default: this checkout's")
    running.add_argument("--dtype", default="f32")
    running.add_argument("--ways", help=f"some of {', '.join(WAYS)}; default: all")
    running.add_argument("--seeds", type=int, default=3)
    running.add_argument("--epochs", type=int, default=8)
    running.add_argument("--learning-rate", type=float, default=1e-3)
    running.add_argument("--osf-rate", type=float, default=1e-4)
    tabled = commands.add_parser("table")
    tabled.set_defaults(action=table)
    tabled.add_argument("--results", type=Path, required=True)
    a = parser.parse_args()
    a.action(a)


if __name__ == "__main__":
    main()
