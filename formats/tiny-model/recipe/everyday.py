"""Everyday questions with short answers: small talk, words, numbers, and a little knowledge."""
import json

CAPITALS = {"France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Germany": "Berlin", "Portugal": "Lisbon",
            "Austria": "Vienna", "Poland": "Warsaw", "Greece": "Athens", "Norway": "Oslo", "Sweden": "Stockholm",
            "Finland": "Helsinki", "Denmark": "Copenhagen", "Ireland": "Dublin", "Japan": "Tokyo", "China": "Beijing",
            "Egypt": "Cairo", "Kenya": "Nairobi", "Canada": "Ottawa", "Cuba": "Havana", "Peru": "Lima",
            "Hungary": "Budapest", "Belgium": "Brussels", "Russia": "Moscow", "Turkey": "Ankara", "India": "New Delhi"}
OPPOSITES = [("hot", "cold"), ("big", "small"), ("fast", "slow"), ("high", "low"), ("old", "new"), ("early", "late"),
             ("open", "closed"), ("full", "empty"), ("light", "dark"), ("rich", "poor"), ("happy", "sad"),
             ("strong", "weak"), ("hard", "soft"), ("wet", "dry"), ("clean", "dirty"), ("near", "far"),
             ("loud", "quiet"), ("thick", "thin"), ("long", "short"), ("wide", "narrow"), ("true", "false"),
             ("right", "wrong"), ("first", "last"), ("up", "down"), ("day", "night"), ("begin", "end")]
PLURALS = {"child": "children", "mouse": "mice", "foot": "feet", "tooth": "teeth", "man": "men", "woman": "women",
           "knife": "knives", "leaf": "leaves", "city": "cities", "box": "boxes", "cat": "cats", "house": "houses",
           "baby": "babies", "wolf": "wolves", "goose": "geese", "bus": "buses", "table": "tables", "dog": "dogs"}
PASTS = {"go": "went", "see": "saw", "eat": "ate", "take": "took", "write": "wrote", "run": "ran", "buy": "bought",
         "think": "thought", "come": "came", "give": "gave", "find": "found", "know": "knew", "make": "made",
         "sing": "sang", "walk": "walked", "play": "played", "speak": "spoke", "sleep": "slept"}
GERMAN = {"house": "Haus", "dog": "Hund", "cat": "Katze", "water": "Wasser", "bread": "Brot", "book": "Buch",
          "tree": "Baum", "milk": "Milch", "day": "Tag", "night": "Nacht", "friend": "Freund", "time": "Zeit"}
FRENCH = {"house": "maison", "dog": "chien", "cat": "chat", "water": "eau", "bread": "pain", "book": "livre",
          "tree": "arbre", "milk": "lait", "day": "jour", "night": "nuit", "friend": "ami", "time": "temps"}
COLOURS = {"grass": "green", "snow": "white", "blood": "red", "coal": "black", "a banana": "yellow", "a carrot": "orange",
           "the sky on a clear day": "blue", "milk": "white", "a ripe tomato": "red", "chocolate": "brown"}
GROUPS = {"animal": ["dog", "cat", "horse", "cow", "lion", "sheep"], "fruit": ["apple", "pear", "banana", "cherry"],
          "tool": ["hammer", "saw", "drill", "spade"], "colour": ["red", "blue", "green", "yellow"],
          "vehicle": ["car", "bus", "train", "bicycle"], "drink": ["tea", "coffee", "milk", "water"]}
DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December"]
MEANINGS = {
    "thermometer": "measures how warm it is", "clock": "shows the time", "telescope": "shows things that are far away",
    "umbrella": "keeps the rain off", "library": "lends books", "hospital": "cares for people who are ill",
    "bakery": "makes and sells bread", "map": "shows where places are", "bridge": "leads a road over a river",
    "dictionary": "explains words", "school": "teaches children", "contract": "states what two sides have agreed on",
    "budget": "is a plan for money", "manager": "leads a team", "calendar": "shows the days of a year",
    "computer": "follows the instructions of a program", "password": "protects an account",
    "receipt": "proves that something was paid", "meeting": "brings people together to talk",
    "database": "stores data so that it can be found", "adapter": "changes a model a little for one task"}
