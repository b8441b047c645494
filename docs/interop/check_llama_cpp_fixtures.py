"""Whether llama.cpp gives Hugging Face's numbers for adapters and merged models that PEFT4J converts from the fixtures.

    pip install llama-cpp-python
    python check_llama_cpp_fixtures.py [--peft4j COMMAND]

The fixtures (tiny models with every kind of LoRA that llama.cpp knows) were made by Hugging Face. The number is the
largest difference of a text's summed negative log-likelihood, relative. Exit status 1 where one is above 1e-3: llama.cpp
keeps some of its sums and tables in 16 bits.
"""
import argparse
import json
import math
import shlex
import subprocess
import tempfile
from pathlib import Path

from llama_cpp import Llama

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures"
ADAPTERS = ["lora", "rslora", "patterns", "layers", "lora-untied", "embedding-untied", "lm-head"]
MERGED_ONLY = ["bias-all", "modules-to-save", "modules-to-save-untied"]


def likelihoods(texts, path, lora=None):
    model = Llama(str(path), n_ctx=512, n_threads=2, verbose=False, type_k=0, type_v=0, logits_all=True,
                  lora_path=lora and str(lora))
    sums = []
    for text in texts:
        ids = text["input_ids"]
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
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peft4j", default=str(ROOT / "peft4j"))
    a = parser.parse_args()
    work = Path(tempfile.mkdtemp(prefix="peft4j-interop"))

    def peft4j(*arguments):
        subprocess.run(shlex.split(a.peft4j) + list(map(str, arguments)), check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    failed = 0
    bases = {}
    print("| fixture | as an adapter | merged |\n|---|---|---|")
    for name in ADAPTERS + MERGED_ONLY:
        folder = FIXTURES / "adapters" / name
        expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
        base = FIXTURES / expected["model"]
        texts = json.loads((base / "expected.json").read_text(encoding="utf-8"))["texts"]
        if base not in bases:
            bases[base] = work / (base.name + ".gguf")
            peft4j("adapter", "merge", "--model", base, "--output", bases[base])

        def worst(given):
            return max(abs(x / y - 1) for x, y in zip(given, expected["nll"]))

        cells = []
        if name in ADAPTERS:
            lora = work / (name + ".gguf")
            peft4j("adapter", "convert", "--model", base, "--adapter", folder, "--output", lora)
            cells.append(worst(likelihoods(texts, bases[base], lora)))
        merged = work / (name + "-merged.gguf")
        peft4j("adapter", "merge", "--model", base, "--adapter", folder, "--output", merged)
        cells.append(worst(likelihoods(texts, merged)))
        failed += any(not c <= 1e-3 for c in cells)
        shown = [f"{c:.1e}" for c in cells]
        print(f"| `{name}` | {shown[0] if len(shown) == 2 else 'refused'} | {shown[-1]} |", flush=True)
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
