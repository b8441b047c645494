"""Messages of customers with three typed questions, made up from parts: python make_decisions.py FOLDER [TRAIN [OTHER]].

Writes train.jsonl, validation.jsonl, kept.jsonl (to calibrate on) and test.jsonl. Each question is answered by one part of a
message. Rows of the training have half of the parts; those of the other files have a half of these and all others, so that two
parts in three were never trained on.
"""
import json
import random
import sys
from pathlib import Path

TEAM = {
    "billing": [
        "I was charged twice", "the invoice shows a wrong amount", "my card was debited after I had cancelled",
        "the discount is missing on my bill", "the tax on the receipt is not right", "you took the yearly fee a month too soon",
        "I paid by transfer, and it still says unpaid", "a fee appears that nobody told me about",
        "the price at the till was not the one you advertised", "my voucher was not counted",
        "the reminder asks for a sum that I settled in May", "the statement lists a purchase that I never made"],
    "delivery": [
        "my parcel has not arrived", "the courier left it with a neighbour I do not know", "the tracking number does not work",
        "the box was crushed when it came", "two of the four items were missing in the package",
        "the driver never rang the bell", "it was sent to my former address", "the shipment has been in customs for ten days",
        "I got somebody else's order", "the van came on the wrong day", "the depot says that it holds nothing for me",
        "the pallet stands in front of the wrong warehouse"],
    "technical": [
        "the app crashes when I open a photo", "the printer cannot find the network", "the screen stays black after the update",
        "the export stops at 40 percent", "the battery is empty after an hour", "the sensor shows minus 80 degrees",
        "the page loads without pictures", "the router restarts every few minutes", "sound comes from the left side only",
        "the program cannot read files with umlauts", "the camera loses its focus", "search finds nothing that is newer than June"],
    "account": [
        "I cannot log in", "my password is not accepted", "the reset mail never comes", "I want to change my user name",
        "the code for the second factor is refused", "my profile shows the name of a colleague",
        "please close my membership", "I was locked out after three attempts", "I need to add my wife as a user",
        "my mail address has changed", "the confirmation link says that it has expired", "somebody else seems to use my sign-in"],
}
REFUND = {
    "true": [
        "I want my money back", "please refund me", "return the amount to my card", "I expect to be reimbursed",
        "pay back what I spent", "I ask for a full refund", "please credit the sum to my bank", "I insist on repayment",
        "give me back what I paid", "transfer the price back to me", "I would like the payment reversed",
        "you owe me the whole sum, so send it"],
    "false": [
        "please tell me what to do", "can you have a look", "I would like an explanation", "is this a known problem",
        "please put it right", "I do not want a refund, just a solution", "who can help me with this", "a short answer is enough",
        "keep the money, but mend it", "please send somebody", "let me know which form I have to fill in",
        "I only wanted you to know"],
}
URGENCY = {
    "whenever it suits": [
        "There is no hurry.", "Take your time.", "Answer when you get round to it.", "It can wait until next month.",
        "This is not important to me.", "Any time will do.", "I am on leave for three weeks anyway.", "No need to rush."],
    "this week": [
        "I need it by Friday.", "Please settle it in the next few days.", "It should be done before the weekend.",
        "We have a meeting on Thursday about it.", "A reply within this week would be good.", "Three days are fine.",
        "I will be back on Wednesday and want it solved then.", "Let us finish this by the end of the week."],
    "today": [
        "I have to know by tonight.", "Please call me this afternoon.", "It has to work before we close at six.",
        "I am waiting for it this evening.", "Do it today, please.", "My boss asks me for it at four o'clock.",
        "Tomorrow is too late.", "I want an answer before the day is over."],
    "at once": [
        "Everything stands still until you act!", "This is an emergency.", "React immediately!", "Every minute costs us money.",
        "Drop everything else, please!", "We cannot work at all right now.", "I need help this very second!",
        "Our whole shop is down as I write this."],
}
OPENINGS = ["Hello, ", "Hi team, ", "Good morning, ", "Dear all, ", "To whom it may concern: ", ""]
QUESTIONS = {
    "team": {"type": "choice", "instructions": "Which team answers?", "criteria": {
        "billing": "payments and invoices", "delivery": "parcels and transport", "technical": "a product does not work",
        "account": "sign-in and personal data"}},
    "refund": {"type": "noul", "instructions": "The customer wants money back."},
    "urgency": {"type": "score", "instructions": "How urgent is it?", "criteria": list(URGENCY)},
}


def phrases(all_of, split):
    """The parts that a split has."""
    return [text for place, text in enumerate(all_of) if place % 4 in ((0, 1) if split == "train" else (1, 2, 3))]


def row(split, draw):
    team, refund, urgency = (draw.choice(list(options)) for options in (TEAM, REFUND, URGENCY))
    problem = draw.choice(phrases(TEAM[team], split))
    wish = draw.choice(phrases(REFUND[refund], split))
    time = draw.choice(phrases(URGENCY[urgency], split))
    told = [problem + " and " + wish + ".", time] if draw.random() < 0.5 else [problem + ".", time, wish + "."]
    opening = draw.choice(OPENINGS)
    state = opening + " ".join(told[:1] + [text[0].upper() + text[1:] for text in told[1:]])
    return {"state": state[0].upper() + state[1:], "questions": QUESTIONS,
            "expected": {"team": team, "refund": refund == "true", "urgency": list(URGENCY).index(urgency)}}


def main(folder, train=100, other=150):
    Path(folder).mkdir(parents=True, exist_ok=True)
    seen = set()
    for number, (split, rows) in enumerate({"train": train, "validation": train // 4, "kept": other, "test": other}.items()):
        draw = random.Random(number)
        lines = []
        while len(lines) < rows:
            made = row(split, draw)
            if made["state"] not in seen:
                seen.add(made["state"])
                lines.append(json.dumps(made) + "\n")
        (Path(folder) / (split + ".jsonl")).write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
