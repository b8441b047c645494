"""Whether an encoder's GGUF file gives the same embeddings in llama.cpp and here as its sentence-transformers folder there.

    pip install gguf transformers sentence-transformers llama-cpp-python
    python check_llama_cpp_embeddings.py FOLDER [--peft4j COMMAND]

FOLDER is a BERT or MiniLM of sentence-transformers that pools by the mean. Its GGUF file is written with the names of the
package `gguf`, as llama.cpp's converter does. The number is the largest difference of a value; vectors have length 1.
llama.cpp computes GELU by a table in 16 bits. Exit status 1 above 5e-3 (llama.cpp) or 1e-5 (here).
"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import gguf
import numpy
from llama_cpp import LLAMA_POOLING_TYPE_MEAN, Llama
from safetensors.numpy import load_file

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ["The notice period is 90 days.", "How long is it?", "Expenses are paid with the salary of the next month.",
         "Who approves travel to Zürich?", "a"]


def write(folder, target):
    """The file that llama.cpp's converter would make, with weights in f32."""
    config = json.loads((folder / "config.json").read_text())
    tokens = (folder / "vocab.txt").read_text(encoding="utf-8").split("\n")[:config["vocab_size"]]
    writer = gguf.GGUFWriter(target, "bert")
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_layer_norm_eps(config["layer_norm_eps"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)
    writer.add_token_type_count(config["type_vocab_size"])
    special = [t.startswith("[") and t.endswith("]") for t in tokens]
    # The converter's own spelling: a word's beginning is marked, and not its continuation.
    writer.add_tokenizer_model("bert")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([t if s else t[2:] if t.startswith("##") else "\u2581" + t for t, s in zip(tokens, special)])
    writer.add_token_types([gguf.TokenType.CONTROL if s else gguf.TokenType.NORMAL for s in special])
    for name, token in (("unknown", "[UNK]"), ("padding", "[PAD]"), ("cls", "[CLS]"), ("seperator", "[SEP]"),
                        ("mask", "[MASK]"), ("bos", "[CLS]"), ("eos", "[SEP]")):
        writer.add_uint32(f"tokenizer.ggml.{name}_token_id", tokens.index(token))
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.BERT, config["num_hidden_layers"])
    for name, values in load_file(folder / "model.safetensors").items():
        if not name.startswith("pooler.") and not name.endswith("_ids"):
            writer.add_tensor(names.get_name(name, (".weight", ".bias")), values.astype(numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def here(command, model, rows):
    out = subprocess.run([*command, "embed", "--model", model, "--data", rows, "--dtype", "f32", "--json"], check=True,
                         capture_output=True, text=True).stdout
    vectors = numpy.array([json.loads(line)["embedding"] for line in out.splitlines()])
    return vectors / numpy.linalg.norm(vectors, axis=1, keepdims=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--peft4j", default=str(ROOT / "peft4j"))
    a = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        model, rows = Path(work) / "model.gguf", Path(work) / "rows.jsonl"
        write(a.folder, model)
        rows.write_text("".join(json.dumps({"text": text}) + "\n" for text in TEXTS), encoding="utf-8")
        folder = here(a.peft4j.split(), a.folder, rows)
        file = here(a.peft4j.split(), model, rows)
        llama = Llama(str(model), embedding=True, verbose=False, n_ctx=256, pooling_type=LLAMA_POOLING_TYPE_MEAN)
        theirs = numpy.array([llama.embed(text, normalize=True) for text in TEXTS])
    ours, apart = abs(file - folder).max(), abs(theirs - file).max()
    print(f"file against folder: {ours:.1e}; llama.cpp against the file: {apart:.1e}")
    return ours > 1e-5 or apart > 5e-3


if __name__ == "__main__":
    sys.exit(main())
