"""Whether llama.cpp says what PEFT4J says: an adapter of LoRA as GGUF beside its base, and merged models in each type.

    pip install llama-cpp-python        # builds llama.cpp from its source; needs cmake and a C++ compiler
    python check_llama_cpp.py --model ID|DIR|FILE.gguf --adapter DIR [--work DIR] [--peft4j COMMAND] [--new-tokens 32]

Everything is written by the command line of PEFT4J. Answers are greedy, from plain prompts, so that no chat template
takes part. In F32 they must be the same; in narrower types both programs round in their own way, and the table says how
many are. Exit status 1 when an answer in F32 differs.
"""
import argparse
import json
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from llama_cpp import Llama

PROMPTS = ["The notice period for a Senior Consultant is", "Employees can take", "The capital of France is",
           "Question: How much parental leave do I have?\nAnswer:", "Once upon a time", "def fibonacci(n):",
           "The three most important things in a meeting are", "Water boils at"]
F32 = 0  # ggml's number


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--adapter", required=True)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--peft4j", default=str(Path(__file__).resolve().parents[2] / "peft4j"))
    parser.add_argument("--new-tokens", type=int, default=32)
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    work = a.work or Path(tempfile.mkdtemp(prefix="peft4j-interop"))
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)

    def peft4j(*arguments):
        run = subprocess.run(shlex.split(a.peft4j) + list(map(str, arguments)), check=True, text=True,
                             stdout=subprocess.PIPE)
        return [json.loads(line) for line in run.stdout.splitlines()]

    data = work / "prompts.jsonl"
    data.write_text("".join(json.dumps({"prompt": p}) + "\n" for p in PROMPTS), encoding="utf-8")

    def expected(*adapter):
        rows = peft4j("generate", "--model", a.model, *adapter, "--data", data, "--plain", "--dtype", "f32",
                      "--max-new-tokens", a.new_tokens, "--json")
        return [row["text"] for row in rows]

    def llama_cpp(path, lora=None):
        model = Llama(str(path), n_ctx=512, n_threads=a.threads, verbose=False, type_k=F32, type_v=F32,
                      lora_path=lora and str(lora))
        answers = []
        for prompt in PROMPTS:
            model.reset()
            reply = model.create_completion(prompt, max_tokens=a.new_tokens, temperature=0)
            answers.append(reply["choices"][0]["text"])
        return answers

    failed = []

    def row(name, wanted, answers, must):
        same = [x == y for x, y in zip(wanted, answers)]
        print(f"| {name} | {sum(same)} of {len(same)} |")
        if must and not all(same):
            failed.append(name)
            for p, w, g in [x[:3] for x in zip(PROMPTS, wanted, answers, same) if not x[3]]:
                print(f"    {p!r}\n      PEFT4J    {w!r}\n      llama.cpp {g!r}", file=sys.stderr)

    base, adapted = expected(), expected("--adapter", a.adapter)
    print(f"{sum(x != y for x, y in zip(base, adapted))} of {len(PROMPTS)} answers are changed by the adapter\n")
    print("| what llama.cpp runs | equal greedy answers |\n|---|---|")
    model = work / "base.gguf"
    peft4j("adapter", "merge", "--model", a.model, "--output", model, "--json")
    row("base, F32", base, llama_cpp(model), True)
    lora = work / "adapter.gguf"
    peft4j("adapter", "convert", "--model", a.model, "--adapter", a.adapter, "--output", lora, "--json")
    row("base and LoRA adapter, F32", adapted, llama_cpp(model, lora), True)
    model.unlink()
    for kind in ("f32", "f16", "bf16", "q8_0"):
        merged = work / f"merged-{kind}.gguf"
        report = peft4j("adapter", "merge", "--model", a.model, "--adapter", a.adapter, "--output", merged, "--type",
                        kind, "--json")[0]
        row(f"merged, {kind.upper()} (logits {report['relative_difference']:.1e} off)", adapted, llama_cpp(merged),
            kind == "f32")
        merged.unlink()
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
