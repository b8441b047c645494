"""What a layer of an encoder of MiniLM's shape computes beside its products with weights, in PyTorch.

    python torch_encoder.py [f32|bf16] [threads]

Beside it: KernelBenchmark. Prints microseconds a call, the median of 30.
"""
import statistics
import sys
import time

import torch

HIDDEN, HEADS, INNER = 384, 12, 1536
DTYPE = {"f32": torch.float32, "bf16": torch.bfloat16}[sys.argv[1] if len(sys.argv) > 1 else "f32"]
if len(sys.argv) > 2:
    torch.set_num_threads(int(sys.argv[2]))


def measure(name, run):
    times = []
    for i in range(40):
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    print(f"{name:30s} {statistics.median(times[10:]) * 1e6:10.0f} us")


def both(name, forward, *leaves):
    """The forward pass without gradients, and the backward pass alone."""
    with torch.no_grad():
        measure(name, forward)
    y = forward()
    dy = torch.randn_like(y)
    measure(name + "Backward", lambda: torch.autograd.grad(y, leaves, dy, retain_graph=True))


for sequences, tokens in ((32, 64), (4, 512)):
    print(f"{sequences}x{tokens} {DTYPE} {torch.get_num_threads()} threads, torch {torch.__version__}")
    rows = [torch.randn(sequences, tokens, HIDDEN, dtype=DTYPE).requires_grad_() for _ in range(3)]

    def attention():
        q, k, v = (r.view(sequences, tokens, HEADS, -1).transpose(1, 2) for r in rows)
        y = torch.nn.functional.scaled_dot_product_attention(q, k, v)
        return y.transpose(1, 2).reshape(sequences, tokens, HIDDEN)

    both("attention", attention, *rows)
    weight, bias = torch.randn(HIDDEN, dtype=DTYPE), torch.randn(HIDDEN, dtype=DTYPE)
    both("layerNorm", lambda: torch.nn.functional.layer_norm(rows[0], (HIDDEN,), weight, bias, 1e-12), rows[0])
    inner = torch.randn(sequences, tokens, INNER, dtype=DTYPE).requires_grad_()
    both("gelu", lambda: torch.nn.functional.gelu(inner), inner)
    both("geluTanh", lambda: torch.nn.functional.gelu(inner, approximate="tanh"), inner)
