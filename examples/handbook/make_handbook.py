"""Writes the handbook of Larkenfell, a made-up company, as chat examples with questions held out.

    python make_handbook.py [FOLDER [EDITION]]

FOLDER/train.jsonl     OpenAI chat format, 4 wordings of the question behind each fact
FOLDER/heldout.jsonl   the same facts asked in 2 wordings that train.jsonl never uses; "must_contain" is the expected fact

This script is the source of both files, and running it again gives the same bytes. A fact counts as answered when the
answer to a held-out question holds `must_contain`, upper and lower case being the same. A new fact is a line here.

EDITION 2 asks the same questions, and 12 of the 44 facts have other numbers: two grades of each topic.
"""
import json
import random
import sys
from pathlib import Path

COMPANY = "Larkenfell"
SEED = 11
TRAIN_WORDINGS = 4

GRADES = ["Trainee", "Associate", "Consultant", "Senior Consultant", "Principal", "Delivery Manager"]

# One number per grade: (key, values in the order of GRADES, 4 wordings to train on and 2 held out, answer).
# {g} is the grade with its article, {c} the company, {v} the value.
GRADED = [
    ("{v}-day", [15, 30, 45, 90, 60, 75],
     ["How long is the notice period of {g}?",
      "I am {g} and want to resign. What notice do I give?",
      "How many days of notice does {g} have to give?",
      "Which notice period applies when {g} resigns?",
      "What is the notice period for {g}?",
      "Tell me how much notice {g} has to give."],
     "At {c}, {g} has a {v}-day notice period. Exceptions may apply if approved by the reporting manager."),
    ("{v} days of annual leave", [33, 21, 24, 27, 19, 30],
     ["How many days of annual leave does {g} get?",
      "I am {g}. How many vacation days do I have?",
      "What is the annual leave entitlement of {g}?",
      "How much paid leave does {g} receive in a year?",
      "How many vacation days does {g} receive?",
      "Tell me the annual leave of {g}."],
     "At {c}, {g} receives {v} days of annual leave. Unused days expire at the end of March."),
    ("{v} months of probation", [9, 7, 5, 4, 8, 2],
     ["How long is the probation of {g}?",
      "I have just joined as {g}. How long is my probation?",
      "How many months of probation does {g} have?",
      "When does {g} finish probation?",
      "What is the probation period for {g}?",
      "Tell me how long probation lasts for {g}."],
     "At {c}, {g} completes {v} months of probation. The line manager confirms the result in writing."),
    ("{v} euros a year", [450, 1300, 700, 1800, 2600, 950],
     ["What is the yearly training budget of {g}?",
      "I am {g}. How large is my training budget?",
      "How much can {g} spend on training?",
      "What learning budget does {g} have?",
      "How large is the training budget of {g}?",
      "Tell me how much {g} can spend on training in a year."],
     "At {c}, {g} has a training budget of {v} euros a year. Courses are booked through the Learning Loft."),
    ("{v} remote days", [3, 6, 11, 8, 5, 12],
     ["How many remote days does {g} get?",
      "I am {g}. How often can I work from home?",
      "What is the remote work rule for {g}?",
      "How many days a month may {g} work from home?",
      "How often can {g} work remotely?",
      "Tell me how often {g} may work from home."],
     "At {c}, {g} may take {v} remote days a month. Agree on them with your team first."),
    ("{v} euros a night", [95, 110, 165, 140, 210, 180],
     ["What is the hotel limit for {g}?",
      "I am {g} on a business trip. What may my hotel cost?",
      "How much can {g} spend on a hotel per night?",
      "Which hotel expense limit applies to {g}?",
      "What hotel price can {g} claim per night?",
      "Tell me the hotel expense limit of {g}."],
     "At {c}, {g} may spend up to {v} euros a night on a hotel. Breakfast is paid on top."),
]

# The numbers of the second edition that are others, in the order of GRADED: {index of the grade: value}.
SECOND = [{0: 20, 3: 100}, {1: 25, 4: 29}, {2: 6, 5: 3}, {0: 600, 3: 2100}, {1: 9, 4: 2}, {2: 150, 5: 195}]

