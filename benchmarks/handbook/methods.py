"""Trains every method on the handbook, asks it the held-out questions, and tabulates accuracy, time, memory and size.

    benchmarks/methods --model ID|DIR|FILE.gguf --results DIR            all methods; goes on where it stopped
    benchmarks/methods --model ... --results DIR --only lora,dora        some of them
    benchmarks/methods --results DIR --table                             the table of what is there, in Markdown

Of each method DIR gets one JSON file; a method that has one is not run again. Training runs in a process of its own, so
its peak memory is the method's. Its time is processor time, from the start of the process to its end, which other work on
the machine disturbs less than the time on the clock. --wrap puts a command before each process, for instance
`taskset -c 0`.
"""
import argparse
import json
import os
import resource
import shlex
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

from settings import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
HANDBOOK = ROOT / "examples" / "handbook"
WEIGHTS = ("adapter_model.safetensors", "model.safetensors")
# The longest answer of the handbook has 32 tokens.
NEW_TOKENS = 48


class Failed(Exception):
    """A process ended with an error."""


def note(text):
    print(text, file=sys.stderr, flush=True)


def peft4j(a, *arguments):
    command = [*shlex.split(a.wrap), str(ROOT / "peft4j"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"{shlex.join(command)} ended with status {done.returncode}:\n{done.stderr[-3000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def engine(a):
    return ["--model", a.model, "--dtype", a.dtype, "--threads", a.threads]


def answered(answers):
    """For each held-out question whether the answer holds its fact, upper and lower case being the same."""
    rows = [json.loads(line) for line in (HANDBOOK / "heldout.jsonl").read_text(encoding="utf-8").splitlines()]
    assert len(rows) == len(answers), (len(rows), len(answers))
    return [row["must_contain"].casefold() in answer["text"].casefold() for row, answer in zip(rows, answers)]


def commit():
    return subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True,
                          text=True).stdout.strip() or "unknown"


def run(name, a):
    setting = SETTINGS[name]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with TemporaryDirectory(prefix="peft4j-") as scratch:
        adapter = Path(scratch) / "adapter"
        lines = peft4j(a, "train", *engine(a), "--data", HANDBOOK / "train.jsonl", "--output", adapter, "--epochs",
                       a.epochs, "--batch-size", 8, "--learning-rate", setting.learning_rate, "--warmup-steps", 10,
                       "--schedule", "linear", "--seed", a.seed, *setting.options, "--json")
        trained = lines[-1]
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        size = sum((adapter / file).stat().st_size for file in WEIGHTS if (adapter / file).is_file())
        answers = peft4j(a, "generate", *engine(a), "--adapter", adapter, "--data", HANDBOOK / "heldout.jsonl",
                         "--max-new-tokens", NEW_TOKENS, "--json")
    right = answered(answers)
    return {"method": name, "title": setting.title, "learning_rate": setting.learning_rate,
            "options": setting.options, "epochs": a.epochs, "seed": a.seed, "dtype": a.dtype, "threads": a.threads,
            "right": sum(right), "questions": len(right), "train_loss": trained.get("train_loss"),
            "train_s": trained["seconds"],
            "cpu_s": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, "steps": trained["steps"], "peak_rss_mb": trained.get("peak_rss_mb"),
            "file_bytes": size, "commit": commit(), "date": datetime.now(timezone.utc).isoformat(timespec="seconds")}


def write(path, result):
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    partial.rename(path)


def size(count):
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.0f} KB"


def table(folder):
    results = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
    results.sort(key=lambda r: (-r["right"], r["cpu_s"]))
    rows = ["| method | learning rate | held-out facts | last loss | training, processor time | peak memory | file |",
            "|---|---|---|---|---|---|---|"]
    for r in results:
        rows.append(f"| {r['title']} | {r['learning_rate']:g} | {r['right']} of {r['questions']} "
                    f"| {r['train_loss']:.3f} | {r['cpu_s']:.0f} s | {r['peak_rss_mb'] / 1000:.2f} GB "
                    f"| {size(r['file_bytes'])} |")
    kinds = {(r["epochs"], r["seed"], r["dtype"], r["threads"]) for r in results}
    for epochs, seed, dtype, threads in sorted(kinds):
        rows.append(f"\nepochs {epochs}, batch size 8, seed {seed}, {dtype}, threads {threads}; "
                    f"commits {', '.join(sorted({r['commit'] for r in results}))}")
    return "\n".join(rows)


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--results", type=Path, required=True, help="folder of the result files")
    parser.add_argument("--model", help="base model; needed to train")
    parser.add_argument("--only", help="names of methods, with commas; default: all")
    parser.add_argument("--table", action="store_true", help="print the table of what is there and end")
    parser.add_argument("--epochs", type=int, default=8, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=0, help="default: %(default)s")
    parser.add_argument("--dtype", default="bf16", help="default: %(default)s")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="default: all processors")
    parser.add_argument("--wrap", default="", help="a command before each process")
    return parser.parse_args()


def main():
    a = options()
    if a.table:
        print(table(a.results))
        return
    if not a.model:
        raise SystemExit("--model ID|DIR|FILE.gguf is needed")
    names = a.only.split(",") if a.only else list(SETTINGS)
    unknown = set(names) - set(SETTINGS)
    if unknown:
        raise SystemExit(f"no such method: {', '.join(sorted(unknown))}; there are {', '.join(SETTINGS)}")
    a.results.mkdir(parents=True, exist_ok=True)
    subprocess.run([ROOT / "peft4j", "--version"], check=True, stdout=subprocess.DEVNULL)  # builds what is missing
    failed = []
    for name in names:
        path = a.results / f"{name}.json"
        if path.is_file():
            note(f"{name}: there already")
            continue
        try:
            result = run(name, a)
        except Failed as e:
            note(f"{name}: {e}")
            failed.append(name)
            continue
        write(path, result)
        note(f"{name}: {result['right']} of {result['questions']} facts, {result['cpu_s']:.0f} s, "
             f"{result['peak_rss_mb']} MB, {size(result['file_bytes'])}")
    print(table(a.results))
    if failed:
        raise SystemExit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
