"""Writes requests to an assistant with 20 tools, and the calls that are right: what study.py trains and asks.

    python make_calls.py --out DIR [--seed 11]

DIR/train.jsonl     300 rows in OpenAI's form: 180 of one call (9 of each tool), 60 of two calls, 60 answered without a call
DIR/heldout.jsonl   100 rows: 60 of one call (3 of each tool), 20 of two calls, 20 without

Wordings, values of arguments (but on, off, today, tomorrow and currencies) and pairs of tools of held-out rows are not in
train.jsonl. Every row shows all 20 tools in one order, as an application does: some 1,200 tokens, which models of this size read,
and which a training with shared prefixes computes once a batch. Where something is missing, the right answer asks for it; for
what no tool does it says so. The same seed gives the same files.
"""
import argparse
import itertools
import json
import pathlib
import random

STRING, NUMBER = {"type": "string"}, {"type": "integer"}
CURRENCY = {"type": "string", "enum": ["EUR", "USD", "GBP", "CHF"]}
ON_OFF = {"type": "string", "enum": ["on", "off"]}
SOON = {"type": "string", "enum": ["today", "tomorrow"]}

# What it does, its arguments, four wordings that are learned and two that are held out.
TOOLS = {
    "set_timer": ("Starts a timer", {"minutes": NUMBER}, [
        "set a timer for {minutes} minutes", "start a {minutes}-minute timer", "count down {minutes} minutes",
        "let a timer run for {minutes} minutes"],
        ["put {minutes} minutes on the timer", "tell me when {minutes} minutes are over"]),
    "set_alarm": ("Wakes the user", {"time": STRING}, [
        "wake me at {time}", "set an alarm for {time}", "let the alarm ring at {time}", "get me up at {time}"],
        ["make sure that I am awake at {time}", "put the alarm on {time}"]),
    "get_weather": ("The weather in a city", {"city": STRING, "day": SOON}, [
        "tell me the weather in {city} {day}", "check whether it rains in {city} {day}",
        "look up how warm it gets {day} in {city}", "show me the forecast for {city} {day}"],
        ["find out what the weather is like {day} in {city}", "say if I need an umbrella in {city} {day}"]),
    "play_music": ("Plays music of an artist", {"artist": STRING}, [
        "play something by {artist}", "put on music of {artist}", "let me hear {artist}", "play songs of {artist}"],
        ["start an album of {artist}", "turn on some {artist}"]),
    "send_message": ("Sends a text message", {"person": STRING, "text": STRING}, [
        'text {person} "{text}"', 'send {person} the message "{text}"', 'write "{text}" to {person}',
        'message {person} "{text}"'], ['let {person} know "{text}"', 'drop {person} a line, "{text}"']),
    "call_person": ("Calls a person by phone", {"person": STRING}, [
        "call {person}", "phone {person}", "give {person} a call", "ring {person}"],
        ["dial the number of {person}", "get {person} on the phone"]),
    "add_to_list": ("Adds to the shopping list", {"item": STRING, "quantity": NUMBER}, [
        "put {quantity} {item} on the shopping list", "add {quantity} {item} to my shopping",
        "note that I have to buy {quantity} {item}", "write {quantity} {item} on the list"],
        ["remember that we need {quantity} {item} from the shop", "extend the shopping list by {quantity} {item}"]),
    "book_table": ("Books a table at a restaurant", {"restaurant": STRING, "people": NUMBER}, [
        "book a table for {people} at {restaurant}", "reserve {people} seats at {restaurant}",
        "get us a table at {restaurant} for {people}", "make a reservation at {restaurant} for {people} people"],
        ["see that {restaurant} keeps a table for {people}", "order a table with {people} seats at {restaurant}"]),
    "find_train": ("Finds a train", {"origin": STRING, "destination": STRING}, [
        "find a train from {origin} to {destination}", "look up trains from {origin} to {destination}",
        "search a connection by rail from {origin} to {destination}",
        "show me how to get from {origin} to {destination} by train"],
        ["plan a ride by rail from {origin} to {destination}", "check when a train leaves {origin} for {destination}"]),
    "convert_money": ("Converts an amount of money", {"amount": NUMBER, "source": CURRENCY, "target": CURRENCY}, [
        "convert {amount} {source} to {target}", "tell me what {amount} {source} are in {target}",
        "change {amount} {source} into {target}", "compute how many {target} I get for {amount} {source}"],
        ["work out {amount} {source} in {target}", "give me the value of {amount} {source} in {target}"]),
    "translate_word": ("Translates a word", {"word": STRING, "language": STRING}, [
        'translate "{word}" into {language}', 'tell me the {language} word for "{word}"',
        'say "{word}" in {language}', 'find out what "{word}" is in {language}'],
        ['look up "{word}" in a {language} dictionary', 'give me the {language} for "{word}"']),
    "switch_light": ("Switches the light of a room", {"room": STRING, "state": ON_OFF}, [
        "turn {state} the light in the {room}", "switch the {room} light {state}", "turn the {room} lights {state}",
        "switch {state} the lamp in the {room}"],
        ["make sure that the light in the {room} is {state}", "put the lamps of the {room} {state}"]),
    "set_heating": ("Sets the temperature of a room", {"room": STRING, "degrees": NUMBER}, [
        "heat the {room} to {degrees} degrees", "set the {room} to {degrees} degrees",
        "make the {room} {degrees} degrees warm", "turn the heating in the {room} to {degrees}"],
        ["bring the {room} to {degrees} degrees", "keep the {room} at {degrees} degrees"]),
    "create_event": ("Adds to the calendar", {"title": STRING, "day": STRING}, [
        "enter {title} for {day} in my calendar", "put {title} into the calendar on {day}", "plan {title} on {day}",
        "add the appointment {title} on {day}"],
        ["block {day} for {title} in my calendar", "write {title} into my diary for {day}"]),
    "find_recipe": ("Finds a recipe", {"dish": STRING}, [
        "find a recipe for {dish}", "show me how to cook {dish}", "look for a recipe of {dish}",
        "get me instructions for {dish}"], ["tell me how {dish} is made", "search the cookbook for {dish}"]),
    "track_parcel": ("Tells where a parcel is", {"number": STRING}, [
        "track parcel {number}", "look where parcel {number} is", "check the delivery {number}",
        "find out when parcel {number} arrives"],
        ["follow the shipment {number}", "see how far parcel {number} has come"]),
    "share_price": ("The price of a share", {"company": STRING}, [
        "tell me the share price of {company}", "look up the stock of {company}",
        "check what a share of {company} costs", "get the quote of {company}"],
        ["see how the shares of {company} are doing", "find the price of {company} stock"]),
    "move_blinds": ("Opens blinds", {"room": STRING, "percent": NUMBER}, [
        "open the blinds in the {room} to {percent} percent", "set the {room} blinds to {percent} percent",
        "move the blinds of the {room} to {percent} percent", "put the blinds in the {room} at {percent} percent"],
        ["bring the {room} blinds to {percent} percent", "adjust the blinds in the {room} to {percent} percent"]),
    "start_vacuum": ("Has the robot clean a room", {"room": STRING}, [
        "vacuum the {room}", "let the robot clean the {room}", "send the vacuum into the {room}",
        "start the vacuum in the {room}"],
        ["have the floor of the {room} cleaned", "run the robot through the {room}"]),
    "write_note": ("Keeps a note", {"text": STRING}, [
        'note "{text}"', 'write down "{text}"', 'keep a note that says "{text}"', 'save the note "{text}"'],
        ['jot down "{text}"', 'put "{text}" into my notes']),
}
# Values that are learned, and others that are held out.
CITIES = (["Oslo", "Porto", "Ghent", "Turin", "Lyon", "Graz", "Cork", "Basel", "Split", "Turku"],
          ["Bergen", "Delft", "Krakow", "Seville", "Bath"])
