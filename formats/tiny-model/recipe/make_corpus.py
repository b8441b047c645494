"""Writes the corpus of the tiny model: chats that are made of templates, all of them written for PEFT4J.

    python make_corpus.py FOLDER [ROWS]

FOLDER/corpus.jsonl      the chats, OpenAI's format (default 120000)
FOLDER/validation.jsonl  300 more

Nothing in it is a fact of the handbook of examples/handbook or of any company: companies have made-up names, and
their facts can be read in the question. Questions of the evaluation's guard set and held-out questions of the handbook
are left out where a template happens to say the same. The same version of this script gives the same bytes.
"""
import json
import random
import sys
from pathlib import Path

import company
import everyday
import staff

SEED = 5
VALIDATION = 300
ROOT = Path(__file__).resolve().parents[2]
LEFT_OUT = [ROOT / "peft-eval/src/main/resources/io/peft4j/eval/guard/guard.jsonl", ROOT / "examples/handbook/heldout.jsonl"]


def left_out():
    """The questions that the model is examined with."""
    found = set()
    for file in LEFT_OUT:
        for line in file.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            found.add(row["question"] if "question" in row else row["messages"][0]["content"])
    return found


def pair(draw):
    part = draw.random()
    if part < 0.5:
        return staff.general(draw)
    return company.read(draw) if part < 0.75 else everyday.question(draw)


def rows(draw, count, unwanted):
    while count > 0:
        question, answer = pair(draw)
        if question not in unwanted:
            count -= 1
            yield {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 120_000
    draw = random.Random(SEED)
    unwanted = left_out()
    for name, size in (("validation", VALIDATION), ("corpus", count)):
        with open(folder / f"{name}.jsonl", "w", encoding="utf-8", newline="\n") as out:
            for row in rows(draw, size, unwanted):
                out.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
