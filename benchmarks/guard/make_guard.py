"""Writes the made part of the built-in guard set: questions with two to four answers, asked by likelihood, some for an answer, too.

Run in this folder: python make_guard.py. It needs nothing but Python; the same words give the same files. Questions that
the hand-written part has, too, and those that trainings use against forgetting are left out. Kinds of questions that such
trainings practise are marked; of the made ones of these every fourth is kept. A right answer names none of the texts to
"reject": who reads out the whole list has not answered. The words were written for PEFT4J.
"""
import json
import random
import re
from pathlib import Path

RESOURCES = Path("../../peft-eval/src/main/resources/io/peft4j/eval/guard")
draw = random.Random(7)
items = []


PRACTISED = {"language", "arithmetic", "instructions", "knowledge", "reading", "refusals"}
EVERY = 4


def add(category, question, *choices, accept=(), reject=()):
    items.append({"category": category, "question": question, "choices": list(choices)} | ({"accept": list(accept)} if accept else {})
                 | ({"reject": list(reject)} if reject else {}))


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

# ---- kinds that no general row or prompt has; they decide

def both(one, two):
    return (one, two) if draw.random() < 0.5 else (two, one)


TRIPLE = re.compile(r"(.+?)\|([^|]+)\|([^|,]+)(?:, |$)")
ANALOGIES = ("Glove is to hand as shoe is to|foot|rain, Bird is to nest as bee is to|hive|honeypot, Pilot is to plane as captain is to|ship|"
             "uniform, Cheese is to dairy as ham is to|meat|toast, Wing is to eagle as fin is to|shark|lake, Author is to novel as painter "
             "is to|picture|brush, King is to queen as prince is to|princess|palace, Calf is to cow as lamb is to|ewe|meadow, Engine is to "
             "car as motor is to|scooter|petrol, Petal is to flower as branch is to|tree|saw, Page is to magazine as brick is to|wall|clay, "
             "Nose is to smell as eye is to|vision|glasses, Oven is to bake as knife is to|slice|steel, Chef is to kitchen as astronomer is to|observatory|"
             "night, Finger is to hand as toe is to|foot|sock, Cup is to coffee as bowl is to|soup|spoon, Teacher is to class as coach is to|"
             "team|whistle, Sailor is to sea as miner is to|mine|lamp, Whisper is to shout as walk is to|run|street, Roof is to house as lid "
             "is to|pot|steam, Doctor is to patient as lawyer is to|client|court, Seed is to plant as egg is to|chicken|breakfast, Thermometer "
             "is to fever as scale is to|weight|fruit, Ankle is to leg as wrist is to|arm|watch, Needle is to sew as pen is to|write|ink, "
             "Hoof is to pony as paw is to|tiger|stripe, Bank is to cash as granary is to|grain|mill, Actor is to stage as dancer is to|ballroom|"
             "shoes, Chapter is to book as scene is to|play|curtain, Driver is to bus as rider is to|pony|saddle, Carpenter is to wood as tailor "
             "is to|cloth|shop, Second is to minute as inch is to|yard|tape, Lion is to den as spider is to|web|fly, Rain is to umbrella as "
             "sun is to|parasol|beach, Crown is to head as belt is to|waist|leather, Hammer is to nail as screwdriver is to|screw|toolbox")
for row in ANALOGIES.split(", "):
    text, right, wrong = row.split("|")
    add("analogies", f"Finish the comparison. {text}", right, wrong, accept=(right,))
