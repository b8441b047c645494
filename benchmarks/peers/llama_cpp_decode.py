"""llama.cpp's side of the comparison, through llama-cpp-python: greedy decoding of one stream.

    python llama_cpp_decode.py --model FILE.gguf --prompt TEXT --new-tokens 128 --threads 2

Prints one JSON line with the keys of `peft4j bench generate`.
"""
import argparse
import json
import math
import os
import resource
import time

from llama_cpp import Llama


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", required=True)
    parser.add_argument("--prompt", default="Tell me about the sea.")
    parser.add_argument("--new-tokens", type=int, default=128)
    parser.add_argument("--steps", type=int, default=1, help="how often it is answered; the fastest time counts")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    a = parser.parse_args()
    model = Llama(a.model, n_ctx=1024, n_threads=a.threads, n_threads_batch=a.threads, verbose=False)

    def ask(count):
        begin = time.perf_counter()
        reply = model.create_chat_completion([{"role": "user", "content": a.prompt}], max_tokens=count, temperature=0)
        return reply["usage"]["completion_tokens"], time.perf_counter() - begin

    ask(5)
    model.reset()
    _, first = ask(1)
    seconds = math.inf
    for _ in range(a.steps):
        model.reset()
        tokens, taken = ask(a.new_tokens)
        seconds = min(seconds, taken)
    print(json.dumps({"tokens_per_s": tokens / seconds, "seconds": seconds, "new_tokens": tokens,
                      "first_token_ms": 1e3 * first, "dtype": "q4_1",
                      "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6}))


if __name__ == "__main__":
    main()
