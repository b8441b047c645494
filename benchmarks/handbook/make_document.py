"""Writes a made-up staff handbook as running text, and the facts that stand in it.

    python make_document.py --out DIR [--seed 3]

DIR/document.md     sections with sentences: facts among sentences that tell none
DIR/facts.jsonl     for each fact {"sentence", "value": what an answer must contain and a question must not,
                    "asks": lists of words, of each of which a question must have one}

Every name and number is made up. judge_questions.py tells which rows ask for a fact.
"""
import argparse
import json
import os
import random

GRADES = ["Trainee", "Associate Consultant", "Senior Consultant", "Lead Consultant", "Delivery Manager"]
# heading, sentence with {g} and {v}, what v may be, its words, filler
PER_GRADE = [
    ("Notice periods", "{A} has a notice period of {v} days.", [15, 30, 45, 60, 90], [["notice"]],
     "The notice is given in writing."),
    ("Annual leave", "{A} receives {v} days of annual leave each year.", [20, 22, 24, 26, 28],
     [["leave", "vacation", "holiday", "days off"], ["days", "how much", "what is"]], "Leave is agreed with the team first."),
    ("Probation", "The probation of {a} lasts {v} months.", [2, 3, 4, 5, 6], [["probation"]],
     "A talk about goals takes place in the first week."),
    ("Training budgets", "{A} has a training budget of {v} euros a year.", [400, 650, 900, 1200, 1500],
     [["training", "learning"], ["budget"]], "Courses are booked early."),
]
SINGLE = [
    ("Sick leave", [
        ("Sick leave must be reported to the Welfare Desk before {v}.", "9:15", [["sick"], ["when", "time", "deadline"]]),
        ("A doctor's certificate is required after {v} days of illness.", "4", [["certificate"], ["when", "many", "long"]]),
        ("The Welfare Desk can be reached by telephone at extension {v}.", "4471", [["welfare desk"], ["extension", "reach", "number", "telephone"]]),
    ], "Please get well soon."),
    ("Business travel", [
        ("Hotel rooms may cost up to {v} euros a night.", "135", [["hotel", "room"], ["cost", "much", "price", "limit"]]),
        ("Flights are booked through the portal {v}.", "Skylark", [["flight"]]),
        ("The meal allowance on business trips is {v} euros a day.", "38", [["meal"]]),
        ("Mileage is paid at {v} cents per kilometre.", "31", [["mileage", "kilometre"]]),
    ], "Think before you travel."),
    ("Equipment", [
        ("Laptops are replaced every {v} years.", "5", [["laptop"]]),
        ("A lost access card costs {v} euros.", "22", [["card"]]),
        ("Broken screens are repaired by the workshop in room {v}.", "B-207", [["screen"]]),
    ], "Handle all things with care."),
    ("Salary and payments", [
        ("Salaries are paid on day {v} of each month.", "26", [["salar"], ["when", "day", "date"]]),
        ("The Christmas bonus is {v} percent of a monthly salary.", "45", [["bonus"]]),
        ("Expense claims must be submitted within {v} weeks.", "7", [["expense", "claim"], ["submi", "deadline"]]),
    ], "Questions are welcome at any time."),
    ("Parental leave", [
        ("Parental leave is requested with form {v}.", "LK-31", [["parental"], ["form", "how"]]),
        ("Fathers receive {v} weeks of paid parental leave.", "11", [["father"], ["weeks", "long", "much"]]),
        ("The request must arrive {v} weeks before the birth.", "8", [["request"], ["birth"], ["when", "many", "early", "long"]]),
    ], "We are happy for every family."),
    ("Office life", [
        ("The canteen opens at {v}.", "11:40", [["canteen"]]),
        ("Visitors must register with {v} at the front desk.", "Mrs Orlana Veck", [["visitor"], ["who"]]),
        ("The quiet room is on floor {v}.", "6", [["quiet"]]),
        ("Parking spaces cost {v} euros a month.", "47", [["park"]]),
        ("The fire assembly point is behind building {v}.", "K4", [["fire", "assembly"]]),
    ], "Please keep the kitchens clean."),
    ("Security", [
        ("Passwords must have at least {v} characters.", "17", [["password"]]),
        ("Stolen devices are reported to the hotline {v}.", "7788", [["stolen"], ["hotline", "number", "where", "whom"]]),
        ("Security training is repeated every {v} months.", "10", [["security"], ["often", "when", "how many"]]),
    ], "Be careful with letters from strangers."),
]

def article(grade):
    return ("an " if grade[0] in "AEIOU" else "a ") + grade

def main():
    p = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    p.add_argument("--out", required=True); p.add_argument("--seed", type=int, default=3)
    a = p.parse_args()
    rng = random.Random(a.seed)
    os.makedirs(a.out, exist_ok=True)
    lines, facts = ["# Handbook of Quillmoor", "", "Quillmoor does not exist. This handbook is made up.", ""], []
    for heading, sentence, values, asks, filler in PER_GRADE:
        drawn = values[:]; rng.shuffle(drawn); text = []
        for grade, v in zip(GRADES, drawn):
            told = sentence.replace("{A}", article(grade).capitalize().replace(grade.lower(), grade)) \
                .replace("{a}", article(grade)).replace("{v}", str(v))
            facts.append({"sentence": told, "value": str(v), "asks": [[grade.lower()]] + asks}); text.append(told)
        text.insert(rng.randrange(1, len(text)), filler)
        lines += ["## " + heading, "", " ".join(text), ""]
    for heading, all_, filler in SINGLE:
        text = []
        for sentence, v, asks in all_:
            told = sentence.replace("{v}", v)
            facts.append({"sentence": told, "value": v, "asks": asks}); text.append(told)
        text.insert(rng.randrange(0, len(text)), filler)
        lines += ["## " + heading, "", " ".join(text), ""]
    with open(os.path.join(a.out, "document.md"), "w") as f:
        f.write("\n".join(lines))
    with open(os.path.join(a.out, "facts.jsonl"), "w") as f:
        f.writelines(json.dumps(fact) + "\n" for fact in facts)
    print(len(facts), "facts")

if __name__ == "__main__":
    main()