CAUSES = ("The ice cube fell into the hot tea, so it|melted.|grew larger., Lena forgot her umbrella, so in the storm she got|wet.|rich., The "
          "candle had no air under the glass, so the flame|went out.|sang., Ben ran ten miles, so he was|exhausted.|invisible., The vase dropped "
          "onto the stone floor, so it|broke.|flew away., Nobody watered the roses, so they|withered.|swam off., The battery was empty, so the "
          "radio|fell silent.|tasted sweet., Mia studied hard, so she|passed the test.|lost her shoes., The fridge door stayed open, so the butter "
          "became|soft.|famous., It snowed all night, so the road was|slippery.|hungry., The baby was tired, so she|fell asleep.|paid the rent., "
          "The soup had too much salt, so nobody|ate it.|read it., The tyre had a hole, so it went|flat.|shopping., He missed the last bus, so he|"
          "walked home.|boiled over., The shop was closed, so we|came back later.|turned into stone., The dog smelled meat, so it|wagged its tail.|"
          "opened a bank., The alarm rang at six, so Nora|woke up.|shrank., The rope was too short, so they|tied on another.|drank it., The "
          "curtains were drawn, so the room was|dim.|loud., The paint was still fresh, so the sign said|do not touch.|please eat., Jon had a "
          "toothache, so he went to the|dentist.|bakery., The cup was full to the brim, so the coffee|spilled.|froze., The wind was strong, so the "
          "hat|blew away.|learned to read., Eva won the race, so she got a|medal.|fine., The bread stayed in the oven too long, so it|burned.|rose "
          "to the moon., The lift was broken, so we took the|stairs.|photograph., The child touched the cactus, so its finger|hurt.|whistled., The "
          "lake froze over, so people could|skate on it.|sail on it., The letter had no stamp, so it was|sent back.|eaten., The joke was funny, so "
          "everybody|laughed.|wept., The path was muddy, so her boots got|dirty.|longer., The phone was stolen, so he called the|police.|plumber., "
          "The library is a quiet place, so please|lower your voice.|sing loudly., The glass was hot, so she put on|oven gloves.|perfume., The "
          "cat was scared, so it hid|under the bed.|in the newspaper., The milk had gone sour, so we|threw it out.|framed it.")
for text, right, wrong in TRIPLE.findall(CAUSES):
    add("consequences", text, right, wrong)
FEELINGS = ("Her bag was stolen.|upset|amused, He won the lottery.|delighted|bored, The film went on for four hours without any story.|bored|proud, She heard "
            "a strange noise in the cellar.|scared|grateful, His team lost the final.|disappointed|cheerful, She finished her first marathon.|proud|"
            "ashamed, A stranger brought back his keys.|grateful|jealous, His brother got a bigger present.|jealous|calm, She spilled soup on the "
            "host's carpet.|embarrassed|confident, He has waited two hours for the plumber.|annoyed|thrilled, Her best friend moves to another "
            "continent.|sad|relieved, The doctor says the lump is harmless.|relieved|envious, Tomorrow he flies for the first time.|nervous|sleepy, "
            "A lorry splashed mud all over his new suit.|furious|pleased, He told a lie to his mother.|guilty|lucky, All her friends came to a surprise "
            "party.|surprised|lonely, He eats alone on New Year's Eve.|lonely|excited, She cannot find her child in the crowd.|worried|relaxed, He "
            "does not understand the instructions at all.|confused|satisfied, She lies in a hammock by a lake.|relaxed|terrified, His dog died "
            "yesterday.|heartbroken|hopeful, She has not slept for two nights.|exhausted|refreshed, He has eaten nothing since yesterday.|hungry|full, "
            "The neighbours play the drums at midnight.|annoyed|flattered")
for row in FEELINGS.split(", "):
    text, right, wrong = row.split("|")
    one, two = both(right, wrong)
    add("feelings", f"{text} Which feeling fits, {one} or {two}?", right, wrong, accept=(right,), reject=(wrong,))
JOBS = ("repairs engines|mechanic, fills teeth|dentist, puts out fires|firefighter, bakes rolls|baker, delivers letters|postman, flies planes|pilot, "
        "defends people in court|lawyer, cuts hair|hairdresser, designs houses|architect, catches trout and salmon for a living|fisherman, serves meals in a "
        "restaurant|waiter, mends pipes|plumber, looks after sick pets|vet, installs cables and sockets|electrician, sells roast beef and "
        "sausages|butcher, milks cows|farmer, makes suits and dresses|tailor, guards prisoners|jailer, arrests thieves|policeman, leads an "
        "orchestra|conductor, digs for coal|miner, examines eyes|optician, sells tulips|florist, reports the news|journalist")
rows = [row.split("|") for row in JOBS.split(", ")]
for task, right in rows:
    wrong = other(right, [b for _, b in rows])
    one, two = both(right, wrong)
    add("professions", f"Somebody {task} as a profession. Is that a {one} or a {two}?".replace("a architect", "an architect").replace(
        "a electrician", "an electrician").replace("a optician", "an optician"), right, wrong, accept=(right,), reject=(wrong,))
