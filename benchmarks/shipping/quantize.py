"""Writes a GGUF file again with matrices of fewer bits, to see what of a tuning is left (needs numpy and gguf).

    python quantize.py merged-f16.gguf merged-q4_0.gguf --type q4_0 [--search] [--layers 18-29 --layers-type q8_0]

--type is q4_0, q4_1, q5_0, q5_1 or q8_0, rounded as llama.cpp's reference does; the embedding is q8_0. --search takes for each block
of q4_0 and q4_1 the scale whose rounding has the least square error, where the reference takes that of the largest value.
"""
import argparse

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFValueType, GGUFWriter
from gguf.quants import dequantize, quantize

parser = argparse.ArgumentParser()
parser.add_argument("source")
parser.add_argument("target")
parser.add_argument("--type", required=True)
parser.add_argument("--search", action="store_true")
parser.add_argument("--layers", default="")
parser.add_argument("--layers-type", default="q8_0")
args = parser.parse_args()
first, last = (int(n) for n in args.layers.split("-")) if args.layers else (1, 0)


def packed(halves, q):
    q = q.astype(np.uint8)
    nibbles = q[:, :16] | q[:, 16:] << 4
    return np.concatenate([half.astype(np.float16).view(np.uint8) for half in halves] + [nibbles], axis=1)


def searched(values, kind):
    x = values.reshape(-1, 32).astype(np.float32)
    low, high = x.min(axis=1, keepdims=True), x.max(axis=1, keepdims=True)
    largest = np.where(-low > high, low, high)
    best, found = np.full((len(x), 1), np.inf), None
    for shrunk in np.linspace(0.75, 1.1, 15):
        if kind == GGMLQuantizationType.Q4_0:
            d, m = largest * shrunk / -8, 0 * low
        else:
            middle = (low + high) / 2
            d, m = (high - low) * shrunk / 15, middle - (high - low) * shrunk / 2
        d, m = d.astype(np.float16).astype(np.float32), m.astype(np.float16).astype(np.float32)
        offset = 8 if kind == GGMLQuantizationType.Q4_0 else 0
        q = np.clip(np.rint((x - m) / np.where(d == 0, 1, d)) + offset, 0, 15)
        error = ((d * (q - offset) + m - x) ** 2).sum(axis=1, keepdims=True)
        better = error < best
        best = np.where(better, error, best)
        found = [d, m, q] if found is None else [np.where(better, new, old) for new, old in zip([d, m, q], found)]
    d, m, q = found
    blocks = packed([d] if kind == GGMLQuantizationType.Q4_0 else [d, m], q)
    return blocks.reshape(values.shape[0], -1)


reader = GGUFReader(args.source)
architecture = reader.fields["general.architecture"].contents()
writer = GGUFWriter(args.target, architecture)
for key, field in reader.fields.items():
    if not key.startswith("GGUF.") and key != "general.architecture":
        array = field.types[0] == GGUFValueType.ARRAY
        writer.add_key_value(key, field.contents(), field.types[0], sub_type=field.types[-1] if array else None)
for tensor in reader.tensors:
    values = dequantize(tensor.data, tensor.tensor_type).astype(np.float32).reshape([int(n) for n in tensor.shape[::-1]])
    parts = tensor.name.split(".")
    kind = args.layers_type if parts[0] == "blk" and first <= int(parts[1]) <= last else args.type
    kind = GGMLQuantizationType["Q8_0" if parts[0] == "token_embd" else kind.upper()]
    if values.ndim == 1:
        writer.add_tensor(tensor.name, values)
    elif args.search and kind in (GGMLQuantizationType.Q4_0, GGMLQuantizationType.Q4_1):
        writer.add_tensor(tensor.name, searched(values, kind), raw_dtype=kind)
    else:
        writer.add_tensor(tensor.name, quantize(values, kind), raw_dtype=kind)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