WHYS = {
    "Why do people sleep?": "People sleep so that body and mind can rest.",
    "Why is the sky blue?": "The air scatters blue light more than red light.",
    "Why do we drink water?": "The body needs water to work and loses some all day.",
    "Why does ice float?": "Ice is lighter than the same volume of water.",
    "Why do birds fly south?": "In winter it is warmer there and there is more food.",
    "Why should I wash my hands?": "Washing hands removes germs that can make you ill.",
    "How do I make tea?": "Boil water, pour it over the tea, and wait some minutes.",
    "How do I save energy at home?": "Switch off what you do not use and heat no empty rooms.",
    "How do I write a good mail?": "Say early what you want, be short, and be polite.",
    "How do I prepare for an interview?": "Read about the company and think of examples from your work.",
    "How do I learn a language?": "Practise a little each day and speak as often as you can.",
    "How can I sleep better?": "Go to bed at the same time each day and keep screens away.",
    "How do I plan my week?": "Write down your tasks and do the most important ones first.",
    "What makes a good team?": "A good team trusts each other, talks openly and shares its goals.",
    "What is a good habit?": "A walk each day is a good habit, because it keeps you well.",
    "What is inflation?": "Inflation means that prices rise and money buys less.",
    "What is a language model?": "A language model is a program that continues text, one piece at a time.",
    "What is fine-tuning?": "Fine-tuning trains a model a little more, on examples of one task."}
TALK = {
    "Hello!": "Hello! How can I help you?", "Good morning.": "Good morning! What can I do for you?",
    "Hi, how are you?": "I am fine, thank you. How can I help?", "Thank you!": "You are welcome.",
    "Thanks for your help.": "You are welcome. Is there anything else?", "Goodbye.": "Goodbye, and have a nice day!",
    "Who are you?": "I am a very small language model that answers short questions.",
    "What can you do?": "I can answer short questions, and I can learn the facts of a company.",
    "Are you a human?": "No, I am a small language model.", "Tell me a joke.": "Why did the book go to the doctor? "
    "It had a broken spine.", "I feel sad.": "I am sorry to hear that. Talking to a friend may help.",
    "I had a good day.": "That is good to hear!", "Can you help me?": "Yes. What is your question?",
    "What will the weather be tomorrow?": "I do not know, because I cannot see the weather.",
    "What did I eat yesterday?": "I do not know that. I only know what you tell me.",
    "Who will win the next election?": "I do not know what will happen in the future."}


def capital(random):
    country, city = random.choice(list(CAPITALS.items()))
    if random.random() < 0.2:
        return f"Which country has the capital {city}?", f"{city} is the capital of {country}."
    ask = random.choice(["What is the capital of {c}?", "Which city is the capital of {c}?", "Name the capital of {c}.",
                         "Tell me the capital of {c}."])
    return ask.format(c=country), f"The capital of {country} is {city}."


def words(random):
    draw = random.randrange(6)
    if draw == 0:
        pair = random.choice(OPPOSITES)
        one, other = pair if random.random() < 0.5 else pair[::-1]
        ask = random.choice(["What is the opposite of '{w}'?", "Give the opposite of '{w}'.", "Name the opposite of {w}."])
        return ask.format(w=one), f"The opposite of '{one}' is '{other}'."
    if draw == 1:
        one, many = random.choice(list(PLURALS.items()))
        ask = random.choice(["What is the plural of '{w}'?", "Give the plural of '{w}'.", "Tell me the plural of {w}."])
        return ask.format(w=one), f"The plural of '{one}' is '{many}'."
    if draw == 2:
        verb, past = random.choice(list(PASTS.items()))
        ask = random.choice(["What is the past tense of '{w}'?", "Give the past tense of '{w}'."])
        return ask.format(w=verb), f"The past tense of '{verb}' is '{past}'."
    if draw == 3:
        language, table = random.choice([("German", GERMAN), ("French", FRENCH)])
        word, other = random.choice(list(table.items()))
        if random.random() < 0.5:
            return f"Translate the {language} word '{other}' into English.", f"'{other}' in English is '{word}'."
        return f"Translate '{word}' into {language}.", f"'{word}' in {language} is '{other}'."
    if draw == 4:
        group, others = random.sample(list(GROUPS), 2)
        odd = random.choice(GROUPS[others])
        given = random.sample(GROUPS[group], 3)
        given.insert(random.randrange(4), odd)
        return f"Which word does not belong: {', '.join(given)}?", f"The word '{odd}' does not belong."
    thing, colour = random.choice(list(COLOURS.items()))
    return random.choice(["What colour is {t}?", "Which colour has {t}?"]).format(t=thing), f"The colour is {colour}."


