"""Judges the questions that `data from-handbook --model` and its rules wrote for the handbook of make_document.py, by exact facts.

    python make_document.py --out DIR
    ./peft4j data from-handbook DIR/document.md --model M --output DIR/rows.jsonl
    python judge_questions.py DIR/facts.jsonl DIR/rows.jsonl

A row is good when its answer is a fact's sentence and its question names what the fact is about, does not give the value
away and begins as questions for a value do. That says nothing about grammar, for which the rows are printed.
"""
import argparse
import json
import re

START = re.compile(r"(what|how|who|where|when|which|by|until|after|within|on|at|to|in|with|before|behind|from|up|"
                   r"through|whom)\b", re.I)


def is_good(question, fact):
    asked = question.lower()
    return (fact["value"].lower() not in asked and bool(START.match(question))
            and all(any(word in asked for word in words) for words in fact["asks"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("facts")
    parser.add_argument("rows")
    arguments = parser.parse_args()
    with open(arguments.facts) as file:
        facts = {fact["sentence"]: fact for fact in map(json.loads, file)}
    good, bad, asked = 0, 0, set()
    with open(arguments.rows) as file:
        for row in map(json.loads, file):
            if "generated" not in row:
                continue
            question, answer = (message["content"] for message in row["messages"][:2])
            fits = answer in facts and is_good(question, facts[answer])
            good, bad = good + fits, bad + (not fits)
            if fits:
                asked.add(answer)
            print("good" if fits else "bad ", "|", answer, "|", question)
    print(f"{good} good rows, {bad} bad ones; {len(asked)} of {len(facts)} facts have a question")


if __name__ == "__main__":
    main()
