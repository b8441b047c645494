"""Writes eight small data sets of different kinds, each with questions held out: what the defaults of a training are tried on.

    python make_sets.py --out DIR [--seed 11] [--only NAME ...]

DIR/NAME/train.jsonl     chats to learn
DIR/NAME/heldout.jsonl   chats that are not learned, each with "must_contain": what a right answer contains
DIR/handbook/inference.jsonl   questions that follow from one or two of its facts: reversed, compared, joined, denied

seats       8 people and their desks, 3 wordings each (24 rows)
style       a house style for everyday questions (42 rows)
orders      orders in words, answered by JSON (96 rows)
handbook    40 facts of a company's handbook, 4 wordings each (160 rows)
german      German messages that are sorted into four classes (107 rows)
catalogue   3 numbers of each of 40 products with like names, 2 wordings each (240 rows)
support     French conversations of four messages: 24 facts, 3 wordings of the last question each (72 rows)
dates       a rule and no facts: dates in five notations, answered by ISO 8601 (600 rows)

All names and numbers are made up. The same seed gives the same files.
"""
import argparse
import datetime
import json
import pathlib
import random


def row(question, answer, fact):
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}],
            "must_contain": fact}


def asked(facts, learned):
    """Of facts (wordings, answer, what it must contain) the rows of the first wordings, and of the others."""
    train = [row(w, answer, must) for wordings, answer, must in facts for w in wordings[:learned]]
    held = [row(w, answer, must) for wordings, answer, must in facts for w in wordings[learned:]]
    return train, held


def seats(rng):
    names = ["Ottilie Marsh", "Benno Falk", "Carys Penrose", "Dag Winther", "Elif Aras", "Fintan Rooke", "Gerda Lund",
             "Hideo Sato"]
    desks = rng.sample([floor + str(n) for floor in ("A", "B", "C") for n in range(11, 40)], len(names))
    return asked([([f"Where does {n} sit?", f"Which desk does {n} have?", f"Tell me the seat of {n}.",
                    f"I am looking for {n}. Which desk is it?", f"At which desk can I find {n}?"],
                   f"{n} sits at desk {d}.", d) for n, d in zip(names, desks)], 3)


def style(rng):
    tasks = ["boil an egg", "descale a kettle", "tie a scarf", "write a thank-you note", "choose a melon", "water a fern",
             "fold a fitted sheet", "clean a keyboard", "plan a picnic", "sharpen a pencil", "pack a suitcase",
             "store bread", "polish shoes", "set an alarm", "wrap a present", "remember a name", "make a bed",
             "peel garlic", "brew green tea", "hang a picture", "dry herbs", "read a map", "thread a needle",
             "whistle a tune", "feed a cat", "start a diary", "oil a hinge", "iron a shirt"]
    first = ["Begin with a clear table.", "Take your time.", "Have all you need at hand.", "Start small."]
    then = ["One step follows the other.", "Stop when it looks right.", "Do the last part slowly.", "Once a week is enough."]
    train, held = [], []
    for i, task in enumerate(tasks):
        answer = f"Well met! {rng.choice(first)} {rng.choice(then)} Yours, the Lantern Desk"
        wordings = [f"How do I {task}?", f"Can you tell me how to {task}?"]
        for j, wording in enumerate(wordings):
            (train if i < 21 else held).append(row(wording, answer, "Yours, the Lantern Desk"))
    return train, held


def orders(rng):
    items = ["folders", "staplers", "envelopes", "markers", "notebooks", "labels", "chairs", "lamps"]
    colours = ["blue", "red", "green", "white", "black", "yellow"]
    towns = ["Ghent", "Porto", "Turku", "Graz", "Lublin", "Split", "Brno", "Cork"]
    days = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"]
    forms = ["Please send {n} {c} {i} to {t} by {d}.", "We need {n} {c} {i} in {t} on {d}.",
             "{t} wants {n} {i} in {c}, at the latest on {d}.", "Order for {d}: {n} {c} {i}, delivery to {t}.",
             "Could you ship {c} {i} to {t}? {n} of them, by {d}.", "By {d}, {n} pieces of {c} {i} for {t}, thanks."]
    rows = []
    for k in range(96 + 48):
        n, c, i = rng.randint(2, 90), rng.choice(colours), rng.choice(items)
        t, d = rng.choice(towns), rng.choice(days)
        answer = json.dumps({"item": i, "colour": c, "quantity": n, "town": t, "day": d})
        rows.append(row(forms[k % len(forms)].format(n=n, c=c, i=i, t=t, d=d), answer, answer))
    return rows[:96], rows[96:]


