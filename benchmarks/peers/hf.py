"""Hugging Face's side of the comparison: Transformers and PEFT in one plain loop, as their documentation shows it.

    python hf.py train    --model DIR --shape 4x128 --dtype bf16 --steps 8
    python hf.py train    --model DIR --data chats.jsonl --batch-size 8 --dtype bf16
    python hf.py generate --model DIR --data chats.jsonl --batch 20 --new-tokens 32 --dtype bf16
    python hf.py generate --model DIR --prompt TEXT --new-tokens 128 --dtype f32

Prints one JSON line with the keys of `peft4j bench`. Tokens are those of the examples, padding left out.
"""
import argparse
import json
import math
import os
import resource
import statistics
import time

BEGIN = time.time()
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch  # noqa: E402
from peft import LoraConfig, get_peft_model  # noqa: E402
from torch.nn.utils.rnn import pad_sequence  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

TYPES = {"f32": torch.float32, "bf16": torch.bfloat16}
IGNORED = -100


def process_start():
    """When this process began, in seconds since the epoch: the interpreter's own start is part of it."""
    try:
        with open("/proc/self/stat") as stat, open("/proc/uptime") as uptime:
            ticks = int(stat.read().rsplit(")", 1)[1].split()[19])
            return time.time() - float(uptime.read().split()[0]) + ticks / os.sysconf("SC_CLK_TCK")
    except OSError:
        return BEGIN


def load(a):
    torch.manual_seed(0)
    torch.set_num_threads(a.threads)
    tokenizer = AutoTokenizer.from_pretrained(a.model)
    return tokenizer, AutoModelForCausalLM.from_pretrained(a.model, dtype=TYPES[a.dtype])


def chats(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line)["messages"] for line in lines if line.strip()]


def encode(tokenizer, messages):
    """Ids and labels of a chat: the last message and its end-of-turn token are learned."""
    prompt = tokenizer.apply_chat_template(messages[:-1], add_generation_prompt=True, tokenize=False)
    full = tokenizer.apply_chat_template(messages, tokenize=False).rstrip("\n")
    ids = tokenizer(full, add_special_tokens=False).input_ids
    begin = len(tokenizer(prompt, add_special_tokens=False).input_ids)
    return torch.tensor(ids), torch.tensor([IGNORED] * begin + ids[begin:])


def padded(examples, filler):
    ids = pad_sequence([i for i, _ in examples], batch_first=True, padding_value=filler)
    labels = pad_sequence([label for _, label in examples], batch_first=True, padding_value=IGNORED)
    lengths = torch.tensor([len(i) for i, _ in examples])
    return ids, (torch.arange(ids.shape[1])[None] < lengths[:, None]).long(), labels, int(lengths.sum())


def random_batches(vocabulary, shape, count):
    sequences, length = map(int, shape.split("x"))
    for _ in range(count):
        ids = torch.randint(0, vocabulary, (sequences, length))
        yield ids, torch.ones_like(ids), ids, ids.numel()


def data_batches(tokenizer, a):
    examples = [encode(tokenizer, messages) for messages in chats(a.data)]
    cut = [examples[i:i + a.batch_size] for i in range(0, len(examples), a.batch_size)]
    count = a.warmup + (a.steps or len(cut))
    return [padded(cut[i % len(cut)], tokenizer.pad_token_id) for i in range(count)]


def train(a):
    tokenizer, base = load(a)
    model = get_peft_model(base, LoraConfig(r=a.rank, lora_alpha=2 * a.rank, lora_dropout=0.0,
                                            target_modules="all-linear", task_type="CAUSAL_LM"))
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=1e-4, weight_decay=0.0)
    forward = torch.compile(model) if a.compile else model
    batches = data_batches(tokenizer, a) if a.data else random_batches(
        base.config.vocab_size, a.shape, a.warmup + (a.steps or 8))
    model.train()
    seconds, tokens, examples, first = [], 0, 0, 0.0
    for i, (ids, mask, labels, count) in enumerate(batches):
        begin = time.perf_counter()
        loss = forward(input_ids=ids, attention_mask=mask, labels=labels).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trainable, 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        value = loss.item()
        if i == 0:
            first = time.time() - process_start()
        if i >= a.warmup:
            seconds.append(time.perf_counter() - begin)
            tokens += count
            examples += len(ids)
    total = sum(seconds)
    return {"tokens_per_s": tokens / total, "examples_per_s": examples / total, "step_ms": 1e3 * statistics.median(seconds),
            "first_step_s": first, "loss": value}


def answer(model, tokenizer, prompts, new_tokens):
    ids = tokenizer(prompts, add_special_tokens=False, padding=True, return_tensors="pt")
    with torch.no_grad():
        out = model.generate(**ids, max_new_tokens=new_tokens, do_sample=False, pad_token_id=tokenizer.pad_token_id)
    new = out[:, ids["input_ids"].shape[1]:]
    # Padding may be the end token too: a row counts up to its first one.
    ends = [(row == tokenizer.eos_token_id).nonzero() for row in new]
    return sum(int(end[0]) + 1 if len(end) else new.shape[1] for end in ends)


def generate(a):
    tokenizer, model = load(a)
    tokenizer.padding_side = "left"
    model.eval()
    questions = [m[:-1] if m[-1]["role"] == "assistant" else m for m in chats(a.data)] if a.data else [
        [{"role": "user", "content": a.prompt}]]
    prompts = [tokenizer.apply_chat_template(q, add_generation_prompt=True, tokenize=False) for q in questions]
    answer(model, tokenizer, prompts[:a.batch], min(5, a.new_tokens))
    begin = time.perf_counter()
    answer(model, tokenizer, prompts[:1], 1)
    first = time.perf_counter() - begin
    seconds = math.inf
    for _ in range(a.steps):
        begin = time.perf_counter()
        tokens = sum(answer(model, tokenizer, prompts[i:i + a.batch], a.new_tokens)
                     for i in range(0, len(prompts), a.batch))
        seconds = min(seconds, time.perf_counter() - begin)
    return {"tokens_per_s": tokens / seconds, "seconds": seconds, "new_tokens": tokens, "first_token_ms": 1e3 * first}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(required=True)
    for name, action in (("train", train), ("generate", generate)):
        p = commands.add_parser(name)
        p.set_defaults(action=action)
        p.add_argument("--model", required=True)
        p.add_argument("--dtype", choices=TYPES, default="bf16")
        p.add_argument("--threads", type=int, default=os.cpu_count())
        p.add_argument("--data")
        if name == "train":
            p.add_argument("--shape", default="4x128")
            p.add_argument("--batch-size", type=int, default=8)
            p.add_argument("--rank", type=int, default=16)
            p.add_argument("--steps", type=int, help="measured; default 8, with --data one pass over the data")
            p.add_argument("--warmup", type=int, default=2)
            p.add_argument("--compile", action="store_true")
        else:
            p.add_argument("--prompt", default="Tell me about the sea.")
            p.add_argument("--batch", type=int, default=1)
            p.add_argument("--new-tokens", type=int, default=32)
            p.add_argument("--steps", type=int, default=1, help="how often all is answered; the fastest time counts")
    a = parser.parse_args()
    result = a.action(a)
    result |= {"dtype": a.dtype, "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
