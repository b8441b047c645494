"""Writes the directions of a PSOFT adapter of Hugging Face PEFT into its file, so that PEFT4J can load it.

    python psoft_directions.py --model MODEL --adapter FOLDER [--device cuda]

PEFT computes them again from the base whenever it reads the adapter, with signs that depend on machine and device: run
this where the adapter was trained, on the same device.
"""
import argparse
from pathlib import Path

from safetensors.torch import load_file, save_file

FILE = "adapter_model.safetensors"


def write(model, folder, adapter="default"):
    """Adds psoft_A and psoft_B of a PeftModel's layers to the file of its adapter."""
    tensors = load_file(Path(folder) / FILE)
    for path, layer in model.named_modules():
        if adapter in getattr(layer, "psoft_R", {}):
            tensors[f"{path}.psoft_A"] = layer._psoft_A_cache[adapter].cpu().contiguous()
            tensors[f"{path}.psoft_B"] = layer._psoft_B_cache[adapter].cpu().contiguous()
    save_file(tensors, Path(folder) / FILE, metadata={"format": "pt"})


def main():
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--adapter", required=True)
    parser.add_argument("--device", default="cpu")
    arguments = parser.parse_args()
    base = AutoModelForCausalLM.from_pretrained(arguments.model, dtype="float32").to(arguments.device)
    write(PeftModel.from_pretrained(base, arguments.adapter), arguments.adapter)


if __name__ == "__main__":
    main()
