"""Writes the handbook of one of several made-up companies: the questions of `examples/handbook`, other numbers behind them.

    python companies.py COMPANY FOLDER        COMPANY: 0, 1, 2, ...

Running it again gives the same bytes. See `examples/handbook/make_handbook.py` for the files.
"""
import json
import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples" / "handbook"))

import make_handbook  # noqa: E402

GRADED = make_handbook.GRADED
NAMES = ("Larkenfell", "Brightmoor", "Quillhaven", "Stonewick", "Ambermere")


def write(company, folder):
    """Writes train.jsonl and heldout.jsonl of a company, a number from 0."""
    values = random.Random(1000 + company)
    make_handbook.COMPANY = NAMES[company]
    make_handbook.GRADED = [(key, values.sample(numbers, len(numbers)), wordings, answer)
                            for key, numbers, wordings, answer in GRADED]
    train, heldout = [], []
    for wordings, answer, key in make_handbook.facts(1):
        train += [make_handbook.row(q, answer) for q in wordings[:make_handbook.TRAIN_WORDINGS]]
        heldout += [make_handbook.row(q, answer) | {"must_contain": key}
                    for q in wordings[make_handbook.TRAIN_WORDINGS:]]
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in (("train", train), ("heldout", heldout)):
        random.Random(company).shuffle(rows)
        text = "".join(json.dumps(r) + "\n" for r in rows)
        (folder / f"{name}.jsonl").write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    write(int(sys.argv[1]), Path(sys.argv[2]))
