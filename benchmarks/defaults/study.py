"""Holds what `train --remember` chooses by itself to a grid of learning rates, on the data sets of make_sets.py: answers to
held-out questions and the updates that they took. Prints the table of benchmarks/results.md. Trainings that OUT has already
are not run again, so that an interrupted study continues.

    python study.py --model MODEL --data DIR --out OUT [--only NAME ...] [--rates auto 6.6e-4 ...] [--seeds 0 1 ...]
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def run(command, words, log):
    with open(log, "w", encoding="utf-8") as said:
        done = subprocess.run([*command, *words], stdout=subprocess.PIPE, stderr=said, text=True, check=False)
    if done.returncode:
        sys.exit(f"peft4j {' '.join(words)} failed, see {log}")
    return done.stdout


def trial(options, name, rate, seed):
    """One training with its held-out questions: updates, and how many answers were right."""
    folder = options.out / name / f"{rate}-{seed}"
    result = folder / "result.json"
    if not result.exists():
        folder.mkdir(parents=True, exist_ok=True)
        command, data = options.command.split(), options.data / name
        chosen = [] if rate == "auto" else ["--learning-rate", rate]
        run(command, ["train", "--model", options.model, "--data", str(data / "train.jsonl"), "--remember", "--seed", seed,
                      "--output", str(folder / "adapter"), "--if-exists", "overwrite", *chosen], folder / "train.log")
        said = run(command, ["evaluate", "--model", options.model, "--adapter", str(folder / "adapter"), "--data",
                             str(data / "heldout.jsonl"), "--training-data", str(data / "train.jsonl"), "--no-guard",
                             "--json"], folder / "evaluate.log")
        report = json.loads(said[said.index("{"):])
        steps = (folder / "adapter/metrics.jsonl").read_text(encoding="utf-8").splitlines()
        share = report["metrics"][report["deciding_metric"]]["tuned"]
        found = {"updates": json.loads(steps[-1])["step"], "right": round(share * report["n"]), "items": report["n"]}
        part = result.with_suffix(".part")
        part.write_text(json.dumps(found), encoding="utf-8")
        os.replace(part, result)
    return json.loads(result.read_text(encoding="utf-8"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="a folder, a GGUF file or an ID")
    parser.add_argument("--data", type=pathlib.Path, required=True, help="what make_sets.py wrote")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--only", nargs="*", help="names of data sets; all of DATA by default")
    parser.add_argument("--rates", nargs="*", default=["auto", "6.6e-4", "2.6e-3"], help="learning rates")
    parser.add_argument("--seeds", nargs="*", default=["0"])
    parser.add_argument("--command", default=str(ROOT / "peft4j"), help="how peft4j is run")
    options = parser.parse_args()
    names = options.only or sorted(each.name for each in options.data.iterdir() if each.is_dir())
    print("| data | " + " | ".join(options.rates) + " |\n|---|" + "---|" * len(options.rates), flush=True)
    for name in names:
        cells = []
        for rate in options.rates:
            found = [trial(options, name, rate, seed) for seed in options.seeds]
            cells.append("; ".join(f"{each['updates']}, {each['right']} of {each['items']}" for each in found))
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