TOPICS = {"sport": "The goalkeeper saved two penalties.|She served three aces in the second set.|The coach named eleven starters for Sunday.|He crossed the line "
                   "four seconds ahead of the field.|The referee showed a red card.|Both boxers went the full twelve rounds.",
          "forecast": "Showers reach the coast by noon.|Expect thick fog in the valleys.|Gusts of ninety kilometres an hour are likely.|A mild and sunny "
                     "afternoon follows.|Frost returns to the north tonight.|Thunderstorms build up over the hills.",
          "cooking": "Simmer the sauce until it thickens.|Fold the egg whites into the batter.|Season the lentils with cumin.|Knead the dough and let it rise.|"
                     "Fry the onions in butter until golden.|Grate the cheese over the noodles.",
          "finance": "Shares fell by three percent.|The central bank raised interest rates.|The firm's profit doubled in the third quarter.|Investors "
                     "sold government bonds.|The dollar lost ground against the yen.|The loan has to be repaid within a decade.",
          "travel": "The ferry to the island leaves from pier four.|Our guide met us at the hostel.|Bring a visa and a valid passport.|The cabin has a "
                    "view of the fjord.|We changed trains twice on the way to Lyon.|Luggage is checked in two hours before departure."}
for topic, texts in TOPICS.items():
    for text in texts.split("|"):
        add("topics", f"Under which heading does this belong, {', '.join(TOPICS)}? \"{text}\"", topic, *draw.sample(
            [t for t in TOPICS if t != topic], 2), accept=(topic,), reject=[t for t in TOPICS if t != topic])
SCENES = ("The bill for table six, please.|restaurant|pharmacy, Open wide, this may pinch a little.|dentist's practice|cinema, Two tickets for the late "
          "show, please.|cinema|barracks, Passengers for gate nine, boarding starts.|airport|butcher's shop, Does this jacket come in a larger "
          "size?|clothes shop|swimming pool, A room with a sea view for two nights, please.|hotel|gym, Take one of these tablets after meals.|"
          "pharmacy|stadium, Please return these novels within three weeks.|library|farm, Fill her up and check the oil.|petrol station|museum, "
          "No diving from the edge!|swimming pool|bank, Do not touch the paintings.|museum|bakery, Six rolls and a rye loaf, please.|bakery|"
          "courtroom, All rise for the judge.|courtroom|zoo, Please do not feed the penguins.|zoo|laundry, Scalpel. Swab. Clamp.|operating "
          "theatre|hotel, Last call before we close the kitchen!|restaurant|airport, I would like to pay in this cheque.|bank|playground, Your turn "
          "on the swing now.|playground|library, Lower the anchor!|boat|office, Shorter at the sides, please, and leave the fringe.|hairdresser's salon|"
          "petrol station")
for text, right, wrong in TRIPLE.findall(SCENES):
    add("scenes", f"\"{text}\" Where is this said?", right, wrong)
SAME = ("The shop shuts at noon.|The store closes at midday.|The store opens at midday., He is out of work.|He has no job.|He has a job abroad., The film was "
        "dull.|The movie bored us.|The movie thrilled us., She rarely eats meat.|She seldom has meat.|She always has meat., They put off the meeting.|"
        "They postponed it.|They began it at once., The bus was packed.|There was hardly any space.|There were plenty of free seats., He kept his "
        "word.|He did what he promised.|He broke his promise., I am fond of jazz.|I like jazz a lot.|I cannot stand jazz., The road is blocked.|"
        "Nobody can get through.|Traffic flows freely., She is in charge of sales.|She heads the sales team.|She has left the sales team., He turned "
        "down the offer.|He said no.|He said yes., The plan fell through.|It failed.|It succeeded., We ran out of milk.|There is no milk left.|There "
        "is lots of milk., She let the cat out of the bag.|She gave the secret away.|She kept the secret., He is under the weather.|He is a bit ill.|"
        "He is in top form., The flat is a stone's throw from here.|It is close by.|It is far off., Hold on for a moment.|Wait a little.|Be "
        "quick., The price went up.|It rose.|It dropped., She made up the story.|She invented it.|She read it., They called off the match.|It was "
        "cancelled.|It took place.")
for text, right, wrong in TRIPLE.findall(SAME):
    add("paraphrases", f"Whoever says \"{text}\" could also say:", right, wrong)

PEOPLE = "Amir Bianca Carlos Dorothea Edgar Farida Gustav Helga Igor Jolanda Karim Ludmila".split()
DOORS = "cellar attic workshop vault stable greenhouse bakery armoury chapel pantry".split()
for _ in range(48):
    names, codes = draw.sample(DOORS, 3), draw.sample(range(213, 989), 3)
    k = draw.randrange(3)
    add("codes", "Door codes: " + ", ".join(f"{n} {c}" for n, c in zip(names, codes)) + f". Which code opens the {names[k]}?", str(codes[k]),
        str(codes[(k + 1) % 3]), str(codes[(k + 2) % 3]), accept=(str(codes[k]),), reject=[str(c) for c in codes if c != codes[k]])
