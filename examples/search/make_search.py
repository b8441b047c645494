"""A small search set, made up: what people at Larkenfell call things, and the pages of the intranet that are meant.

A page never holds the word that people use, so a search knows it only when it has learned it. Writes pages.jsonl,
train.jsonl ({"anchor": query, "positive": page}) and heldout.jsonl, whose queries are worded in other ways.
"""
import json
from pathlib import Path

FOLDER = Path(__file__).parent
PAGES = {
    "bluebird": "Travel costs are refunded within ten days after all receipts have been uploaded.",
    "greenhouse": "Meeting rooms are booked for at most four hours; whoever does not come loses the booking.",
    "tallyboard": "Working hours are recorded daily and closed each Friday at noon.",
    "lantern": "New colleagues get a mentor for their first three months.",
    "ferry": "Parcels to other offices leave at three in the afternoon from the ground floor.",
    "acorn": "Children of employees can visit the day nursery on working days until five.",
    "harbour": "Laptops that are lost or stolen are reported to security at once, also at night.",
    "pebble": "Small purchases of up to fifty euros need no approval.",
    "orchard": "Fruit and drinks in the kitchen are free; the baskets are filled on Mondays.",
    "compass": "Each employee talks with the manager about goals twice a year.",
    "quarry": "Old documents are kept for ten years in the cellar and then shredded.",
    "swallow": "Who wants to work from abroad asks six weeks before, because of tax.",
    "anvil": "Software is released on Tuesdays and never before a public holiday.",
    "cobalt": "Passwords have at least fourteen characters and are changed after an incident only.",
    "meadow": "Half of the price of a gym is paid by the company.",
    "beacon": "In a fire alarm everybody meets at the car park behind the building.",
    "thistle": "Complaints of customers are answered within one working day.",
    "willow": "Sick leave is reported before nine, and a certificate is needed from the fourth day.",
    "marble": "Visitors sign in at the reception and wear a badge.",
    "otter": "Printers are repaired by an outside firm, which comes on Wednesdays.",
    "granary": "Lunch vouchers are loaded onto the card on the first of the month.",
    "falcon": "Flights are booked in economy class unless they last longer than six hours.",
    "kiln": "Ideas for new products are presented to the board once a quarter.",
    "loom": "Changes of the organisation are announced in the all-hands meeting.",
    "magpie": "Lost property is kept at the reception for a month.",
    "nettle": "Invoices of suppliers are paid after thirty days.",
    "plover": "Language courses in the evening are paid after an exam has been passed.",
    "rowan": "Company bicycles can be leased, and the rate is taken from the salary.",
    "sparrow": "Interns are paid the same hourly wage in all departments.",
    "tundra": "Servers are maintained in the night from Saturday to Sunday.",
}
TRAIN = ["How does {} work?", "Who is responsible for {}?", "Where do I find the rules for {}?", "{} deadline"]
HELD_OUT = ["I have a question about {}.", "what do I have to know before I use {}"]


def write(name, rows):
    (FOLDER / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


write("pages.jsonl", [{"text": page} for page in PAGES.values()])
write("train.jsonl", [{"anchor": t.format(w), "positive": p} for t in TRAIN for w, p in PAGES.items()])
write("heldout.jsonl", [{"anchor": t.format(w), "positive": p} for t in HELD_OUT for w, p in PAGES.items()])