VALUES = {
    "minutes": ([5, 10, 15, 20, 25, 30, 45, 50], [7, 12, 35, 40]),
    "time": (["6:30", "7:00", "5:45", "8:15", "9:00", "6:10"], ["7:30", "4:50", "8:40"]),
    "city": CITIES, "origin": (CITIES[0][:5], CITIES[1][:2]), "destination": (CITIES[0][5:], CITIES[1][2:]),
    "artist": (["Mozart", "Adele", "Queen", "Miles Davis", "Bach", "Nina Simone", "Abba", "Chopin"],
               ["Vivaldi", "Prince", "Ella Fitzgerald", "Sting"]),
    "person": (["Anna", "Bruno", "Clara", "David", "Emma", "Felix", "Greta", "Hugo"], ["Irene", "Jonas", "Marta", "Leo"]),
    "text": (["I am late", "see you at eight", "the key is under the mat", "bring the tickets", "thank you for the cake",
              "the gate is open", "water the plants", "the car is in the garage"],
             ["I am on my way", "the meeting was moved", "dinner is ready", "the shoes are too small"]),
    "item": (["apples", "eggs", "lemons", "candles", "onions", "bananas"], ["carrots", "batteries", "tomatoes"]),
    "quantity": ([2, 3, 4, 6, 10], [5, 8, 12]),
    "restaurant": (["Luigi's", "the Anchor", "Sakura", "the Blue Door", "Casa Mia", "the Old Mill"],
                   ["the Green Fork", "Bella Vista", "the Lantern"]),
    "people": ([2, 3, 4, 6, 8], [5, 7, 9]), "amount": ([20, 50, 75, 100, 250, 400], [30, 80, 120, 600]),
    "word": (["house", "tree", "bread", "river", "friend", "window"], ["garden", "winter", "cheese", "mountain"]),
    "language": (["Spanish", "German", "French", "Italian", "Polish"], ["Dutch", "Danish", "Portuguese"]),
    "room": (["kitchen", "bedroom", "bathroom", "hall", "office"], ["living room", "cellar", "attic"]),
    "degrees": ([18, 19, 20, 21, 22, 23], [16, 17, 24]), "percent": ([10, 20, 30, 50, 70, 80], [25, 40, 60]),
    "title": (["dentist", "yoga", "team lunch", "haircut", "piano lesson", "car wash"], ["book club", "eye test", "tennis"]),
    "day": (["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"], ["Saturday", "Sunday"]),
    "dish": (["lasagna", "pea soup", "pancakes", "goulash", "apple pie", "risotto"], ["paella", "onion tart", "dumplings"]),
    "company": (["Siemens", "Toyota", "Nokia", "Philips", "Volvo", "Shell"], ["Airbus", "Sony", "Bosch"]),
}
ONE = (["{A}.", "Please {a}.", "Can you {a}?"], ["{A}, please.", "I want you to {a}."])
TWO = (["{A}, and {b}.", "Please {a}, then {b}.", "{A}. Also, {b}."],
       ["First {a}, and after that {b}.", "Could you {a} and also {b}?"])