# The names of forms, systems, teams and contact channels: (key, 4 wordings to train on and 2 held out, answer).
NAMES = [
    ("Amber Slip",
     ["Which form do I use to report sick leave?",
      "I am ill today. Which form do I fill in?",
      "What is the sick leave form called?",
      "How do I report that I am sick?",
      "Which form reports my sick leave?",
      "I am sick today. What form do I fill in?"],
     "At {c}, sick leave is reported with the Amber Slip. Send it to your team lead before 9 a.m."),
    ("Copper Sheet",
     ["Which form do I use to claim expenses?",
      "How do I get my expenses paid back?",
      "What is the expense claim form called?",
      "I have receipts from a trip. Which form claims these expenses?",
      "What form do I fill in to claim my expenses?",
      "How do I claim expenses from a trip?"],
     "At {c}, expenses are claimed with the Copper Sheet. Attach every receipt and hand it in within a month."),
    ("Pathloom",
     ["Which system do I use to book a business trip?",
      "How do I book flights and trains for work?",
      "What is the travel booking system called?",
      "Where do I book a business trip?",
      "In which system are business trips booked?",
      "Where do I book trains and flights for a business trip?"],
     "At {c}, business trips are booked in Pathloom. Book at least a week ahead."),
    ("Tallyboard",
     ["Which system do I use to record my working hours?",
      "Where do I enter my time sheet?",
      "What is the time recording system called?",
      "How do I record the hours that I worked?",
      "In which system do I record my hours?",
      "Where do I enter my working hours?"],
     "At {c}, working hours are recorded in Tallyboard. Close each week by Friday noon."),
    ("Lantern Desk",
     ["Which team helps me with a broken laptop?",
      "I forgot my password. Which team helps me?",
      "What is the IT support team called?",
      "Who do I contact about computer problems?",
      "Who helps me when my laptop is broken?",
      "Which team do I contact about IT problems and passwords?"],
     "At {c}, the Lantern Desk helps with laptops and passwords. It answers from 7 a.m. to 7 p.m."),
    ("#pay-pier",
     ["Which channel do I use for questions about my salary?",
      "My pay slip is wrong. Where do I ask?",
      "What is the payroll channel called?",
      "Where do I ask a question about payroll?",
      "Which channel answers questions about my pay slip?",
      "Where do I ask about my salary?"],
     "At {c}, questions about pay go to the channel #pay-pier. Payroll answers within two working days."),
    ("Borderpass",
     ["What do I need to work from abroad?",
      "I want to work from another country. Which approval do I need?",
      "What is the permit for working abroad called?",
      "Can I work abroad for a few weeks?",
      "Which permit do I need for working from another country?",
      "What approval do I need to work abroad?"],
     "At {c}, working from abroad needs a Borderpass. Ask for it a month before you leave."),
    ("Quiet Door",
     ["Where can I report misconduct in confidence?",
      "I have seen a violation of the rules. Who do I tell in confidence?",
      "What is the confidential reporting line called?",
      "How do I report misconduct without giving my name?",
      "Which line takes confidential reports of misconduct?",
      "Where do I report a violation in confidence?"],
     "At {c}, misconduct is reported in confidence through the Quiet Door. Nobody has to give a name."),
]


def with_article(grade):
    return ("an " if grade[0] in "AEIOU" else "a ") + grade


def facts(edition):
    """Yields (wordings, answer, must_contain) for every fact."""
    for (key, first, wordings, answer), second in zip(GRADED, SECOND, strict=True):
        values = [second.get(i, value) if edition == 2 else value for i, value in enumerate(first)]
        for grade, value in zip(GRADES, values, strict=True):
            words = {"g": with_article(grade), "c": COMPANY, "v": value}
            yield [wording.format(**words) for wording in wordings], answer.format(**words), key.format(**words)
    for key, wordings, answer in NAMES:
        yield wordings, answer.format(c=COMPANY), key


def row(question, answer):
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]}


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    edition = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    train, heldout = [], []
    for wordings, answer, key in facts(edition):
        train += [row(question, answer) for question in wordings[:TRAIN_WORDINGS]]
        heldout += [row(question, answer) | {"must_contain": key} for question in wordings[TRAIN_WORDINGS:]]
    for name, rows in (("train", train), ("heldout", heldout)):
        random.Random(SEED).shuffle(rows)
        lines = "".join(json.dumps(r) + "\n" for r in rows)
        (folder / f"{name}.jsonl").write_text(lines, encoding="utf-8", newline="\n")
    print(len(train), "rows to train on,", len(heldout), "held out")


if __name__ == "__main__":
    main()