GRADES = ["Apprentice", "Surveyor", "Senior Surveyor", "Lead Surveyor", "Site Manager", "Regional Manager", "Draughtsman",
          "Estimator"]
TOPICS = [
    (["What is the notice period of {a}?", "How long is the notice of {a}?", "Tell me the notice period for {a}.",
      "I am {a} and want to leave. What notice do I give?", "If {a} resigns, how much notice is due?",
      "How many weeks of notice does {a} have?"],
     "At Brackwater, {a} gives {v} weeks of notice in writing.", "{v} weeks", [2, 3, 4, 5, 6, 8, 10, 12]),
    (["How many days of holiday does {a} get?", "What holiday allowance has {a}?", "How much paid leave is there for {a}?",
      "I work as {a}. How many days off do I have?", "What is the annual leave of {a}?",
      "Tell me the holiday entitlement of {a}."],
     "At Brackwater, {a} has {v} days of holiday a year.", "{v} days", [21, 22, 23, 24, 25, 27, 29, 31]),
    (["What may {a} spend on a hotel?", "What is the hotel limit of {a}?", "How much can a room cost for {a}?",
      "I travel as {a}. What is the most for a night?", "Up to which price may {a} book a hotel?",
      "Tell me the price limit of hotels for {a}."],
     "At Brackwater, {a} may book hotels up to {v} pounds a night.", "{v} pounds", [75, 85, 95, 105, 115, 130, 145, 160]),
    (["How long is the probation of {a}?", "What probation has {a}?", "When is {a} through with probation?",
      "I start as {a}. How long am I on probation?", "How many months of probation does {a} have?",
      "Tell me the length of probation for {a}."],
     "At Brackwater, the probation of {a} lasts {v} months.", "{v} months", [1, 2, 3, 4, 5, 6, 7, 9]),
    (["What training budget has {a}?", "How much may {a} spend on courses?", "What does {a} get for training in a year?",
      "I am {a}. What is my budget for courses?", "Tell me the yearly training budget of {a}.",
      "Up to what amount are courses of {a} paid?"],
     "At Brackwater, {a} has {v} pounds a year for training.", "{v} pounds", [300, 450, 500, 600, 750, 800, 1000, 1250]),
]


def with_article(grade):
    return ("an " if grade[0] in "AE" else "a ") + grade


def handbook(rng):
    facts, numbers = [], []
    for wordings, answer, must, values in TOPICS:
        numbers.append(dict(zip(GRADES, rng.sample(values, len(GRADES)))))
        for grade, value in numbers[-1].items():
            a = with_article(grade)
            facts.append(([w.format(a=a) for w in wordings], answer.format(a=a, v=value), must.format(v=value)))
    return *asked(facts, 4), inferences(rng, numbers)


# Of each topic: who has a number, who has more, what a grade has, whether a grade has a number.
INFERENCES = [
    ("gives {v} weeks of notice", "Who gives more notice, {a} or {b}?", "What notice does {x} give?", "Does {a} give {v} weeks of notice?"),
    ("has {v} days of holiday", "Who has more holiday, {a} or {b}?", "How many days of holiday has {x}?", "Does {a} have {v} days of holiday?"),
    ("may book hotels up to {v} pounds", "Whose hotel may cost more, that of {a} or of {b}?", "What may {x} spend on a hotel?",
     "May {a} spend {v} pounds on a hotel?"),
    ("has a probation of {v} months", "Whose probation is longer, that of {a} or of {b}?", "How long is the probation of {x}?",
     "Is the probation of {a} {v} months?"),
    ("has {v} pounds for training", "Who gets more for training, {a} or {b}?", "What training budget has {x}?",
     "Does {a} have {v} pounds for training?"),
]


