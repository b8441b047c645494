"""Writes the made part of the built-in guard set: questions with two to four answers, asked by likelihood.

Run in this folder: python make_guard.py. It needs nothing but Python; the same words give the same file. Questions that
the hand-written part has, too, and those that trainings use against forgetting are left out. The words were written for PEFT4J.
"""
import json
import random
from pathlib import Path

RESOURCES = Path("../../peft-eval/src/main/resources/io/peft4j/eval/guard")
draw = random.Random(7)
items = []


def add(category, question, *choices):
    items.append({"category": category, "question": question, "choices": list(choices)})


def other(right, words):
    return draw.choice([word for word in words if word != right])


# ---- language

PLURALS = ("child children childs, foot feet foots, tooth teeth tooths, man men mans, woman women womans, goose geese gooses, "
           "leaf leaves leafs, wolf wolves wolfs, knife knives knifes, city cities citys, baby babies babys, box boxes boxs, "
           "bus buses buss, dish dishes dishs, tomato tomatoes tomatos, shelf shelves shelfs, person people persones, "
           "party parties partys, watch watches watchs, story stories storys")
for word in PLURALS.split(", "):
    one, many, wrong = word.split()
    add("language", f"What is the plural of '{one}'?", many, wrong)
PASTS = ("go went goed, eat ate eated, see saw seed, take took taked, write wrote writed, run ran runned, give gave gived, "
         "come came comed, buy bought buyed, think thought thinked, teach taught teached, find found finded, make made maked, "
         "know knew knowed, drink drank drinked, sing sang singed, fly flew flied, sleep slept sleeped, feel felt feeled, "
         "speak spoke speaked, break broke breaked, fall fell falled, keep kept keeped, leave left leaved, lose lost losed, "
         "sell sold selled, send sent sended, sit sat sitted, stand stood standed, win won winned")
for word in PASTS.split(", "):
    now, past, wrong = word.split()
    add("language", f"What is the past tense of '{now}'?", past, wrong)
OPPOSITES = ("hot cold, big small, fast slow, up down, open closed, happy sad, old young, light dark, rich poor, hard soft, "
             "wet dry, full empty, high low, strong weak, near far, left right, day night, clean dirty, thick thin, early late, "
             "long short, loud quiet, good bad, first last, inside outside, black white, always never, above below, "
             "beautiful ugly, sharp dull")
pairs = [word.split() for word in OPPOSITES.split(", ")]
for one, two in pairs:
    add("language", f"What is the opposite of '{one}'?", two, other(two, [b for a, b in pairs if a != one]))
FILLS = ["The children ___ playing outside.|are|is", "My sister ___ a doctor.|is|are", "The dogs ___ very loud.|are|is",
         "She ___ to school every day.|goes|go", "They ___ to the beach last summer.|went|goes",
         "He has ___ the book already.|read|reading", "I am ___ than my brother.|taller|tallest",
         "This is the ___ day of my life.|best|better", "There ___ a cat on the roof.|is|are",
         "There ___ many people here.|are|is", "We have lived here ___ ten years.|for|since",
         "I have been waiting ___ noon.|since|for", "She is good ___ mathematics.|at|on", "He is afraid ___ spiders.|of|at",
         "The meeting is ___ Monday.|on|in", "My birthday is ___ July.|in|on", "The train leaves ___ five o'clock.|at|in",
         "Please listen ___ me.|to|at", "I would like ___ apple.|an|a", "She wants to buy ___ car.|a|an",
         "He gave the book to ___.|her|she", "___ are my best friends.|They|Them", "This house is ___.|ours|our",
         "If it rains, we ___ stay at home.|will|would have", "She can ___ very well.|swim|swims",
         "You must ___ your homework.|do|doing", "He enjoys ___ the piano.|playing|play",
         "I want ___ a new language.|to learn|learning", "How ___ sugar do you need?|much|many",
         "How ___ apples are there?|many|much", "The man ___ lives next door is a teacher.|who|which",
         "The soup is ___ hot to eat.|too|to", "I do not know ___ he is.|where|which", "It is cold, ___ take a coat.|so|but",
         "He was tired, ___ he kept working.|but|so"]
for row in FILLS:
    text, right, wrong = row.split("|")
    add("language", f"Fill in the missing word: {text}", right, wrong)
WORDS = {"Spanish": "casa house, perro dog, gato cat, libro book, sol sun, noche night, leche milk, amigo friend, rojo red, "
                    "mesa table",
         "French": "lune moon, chien dog, fleur flower, soleil sun, pomme apple, rouge red, nuit night, ami friend, "
                   "école school, pain bread",
         "German": "Haus house, Hund dog, Katze cat, Buch book, Wasser water, Milch milk, Apfel apple, Schule school, "
                   "Freund friend, rot red"}
