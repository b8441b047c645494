"""Runs PEFT4J and its peers alternately on this machine, several rounds, and compares the medians.

    benchmarks/compare --install                        once: a virtual environment with the peers, outside the repository
    benchmarks/compare                                  all scenarios
    benchmarks/compare --only train-4x128,decode-f32 --rounds 5 --json figures.json

Nothing else should run on the machine. Prints a table in Markdown; the JSON file holds the figures of every round. The
model is a GGUF file, a folder or a hub ID; without a hub the peer gets a Hugging Face folder made of the GGUF file, so
that both sides run the same weights.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path
from tempfile import TemporaryDirectory

from scenarios import SCENARIOS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "peft4j"
PACKAGES = ["torch", "transformers", "peft", "accelerate", "gguf", "llama-cpp-python"]
# Settings of a shell's own for OpenBLAS would hold for one side more than for the other.
UNSET = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "PEFT4J_JAVA_OPTS")


def note(text):
    print(text, file=sys.stderr, flush=True)


def environment():
    return {name: value for name, value in os.environ.items() if name not in UNSET}


def install(venv):
    """The peers from their package names; llama-cpp-python is compiled for this processor."""
    note(f"making the peers' virtual environment in {venv}; llama-cpp-python is compiled, which takes minutes")
    subprocess.run([sys.executable, "-m", "venv", venv], check=True)
    subprocess.run([venv / "bin/pip", "install", "--quiet", *PACKAGES], check=True)


def ask(name, command, check=True):
    done = subprocess.run(command, capture_output=True, text=True, env=environment())
    if check and done.returncode:
        raise SystemExit(f"{name} failed with status {done.returncode}: {' '.join(map(str, command))}\n"
                         + done.stderr[-3000:])
    return done.stdout


def peer_model(a):
    """What the peer loads: the same weights as a Hugging Face folder."""
    if a.peer_model:
        return a.peer_model
    model = Path(a.model)
    if model.is_dir():
        return model
    if model.suffix != ".gguf":
        raise SystemExit(f"{a.model} is no file or folder here: give the peer's form of it with --peer-model")
    folder = CACHE / "peers" / model.stem
    if not (folder / "config.json").is_file():
        note(f"making {folder} out of {model.name}")
        folder.mkdir(parents=True, exist_ok=True)
        ask("gguf_to_hf", [a.python, HERE / "gguf_to_hf.py", model, folder])
    return folder


def run(scenario, side, a):
    """The figures of one side in one round."""
    begin = time.perf_counter()
    lines = ask(f"{scenario.name} ({side.name})", side.command(a)).strip().splitlines()
    figures = json.loads(lines[-1])
    figures["wall_s"] = time.perf_counter() - begin
    return figures


def median(rounds, key):
    values = [figures[key] for figures in rounds if key in figures]
    return statistics.median(values) if values else None


def measure(scenario, a):
    """Rounds of all sides, in turn, so that a machine that slows down does so for all of them."""
    rounds = {side.name: [] for side in scenario.sides}
    for i in range(a.rounds):
        for side in scenario.sides:
            figures = run(scenario, side, a)
            rounds[side.name].append(figures)
            note(f"{scenario.name} round {i + 1}/{a.rounds}, {side.name}: {figures[scenario.key]:.4g} {scenario.unit}, "
                 f"peak {figures.get('peak_rss_mb', float('nan')):.0f} MB")
    result = {"scenario": scenario.name, "what": scenario.what, "key": scenario.key, "unit": scenario.unit,
              "rounds": rounds, "medians": {name: median(runs, scenario.key) for name, runs in rounds.items()},
              "peak_rss_mb": {name: median(runs, "peak_rss_mb") for name, runs in rounds.items()}}
    ours = result["medians"]["peft4j"]
    result["ratios"] = {name: ours / value if scenario.more_is_better else value / ours
                        for name, value in result["medians"].items() if name != "peft4j"}
    for key in ("share_of_limit", "share_of_bandwidth", "matmul_gflops", "memory_gb_per_s"):
        share = median(rounds["peft4j"], key)
        if share is not None:
            result[key] = share
    return result


def number(value):
    return "" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def table(results):
    rows = ["| scenario | unit | PEFT4J | peer | ratio | peak memory, MB | of the limit |", "|---|---|---|---|---|---|---|"]
    for r in results:
        share = r.get("share_of_limit", r.get("share_of_bandwidth"))
        of_limit = "" if share is None else f"{100 * share:.0f} %"
        ours, memory = r["medians"]["peft4j"], r["peak_rss_mb"]
        for name in r["ratios"] or {None: None}:
            peer = "" if name is None else f"{name}: {number(r['medians'][name])}"
            ratio = "" if name is None else f"{r['ratios'][name]:.2f}x"
            against = "" if name is None else f" / {number(memory[name])}"
            rows.append(f"| {r['what']} | {r['unit']} | {number(ours)} | {peer} | {ratio} "
                        f"| {number(memory['peft4j'])}{against} | {of_limit} |")
    return "\n".join(rows)


def machine():
    model = platform.processor()
    if Path("/proc/cpuinfo").is_file():
        names = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                 if line.startswith("model name")]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} processors, {platform.system()} {platform.release()}"


def commit():
    return subprocess.run(["git", "-C", ROOT, "describe", "--always", "--dirty"], capture_output=True,
                          text=True).stdout.strip() or "unknown"


def options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--install", action="store_true", help="make the peers' virtual environment and end")
    parser.add_argument("--venv", type=Path, default=CACHE / "peers" / "venv", help="where that is; default: %(default)s")
    parser.add_argument("--model", help="GGUF file or Hugging Face folder; needed to measure")
    parser.add_argument("--peer-model", help="the peer's form of it; default: a folder made of the GGUF file")
    parser.add_argument("--handbook", type=Path, default=ROOT / "examples/handbook",
                        help="folder with train.jsonl and heldout.jsonl; default: %(default)s")
    parser.add_argument("--only", help="names of scenarios, with commas; default: all")
    parser.add_argument("--list", action="store_true", help="list the scenarios and end")
    parser.add_argument("--rounds", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--steps", type=int, help="updates that a training measures; default: the scenario's own")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="default: all processors")
    parser.add_argument("--no-peers", action="store_true", help="run PEFT4J alone")
    parser.add_argument("--json", type=Path, help="file for the figures of every round")
    return parser.parse_args()


def chosen(a):
    names = a.only.split(",") if a.only else [scenario.name for scenario in SCENARIOS]
    unknown = set(names) - {scenario.name for scenario in SCENARIOS}
    if unknown:
        raise SystemExit(f"no such scenario: {', '.join(sorted(unknown))}; --list shows them")
    picked = [scenario for scenario in SCENARIOS if scenario.name in names]
    return [scenario.alone() for scenario in picked] if a.no_peers else picked


def main():
    a = options()
    if a.list:
        for scenario in SCENARIOS:
            print(f"{scenario.name:22} {scenario.what} ({', '.join(side.name for side in scenario.sides)})")
        return
    if a.install:
        install(a.venv)
        return
    if not a.model:
        raise SystemExit("--model FILE.gguf|DIR is needed")
    scenarios = chosen(a)
    a.python = a.venv / "bin/python"
    if any(len(scenario.sides) > 1 for scenario in scenarios):
        if not a.python.is_file():
            raise SystemExit(f"no virtual environment in {a.venv}: run benchmarks/compare --install, or give --venv")
        a.peer = peer_model(a)
    # Builds what is missing, so that no round does.
    ask("./peft4j", [ROOT / "peft4j", "--version"])
    results = []
    with TemporaryDirectory(prefix="peft4j-") as scratch:
        a.scratch = scratch
        for scenario in scenarios:
            results.append(measure(scenario, a))
            if a.json:
                a.json.write_text(json.dumps({"machine": machine(), "commit": commit(),
                                              "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
                                              "rounds": a.rounds, "threads": a.threads, "results": results}, indent=1))
    print(f"{machine()}, commit {commit()}, medians of {a.rounds}\n\n{table(results)}")


if __name__ == "__main__":
    main()