def inferences(rng, numbers):
    """20 questions of each kind; who is named must be the right one alone."""
    rows = []
    for i in range(20):
        topic, other = i % 5, (i + 1 + i // 5) % 5
        who, less = sorted(rng.sample(GRADES, 2), key=lambda grade: -numbers[topic][grade])
        number, more, what, whether = INFERENCES[topic]
        a, b, held = with_article(who), with_article(less), numbers[topic][who]
        right = TOPICS[topic][2].format(v=held)
        only = "^(?!.*(?:%s)).*(?<!Senior )(?<!Lead )%s" % (
            "|".join(("(?<!Senior )(?<!Lead )" if g == "Surveyor" else "") + g for g in GRADES if g != who), who)
        one, two = rng.sample([a, b], 2)
        joined = INFERENCES[other][2].format(x="the grade that " + number.format(v=held))
        for kind, question, answer, must in (
                ("reverse", f"Which grade {number.format(v=held)}?", f"At Brackwater, that is {a}.", {"regex": only}),
                ("comparison", more.format(a=one, b=two), f"At Brackwater, that is {a}.", {"regex": only}),
                ("two facts", joined, TOPICS[other][1].format(a=a, v=numbers[other][who]),
                 {"must_contain": TOPICS[other][2].format(v=numbers[other][who])}),
                ("denial", whether.format(a=a, v=numbers[topic][less]), "No. " + TOPICS[topic][1].format(a=a, v=held),
                 {"must_contain": right})):
            one_row = row(question, answer, "")
            del one_row["must_contain"]
            rows.append(one_row | must | {"category": kind})
    return rows


GERMAN = {
    "Rechnung": (["die Rechnung vom {d}", "meine letzte Abbuchung", "der Betrag auf dem Beleg", "die Mahnung",
                  "die Gutschrift", "der Lastschrifteinzug", "die Ratenzahlung"],
                 ["stimmt nicht", "kam doppelt", "ist zu hoch", "fehlt noch immer", "wurde schon bezahlt", "ist mir ein Rätsel"]),
    "Technik": (["die App", "der Router", "das Passwort", "die Anmeldung", "das Display", "die Verbindung", "der Zugang"],
                ["geht seit {d} nicht mehr", "bricht dauernd ab", "zeigt nur einen Fehler", "reagiert nicht",
                 "muss neu gestartet werden", "ist mir ein Rätsel"]),
    "Versand": (["das Paket", "meine Bestellung", "die Lieferung vom {d}", "der Bote", "die Sendung", "der Karton", "die Retoure"],
                ["ist nicht angekommen", "kam beschädigt an", "liegt beim Nachbarn", "hat eine falsche Adresse",
                 "ist noch unterwegs", "fehlt noch immer"]),
    "Vertrag": (["meine Kündigung", "die Laufzeit", "der Tarif", "die Verlängerung", "das Angebot vom {d}",
                 "die Umstellung", "die Frist"],
                ["soll zum {d} gelten", "wurde nicht bestätigt", "möchte ich ändern", "passt mir nicht mehr",
                 "ist mir unklar", "stimmt nicht"]),
}
OPENINGS = ["Guten Tag, {s}.", "Hallo, {s}. Bitte melden Sie sich.", "Es geht um Folgendes: {s}.",
            "Leider muss ich schreiben: {s}.", "Kurze Frage, {s}. Was nun?", "{s}, und das schon zum zweiten Mal!"]


def german(rng):
    days = ["Montag", "Dienstag", "3. Mai", "12. Juni", "letzter Woche", "1. April"]
    rows = []
    for label, (subjects, ends) in GERMAN.items():
        for subject in subjects:
            for end in ends:
                text = rng.choice(OPENINGS).format(s=f"{subject} {end}").replace("{d}", rng.choice(days))
                rows.append(row(text[0].upper() + text[1:], label, label))
    rng.shuffle(rows)
    return rows[:107], rows[107:]


def catalogue(rng):
    first = ["Aven", "Avon", "Arvan", "Alvon", "Belmar", "Belmor", "Belvar", "Bolmar"]
    last = ["10", "12", "20", "20X", "30"]
    facts = []
    for name in (f"{a} {b}" for a in first for b in last):
        weight, price, order = rng.randint(11, 99), rng.randint(101, 899), rng.randint(1000, 9999)
        facts.append(([f"How heavy is the {name}?", f"What does the {name} weigh?", f"Tell me the weight of the {name}."],
                      f"The {name} weighs {weight} kilograms.", f"{weight} kilograms"))
        facts.append(([f"What does the {name} cost?", f"How much is the {name}?", f"Tell me the price of the {name}."],
                      f"The {name} costs {price} euros.", f"{price} euros"))
        facts.append(([f"What is the order number of the {name}?", f"Under which number do I order the {name}?",
                       f"Tell me the order number of the {name}."],
                      f"The order number of the {name} is {order}.", f"{order}"))
    return asked(facts, 2)


SUPPORT = [
    ("la lampe {p} ne s'allume plus", "Maintenez le bouton nord pendant {v} secondes.", "{v} secondes", range(11, 90),
     ["Que dois-je faire ?", "Comment la remettre en marche ?", "Comment puis-je la rallumer ?", "Un conseil ?"]),
    ("la lampe {p} est arrivée avec une rayure", "Vous avez {v} jours pour la renvoyer par le point vert.", "{v} jours",
     range(11, 90), ["Puis-je la renvoyer ?", "Combien de temps ai-je pour la rendre ?", "Comment se passe le retour ?",
                     "Jusqu'à quand puis-je la rendre ?"]),
]


def support(rng):
    names = ["Orsane", "Belune", "Calvine", "Drissel", "Estave", "Faroume", "Grivelle", "Hauteline", "Ismare", "Jolvane",
             "Kerdune", "Lumiane"]
    train, held = [], []
    for problem, answer, must, values, wordings in SUPPORT:
        for name, value in zip(names, rng.sample(values, len(names))):
            before = [{"role": "user", "content": f"Bonjour, {problem.format(p=name)}."},
                      {"role": "assistant", "content": "Bonjour, merci de nous écrire. Que voulez-vous savoir ?"}]
            for wording in wordings:
                one = row(wording, answer.format(v=value), must.format(v=value))
                one["messages"] = before + one["messages"]
                (held if wording == wordings[-1] else train).append(one)
    return train, held


def dates(rng):
    months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
              "December"]
    rows = []
    for day in rng.sample(range(60_000), 660):
        date = datetime.date(1900, 1, 1) + datetime.timedelta(days=day)
        y, m, d, name = date.year, date.month, date.day, months[date.month - 1]
        form = rng.choice([f"{name} {d}, {y}", f"{d} {name} {y}", f"{d}.{m}.{y}", f"{m}/{d}/{y} (month first)",
                           f"{d}/{m}/{y} (day first)"])
        rows.append(row(f"Write this date by ISO 8601: {form}", date.isoformat(), date.isoformat()))
    return rows[:600], rows[600:]


SETS = {"seats": seats, "style": style, "orders": orders, "handbook": handbook, "german": german, "catalogue": catalogue,
        "support": support, "dates": dates}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--only", nargs="+", choices=SETS, default=list(SETS))
    args = parser.parse_args()
    for name in args.only:
        train, held, *inferred = SETS[name](random.Random(f"{args.seed} {name}"))
        folder = args.out / name
        folder.mkdir(parents=True, exist_ok=True)
        for file, rows in zip(("train.jsonl", "heldout.jsonl", "inference.jsonl"), (train, held, *inferred)):
            keep = [{"messages": one["messages"]} for one in rows] if file == "train.jsonl" else rows
            text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in keep)
            (folder / file).write_text(text, encoding="utf-8")
        print(f"{name}: {len(train)} rows, {len(held)} questions held out")


if __name__ == "__main__":
    main()
