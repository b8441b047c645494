"""Hugging Face's side of the comparison of outcomes: PEFT and Transformers in a plain loop, then the held-out questions.

    python hf_outcome.py --model DIR --data FOLDER --seed 0 [--epochs 8 --batch-size 8 --learning-rate 1e-3 ...]

Prints one JSON line: {"right": [true, ...] a held-out question, "losses": [...] an update, "seconds": training}.
Start and order of examples come from torch's generator with the seed, as a data loader that shuffles takes them.
"""
import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch  # noqa: E402
from peft import LoraConfig, get_peft_model  # noqa: E402
from torch.nn.utils.rnn import pad_sequence  # noqa: E402
from transformers import (AutoModelForCausalLM, AutoTokenizer, get_linear_schedule_with_warmup,  # noqa: E402
                          get_wsd_schedule)

IGNORED = -100


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def encode(tokenizer, messages):
    """Ids and labels: the reply and its end-of-turn token are learned."""
    prompt = tokenizer.apply_chat_template(messages[:-1], add_generation_prompt=True, tokenize=False)
    full = tokenizer.apply_chat_template(messages, tokenize=False).rstrip("\n")
    ids = tokenizer(full, add_special_tokens=False).input_ids
    begin = len(tokenizer(prompt, add_special_tokens=False).input_ids)
    return torch.tensor(ids), torch.tensor([IGNORED] * begin + ids[begin:])


def schedule_of(name, optimizer, warmup, updates):
    """linear, or warmup-stable-decay=SHARE."""
    kind, _, share = name.partition("=")
    if kind == "linear":
        return get_linear_schedule_with_warmup(optimizer, warmup, updates)
    return get_wsd_schedule(optimizer, num_warmup_steps=warmup, num_decay_steps=max(1, int(float(share) * updates + 0.5)),
                            num_training_steps=updates)


def train(model, examples, tokenizer, a):
    """The losses, and the numbers of the examples in the order in which they were learned."""
    trainable = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.AdamW(trainable, lr=a.learning_rate, weight_decay=0.0)
    updates = a.epochs * -(-len(examples) // a.batch_size)
    schedule = schedule_of(a.schedule, optimizer, a.warmup_steps, updates)
    losses, seen = [], []
    model.train()
    for _ in range(a.epochs):
        order = torch.randperm(len(examples)).tolist()
        seen += order
        for i in range(0, len(order), a.batch_size):
            part = [examples[j] for j in order[i:i + a.batch_size]]
            ids = pad_sequence([x for x, _ in part], batch_first=True, padding_value=tokenizer.pad_token_id)
            labels = pad_sequence([y for _, y in part], batch_first=True, padding_value=IGNORED)
            lengths = torch.tensor([len(x) for x, _ in part])
            mask = (torch.arange(ids.shape[1])[None] < lengths[:, None]).long()
            loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss
            loss.backward()
            torch.nn.utils.clip_grad_norm_(trainable, 1.0)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad(set_to_none=True)
            losses.append(loss.item())
    return losses, seen


def answers(model, tokenizer, questions, a):
    model.eval()
    tokenizer.padding_side = "left"
    texts = []
    for i in range(0, len(questions), 16):
        prompts = [tokenizer.apply_chat_template(q["messages"][:-1], add_generation_prompt=True, tokenize=False)
                   for q in questions[i:i + 16]]
        ids = tokenizer(prompts, add_special_tokens=False, padding=True, return_tensors="pt")
        with torch.no_grad():
            out = model.generate(**ids, max_new_tokens=a.new_tokens, do_sample=False,
                                 pad_token_id=tokenizer.pad_token_id)
        texts += tokenizer.batch_decode(out[:, ids["input_ids"].shape[1]:], skip_special_tokens=True)
    return [q["must_contain"].casefold() in text.casefold() for q, text in zip(questions, texts, strict=True)]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", required=True)
    p.add_argument("--data", type=Path, required=True)
    p.add_argument("--seed", type=int, required=True)
    p.add_argument("--epochs", type=int, default=8)
    p.add_argument("--batch-size", type=int, default=8)
    p.add_argument("--learning-rate", type=float, default=1e-3)
    p.add_argument("--schedule", default="linear", help="linear or warmup-stable-decay=SHARE")
    p.add_argument("--warmup-steps", type=int, default=10)
    p.add_argument("--save-start", type=Path, help="folder for the adapter before training and the order of the examples")
    p.add_argument("--rank", type=int, default=16)
    p.add_argument("--new-tokens", type=int, default=48)
    p.add_argument("--dtype", choices=["f32", "bf16"], default="f32")
    p.add_argument("--threads", type=int, default=int(os.environ.get("OMP_NUM_THREADS", os.cpu_count())))
    a = p.parse_args()
    torch.manual_seed(a.seed)
    torch.set_num_threads(a.threads)
    tokenizer = AutoTokenizer.from_pretrained(a.model)
    base = AutoModelForCausalLM.from_pretrained(a.model, dtype={"f32": torch.float32, "bf16": torch.bfloat16}[a.dtype])
    model = get_peft_model(base, LoraConfig(r=a.rank, lora_alpha=2 * a.rank, lora_dropout=0.0,
                                            target_modules="all-linear", task_type="CAUSAL_LM"))
    if a.save_start:
        model.save_pretrained(a.save_start)
    examples = [encode(tokenizer, row["messages"]) for row in rows(a.data / "train.jsonl")]
    begin = time.perf_counter()
    losses, order = train(model, examples, tokenizer, a)
    seconds = time.perf_counter() - begin
    if a.save_start:
        (a.save_start / "order.json").write_text(json.dumps(order))
    print(json.dumps({"right": answers(model, tokenizer, rows(a.data / "heldout.jsonl"), a), "losses": losses,
                      "seconds": seconds}))


if __name__ == "__main__":
    main()