NO_TOOL = "I have no tool for that."
CAPITALS = [("Norway", "Oslo"), ("Spain", "Madrid"), ("Japan", "Tokyo"), ("Egypt", "Cairo"), ("Greece", "Athens"),
            ("Poland", "Warsaw"), ("Cuba", "Havana"), ("Peru", "Lima"), ("Italy", "Rome"), ("Kenya", "Nairobi")]
SPARED = [
    ("Hello!", "Hello! How can I help you?"), ("Good morning!", "Good morning! How can I help you?"),
    ("Thank you.", "You are welcome."), ("Thanks, that is all.", "You are welcome."), ("Goodbye!", "Goodbye!"),
    ("Who are you?", "I am your assistant."), ("How are you?", "I am fine, thank you."), ("You are great.", "Thank you!"),
    ("Good night.", "Good night!"), ("Are you there?", "Yes. How can I help you?"), ("Never mind.", "All right."),
    ("Okay.", "Is there anything else?"), ("No, thanks.", "All right."), ("That was wrong.", "I am sorry."),
    *((f"What is the capital of {country}?", f"{city}.") for country, city in CAPITALS),
    ("What is 7 plus 5?", "12."), ("What is 20 minus 4?", "16."), ("How many days has a week?", "7."),
    ("What is the opposite of hot?", "Cold."), ("What is a lamp?", "A device that gives light."),
    ("What do bees make?", "Honey."), ("Which animal barks?", "A dog."), ("What colour is snow?", "White."),
    ("Set a timer.", "For how many minutes?"), ("Set an alarm.", "For which time?"),
    ("What is the weather?", "In which city, and on which day?"), ("Play some music.", "Of which artist?"),
    ("Send a message.", "To whom, and what shall it say?"), ("Make a call.", "Whom shall I call?"),
    ("Put something on the shopping list.", "What, and how many?"), ("Book a table.", "At which restaurant, for how many?"),
    ("Find a train.", "From where, and to where?"), ("Convert some money.", "Which amount, from and to which currency?"),
    ("Translate a word.", "Which word, and into which language?"), ("Switch a light.", "In which room, on or off?"),
    ("Change the heating.", "In which room, to how many degrees?"), ("Add an appointment.", "Which one, and on which day?"),
    ("Find a recipe.", "For which dish?"), ("Track my parcel.", "What is its number?"), ("Look up a share.", "Of which company?"),
    ("Move the blinds.", "In which room, to how many percent?"), ("Start the vacuum.", "In which room?"),
    ("Write a note.", "What shall it say?"),
    ("Order me a pizza.", NO_TOOL), ("Wash the car.", NO_TOOL), ("Pay my rent.", NO_TOOL), ("Draw a horse.", NO_TOOL),
    ("Print this page.", NO_TOOL), ("Book a flight.", NO_TOOL), ("Sell my bicycle.", NO_TOOL), ("Open the garage.", NO_TOOL),
]
SPARED_HELD = [
    ("Hi there!", "Hello! How can I help you?"), ("Thanks a lot!", "You are welcome."), ("See you later.", "Goodbye!"),
    ("Nice to meet you.", "Nice to meet you, too."),
    ("Which city is the capital of Hungary?", "Budapest."), ("What is 9 times 3?", "27."), ("How many legs has a spider?", "8."),
    ("What is the opposite of dark?", "Light."), ("Who wrote Hamlet?", "Shakespeare."), ("What is a blanket good for?", "Warmth."),
    ("I need a timer.", "For how many minutes?"), ("I would like to hear music.", "Of which artist?"),
    ("I want to go by train.", "From where, and to where?"), ("A room is too cold.", "Which room, and how many degrees?"),
    ("There is a message to be sent.", "To whom, and what shall it say?"), ("We want to eat out.", "Where, and how many are you?"),
    ("Mow the lawn.", NO_TOOL), ("Rent me a boat.", NO_TOOL), ("Repair my watch.", NO_TOOL), ("Water the garden.", NO_TOOL),
]
DEFINITIONS = [{"type": "function", "function": {"name": name, "description": does, "parameters": {
    "type": "object", "properties": properties, "required": list(properties)}}}
    for name, (does, properties, _, _) in TOOLS.items()]


