"""Sentences with people, places and products, made up from parts, labelled in IOB form. Writes train and heldout."""
import json
import random
from pathlib import Path

FOLDER = Path(__file__).parent
NAMES = {"PER": ["Ada Lovelace", "Grace Hopper", "Alan Turing", "Linus", "Barbara Liskov", "Edsger Dijkstra", "Maria",
                 "Donald Knuth", "Radia Perlman", "Tim"],
         "LOC": ["London", "New York", "Berlin", "Vienna", "San Francisco", "Oslo", "Rio de Janeiro", "Paris", "Rome",
                 "Lake Constance"],
         "PROD": ["Tallyboard", "Blue Ferry", "Lantern", "Green House Pro", "Harbour", "Compass 3", "Anvil", "Otter"]}
SENTENCES = ["{PER} moved from {LOC} to {LOC} last year .", "In {LOC} , {PER} presented {PROD} .",
             "The team of {PER} sells {PROD} in {LOC} .", "Why does {PROD} not start ?", "{PER} and {PER} like {PROD} .",
             "There is snow in {LOC} .", "Please call {PER} about the invoice .", "{PROD} was built by {PER} .",
             "Nothing to see here .", "We ship {PROD} to {LOC} and {LOC} ."]


def sentence(template, names, rng):
    tokens, labels = [], []
    for part in template.split():
        kind = part.strip("{}")
        if part.startswith("{"):
            words = rng.choice(names[kind]).split()
            tokens += words
            labels += ["B-" + kind] + ["I-" + kind] * (len(words) - 1)
        else:
            tokens.append(part)
            labels.append("O")
    return {"tokens": tokens, "labels": labels}


def write(name, names, count, seed, sentences=SENTENCES):
    rng = random.Random(seed)
    rows = [sentence(SENTENCES[i % len(SENTENCES)], names, rng) for i in range(count)]
    rows = [row for i, row in enumerate(rows) if SENTENCES[i % len(SENTENCES)] in sentences]
    (FOLDER / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


write("train", {kind: names[:-2] for kind, names in NAMES.items()}, 100, 1)
write("heldout", {kind: names[-2:] for kind, names in NAMES.items()}, 30, 2,  # names that no training row has
      [text for text in SENTENCES if "{" in text])  # a sentence without names would be one of the training rows
