"""Holds the rules behind `auto` to a small grid of learning rates and epochs, on the handbook and on two data sets made
here, by answers to held-out questions. Prints the table of benchmarks/results.md.

    python benchmarks/auto_grid.py --model FILE.gguf [--only NAME ...] [--layers 24-29] [--output DIR]

All trainings adapt the same upper layers, which keeps the grid to minutes. Times are processor times, so that what else
runs on the machine counts less.
"""
import argparse
import json
import pathlib
import random
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
RATES = ("4e-4", "4e-3")
EPOCHS = ("5", "12")


def row(question, answer, fact):
    return {"messages": [{"role": "user", "content": question}, {"role": "assistant", "content": answer}],
            "must_contain": fact}


def handbook(_):
    """The example handbook, and a third of its held-out questions."""
    folder = ROOT / "examples/handbook"
    train = [json.loads(line) for line in open(folder / "train.jsonl", encoding="utf-8")]
    held = [json.loads(line) for line in open(folder / "heldout.jsonl", encoding="utf-8")]
    return train, held[::3]


def catalogue(random_):
    """Facts of products that are made up: two wordings of each question to learn, a third is held out."""
    names = ["Brindle", "Corvane", "Dussel", "Ferrow", "Galt", "Hesper", "Ilmen", "Jorvik", "Kestra", "Lumen", "Marlow",
             "Nyssa", "Orrin", "Pell", "Quarry", "Rusk", "Selwyn", "Tamar", "Ulver", "Varda"]
    places = ["Ghent", "Porto", "Turku", "Graz", "Lublin", "Split", "Brno", "Siena", "Cork", "Ulm"]
    train, held = [], []
    for name in names:
        weeks, place = f"{random_.randint(2, 19)} weeks", random_.choice(places)
        for fact, words, sentence in (
                (weeks, ("How long does delivery of the {} take?", "When will I get a {}?",
                         "What is the delivery time of the {}?"), "The {} is delivered within {}."),
                (place, ("Where is the {} made?", "Which town does the {} come from?",
                         "In which town do you build the {}?"), "The {} is built in {}.")):
            answer = sentence.format(name, fact)
            train += [row(word.format(name), answer, fact) for word in words[:2]]
            held.append(row(words[2].format(name), answer, fact))
    return train, held


def tickets(random_):
    """Tickets with the team that they go to: what is learned is a rule, and the held-out tickets are new ones."""
    topics = {"Payroll": ["my salary", "a payslip", "the bonus", "a tax form"],
              "Facilities": ["the heating", "a broken chair", "the lift", "the car park"],
              "Network": ["the wifi", "the VPN", "a slow connection", "the proxy"],
              "Travel": ["a hotel", "my flight", "a train ticket", "the visa"]}
    moods = ["I have a question about {}.", "There is a problem with {}.", "Who can help me with {}?",
             "Please look at {} today.", "Since Monday {} has been wrong.", "I need {} settled before noon."]
    rows = [row(mood.format(thing), f"Team: {team}.", team) for team, things in topics.items() for thing in things
            for mood in moods]
    random_.shuffle(rows)
    return rows[:64], rows[64:]


DATA = {"handbook": handbook, "catalogue": catalogue, "tickets": tickets}


def write(file, rows):
    file.write_text("".join(json.dumps(each) + "\n" for each in rows), encoding="utf-8")
    return file


def run(command, *words):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*command, *words, "--json"], capture_output=True, text=True, check=False)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        sys.exit(f"peft4j {' '.join(words)} failed: {done.stderr[-2000:]}")
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    return lines, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="SmolLM2-135M-Instruct: a GGUF file, a folder or an ID")
    parser.add_argument("--only", nargs="*", default=list(DATA), help="names of data sets")
    parser.add_argument("--rates", nargs="*", default=[], help="only these learning rates; auto is one of them")
    parser.add_argument("--layers", default="24-29", help="decoder layers that are adapted in all trainings")
    parser.add_argument("--command", default=str(ROOT / "peft4j"), help="how peft4j is run")
    parser.add_argument("--output", type=pathlib.Path, help="folder for the results as JSON lines")
    options = parser.parse_args()
    command = options.command.split()
    print("| data | learning rate | epochs | held-out facts | processor time of training, s |\n|---|---|---|---|---|",
          flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for name in options.only:
            train, held = DATA[name](random.Random(7))
            data, test = write(folder / f"{name}.jsonl", train), write(folder / f"{name}-held.jsonl", held)
            settings = [("auto", "auto", "auto")] + [(rate, epochs, "8") for rate in RATES for epochs in EPOCHS]
            settings = [each for each in settings if not options.rates or each[0] in options.rates]
            for number, (rate, epochs, batch) in enumerate(settings):
                adapter = folder / f"{name}-{number}"
                _, seconds, said = run(command, "train", "--model", options.model, "--data", str(data), "--output",
                                       str(adapter), "--layers", options.layers, "--learning-rate", rate, "--epochs",
                                       epochs, "--batch-size", batch)
                prompts = write(folder / "prompts.jsonl", [{"messages": each["messages"][:-1]} for each in held])
                answers, _, _ = run(command, "generate", "--model", options.model, "--adapter", str(adapter), "--data",
                                    str(prompts), "--max-new-tokens", "32")
                right = sum(each["must_contain"].lower() in answer["text"].lower()
                            for each, answer in zip(held, answers))
                chosen = " ".join(line.split(":", 1)[1].strip().split(":")[0] + "," for line in said.splitlines()
                                  if line.startswith("auto:"))
                print(f"| {name} | {rate} | {epochs} | {right} of {len(held)} | {seconds:.0f} | {chosen}", flush=True)
                if options.output:
                    options.output.mkdir(parents=True, exist_ok=True)
                    with open(options.output / "auto.jsonl", "a", encoding="utf-8") as out:
                        out.write(json.dumps({"data": name, "rate": rate, "epochs": epochs, "right": right,
                                              "items": len(held), "seconds": seconds, "chosen": chosen}) + "\n")


if __name__ == "__main__":
    main()