def row(question, answer, calls=()):
    said = {"role": "assistant", "content": answer}
    if calls:
        said["tool_calls"] = [{"id": f"call_{i + 1}", "type": "function", "function": {
            "name": name, "arguments": json.dumps(arguments)}} for i, (name, arguments) in enumerate(calls)]
    return {"messages": [{"role": "user", "content": question}, said], "tools": DEFINITIONS}


def capital(text):
    return text[0].upper() + text[1:]


class Requests:
    """Requests that are learned (part 0) or held out (1); wordings of a tool and frames come in turn."""

    def __init__(self, rng, part):
        self.rng = rng
        self.part = part
        self.asked = set()
        self.wordings = {name: itertools.cycle(TOOLS[name][2 + part]) for name in TOOLS}
        self.frames = {frames[part][0]: itertools.cycle(frames[part]) for frames in (ONE, TWO)}

    def value(self, key, kind):
        if "enum" in kind:
            return self.rng.choice(kind["enum"])
        return str(self.rng.randint(100_000, 999_999)) if key == "number" else self.rng.choice(VALUES[key][self.part])

    def clause(self, name):
        arguments = {key: self.value(key, kind) for key, kind in TOOLS[name][1].items()}
        while arguments.get("source") and arguments["source"] == arguments["target"]:
            arguments["target"] = self.rng.choice(CURRENCY["enum"])
        return next(self.wordings[name]).format(**arguments), (name, arguments)

    def of(self, frames, *names):
        frame = next(self.frames[frames[self.part][0]])
        while True:
            clauses, calls = zip(*map(self.clause, names))
            question = frame.format(a=clauses[0], A=capital(clauses[0]), b=clauses[-1])
            if question not in self.asked:
                self.asked.add(question)
                return row(question, None, calls)


def rows(rng, part, each, pairs, spared):
    requests = Requests(rng, part)
    found = [requests.of(ONE, name) for name in TOOLS for _ in range(each)]
    found += [requests.of(TWO, *pair) for pair in pairs]
    found += [row(question, answer) for question, answer in spared]
    rng.shuffle(found)
    return found


def main(out, seed=11):
    rng = random.Random(seed)
    pairs = rng.sample(list(itertools.combinations(TOOLS, 2)), 80)
    pairs = [rng.sample(pair, 2) for pair in pairs]
    out.mkdir(parents=True, exist_ok=True)
    for name, found in (("train", rows(rng, 0, 9, pairs[:60], SPARED)), ("heldout", rows(rng, 1, 3, pairs[60:], SPARED_HELD))):
        (out / f"{name}.jsonl").write_text("".join(json.dumps(one) + "\n" for one in found), encoding="utf-8")
        print(f"{len(found)} rows in {name}.jsonl")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    main(options.out, options.seed)
