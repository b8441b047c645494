"""Tickets of customers, made up from parts, each with the team that answers it. Writes train.jsonl and heldout.jsonl."""
import json
import random
from pathlib import Path

FOLDER = Path(__file__).parent
PARTS = {
    "billing": (["I was charged twice", "The invoice shows a wrong amount", "My refund has not arrived",
                 "You took money after I cancelled", "The discount is missing on my bill", "I need a receipt"],
                ["for March", "for my subscription", "on my card", "by direct debit"]),
    "access": (["I cannot log in", "My password is not accepted", "The reset mail never comes",
                "My account is locked", "The second factor fails", "I see an empty page after signing in"],
               ["since yesterday", "on my phone", "from the office", "although nothing has changed"]),
    "delivery": (["My parcel has not arrived", "The box was damaged", "The courier left it with a neighbour",
                  "I got the wrong item", "The tracking number does not work", "Can you send it to another address"],
                 ["this week", "in Vienna", "for order 4711", "although it was promised for Monday"]),
}
OPENINGS = ["Hello, ", "", "Hi team, ", "Good morning. "]


def rows():
    for label, (problems, details) in PARTS.items():
        for problem in problems:
            for i, detail in enumerate(details):
                opening = OPENINGS[(len(problem) + i) % len(OPENINGS)]
                text = opening + (problem if not opening or opening.endswith(". ") else problem[0].lower() + problem[1:]
                                  if not problem.startswith("I ") else problem) + " " + detail + "."
                yield problem, {"text": text, "label": label}


train, held = [], []
for label, (problems, _) in PARTS.items():  # two problems of each team are seen in no training row
    unseen = set(problems[-2:])
    for problem, row in rows():
        if row["label"] == label:
            (held if problem in unseen else train).append(row)
random.Random(3).shuffle(train)
for name, part in (("train", train), ("heldout", held)):
    (FOLDER / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part), encoding="utf-8")
