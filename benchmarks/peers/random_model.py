"""Makes a folder with a model of a chosen shape and random weights in bfloat16: speed and memory without a download.

    python random_model.py FOLDER                                  the shape of Llama 3.2 1B, 2.5 GB
    python random_model.py FOLDER lfm2 '{"num_hidden_layers": 4}'  another of SHAPES, and what differs from it
    benchmarks/compare --model FOLDER --only train-4x128,train-1x2048

The tokenizer is that of a tiny model of the tests: measure on random tokens (--shape), or prompts of one sentence.
"""
import json
import os
import shutil
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch  # noqa: E402
from transformers import AutoConfig, AutoModelForCausalLM  # noqa: E402

TOKENIZER = Path(__file__).resolve().parents[2] / "tests/fixtures/tiny-llama"
# Llama 3.2 1B, LFM2 350M and the text part of Qwen 3.5 0.8B.
SHAPES = {
    "llama": dict(vocab_size=128256, hidden_size=2048, intermediate_size=8192, num_hidden_layers=16,
                  num_attention_heads=32, num_key_value_heads=8, head_dim=64, max_position_embeddings=4096),
    "lfm2": dict(vocab_size=65536, hidden_size=1024, block_ff_dim=6656, num_hidden_layers=16, num_attention_heads=16,
                 num_key_value_heads=8, full_attn_idxs=[2, 5, 8, 10, 12, 14]),
    "qwen3_5_text": dict(vocab_size=248320, hidden_size=1024, intermediate_size=3584, num_hidden_layers=24,
                         num_attention_heads=8, num_key_value_heads=2, head_dim=256, linear_num_value_heads=16),
}


def main():
    if len(sys.argv) not in (2, 3, 4):
        sys.exit(__doc__)
    folder, kind, *differs = Path(sys.argv[1]), *(sys.argv[2:] or ["llama"])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    torch.set_default_dtype(torch.bfloat16)
    shape = SHAPES[kind] | dict(tie_word_embeddings=True, bos_token_id=1, eos_token_id=2)
    shape |= json.loads("".join(differs) or "{}")
    AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **shape)).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):

        shutil.copyfile(TOKENIZER / name, folder / name)


if __name__ == "__main__":
    main()
