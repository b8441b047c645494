"""Makes a folder with a Llama of a chosen shape and random weights in bfloat16: speed and memory of larger models.

    python random_llama.py FOLDER                                  the shape of Llama 3.2 1B, 2.5 GB
    python random_llama.py FOLDER '{"num_hidden_layers": 4}'       what differs from it
    benchmarks/compare --model FOLDER --only train-4x128,train-4x128-f32,train-4x128-int8

The tokenizer is that of a tiny model of the tests: measure on random tokens (--shape), which need none.
"""
import json
import os
import shutil
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch  # noqa: E402
from transformers import LlamaConfig, LlamaForCausalLM  # noqa: E402

TOKENIZER = Path(__file__).resolve().parents[2] / "tests/fixtures/tiny-llama"
SHAPE = dict(vocab_size=128256, hidden_size=2048, intermediate_size=8192, num_hidden_layers=16, num_attention_heads=32,
             num_key_value_heads=8, head_dim=64, max_position_embeddings=4096, tie_word_embeddings=True,
             bos_token_id=1, eos_token_id=2)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    shape = SHAPE | json.loads(sys.argv[2] if len(sys.argv) == 3 else "{}")
    LlamaForCausalLM(LlamaConfig(**shape)).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(TOKENIZER / name, folder / name)


if __name__ == "__main__":
    main()