for language, words in WORDS.items():
    pairs = [word.split() for word in words.split(", ")]
    for foreign, english in pairs:
        add("language", f"What does the {language} word '{foreign}' mean in English?", english,
            other(english, [b for _, b in pairs]))

# ---- knowledge

CAPITALS = ("Germany Berlin, Spain Madrid, Russia Moscow, China Beijing, Egypt Cairo, Greece Athens, Portugal Lisbon, Austria "
            "Vienna, Poland Warsaw, Ireland Dublin, Sweden Stockholm, Finland Helsinki, Denmark Copenhagen, Hungary Budapest, "
            "Turkey Ankara, India Delhi, Thailand Bangkok, Cuba Havana, Peru Lima, Chile Santiago, Kenya Nairobi, Canada Ottawa, "
            "Australia Canberra, Belgium Brussels, Iraq Baghdad")
pairs = [word.rsplit(" ", 1) for word in CAPITALS.split(", ")]
for country, city in pairs:
    add("knowledge", f"What is the capital of {country}?", city, other(city, [b for _, b in pairs]))
KINDS = {"an animal": "lion rabbit eagle shark cow snake", "a fruit": "banana orange grape strawberry peach melon",
         "a vegetable": "carrot onion potato cabbage spinach broccoli", "a color": "blue yellow purple pink gray green",
         "a country": "Japan Mexico Italy Norway India Brazil", "a tool": "hammer saw screwdriver drill wrench axe",
         "a piece of clothing": "shirt jacket sock hat glove coat", "a vehicle": "bus truck bicycle boat car train",
         "a musical instrument": "guitar violin trumpet flute drum harp"}
for kind, words in KINDS.items():
    for word in words.split():
        wrong = other(kind, list(KINDS))
        first, second = (kind, wrong) if draw.random() < 0.5 else (wrong, kind)
        add("knowledge", f"Is '{word}' {first} or {second}?", kind, wrong)
COLORS = ("a banana yellow, grass green, snow white, coal black, blood red, the sky blue, a lemon yellow, a carrot orange, milk "
          "white, a tomato red, an elephant gray, chocolate brown, a cucumber green, the sea blue, a flamingo pink")
hues = ["yellow", "green", "white", "black", "red", "blue", "orange", "brown", "pink"]
for row in COLORS.split(", "):
    thing, color = row.rsplit(" ", 1)
    add("knowledge", f"What color is {thing}?", color, other(color, hues))
USES = ("cut paper|scissors|a spoon, write a letter|a pen|a fork, eat soup|a spoon|a hammer, open a locked door|a key|a cup, sweep "
        "the floor|a broom|a pillow, tell the time|a clock|a plate, dry your hands|a towel|a knife, take a picture|a camera|a "
        "shoe, brush your teeth|a toothbrush|a candle, drive in a nail|a hammer|a sponge, stay dry in the rain|an umbrella|a "
        "spoon, sleep at night|a bed|a ladder, see small things|a microscope|a blanket, keep food cold|a refrigerator|an oven, "
        "bake a cake|an oven|a freezer, wash clothes|a washing machine|a television, light a dark room|a lamp|a chair, cut bread|a "
        "knife|a brush, measure a temperature|a thermometer|a ruler, carry books to school|a bag|a bottle, see the stars|a "
        "telescope|a mirror, call a friend|a phone|a book, dig a hole|a shovel|a comb, comb your hair|a comb|a shovel, boil "
        "water|a kettle|a basket")
for row in USES.split(", "):
    task, right, wrong = row.split("|")
    add("knowledge", f"What do you use to {task}?", right, wrong)
FACTS = ("Can a fish swim?|Yes, Can a dog fly?|No, Is ice warm?|No, Is the sun hot?|Yes, Do cows give milk?|Yes, Do snakes have "
         "legs?|No, Is a mouse bigger than a horse?|No, Can people breathe under water?|No, Do trees have leaves?|Yes, Is sugar "
         "sweet?|Yes, Is a lemon sour?|Yes, Do birds have feathers?|Yes, Can a stone talk?|No, Is an hour longer than a "
         "minute?|Yes, Is a week longer than a month?|No, Do bicycles need petrol?|No, Is milk a drink?|Yes, Is paper made of "
         "glass?|No, Do bees make honey?|Yes, Can a car drive on a road?|Yes, Is Paris in France?|Yes, Is Africa a city?|No, Do "
         "cats have four legs?|Yes, Is a chair alive?|No")
for row in FACTS.split(", "):
    question, right = row.split("|")
    add("knowledge", f"Answer with yes or no. {question}", right, "No" if right == "Yes" else "Yes")

# ---- arithmetic

for a, b in [(a, b) for a in range(1, 10) for b in range(1, 10) if a <= b][::2]:
    add("arithmetic", f"What is {a} + {b}?", str(a + b), str(a + b + draw.choice([-2, -1, 1, 2])))
