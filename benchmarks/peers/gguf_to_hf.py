"""Makes a Hugging Face folder out of a GGUF file, so that both sides of the comparison run the same weights.

    python gguf_to_hf.py FILE.gguf FOLDER

Needs the package `gguf` beside torch and transformers.
"""
import copy
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import torch  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    file, folder = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    model = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    tokenizer.save_pretrained(folder)
    # The weights are floats by now, but a model that came out of a GGUF file refuses to be saved.
    config = copy.deepcopy(model.config)
    del config.quantization_config
    plain = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    plain.load_state_dict(model.state_dict())
    # Last, and complete or not there: the comparison takes a folder with config.json for finished.
    plain.save_pretrained(folder)


if __name__ == "__main__":
    main()
