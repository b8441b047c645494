"""Texts for the measurement: 256 of 64 tokens (special ones included), and 1,000 of 8 to 64. Arguments: folder, output."""
import random
import sys
from pathlib import Path

from transformers import AutoTokenizer

tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
words = [w for w in tokenizer.get_vocab() if w.isalpha() and len(w) > 3 and w.islower()]
rng = random.Random(1)


def text(tokens):
    return " ".join(rng.choice(words) for _ in range(tokens - 2))


out = Path(sys.argv[2])
(out / "steps.txt").write_text("\n".join(text(64) for _ in range(256)) + "\n", encoding="utf-8")
(out / "embed.txt").write_text("\n".join(text(rng.randint(8, 64)) for _ in range(1000)) + "\n", encoding="utf-8")
