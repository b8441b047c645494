"""Writes the model that the training starts from: a tokenizer made from the corpus, and random weights.

    python make_start.py CORPUS.jsonl FOLDER

Needs tokenizers 0.23.3 and numpy 2; the seed makes the weights the same each time.
"""
import json
import struct
import sys
from pathlib import Path

import numpy
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

SEED = 3
VOCABULARY = 3072
HIDDEN, LAYERS, HEADS, KEY_VALUE_HEADS, FEED_FORWARD = 256, 6, 8, 4, 512
SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
TEMPLATE = ("{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' "
            "+ '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")


def texts(corpus):
    for line in corpus.read_text(encoding="utf-8").splitlines()[:40_000]:
        for message in json.loads(line)["messages"]:
            yield message["role"] + "\n" + message["content"]


def tokenizer(corpus):
    """Byte-level pieces, each digit separately, as SmolLM's."""
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    made.decoder = decoders.ByteLevel()
    made.train_from_iterator(texts(corpus), trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=SPECIAL, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return made


def weights(vocabulary):
    draw = numpy.random.default_rng(SEED)
    size = HIDDEN // HEADS * KEY_VALUE_HEADS

    def normal(rows, columns, scale=0.02):
        return (draw.standard_normal((rows, columns)) * scale).astype(numpy.float32)

    tensors = {"model.embed_tokens.weight": normal(vocabulary, HIDDEN),
               "model.norm.weight": numpy.ones(HIDDEN, numpy.float32)}
    narrow = 0.02 / (2 * LAYERS) ** 0.5  # what is added to the hidden states, as in GPT-2
    for layer in range(LAYERS):
        shapes = {"self_attn.q_proj": (HIDDEN, HIDDEN), "self_attn.k_proj": (size, HIDDEN),
                  "self_attn.v_proj": (size, HIDDEN), "self_attn.o_proj": (HIDDEN, HIDDEN),
                  "mlp.gate_proj": (FEED_FORWARD, HIDDEN), "mlp.up_proj": (FEED_FORWARD, HIDDEN),
                  "mlp.down_proj": (HIDDEN, FEED_FORWARD)}
        for name, shape in shapes.items():
            scale = narrow if name.endswith(("o_proj", "down_proj")) else 0.02
            tensors[f"model.layers.{layer}.{name}.weight"] = normal(*shape, scale)
        for name in ("input_layernorm", "post_attention_layernorm"):
            tensors[f"model.layers.{layer}.{name}.weight"] = numpy.ones(HIDDEN, numpy.float32)
    return tensors


def save(tensors, file):
    """The safetensors format: the length of the head, the head in JSON, the values."""
    head, at = {}, 0
    for name, values in tensors.items():
        head[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [at, at + values.nbytes]}
        at += values.nbytes
    head = json.dumps(head).encode()
    head += b" " * (-len(head) % 8)
    file.write_bytes(struct.pack("<Q", len(head)) + head + b"".join(values.tobytes() for values in tensors.values()))


def main():
    corpus, folder = Path(sys.argv[1]), Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    made = tokenizer(corpus)
    made.save(str(folder / "tokenizer.json"))
    vocabulary = made.get_vocab_size()
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": HIDDEN,
              "intermediate_size": FEED_FORWARD, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS,
              "num_key_value_heads": KEY_VALUE_HEADS, "head_dim": HIDDEN // HEADS, "max_position_embeddings": 1024,
              "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "tie_word_embeddings": True, "vocab_size": vocabulary,
              "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2, "torch_dtype": "float32", "attention_bias": False,
              "mlp_bias": False}
    about = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|im_start|>", "eos_token": "<|im_end|>",
             "unk_token": "<|endoftext|>", "pad_token": "<|im_end|>", "model_max_length": 1024, "chat_template": TEMPLATE,
             "add_prefix_space": False, "clean_up_tokenization_spaces": False}
    (folder / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")
    (folder / "generation_config.json").write_text(
        json.dumps({"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}), encoding="utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(about, indent=2), encoding="utf-8")
    tensors = weights(vocabulary)
    save(tensors, folder / "model.safetensors")
    print(sum(values.size for values in tensors.values()), "parameters,", vocabulary, "tokens")


if __name__ == "__main__":
    main()