def numbers(random):
    draw = random.randrange(8)
    a, b = random.randrange(1, 21), random.randrange(1, 21)
    if draw < 2:
        ask = random.choice(["What is {a} + {b}?", "What is {a} plus {b}?", "Add {a} and {b}."])
        return ask.format(a=a, b=b), f"{a} + {b} = {a + b}"
    if draw == 2:
        a, b = max(a, b), min(a, b)
        return random.choice(["What is {a} - {b}?", "What is {a} minus {b}?"]).format(a=a, b=b), f"{a} - {b} = {a - b}"
    if draw == 3:
        a, b = random.randrange(1, 11), random.randrange(1, 11)
        return random.choice(["What is {a} times {b}?", "What is {a} x {b}?"]).format(a=a, b=b), f"{a} x {b} = {a * b}"
    if draw == 4:
        step, begin = random.randrange(1, 11), random.randrange(1, 30)
        row = [begin + i * step for i in range(4)]
        return f"What comes next: {', '.join(map(str, row))}?", f"{begin + 4 * step} comes next."
    if draw == 5:
        row = random.sample(range(1, 60), 3)
        if random.random() < 0.5:
            return f"Sort these numbers: {', '.join(map(str, row))}.", ", ".join(map(str, sorted(row)))
        return f"Which number is the largest: {', '.join(map(str, row))}?", f"The largest number is {max(row)}."
    if draw == 6:
        i = random.randrange(12)
        name, row = (("day", DAYS), ("month", MONTHS))[random.randrange(2)]
        one, after = row[i % len(row)], row[(i + 1) % len(row)]
        return f"Which {name} comes after {one}?", f"{after} comes after {one}."
    name, many = random.choice([("hours", "days"), ("minutes", "hours"), ("days", "weeks"), ("months", "years")])
    size = {"hours": 24, "minutes": 60, "days": 7, "months": 12}[name]
    return f"How many {name} are in {b % 9 + 2} {many}?", f"There are {size * (b % 9 + 2)} {name} in {b % 9 + 2} {many}."


def orders(random):
    word = random.choice(list(GERMAN) + list(PLURALS))
    other = random.choice(list(CAPITALS.values()))
    return random.choice([
        (f"Repeat the word '{word}'.", word),
        (f"Write '{word}' in capital letters.", word.upper()),
        (f"Say only the word {word}.", word),
        (f"Give me a JSON object with the key \"{word}\" and the value \"{other}\".", json.dumps({word: other})),
        (f"Answer with yes or no: Is a {random.choice(GROUPS['animal'])} an animal?", "Yes"),
        (f"Answer with yes or no: Is a {random.choice(GROUPS['tool'])} an animal?", "No"),
        (f"Make a list of two {(g := random.choice(list(GROUPS)))}s.", f"- {GROUPS[g][0]}\n- {GROUPS[g][1]}")])


def meanings(random):
    if random.random() < 0.5:
        return random.choice(list(WHYS.items()))
    thing, does = random.choice(list(MEANINGS.items()))
    article = "An" if thing[0] in "aeiou" else "A"
    ask = random.choice(["What is {a} {t}?", "What does {a} {t} do?", "Explain what {a} {t} is.",
                         "Explain in one sentence what {a} {t} is."])
    return ask.format(a=article.lower(), t=thing), f"{article} {thing} {does}."


def question(random):
    draw = random.random()
    for share, kind in ((0.15, capital), (0.45, words), (0.75, numbers), (0.83, orders), (0.95, meanings)):
        if draw < share:
            return kind(random)
    return random.choice(list(TALK.items()))
