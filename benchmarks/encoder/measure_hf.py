"""The speed of an encoder in Python: LoRA steps of a classifier on batches of 32 texts, and embeddings.

torch, transformers, peft, sentence-transformers. Arguments as EncoderSpeed's: folder, texts of the steps, texts to embed,
f32 or bf16.
"""
import sys
import time

import torch
from peft import LoraConfig, get_peft_model
from sentence_transformers import SentenceTransformer
from transformers import AutoModelForSequenceClassification, AutoTokenizer

folder, train, embed, dtype = sys.argv[1:5]
kind = torch.float32 if dtype == "f32" else torch.bfloat16
BATCH = 32
texts = open(train, encoding="utf-8").read().splitlines()
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=2, dtype=kind)
model = get_peft_model(model, LoraConfig(task_type="SEQ_CLS", r=8, lora_alpha=16))
model.train()
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4)
seconds = []
for epoch in range(6):
    for first in range(0, len(texts), BATCH):
        begin = time.perf_counter()
        batch = texts[first:first + BATCH]
        inputs = tokenizer(batch, padding=True, truncation=True, return_tensors="pt")
        loss = model(**inputs, labels=torch.tensor([len(t) % 2 for t in batch])).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        seconds.append(time.perf_counter() - begin)
seconds.sort()
print(f"step: median {1e3 * seconds[len(seconds) // 2]:.1f} ms, best {1e3 * seconds[0]:.1f} ms over {len(seconds)} "
      f"steps of {BATCH} texts, {torch.get_num_threads()} threads")
more = open(embed, encoding="utf-8").read().splitlines()
encoder = SentenceTransformer(folder, device="cpu", model_kwargs={"dtype": kind})
for _ in range(4):
    begin = time.perf_counter()
    encoder.encode(more, batch_size=32)
    print(f"embeddings: {len(more)} texts in {time.perf_counter() - begin:.3f} s")