COUNTS = [n for n in range(36, 98) if n not in (48, 57)]
ORDERED = "lentils napkins batteries screws envelopes towels candles brushes ladders buckets".split()
for i in range(48):
    names, goods, counts = draw.sample(PEOPLE, 3), draw.sample(ORDERED, 3), draw.sample(COUNTS, 3)
    k = draw.randrange(3)
    table = "customer; goods; pieces\n" + "\n".join(f"{n}; {g}; {c}" for n, g, c in zip(names, goods, counts))
    if i % 4 < 2:
        add("tables", f"{table}\nPieces ordered by {names[k]}:", str(counts[k]), str(counts[(k + 1) % 3]), accept=(str(counts[k]),),
            reject=[str(c) for c in counts if c != counts[k]])
    else:
        add("tables", f"{table}\nGoods ordered by {names[k]}:", goods[k], goods[(k + 1) % 3], accept=(goods[k],), reject=[g for g in goods if g != goods[k]])
DONE = ("polished the boots, fed the parrot, mowed the lawn, phoned a cousin, packed a suitcase, ironed two shirts, fixed the lock, emptied the bin, tuned "
        "the violin, painted a fence").split(", ")
for _ in range(48):
    who, did = draw.choice(PEOPLE), draw.sample(DONE, 3)
    k = draw.choice([0, 2])
    add("sequences", f"{who} {did[0]}, after that {did[1]} and finally {did[2]}. Which job was done {'earliest' if k == 0 else 'latest'}?", did[k],
        did[2 - k])
for _ in range(40):
    names = draw.sample(PEOPLE, 4)
    absent = draw.randrange(4)
    came = [name for name in names if name != names[absent]]
    draw.shuffle(came)
    add("absences", f"Invited were {', '.join(names)}. There came {', '.join(came)}. Who stayed away?", names[absent], came[0], came[1],
        accept=(names[absent],), reject=came)
for i in range(40):
    period = draw.sample(ORDERED + DOORS, 2 + i % 2)
    length = len(period) * 2 + 1 + i % len(period)
    row = [period[n % len(period)] for n in range(length + 1)]
    add("patterns", " ".join(row[:-1]), row[-1], next(word for word in period if word != row[-1]))
STREETS = "Harbour Lane, Mill Road, Orchard Close, Station Square, Abbey Street, Kiln Path".split(", ")
for i in range(48):
    who, street, number = draw.choice(PEOPLE), draw.choice(STREETS), draw.randrange(21, 99)
    mail, phone = f"{who.lower()}{draw.randrange(12, 99)}@example.org", f"555-{draw.randrange(1000, 9999)}"
    note = f"Note: {who} moved to {number} {street}, new telephone {phone}, mail {mail}."
    what, right, wrong = [("telephone number", phone, mail), ("mail address", mail, phone), ("street", street, phone), ("telephone number", phone,
                           f"555-{draw.randrange(1000, 9999)}")][i % 4]
    add("extraction", f"{note} Copy the {what}.", right, wrong, accept=(right,), reject=[part for part in (street, phone, mail) if part != right])

TRAINED = Path("../../peft-data/src/main/resources/io/peft4j/data/general.jsonl"), Path(
    "../../peft-train/src/main/resources/io/peft4j/train/objective/general-prompts.txt")
hand = [json.loads(line) for line in (RESOURCES / "guard.jsonl").read_text(encoding="utf-8").splitlines()]
taken = {item["question"] for item in hand}
taken |= {json.loads(line)["messages"][0]["content"] for line in TRAINED[0].read_text(encoding="utf-8").splitlines()}
taken |= set(TRAINED[1].read_text(encoding="utf-8").splitlines())
kept = []
practised = 0
for item in items:
    if item["question"] in taken:
        continue
    taken.add(item["question"])
    assert len(set(item["choices"])) == len(item["choices"]), item
    practised += item["category"] in PRACTISED
    if item["category"] not in PRACTISED or practised % EVERY == 1:
        kept.append(item)
for name, some in (("guard.jsonl", hand), ("guard-made.jsonl", kept)):
    for item in some:
        item.pop("practised", None)
        if item["category"] in PRACTISED:
            item["practised"] = True
    text = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in some)
    (RESOURCES / name).write_text(text, encoding="utf-8")
    print(name, len(some), "items, not practised", sum(item["category"] not in PRACTISED for item in some), "bytes", len(text.encode()))
