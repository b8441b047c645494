"""Whether Hugging Face says what PEFT4J says: an adapter, what it is merged, combined and converted to.

    pip install torch transformers peft
    python check_transformers.py --model DIR --adapter DIR [--work DIR] [--peft4j COMMAND]

Everything is written by the command line of PEFT4J; both sides compute in float32. The number is the largest difference
of a text's summed negative log-likelihood, relative. Exit status 1 where one is above 1e-5.
"""
import argparse
import json
import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch  # noqa: E402
from peft import PeftModel  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

TEXTS = ["The notice period for a Senior Consultant is 90 days. Exceptions may apply if the manager approves.",
         "Once upon a time there was a small house at the edge of the wood.",
         "def mean(values):\n    return sum(values) / len(values)\n",
         "1. Read the handbook.\n2. Ask your team.\n3. Write down what you have learned."]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--adapter", required=True)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--peft4j", default=str(Path(__file__).resolve().parents[2] / "peft4j"))
    a = parser.parse_args()
    work = a.work or Path(tempfile.mkdtemp(prefix="peft4j-interop"))
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    data = work / "texts.jsonl"
    data.write_text("".join(json.dumps({"text": t}) + "\n" for t in TEXTS), encoding="utf-8")

    def peft4j(*arguments):
        run = subprocess.run(shlex.split(a.peft4j) + list(map(str, arguments)), check=True, text=True,
                             stdout=subprocess.PIPE)
        return [json.loads(line) for line in run.stdout.splitlines()]

    def ours(model, *adapter):
        return [row["nll"] for row in peft4j("score", "--model", model, *adapter, "--data", data, "--dtype", "f32",
                                             "--json")]

    @torch.no_grad()
    def theirs(folder, adapter=None):
        model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
        tokenizer = AutoTokenizer.from_pretrained(adapter or folder)
        if adapter:
            model = PeftModel.from_pretrained(model, adapter)
        model.eval()
        sums = []
        for text in TEXTS:
            ids = tokenizer(text).input_ids
            rows = torch.log_softmax(model(torch.tensor([ids])).logits[0].double(), -1)
            sums.append(-sum(rows[p - 1, ids[p]].item() for p in range(1, len(ids))))
        return sums

    failed = 0

    def row(name, wanted, given):
        nonlocal failed
        worst = max(abs(y / x - 1) for x, y in zip(wanted, given))
        failed += worst > 1e-5
        print(f"| {name} | {worst:.1e} |", flush=True)

    print("| what Hugging Face loads | largest relative difference of a NLL |\n|---|---|")
    adapted = ours(a.model, "--adapter", a.adapter)
    row("adapter in PEFT", adapted, theirs(a.model, a.adapter))
    merged = work / "merged"
    peft4j("adapter", "merge", "--model", a.model, "--adapter", a.adapter, "--output", merged, "--json")
    row("merged folder in Transformers", adapted, theirs(merged))
    shutil.rmtree(merged)
    peft4j("adapter", "merge", "--model", a.model, "--adapter", a.adapter, "--output", merged, "--max-shard-bytes",
           100_000_000, "--json")
    assert len(list(merged.glob("model-*.safetensors"))) > 1
    row("merged folder in several files", adapted, theirs(merged))
    shutil.rmtree(merged)
    for kind in ("linear", "cat", "svd"):
        folder = work / kind
        peft4j("adapter", "combine", "--model", a.model, "--adapter", a.adapter, "--weight", 0.7, "--adapter",
               a.adapter, "--weight", -0.2, "--type", kind, "--output", folder, "--json")
        row(f"combination {kind} in PEFT", ours(a.model, "--adapter", folder), theirs(a.model, folder))
    folder = work / "converted"
    peft4j("adapter", "convert", "--model", a.model, "--adapter", a.adapter, "--rank", 4, "--output", folder, "--json")
    row("converted to LoRA of rank 4 in PEFT", ours(a.model, "--adapter", folder), theirs(a.model, folder))
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
