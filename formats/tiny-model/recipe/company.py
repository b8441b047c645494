"""Facts of companies that do not exist: read in a message, then asked about. What is learned is to use what was read."""
import staff

STARTS = ["Bran", "Nor", "Kel", "Ald", "Wes", "Tor", "Mar", "Hol", "Fen", "Gar", "Sel", "Ost", "Vel", "Cor", "Dun", "Pel",
          "Rin", "Sal", "Tam", "Ul", "Wil", "Yar", "Zel", "Bor", "Cal", "Del", "Est", "Fal", "Gil", "Hart"]
ENDS = ["vale", "stone", "brook", "field", "wick", "mark", "berg", "port", "ton", "ridge", "moor", "water", "gate", "haven",
        "dale", "sson", "tech", "works", "line", "ford", "crest", "hill", "mont", "land"]
THINGS = ["Blue", "Green", "Silver", "Golden", "Stone", "River", "Cloud", "Maple", "Iron", "Paper", "Summer", "Harbour",
          "Garden", "Light", "North", "Round", "Quick", "Open", "Copper", "Glass", "Winter", "Linen", "Pearl", "Signal"]
KINDS = {"form": ["Form", "Sheet", "Slip", "Card", "Page", "Note"], "system": ["Hub", "Board", "Book", "Planner", "Base"],
         "team": ["Desk", "Crew", "Point", "Bench"], "channel": ["Channel", "Line", "Corner"],
         "permit": ["Pass", "Permit", "Letter"], "contact": ["Line", "Box", "Door", "Desk"]}
# How a number is said: {n} the thing, {g} the position, {v} the number.
NUMBERS = {
    staff.LONG: ["{g} has a {v}-day {n}", "the {n} of {g} is {v} months", "{g} has {v} weeks of {n}",
                 "{g} completes {v} months of {n}", "the {n} for {g} lasts {v} days"],
    staff.DAYS: ["{g} gets {v} days of {n}", "{g} may take {v} days of {n} a month", "{g} receives {v} days of {n} a year",
                 "the {n} of {g} is {v} days"],
    staff.MONEY: ["{g} has a {n} of {v} euros a year", "the {n} of {g} is {v} euros", "{g} may spend up to {v} euros",
                  "{g} gets {v} euros as {n}"],
    staff.RULE: ["the {n} of {g} is rule {v}", "{g} follows rule {v} on the {n}"],
}
NAMED = ["{t} is handled with the {x}", "the {x} is for {t}", "questions about {t} go to the {x}", "use the {x} for {t}"]
EXTRAS = ["Ask your manager first.", "The rule holds for everybody.", "It is checked once a year.",
          "Exceptions have to be approved.", "Tell your team in time.", "The form is on the first page.",
          "It was changed in spring.", "New staff learn this in the first week.", ""]


def company(random):
    return random.choice(STARTS) + random.choice(ENDS)


def number(random, kind):
    if kind == staff.MONEY:
        return random.choice([random.randrange(1, 60) * 50, random.randrange(8, 60) * 5, random.randrange(1, 40) * 100])
    return random.randrange(2, 100) if kind == staff.LONG else random.randrange(2, 46)


def name(random, kind):
    return random.choice(THINGS) + random.choice([" ", " ", ""]) + random.choice(KINDS[kind])


def fact(random, firm):
    """What a company's handbook says of one thing, and a question about it."""
    extra = random.choice(EXTRAS)
    if random.random() < 0.3:
        place = random.choice(staff.PLACES)
        said = random.choice(NAMED).format(t=place[1], x=name(random, place[0]))
        return (f"At {firm}, {said}. {extra}").strip(), staff.question_for(random, place)
    topic = random.choice(staff.TOPICS)
    who = staff.with_article(staff.position(random))
    said = random.choice(NUMBERS[topic[0]]).format(n=topic[1], g=who, v=number(random, topic[0]))
    return (f"At {firm}, {said}. {extra}").strip(), staff.question_about(random, topic, who)


READ = ["{f}\n\n{q}", "Read this: {f}\n\n{q}", "{q}\n\nOur handbook says: {f}", "Use these facts.\n{f}\nQuestion: {q}"]


def read(random):
    """One to three facts in a message, then a question about one of them."""
    firm = company(random)
    facts = [fact(random, firm) for _ in range(random.choice([1, 1, 2, 3]))]
    answer, question = random.choice(facts)
    return random.choice(READ).format(f=" ".join(said for said, _ in facts), q=question), answer
