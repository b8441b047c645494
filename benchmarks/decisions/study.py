"""Decision models on messages with three questions each (make_decisions.py), trained with the defaults.

    python study.py run --results DIR --model MODEL [--seed 0 ...] [--train 100 --other 150]
    python study.py table --results DIR

`run` trains, evaluates on the test rows, calibrates on rows kept apart, and evaluates again. What is done is in a JSON file for
each seed and is not done again. Times are processor times of all threads; that of an answer is the difference between deciding
the test rows twice and once. `table` prints means over seeds with the mean ends of the 95 % intervals.
"""
import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
from pathlib import Path

import make_decisions

ROOT = Path(__file__).resolve().parents[2]
MEASURES = ["accuracy", "brier", "ece", "signed_gap", "nll", "order_flips"]


def peft4j(*words):
    """The JSON lines that a command prints, and the seconds of processor time that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([os.environ.get("PEFT4J", ROOT / "peft4j"), *map(str, words)], capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"{words} ended with status {done.returncode}:\n{done.stderr[-3000:]}")
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return lines, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def evaluated(engine, data):
    report = peft4j("evaluate", *engine, "--data", data / "test.jsonl", "--training-data", data / "train.jsonl", "--json")[0][0]
    return {"scores": {name: report["arms"][name]["scores"] for name in ("base", "tuned")}, "metrics": report["metrics"],
            "verdict": report["verdict"]["sentence"]}


def milliseconds(engine, data, scratch):
    rows = (data / "test.jsonl").read_text(encoding="utf-8")
    seconds = []
    for times in (1, 2):
        scratch.write_text(rows * times, encoding="utf-8")
        seconds.append(peft4j("decide", *engine, "--data", scratch, "--json")[1])
    return 1000 * (seconds[1] - seconds[0]) / sum(len(json.loads(row)["questions"]) for row in rows.splitlines())


def run(a):
    data = a.results / f"data-{a.train}-{a.other}"
    make_decisions.main(data, a.train, a.other)
    for seed in a.seed:
        adapter = a.results / f"{Path(a.model).name}-{seed}"
        engine = ["--model", a.model, "--adapter", adapter]
        file = adapter.with_suffix(".json")
        result = json.loads(file.read_text()) if file.exists() else {}
        steps = {
            "minutes": lambda: peft4j("train", "--model", a.model, "--objective", "decision", "--data", data / "train.jsonl",
                                      "--validation", data / "validation.jsonl", "--output", adapter, "--if-exists",
                                      "overwrite", "--seed", seed, "--json", *a.more)[1] / 60,
            "raw": lambda: evaluated(engine, data),
            "fit": lambda: peft4j("calibrate", *engine, "--data", data / "kept.jsonl", "--json")[0],
            "calibrated": lambda: evaluated(engine, data),
            "milliseconds": lambda: milliseconds(engine, data, adapter / "many.jsonl") if seed == a.seed[0] else None}
        for name, step in steps.items():
            if name not in result:
                result[name] = step()
                file.write_text(json.dumps(result, indent=1), encoding="utf-8")


def cell(scores, measure):
    found = [score[measure] for score in scores if measure in score]
    if not found:
        return ""
    low, high = (statistics.mean(score[end] for score in found) for end in ("ci_low", "ci_high"))
    return f"{statistics.mean(score['value'] for score in found):.3f} [{low:.3f}, {high:.3f}]"


def table(a):
    print("| model | seeds | " + " | ".join(MEASURES) + " |\n|---|---:|" + "---|" * len(MEASURES))
    for model in sorted({file.stem.rsplit("-", 1)[0] for file in a.results.glob("*.json")}):
        runs = [json.loads(file.read_text()) for file in sorted(a.results.glob(model + "-*.json"))]
        of = {name: [each[step]["scores"][arm] for each in runs if step in each]
              for name, step, arm in (("base", "raw", "base"), ("trained", "raw", "tuned"), ("calibrated", "calibrated", "tuned"))}
        for name, scores in of.items():
            print(f"| {model}, {name} | {len(scores)} | " + " | ".join(cell(scores, measure) for measure in MEASURES) + " |")
        for name, measure in (("most frequent", "over_most_frequent"), ("nearest row", "over_nearest")):
            print(f"| {model}, {name} | | {cell(of['base'], measure)} |" + " |" * (len(MEASURES) - 1))
        answers = [each["milliseconds"] for each in runs if each.get("milliseconds")]
        print(f"\n{model}: {statistics.mean(each['minutes'] for each in runs):.1f} minutes of training, "
              f"{answers[0] if answers else float('nan'):.1f} ms an answer\n")


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("run")
    one.add_argument("--model", required=True)
    one.add_argument("--seed", type=int, nargs="+", default=[0, 1, 2])
    one.add_argument("--train", type=int, default=100)
    one.add_argument("--other", type=int, default=150)
    one.add_argument("more", nargs="*", help="further options of train, behind --")
    one.set_defaults(do=run)
    all_of = commands.add_parser("table")
    all_of.set_defaults(do=table)
    for each in (one, all_of):
        each.add_argument("--results", type=Path, required=True)
    a = parser.parse_args()
    a.results.mkdir(parents=True, exist_ok=True)
    a.do(a)


if __name__ == "__main__":
    main()