for _ in range(20):
    a, b = draw.sample(range(2, 100), 2)
    add("arithmetic", f"Which number is larger, {a} or {b}?", str(max(a, b)), str(min(a, b)))
for first in range(2, 14):
    add("arithmetic", f"Which number comes next? {first}, {first + 1}, {first + 2},", str(first + 3),
        str(first + 3 + draw.choice([-2, 2, 3])))
for a in range(2, 10):
    add("arithmetic", f"What is {a} times 2?", str(2 * a), str(2 * a + draw.choice([-2, -1, 1, 2])))

# ---- reading

NAMES = ["Anna", "Tom", "Maria", "Peter", "Lisa", "Paul", "Sarah", "David", "Emma", "Jack"]
THINGS = ["ball", "kite", "book", "bike", "hat", "lamp", "drum", "boat", "cake", "key"]
PLACES = ["kitchen", "garden", "garage", "school", "park", "office", "library", "hotel", "station", "market"]
for _ in range(25):
    (a, b), (x, y) = draw.sample(NAMES, 2), draw.sample(THINGS, 2)
    asked, right, wrong = draw.choice([(x, a, b), (y, b, a)])
    add("reading", f"{a} has a {x}. {b} has a {y}. Who has the {asked}?", right, wrong)
for _ in range(25):
    (a, b), (x, y) = draw.sample(NAMES, 2), draw.sample(PLACES, 2)
    asked, right, wrong = draw.choice([(a, x, y), (b, y, x)])
    add("reading", f"{a} is in the {x}. {b} is in the {y}. Where is {asked}?", right, wrong)
for _ in range(20):
    (x, y), (c, d) = draw.sample(THINGS, 2), draw.sample(["red", "blue", "green", "yellow", "white", "black"], 2)
    asked, right, wrong = draw.choice([(x, c, d), (y, d, c)])
    add("reading", f"The {x} is {c} and the {y} is {d}. What color is the {asked}?", right, wrong)
REVIEWS = ("I loved this movie.|positive, The hotel was dirty.|negative, Great food and friendly staff.|positive, A waste of "
           "money.|negative, The worst book I ever read.|negative, I will come back soon.|positive, The phone broke after one "
           "day.|negative, Excellent quality.|positive, Boring from start to end.|negative, My children are very happy with "
           "it.|positive, The room was cold and noisy.|negative, A perfect gift.|positive, It never worked.|negative, Fast "
           "delivery and a good price.|positive, Rude service.|negative, The music was beautiful.|positive, I was very "
           "disappointed.|negative, Best pizza in town.|positive, It smells terrible.|negative, A wonderful trip.|positive")
for row in REVIEWS.split(", "):
    text, right = row.split("|")
    add("reading", f"Is this review positive or negative? \"{text}\"", right,
        "negative" if right == "positive" else "positive")

# ---- instructions

for word in "apple house river green table music window summer bread cloud".split():
    add("instructions", f"Write the word '{word}' in capital letters.", word.upper(), word)
    add("instructions", f"Repeat this word and say nothing else: {word}", word, other(word, ["stone", "paper", "night"]))
for _ in range(15):
    x, y, z = draw.sample(THINGS + PLACES, 3)
    place, right = draw.choice([("first", x), ("last", z)])
    add("instructions", f"Name the {place} word of this list: {x}, {y}, {z}.", right, y, z if right == x else x)
for _ in range(10):
    x, y = draw.sample(["red", "blue", "green", "yellow", "white", "black"], 2)
    thing = draw.choice(THINGS)
    add("instructions", f"Replace '{x}' by '{y}': the {x} {thing}", f"the {y} {thing}", f"the {x} {thing}")
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
for i, day in enumerate(DAYS):
    add("instructions", f"Answer with one word. Which day comes after {day}?", DAYS[(i + 1) % 7], DAYS[(i + 4) % 7])

TRAINED = Path("../../peft-data/src/main/resources/io/peft4j/data/general.jsonl"), Path(
    "../../peft-train/src/main/resources/io/peft4j/train/objective/general-prompts.txt")
taken = {json.loads(line)["question"] for line in (RESOURCES / "guard.jsonl").read_text(encoding="utf-8").splitlines()}
taken |= {json.loads(line)["messages"][0]["content"] for line in TRAINED[0].read_text(encoding="utf-8").splitlines()}
taken |= set(TRAINED[1].read_text(encoding="utf-8").splitlines())
kept = []
for item in items:
    if item["question"] not in taken:
        taken.add(item["question"])
        kept.append(item)
        assert len(set(item["choices"])) == len(item["choices"]), item
text = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in kept)
(RESOURCES / "guard-made.jsonl").write_text(text, encoding="utf-8")
print(len(kept), "items,", len(text.encode()), "bytes")
