"""Two tasks whose answers can be checked: orders as JSON, and what is to be paid and when by the text of an invoice.

    python make_tasks.py

Writes for each task `NAME-sft.jsonl` (chats for a first training), `NAME.jsonl` and `NAME-heldout.jsonl` (prompts with what a
grader reads). No prompt of one file is in another.
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


MONTHS = ["January", "March", "April", "June", "July", "September", "October", "December"]
NOTES = ["The invoice of {sent} over {net} euros net, {gross} euros with tax, is due on {due}.",
         "We billed {net} euros on {sent}. With tax that makes {gross} euros, payable until {due}.",
         "Due {due}: {gross} euros with tax ({net} without). Invoice date {sent}.",
         "On {sent} we sent you the invoice: {gross} euros including tax, {net} before tax. Please pay until {due}."]


def payment(rng):
    net = rng.randint(20, 900)
    gross = net + rng.randint(2, 19) * net // 100 + 1
    sent, due = (f"{rng.randint(1, 28)} {month}" for month in rng.sample(MONTHS, 2))
    note = rng.choice(NOTES).format(sent=sent, due=due, net=net, gross=gross)
    answer = f"{gross} by {due}"
    return f"What is to be paid with tax, and when? Answer as AMOUNT by DATE. {note}", {
        "answer": answer, "amount": str(gross), "date": due}, answer


def write(name, make, seed):
    rng, seen = random.Random(seed), set()
    for part, count in (("-sft", 8), ("", 120), ("-heldout", 60)):
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
    write("payments", payment, 2)
