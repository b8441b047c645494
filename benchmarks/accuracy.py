"""How well a model learns the handbook with the frozen base in each type, over several seeds.

    benchmarks/accuracy --model FILE.gguf --output DIR
    benchmarks/accuracy --model FILE.gguf --output DIR --types int8 --seeds 2      one run

Each run trains a LoRA on examples/handbook/train.jsonl and counts the held-out questions whose greedy answer holds the
expected fact. Its count is kept in DIR: a run that is there is not done again, so an interrupted series resumes where it
stopped. Prints a table in Markdown of what is there.
"""
import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
HANDBOOK = ROOT / "examples" / "handbook"
LAUNCHER = ROOT / "peft4j"


def peft4j(*words):
    """What the command line prints; it fails with the program's own words."""
    done = subprocess.run([LAUNCHER, *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"peft4j {words[0]} failed with status {done.returncode}:\n{done.stderr[-3000:]}")
    return done.stdout


def measure(a, type_, seed):
    """Trains, asks and counts."""
    engine = ["--dtype", type_, *(["--threads", a.threads] if a.threads else [])]
    questions = [json.loads(line) for line in (HANDBOOK / "heldout.jsonl").read_text("utf-8").splitlines()]
    with TemporaryDirectory() as scratch:
        adapter = Path(scratch) / "adapter"
        peft4j("train", "--model", a.model, "--data", HANDBOOK / "train.jsonl", "--output", adapter, "--epochs",
               a.epochs, "--batch-size", 8, "--learning-rate", "1e-3", "--rank", 16, "--alpha", 32,
               "--target-modules", "all-linear", "--seed", seed, *engine)
        answers = peft4j("generate", "--model", a.model, "--adapter", adapter, "--data", HANDBOOK / "heldout.jsonl",
                         "--max-new-tokens", 48, "--json", *engine).splitlines()
    if len(answers) != len(questions):
        raise SystemExit(f"{len(questions)} questions got {len(answers)} answers")
    found = sum(question["must_contain"].lower() in json.loads(answer)["text"].lower()
                for question, answer in zip(questions, answers))
    return {"type": type_, "seed": seed, "epochs": a.epochs, "facts": found, "questions": len(questions)}


def table(runs):
    """A row for each type: the share of each seed, the mean, and its distance from the first type's."""
    seeds = sorted({run["seed"] for run in runs})
    types = list(dict.fromkeys(run["type"] for run in runs))
    lines = ["| type | " + " | ".join(f"seed {seed}" for seed in seeds) + f" | mean | against {types[0]} |",
             "|---" * (len(seeds) + 3) + "|"]
    reference = None
    for type_ in types:
        shares = {run["seed"]: 100 * run["facts"] / run["questions"] for run in runs if run["type"] == type_}
        mean = statistics.mean(shares.values())
        reference = mean if reference is None else reference
        cells = [f"{shares[seed]:.1f} %" if seed in shares else "" for seed in seeds]
        lines.append(f"| {type_} | " + " | ".join(cells) + f" | {mean:.1f} % | {mean - reference:+.1f} points |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="GGUF file, folder or hub ID")
    parser.add_argument("--output", required=True, type=Path, help="where counts are kept")
    parser.add_argument("--types", default="f32,bf16,int8", help="types of the base; the first is compared with")
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--threads", type=int)
    a = parser.parse_args()
    a.output.mkdir(parents=True, exist_ok=True)
    runs = []
    for type_ in a.types.split(","):
        for seed in map(int, a.seeds.split(",")):
            kept = a.output / f"{type_}-seed{seed}-epochs{a.epochs}.json"
            if not kept.is_file():
                print(f"{type_}, seed {seed} ...", file=sys.stderr, flush=True)
                unfinished = kept.with_suffix(".part")
                unfinished.write_text(json.dumps(measure(a, type_, seed)), "utf-8")
                unfinished.replace(kept)
            runs.append(json.loads(kept.read_text("utf-8")))
    print(table(runs))


if __name__ == "__main__":
    main()
