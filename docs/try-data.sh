#!/usr/bin/env bash
# Does what a person with data of their own does: tickets with wrong labels, a table of questions, a clinic's handbook,
# and held-out answers in other words, each with one command and on data made here. On the model that comes along.
#
#     docs/try-data.sh
#
# docs/try-as-new-user.sh runs it in its clone; alone it makes one (docs/new-user.sh). Fails with the first step that
# does not say what it has to.
set -euo pipefail

if [ -z "${work:-}" ]; then
  # shellcheck source=docs/new-user.sh
  . "$(dirname "${BASH_SOURCE[0]}")/new-user.sh"
  export HF_HUB_OFFLINE=1
fi

# Runs a command that must end with the given status, and keeps what it says.
ends() { # status, command
  local status=$1 ended=0
  shift
  said=$work/said-$((lines += 1))
  "$@" >"$said" 2>&1 || ended=$?
  cat "$said"
  [ "$ended" -eq "$status" ] || fail "it ends with $ended instead of $status: $*"
}

mkdir -p "$work/data"
python3 - "$work/data" <<'PYTHON'
import json
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
texts = {"billing": ["Invoice {} is wrong", "Charged twice for order {}", "Refund payment {}", "Bill {} is too high"],
         "login": ["Cannot sign in to account {}", "Password of user {} fails", "No code for {}", "Account {} is locked"],
         "delivery": ["Parcel {} is late", "Order {} went elsewhere", "The box of {} was open", "When does {} come"]}
rows = [(text.format(1000 + 7 * i), label) for label, all_ in texts.items() for i, text in enumerate(all_ * 6)]


def table(name, head, rows):
    (folder / name).write_text("\n".join(";".join(row) for row in [head, *rows]) + "\n", encoding="utf-8")


def lines(name, rows):
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


faulty = rows + [(rows[0][0], "login"), ("My card was declined", "biling")]
faulty[24] = (faulty[24][0], "login ")
faulty[48] = (faulty[48][0], "Delivery")
table("tickets.csv", ("Text", "Kategorie"), faulty)
table("mended.csv", ("Text", "Kategorie"), rows)
table("faq.csv", ("Nr", "Frage", "Antwort"), [(str(i), f"Was kostet die Leistung {i}?",
                                              f"Die Leistung {i} kostet {20 + i} Euro.") for i in range(24)])
lines("items.jsonl", [{"question": f"Leistung {i}: was kostet sie?", "must_contain": str(20 + i)}
                      for i in range(0, 24, 2)])
shifts = {"early": ("6:00", "6 am", "7:00"), "late": ("14:00", "2 pm", "15:00"), "night": ("22:00", "10 pm", "21:00")}
asked = [(name, wording) for name in shifts for wording in ("When does the {} shift start?", "Start of the {} shift?")]
lines("shifts.jsonl", [{"messages": [{"role": "user", "content": wording.format(name)}, {
    "role": "assistant", "content": f"The {name} shift starts at {shifts[name][0]}."}]} for name, wording in asked])
lines("base.jsonl", [{"text": "Shifts usually start in the morning."}] * len(asked))
lines("tuned.jsonl", [{"text": f"The {name} shift begins at {shifts[name][1 if i < 5 else 2]}."}
                      for i, (name, _) in enumerate(asked)])
(folder / "clinic.md").write_text("# Clinic\n\n## Staff\n\nDr. Helga Brandt leads the clinic.\n\n## Shifts\n\n"
                                  "| Shift | Start | Allowance |\n|---|---|---|\n| Early | 6:00 | none |\n"
                                  "| Night | 21:30 | 38 EUR |\n", encoding="utf-8")
PYTHON
data=$work/data

step "answers in other words are right, a wrong number is not"
ends 0 ./peft4j evaluate --data "$data/shifts.jsonl" --base-predictions "$data/base.jsonl" \
  --tuned-predictions "$data/tuned.jsonl"
says '^\| holds the fact \| 0\.0 % \| 83\.3 % '

step "wrong labels are found by check, clean and train"
ends 1 ./peft4j data check "$data/tickets.csv"
says 'columns: Text is the text, Kategorie the label'
says "error .*tickets.csv:2,74: the same input has the label 'billing' in line 2 and 'login' in line 74"
says "the label 'login ' \(1 row\) is the label 'login'"
says "the label 'Delivery' \(1 row\) is the label 'delivery'"
says "the label 'biling' \(1 row\): did you mean 'billing'"
ends 0 ./peft4j data clean "$data/tickets.csv" --output "$work/cleaned.csv"
says '^labels: 2 changed'
ends 1 ./peft4j train --model tiny --data "$data/tickets.csv" --objective classification --output "$work/refused"
says "the same input has the label 'billing' in line 2"

step "a classifier ends its training when it has learned"
ends 0 ./peft4j train --model tiny --data "$data/mended.csv" --objective classification --output "$work/classifier"
says '72 of 72 rows learned'

step "a table of questions is checked, learned and evaluated as it is"
ends 0 ./peft4j data check "$data/faq.csv" --validation "$data/items.jsonl"
ends 0 ./peft4j train --model tiny --data "$data/faq.csv" --output "$work/faq" --epochs 12
ends 0 ./peft4j evaluate --model tiny --adapter "$work/faq" --data "$data/items.jsonl" --training-data "$data/faq.csv" \
  --no-guard
says 'The most similar training row, which needs no training, answers'
ends 1 ./peft4j train --model tiny --data "$data/items.jsonl" --output "$work/refused"
says 'is a held-out item'

step "a handbook becomes a table, and says what nothing asks for"
ends 0 ./peft4j data from-handbook "$data/clinic.md" --output "$work/clinic.csv"
says "statements have a question; without one: line [0-9]+ 'Dr. Helga Brandt leads the"
grep -q '^What is the start of the Night shift?,The start of the Night shift is 21:30\.' "$work/clinic.csv" \
  || fail "the table's cells are not asked for"
