"""Writes the part of the built-in guard set that asks for calls of tools, where held-out rows have tools.

Run in this folder: python make_tools.py. A right answer makes the call of its row, or none. Written for PEFT4J; the functions are
none of examples/tools.
"""
import json
from pathlib import Path

TARGET = Path("../../peft-eval/src/main/resources/io/peft4j/eval/guard/guard-tools.jsonl")


def tool(name, description, **properties):
    kinds = {str: "string", int: "integer"}
    return {"type": "function", "function": {"name": name, "description": description, "parameters": {
        "type": "object", "properties": {key: {"type": kinds[kind]} for key, kind in properties.items()},
        "required": list(properties)}}}


TOOLS = {
    "weather": tool("get_weather", "The weather in a city", city=str),
    "timer": tool("set_timer", "Starts a timer", minutes=int),
    "price": tool("get_stock_price", "The price of a share", symbol=str),
    "translate": tool("translate", "Translates a word", word=str, language=str),
    "add": tool("add", "Adds two whole numbers", a=int, b=int),
    "song": tool("play_song", "Plays a song", title=str),
}
# What is shown, what is asked, and the arguments of the call of the first tool shown; None: nothing is to be called.
ITEMS = [
    ("weather timer", "What is the weather in Paris?", {"city": "Paris"}),
    ("weather", "Is it raining in Tokyo?", {"city": "Tokyo"}),
    ("weather add", "How warm is it in Madrid right now?", {"city": "Madrid"}),
    ("timer song", "Set a timer for 10 minutes.", {"minutes": 10}),
    ("timer", "Start a timer of 25 minutes, please.", {"minutes": 25}),
    ("timer weather", "Wake me in 5 minutes with a timer.", {"minutes": 5}),
    ("price timer", "What is the price of the share with the symbol AAPL?", {"symbol": "AAPL"}),
    ("price", "Look up the stock price of MSFT.", {"symbol": "MSFT"}),
    ("price add", "How much is one share of NVDA?", {"symbol": "NVDA"}),
    ("translate weather", "Translate the word house to Spanish.",
     {"word": "house", "language": "Spanish"}),
    ("translate", "Translate the word tree to German.", {"word": "tree", "language": "German"}),
    ("add translate", "Add 1234 and 4321 with the tool.", {"a": 1234, "b": 4321}),
    ("add", "Use the function to add 17 and 25.", {"a": 17, "b": 25}),
    ("song timer", "Play the song Yesterday.", {"title": "Yesterday"}),
    ("song", "I want to hear the song Imagine. Play it.", {"title": "Imagine"}),
    ("song weather", "Play the song Hallelujah, please.", {"title": "Hallelujah"}),
    ("weather timer", "Hello, how are you?", None),
    ("timer", "What is the capital of France?", None),
    ("price song", "Thank you very much!", None),
    ("translate", "Who wrote Romeo and Juliet?", None),
    ("add weather", "Tell me a joke about cats.", None),
    ("song", "What is the opposite of hot?", None),
    ("weather", "Write one sentence about the sea.", None),
    ("timer price", "How many days does a week have?", None),
]

rows = []
for shown, question, arguments in ITEMS:
    tools = [TOOLS[name] for name in shown.split()]
    calls = [] if arguments is None else [{"name": tools[0]["function"]["name"], "arguments": arguments}]
    rows.append({"category": "tools", "question": question, "tools": tools, "calls": calls})
text = "".join(json.dumps(row) + "\n" for row in rows)
TARGET.write_text(text, encoding="utf-8")
print(len(rows), "items,", len(text.encode()), "bytes")
