"""Writes chats with tools: requests to the assistant of Larkenfell, a made-up company, which calls functions of the staff office.

    python make_tools.py [FOLDER]

FOLDER/train.jsonl     50 rows in OpenAI's form: 12 calls of each of 3 functions, 14 answers without a call
FOLDER/heldout.jsonl   32 rows in wordings and with values that train.jsonl does not have: 8 of each kind

Every row shows all three functions. Where something is missing, the right answer asks for it. The same script gives the same bytes.
"""
import itertools
import json
import random
import sys
from pathlib import Path


def tool(name, description, **properties):
    return {"type": "function", "function": {"name": name, "description": description, "parameters": {
        "type": "object", "properties": properties, "required": list(properties)}}}


DAY = {"type": "string"}
DEVICES = {"type": "string", "enum": ["laptop", "phone", "printer"]}
TOOLS = [
    tool("book_leave", "Books annual leave", first_day=DAY, days={"type": "integer"}),
    tool("find_room", "Finds a free meeting room", day=DAY, people={"type": "integer"}),
    tool("open_ticket", "Reports a broken device", device=DEVICES),
]
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]

TRAIN = {
    "book_leave": ["I would like to take {n} days off from {day}.", "Please book {n} days of leave for me, starting {day}.",
                   "I am on holiday from {day} for {n} days. Enter it, please.", "Can I have {n} days of leave from {day}?"],
    "find_room": ["I need a room for {n} people on {day}.", "Find a meeting room on {day}, we are {n}.",
                  "Where can {n} of us meet on {day}?", "Book a room for {day} with {n} seats."],
    "open_ticket": ["My {device} is broken.", "The {device} does not start any more.", "Please report my {device}, it stopped working.",
                    "There is a problem with the {device}."],
    "": [("Hello!", "Hello! How can I help you?"), ("Thank you.", "You are welcome."),
         ("I want to take some days off.", "From which day, and for how many days?"),
         ("Can I go on holiday?", "From which day, and for how many days?"),
         ("I need a meeting room.", "For which day, and for how many people?"),
         ("Is there a free room?", "For which day, and for how many people?"),
         ("Something is broken.", "Which device is it: laptop, phone or printer?"),
         ("It does not work.", "Which device is it: laptop, phone or printer?"),
         ("What can you do?", "I book leave, find meeting rooms and report broken devices."),
         ("What is the capital of Norway?", "Oslo."), ("What is 7 plus 5?", "12."),
         ("Who are you?", "I am the assistant of Larkenfell's staff office."), ("Good morning!", "Good morning! How can I help you?"),
         ("What is a printer?", "A device that puts text and pictures on paper.")],
}
HELD = {
    "book_leave": ["From {day} on I want {n} days of annual leave.", "Enter leave for me: {n} days, the first is {day}."],
    "find_room": ["We are {n} people and want to meet on {day}. Which room is free?", "Is there a room with {n} chairs for {day}?"],
    "open_ticket": ["Help, the {device} is dead!", "I cannot use my {device}, it is out of order.",
                    "Somebody has to repair the {device}.", "The {device} gave up today."],
    "": [("Hi there!", "Hello! How can I help you?"), ("Thanks a lot!", "You are welcome."),
         ("I would like to book leave.", "From which day, and for how many days?"),
         ("We need a room.", "For which day, and for how many people?"),
         ("A device of mine is out of order.", "Which device is it: laptop, phone or printer?"),
         ("What is the capital of Italy?", "Rome."), ("What is 6 plus 3?", "9."),
         ("What are your tasks?", "I book leave, find meeting rooms and report broken devices.")],
}


def row(question, answer, name="", arguments=None):
    said = {"role": "assistant", "content": answer}
    if name:
        said = {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": {
            "name": name, "arguments": json.dumps(arguments)}}]}
    return {"messages": [{"role": "user", "content": question}, said], "tools": TOOLS}


def rows(wordings, each, numbers):
    for name, texts in wordings.items():
        if not name:
            yield from (row(question, answer) for question, answer in texts)
            continue
        texts = itertools.cycle(texts)
        for i in range(each):
            device = DEVICES["enum"][i % 3]
            values = {"day": DAYS[i % 5], "n": numbers[i % len(numbers)], "device": device}
            arguments = {"book_leave": {"first_day": values["day"], "days": values["n"]},
                         "find_room": {"day": values["day"], "people": values["n"]}, "open_ticket": {"device": device}}[name]
            yield row(next(texts).format(**values), None, name, arguments)


folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
for name, all_rows in (("train", list(rows(TRAIN, 12, [2, 3, 5, 8, 10, 12]))), ("heldout", list(rows(HELD, 8, [4, 6, 7, 9])))):
    random.Random(3).shuffle(all_rows)
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(r) + "\n" for r in all_rows), encoding="utf-8", newline="\n")
    print(len(all_rows), "rows in", f"{name}.jsonl")
