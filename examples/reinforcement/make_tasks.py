"""Two tasks whose answers can be checked: orders as JSON, and sums of prices.

    python make_tasks.py

Writes for each task `NAME-sft.jsonl` (chats for a first training), `NAME.jsonl` and `NAME-heldout.jsonl` (prompts with what a
grader reads). No prompt of one file stands in another.
"""
import json
import random
from pathlib import Path

ITEMS = ["chairs", "desks", "lamps", "monitors", "keyboards", "cables", "printers", "shelves", "phones", "headsets", "mugs", "pens"]
CITIES = ["Lisbon", "Porto", "Berlin", "Vienna", "Madrid", "Dublin", "Prague", "Warsaw", "Oslo", "Rome"]
ORDERS = ["Please send {n} {item} to our office in {city}.", "We need {n} {item} in {city}.",
          "{city} is short of {n} {item}, can you deliver?", "Order for {city}: {n} {item}."]
ASK = "Write the order as JSON with the keys item, count and city. "


def order(rng):
    n, item, city = rng.randint(2, 60), rng.choice(ITEMS), rng.choice(CITIES)
    question = ASK + rng.choice(ORDERS).format(n=n, item=item, city=city)
    return question, {"item": item, "count": str(n), "city": city}, json.dumps({"item": item, "count": n, "city": city})


def total(rng):
    a, b = rng.randint(2, 49), rng.randint(2, 49)
    item, other = rng.sample(ITEMS, 2)
    question = f"The {item} cost {a} euros and the {other} cost {b} euros. What is the total? Answer with the number."
    return question, {"answer": str(a + b)}, str(a + b)


def write(name, make, seed):
    rng, seen = random.Random(seed), set()
    for part, count in (("-sft", 60), ("", 120), ("-heldout", 60)):
        rows = []
        while len(rows) < count:
            question, item, answer = make(rng)
            if question in seen:
                continue
            seen.add(question)
            asked = [{"role": "user", "content": question}]
            rows.append({"messages": asked + [{"role": "assistant", "content": answer}]} if part == "-sft"
                        else {"messages": asked} | item)
        Path(__file__).with_name(f"{name}{part}.jsonl").write_text(
            "".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    write("orders", order, 1)
    write("totals", total, 2)
