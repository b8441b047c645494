"""Whether llama.cpp gives Hugging Face's numbers for the GGUF files of encoders and of T5.

    mvn test -pl tests/parity -am -Dtest=GgufEncodersTest,GgufSeq2SeqTest -Dsurefire.failIfNoSpecifiedTests=false
    pip install llama-cpp-python numpy
    python check_llama_cpp_encoders.py [FOLDER]

The tests leave a model, the same with an adapter merged, and the adapter itself, and beside them what they must give. The
number is the largest difference of a value of an embedding of length 1, and of T5 the largest relative difference of a
target's summed negative log-likelihood. Exit status 1 where one is above 5e-3: llama.cpp's GELU is a table in 16 bits.
"""
import json
import sys
from pathlib import Path

import llama_cpp
import numpy

ROOT = Path(__file__).resolve().parents[2]
F32 = 0


def model(path, lora, **more):
    return llama_cpp.Llama(str(path), n_ctx=64, n_threads=2, verbose=False, type_k=F32, type_v=F32,
                           lora_path=lora and str(lora), **more)


def embeddings(path, lora, expected, key):
    llama = model(path, lora, embedding=True)
    ours = numpy.array(expected[key])
    ours /= numpy.linalg.norm(ours, axis=1, keepdims=True)
    theirs = numpy.array([llama.embed(text, normalize=True) for text in expected["texts"]])
    for text, ids in zip(expected["texts"], expected["ids"]):
        assert llama.tokenize(text.encode(), add_bos=True, special=True) == ids, text
    return abs(ours - theirs).max()


def decode(llama, ids, encodes):
    batch = llama_cpp.llama_batch_init(len(ids), 0, 1)
    batch.n_tokens = len(ids)
    for i, token in enumerate(ids):
        batch.token[i], batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = token, i, 1, 0, 1
    status = (llama_cpp.llama_encode if encodes else llama_cpp.llama_decode)(llama.ctx, batch)
    assert status == 0, status
    llama_cpp.llama_batch_free(batch)


def likelihoods(path, lora, expected, key):
    llama = model(path, lora)
    apart = []
    for row, nll in zip(expected["rows"], expected[key]):
        source, target = row["source_ids"], row["target_ids"]
        assert llama.tokenize(row["source"].encode(), add_bos=True, special=True) == source, row["source"]
        llama_cpp.llama_memory_clear(llama_cpp.llama_get_memory(llama.ctx), True)
        decode(llama, source, True)
        decode(llama, [0] + target[:-1], False)
        total = 0
        for i, token in enumerate(target):
            row = numpy.array(llama_cpp.llama_get_logits_ith(llama.ctx, i)[:llama.n_vocab()], dtype=numpy.float64)
            total += numpy.log(numpy.exp(row - row.max()).sum()) + row.max() - row[token]
        apart.append(abs(total / nll - 1))
    return max(apart)


def main():
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "tests" / "parity" / "target"
    failed = 0
    print("| fixture | model | with the adapter | merged |\n|---|---|---|---|")
    for folder, measure, plain in (("gguf-encoders", embeddings, "embeddings"), ("gguf-seq2seq", likelihoods, "nll")):
        for file in sorted((target / folder).glob("*.json")):
            name, expected = file.stem, json.loads(file.read_text(encoding="utf-8"))
            path = file.with_name(f"{name}.gguf")
            cells = [measure(path, None, expected, plain),
                     measure(path, file.with_name(f"{name}-lora.gguf"), expected, "adapted"),
                     measure(file.with_name(f"{name}-merged.gguf"), None, expected, "adapted")]
            failed += any(not c <= 5e-3 for c in cells)
            print(f"| `{name}` | " + " | ".join(f"{c:.1e}" for c in cells) + " |", flush=True)
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
