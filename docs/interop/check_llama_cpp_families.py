"""Whether llama.cpp gives Hugging Face's numbers for the GGUF files of every family.

    mvn test -pl tests/parity -am -Dtest=GgufFamiliesTest -Dsurefire.failIfNoSpecifiedTests=false
    pip install llama-cpp-python
    python check_llama_cpp_families.py [FOLDER]

The test leaves a model, the same with an adapter merged, and the adapter itself, and beside them the texts with their
summed negative log-likelihoods. The number is the largest relative difference of llama.cpp's. Exit status 1 where one is
above 1e-3: llama.cpp keeps some of its sums and tables in 16 bits.
"""
import json
import math
import sys
from pathlib import Path

from llama_cpp import Llama

ROOT = Path(__file__).resolve().parents[2]


def likelihoods(texts, path, lora=None):
    model = Llama(str(path), n_ctx=256, n_threads=2, verbose=False, type_k=0, type_v=0, logits_all=True,
                  lora_path=lora and str(lora))
    sums = []
    for ids in texts:
        model.reset()
        model.eval(ids)
        total = 0
        for p in range(1, len(ids)):
            row = model.scores[p - 1]
            top = float(max(row))
            total += top + math.log(sum(math.exp(float(v) - top) for v in row)) - float(row[ids[p]])
        sums.append(total)
    return sums


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests" / "parity" / "target" / "gguf-families"
    failed = 0
    print("| fixture | model | with the adapter | merged |\n|---|---|---|---|")
    for file in sorted(folder.glob("*.json")):
        name, expected = file.stem, json.loads(file.read_text(encoding="utf-8"))
        chosen = [i for i, ids in enumerate(expected["texts"]) if len(ids) > expected["longer_than"]]
        texts = [expected["texts"][i] for i in chosen]
        if not texts:
            continue
        cells = []
        for wanted, model, lora in (("nll", "", None), ("adapter_nll", "", "-lora"), ("adapter_nll", "-merged", None)):
            if lora and not (folder / f"{name}{lora}.gguf").exists():
                cells.append(None)
                continue
            try:
                given = likelihoods(texts, folder / f"{name}{model}.gguf",
                                    lora and folder / f"{name}{lora}.gguf")
                cells.append(max(abs(x / y - 1) for x, y in zip(given, [expected[wanted][i] for i in chosen])))
            except Exception as e:  # what llama.cpp says of a file that it cannot read
                cells.append(math.nan)
                print(f"{name}{model}: {e}", file=sys.stderr)
        failed += any(not c <= 1e-3 for c in cells if c is not None)
        print(f"| `{name}` | " + " | ".join("refused" if c is None else f"{c:.1e}" for c in cells) + " |", flush=True)
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
