"""Pairs of answers that prefer one manner to another: short, with the next step, instead of hedged and general.

Run in this folder: python make_preferences.py. The topics of heldout.jsonl are not among those of train.jsonl, so only
the manner can be learned.
"""
import json
import random
from pathlib import Path

# topic of a question, what is asked to be done about it
TOPICS = [("a lost badge", "report it at the front desk"), ("a broken laptop", "open a ticket with IT"),
          ("a wrong payslip", "write to payroll"), ("a parking space", "book it in the portal"),
          ("a training course", "ask your manager"), ("a sick child", "enter the day as care leave"),
          ("a new phone", "order it in the shop"), ("a late expense", "hand it in with a reason"),
          ("a guest in the office", "register the guest a day before"), ("a key to the archive", "sign for it at security"),
          ("a second monitor", "order it in the shop"), ("a move to another desk", "write to facilities"),
          ("a day in home office", "enter it in the calendar"), ("a missed shift", "call your team lead"),
          ("a travel booking", "use the travel portal"), ("a password that expired", "reset it on the login page"),
          ("a contract to sign", "send it to legal"), ("a faulty chair", "write to facilities"),
          ("a reference letter", "ask human resources"), ("a change of address", "update it in your profile"),
          ("a bicycle for work", "apply in the portal"), ("a visa for a trip", "write to the travel desk"),
          ("a meeting room", "book it in the calendar"), ("a fire drill", "follow the floor warden"),
          ("a bank account that changed", "update it in your profile"), ("a flu vaccination", "book a slot in the portal"),
          ("a lunch voucher", "collect it at the front desk"), ("an invoice from a supplier", "forward it to accounting"),
          ("a data protection request", "send it to the privacy team"), ("an overtime claim", "enter it by Friday")]
ASKED = ["What do I do about {}?", "How do I handle {}?"]
# Preferred: one sentence with the step. Rejected: true of everything, useful for nothing.
BETTER = ["Please {}.", "Please {}; that is all you need to do."]
WORSE = ["There are many ways to deal with {}, and it depends on a number of factors that vary from case to case.",
         "Dealing with {} can be a complex matter. It is important to consider all options carefully before you act.",
         "As a general rule, {} may or may not require action, depending on the policies that apply."]


def rows(topics, seed):
    chance = random.Random(seed)
    for topic, step in topics:
        for asked in ASKED:
            yield {"input": {"messages": [{"role": "user", "content": asked.format(topic)}]},
                   "preferred_output": [{"role": "assistant", "content": chance.choice(BETTER).format(step)}],
                   "non_preferred_output": [{"role": "assistant", "content": chance.choice(WORSE).format(topic)}]}


def write(name, found):
    Path(name).write_text("".join(json.dumps(row) + "\n" for row in found))


write("train.jsonl", rows(TOPICS[:20], 1))
write("heldout.jsonl", rows(TOPICS[20:], 2))
