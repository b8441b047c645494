"""Whether a training here ends where one in Hugging Face PEFT does: the share of held-out facts over companies and seeds.

    python outcome.py run --model DIR --results DIR --python PYTHON [--companies 3 --seeds 5 --learning-rate 1e-3]
    python outcome.py run ... --same-start
    python outcome.py table --results DIR

`run` trains both sides on each company's handbook (`companies.py`) with each seed and equal hyperparameters, asks the
held-out questions, and writes one JSON file a training; it resumes where it stopped. Sides alternate. With --same-start the
training here begins with Hugging Face's first values and sees the examples in its order, so that chance plays no part and
what is left is what the two compute. --python is one with torch, transformers and peft; --model a Hugging Face folder, the same weights for both. `table` prints the shares and the
mean difference with an interval: by company and seed, 95 %, Student's t over the pairs.
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import companies

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
# Quantiles 0.975 of Student's t, by degrees of freedom.
T_975 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262, 10: 2.228, 11: 2.201,
         12: 2.179, 13: 2.160, 14: 2.145, 15: 2.131, 19: 2.093, 24: 2.064, 29: 2.045}


def lines(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{command} ended with status {done.returncode}:\n{done.stderr[-3000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def in_order(data, start, file):
    """The rows of all epochs in the order in which the other side saw them."""
    rows = (data / "train.jsonl").read_text(encoding="utf-8").splitlines()
    file.write_text("\n".join(rows[i] for i in json.loads((start / "order.json").read_text())) + "\n", encoding="utf-8")
    return file


def ours(a, data, seed):
    engine = ["--model", a.model, "--dtype", a.dtype]
    with TemporaryDirectory(prefix="peft4j-") as scratch:
        adapter = Path(scratch) / "adapter"
        if a.same_start:
            start = data / f"start-{seed}"
            how = ["--adapter-init", start, "--data", in_order(data, start, Path(scratch) / "train.jsonl"),
                   "--no-shuffle", "--epochs", 1]
        else:
            how = ["--data", data / "train.jsonl", "--rank", 16, "--alpha", 32, "--target-modules", "all-linear",
                   "--epochs", a.epochs]
        trained = lines([a.peft4j, "train", *engine, *how, "--output", adapter, "--batch-size", 8, "--learning-rate",
                         a.learning_rate, "--schedule", a.schedule, "--warmup-steps", 10, "--seed", seed, "--json"])
        losses = [step["train_loss"] for step in map(json.loads, (adapter / "metrics.jsonl").open())
                  if "grad_norm" in step]
        texts = lines([a.peft4j, "generate", *engine, "--adapter", adapter, "--data", data / "heldout.jsonl",
                       "--max-new-tokens", 48, "--json"])
    questions = [json.loads(line) for line in (data / "heldout.jsonl").open(encoding="utf-8")]
    right = [q["must_contain"].casefold() in t["text"].casefold() for q, t in zip(questions, texts, strict=True)]
    return {"right": right, "losses": losses, "seconds": trained[-1]["seconds"]}


def theirs(a, data, seed):
    save = ["--save-start", data / f"start-{seed}"] if a.same_start else []
    return lines([a.python, HERE / "hf_outcome.py", "--model", a.model, "--data", data, "--seed", seed, "--epochs",
                  a.epochs, "--learning-rate", a.learning_rate, "--schedule", a.schedule, "--dtype", a.dtype, *save])[-1]


def run(a):
    a.results.mkdir(parents=True, exist_ok=True)
    for seed in range(a.seeds):
        for company in range(a.companies):
            data = a.results / f"company-{company}"
            companies.write(company, data)
            for side, train in (("hf", theirs), ("ours", ours)):
                path = a.results / f"{side}-{company}-{seed}.json"
                if path.exists():
                    continue
                result = {"side": side, "company": company, "seed": seed, "dtype": a.dtype, "epochs": a.epochs}
                result |= train(a, data, seed)
                partial = path.with_suffix(".part")
                partial.write_text(json.dumps(result) + "\n")
                partial.rename(path)
                print(f"{side} company {company} seed {seed}: {sum(result['right'])} of {len(result['right'])}, "
                      f"{result['seconds']:.0f} s", file=sys.stderr, flush=True)


def table(a):
    results = {}
    for path in sorted(a.results.glob("*-*-*.json")):
        result = json.loads(path.read_text())
        results[result["side"], result["company"], result["seed"]] = result
    share = {key: 100 * statistics.mean(result["right"]) for key, result in results.items()}
    pairs = [(company, seed) for side, company, seed in share if side == "ours" and ("hf", company, seed) in share]
    print("| company | seed | here | Hugging Face | difference |\n|---|---|---|---|---|")
    for company, seed in pairs:
        mine, peer = share["ours", company, seed], share["hf", company, seed]
        print(f"| {companies.NAMES[company]} | {seed} | {mine:.0f} % | {peer:.0f} % | {mine - peer:+.0f} |")
    differences = [share["ours", *pair] - share["hf", *pair] for pair in pairs]
    if len(differences) > 1:
        mean = statistics.mean(differences)
        t = T_975.get(len(differences) - 1, 2.0)
        half = t * statistics.stdev(differences) / math.sqrt(len(differences))
        for side, name in (("ours", "here"), ("hf", "Hugging Face")):
            values = [share[side, *pair] for pair in pairs]
            print(f"\n{name}: mean {statistics.mean(values):.1f} %, standard deviation between trainings "
                  f"{statistics.stdev(values):.1f}")
        print(f"\ndifference {mean:+.1f} points [{mean - half:+.1f}, {mean + half:+.1f}], {len(pairs)} pairs")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    training = commands.add_parser("run")
    training.set_defaults(action=run)
    training.add_argument("--model", required=True)
    training.add_argument("--results", type=Path, required=True)
    training.add_argument("--python", default=sys.executable, help="default: the one that runs this")
    training.add_argument("--peft4j", default=os.fspath(ROOT / "peft4j"), help="the command; default: this checkout's")
    training.add_argument("--companies", type=int, default=3)
    training.add_argument("--seeds", type=int, default=5)
    training.add_argument("--epochs", type=int, default=8)
    training.add_argument("--learning-rate", type=float, default=1e-3)
    training.add_argument("--schedule", default="linear", help="linear or warmup-stable-decay=SHARE")
    training.add_argument("--same-start", action="store_true", help="first values and order of Hugging Face's training")
    training.add_argument("--dtype", default="f32")
    tabled = commands.add_parser("table")
    tabled.set_defaults(action=table)
    tabled.add_argument("--results", type=Path, required=True)
    a = parser.parse_args()
    a.action(a)


if __name__ == "__main__":
    main()
