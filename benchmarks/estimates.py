"""Holds `peft4j estimate` to what `peft4j train` then takes, and prints the table of benchmarks/results.md.

    python benchmarks/estimates.py --model FILE.gguf [--only NAME ...] [--output DIR]

Each configuration is estimated in one process and trained in another. Nothing else should run on the machine: what
another program takes of it is an error of the estimate. All of them take some 12 minutes on 2 cores.
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FIXTURES = ROOT / "tests/fixtures"
TINY = FIXTURES / "tiny-llama"
WORDS = ("the of a to in is on by with for at from as that this which when where rule day week hour office desk form "
         "manager leave travel notice budget report team order part line record").split()


def sentence(random_, count):
    return " ".join(random_.choice(WORDS) for _ in range(count))


def chats(file, rows, shortest, longest):
    """Rows whose lengths are spread evenly between two numbers of words."""
    random_ = random.Random(rows * 1000 + longest)
    with open(file, "w", encoding="utf-8") as out:
        for _ in range(rows):
            words = random_.randint(shortest, longest)
            out.write(json.dumps({"messages": [
                {"role": "user", "content": sentence(random_, words // 2) + "?"},
                {"role": "assistant", "content": sentence(random_, words - words // 2) + "."}]}) + "\n")


def labelled(file, rows, longest):
    random_ = random.Random(rows)
    with open(file, "w", encoding="utf-8") as out:
        for i in range(rows):
            out.write(json.dumps({"text": sentence(random_, random_.randint(4, longest)), "label": i % 3}) + "\n")


def configurations(model):
    """Name, model, data and options. The names say what is unlike the others."""
    def smol(name, data, *options):
        return name, model, data, options + ("--max-length", "2048")

    return [
        ("tiny, f32", str(TINY), ("chats", 400, 8, 24), ("--epochs", "16", "--dtype", "f32")),
        ("tiny, rank 64, batch 32", str(TINY), ("chats", 400, 8, 24),
         ("--epochs", "40", "--rank", "64", "--batch-size", "32")),
        ("tiny, batch 2 x 4", str(TINY), ("chats", 400, 8, 24),
         ("--epochs", "10", "--batch-size", "2", "--gradient-accumulation", "4")),
        ("tiny, classification", str(FIXTURES / "encoders/modernbert-seq-cls"), ("labelled", 600, 20),
         ("--epochs", "20", "--objective", "classification")),
        ("tiny, token limit", str(TINY), ("chats", 300, 4, 40),
         ("--epochs", "30", "--packing", "best-fit", "--pack-tokens", "512")),
        smol("bf16, short rows", ("chats", 120, 10, 40), "--epochs", "1", "--dtype", "bf16"),
        smol("f32, short rows", ("chats", 80, 10, 40), "--epochs", "1", "--dtype", "f32"),
        smol("int8, short rows", ("chats", 120, 10, 40), "--epochs", "1", "--dtype", "int8"),
        smol("bf16, rank 64", ("chats", 120, 10, 40), "--epochs", "1", "--rank", "64", "--dtype", "bf16"),
        smol("bf16, rank 4, q and v", ("chats", 160, 10, 40), "--epochs", "1", "--rank", "4", "--target-modules",
             "q_proj,v_proj", "--dtype", "bf16"),
        smol("bf16, 10 to 400 words", ("chats", 40, 10, 400), "--epochs", "1", "--batch-size", "4", "--dtype", "bf16"),
        smol("bf16, rows of 1,000 words", ("chats", 10, 900, 1100), "--epochs", "1", "--batch-size", "1", "--dtype",
             "bf16"),
        smol("bf16, batch 2 x 8", ("chats", 128, 10, 60), "--epochs", "1", "--batch-size", "2",
             "--gradient-accumulation", "8", "--dtype", "bf16"),
        smol("bf16, layers 18 to 29", ("chats", 120, 10, 40), "--epochs", "4", "--layers", "18-29", "--dtype", "bf16"),
        smol("bf16, recompute", ("chats", 80, 40, 120), "--epochs", "1", "--recompute", "--dtype", "bf16"),
    ]


def run(command, *words):
    done = subprocess.run([*command, *words, "--json"], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"peft4j {' '.join(words)} failed: {done.stderr[-2000:]}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def write(folder, data):
    file = folder / ("-".join(map(str, data)) + ".jsonl")
    if data[0] == "chats":
        chats(file, *data[1:])
    else:
        labelled(file, *data[1:])
    return file


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="SmolLM2-135M-Instruct: a GGUF file, a folder or an ID")
    parser.add_argument("--only", nargs="*", default=[], help="names, or parts of them")
    parser.add_argument("--command", default=str(ROOT / "peft4j"), help="how peft4j is run")
    parser.add_argument("--output", type=pathlib.Path, help="folder for the results as JSON lines")
    options = parser.parse_args()
    print("| configuration | seconds | estimate | off by | peak memory, MB | estimate | off by |\n"
          "|---|---|---|---|---|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for number, (name, model, data, more) in enumerate(configurations(options.model)):
            if options.only and not any(part in name for part in options.only):
                continue
            words = ("--model", model, "--data", str(write(folder, data)), *more)
            expected = run(options.command.split(), "estimate", *words)
            actual = run(options.command.split(), "train", *words, "--output",
                         str(folder / f"adapter-{number}"))
            off = [expected[key] / actual[key] - 1 for key in ("seconds", "peak_rss_mb")]
            written = (folder / f"adapter-{number}/adapter_model.safetensors").stat().st_size
            assert abs(written - 1e6 * expected["adapter_mb"]) < 1, (written, expected)
            print(f"| {name} | {actual['seconds']:.1f} | {expected['seconds']:.1f} | {off[0]:+.0%} | "
                  f"{actual['peak_rss_mb']:,} | {expected['peak_rss_mb']:,} | {off[1]:+.0%} |", flush=True)
            if options.output:
                options.output.mkdir(parents=True, exist_ok=True)
                with open(options.output / "estimates.jsonl", "a", encoding="utf-8") as out:
                    out.write(json.dumps({"name": name, "estimate": expected, "training": actual}) + "\n")


if __name__ == "__main__":
    main()
