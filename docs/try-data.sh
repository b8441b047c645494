#!/usr/bin/env bash
# Does what a person with data of their own does: tickets with wrong labels, a table of questions, a clinic's handbook,
# held-out answers in other words, advice, a sweep and a server, each with one command and on data made here. On the
# model that comes along.
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
import zipfile

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
table("held.csv", ("Text", "Kategorie"), [(text.format(9001), label) for label, all_ in texts.items()
                                          for text in all_[:2]])
table("faq.csv", ("Nr", "Frage", "Antwort"), [(str(i), f"Was kostet die Leistung {i}?",
                                              f"Die Leistung {i} kostet {20 + i} Euro.") for i in range(24)])
# As little of a workbook as Excel reads.
package = "http://schemas.openxmlformats.org/package/2006/"
office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
cells = [["Frage", "Antwort"]] + [[f"Wo ist Kiste {i}?", f"In Raum {i}."] for i in range(12)]
with zipfile.ZipFile(folder / "boxes.xlsx", "w") as book:
    book.writestr("[Content_Types].xml", f'<Types xmlns="{package}content-types"><Default Extension="rels" ContentType='
                  '"application/vnd.openxmlformats-package.relationships+xml"/>' + "".join(
                      f'<Override PartName="/xl/{name}.xml" ContentType="application/vnd.openxmlformats-officedocument.'
                      f'spreadsheetml.{kind}+xml"/>' for name, kind in (("workbook", "sheet.main"),
                                                                        ("sheet", "worksheet"))) + "</Types>")
    for name, kind, target in (("_rels/.rels", "officeDocument", "xl/workbook.xml"),
                               ("xl/_rels/workbook.xml.rels", "worksheet", "sheet.xml")):
        book.writestr(name, f'<Relationships xmlns="{package}relationships"><Relationship Id="r1" '
                      f'Type="{office}/{kind}" Target="{target}"/></Relationships>')
    book.writestr("xl/workbook.xml", f'<workbook xmlns="{main}" xmlns:r="{office}"><sheets><sheet name="Kisten" '
                  'sheetId="1" r:id="r1"/></sheets></workbook>')
    book.writestr("xl/sheet.xml", f'<worksheet xmlns="{main}"><sheetData>' + "".join("<row>" + "".join(
        f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in row) + "</row>" for row in cells)
        + "</sheetData></worksheet>")
lines("space.json", [{"method": ["lora", "loha"], "seed": [1, 2], "target_modules": [["q_proj", "v_proj"]]}])
lines("items.jsonl", [{"question": f"Leistung {i}: was kostet sie?", "must_contain": str(20 + i)}
                      for i in range(0, 24, 2)])
shifts = {"early": ("6:00", "6 am", "7:00"), "late": ("14:00", "2 pm", "15:00"), "night": ("22:00", "10 pm", "21:00")}
asked = [(name, wording) for name in shifts for wording in ("When does the {} shift start?", "Start of the {} shift?")]
lines("shifts.jsonl", [{"messages": [{"role": "user", "content": wording.format(name)}, {
    "role": "assistant", "content": f"The {name} shift starts at {shifts[name][0]}."}]} for name, wording in asked])
lines("base.jsonl", [{"text": "Shifts usually start in the morning."}] * len(asked))
lines("tuned.jsonl", [{"text": f"The {name} shift begins at {shifts[name][1 if i < 5 else 2]}."}
                      for i, (name, _) in enumerate(asked)])
(folder / "clinic.md").write_text("# Clinic\n\n## Staff\n\nDr. Helga Brandt leads the clinic. "
                                  "Please ring the bell twice.\n\n## Shifts\n\n"
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
ends 0 ./peft4j evaluate --model tiny --adapter "$work/classifier" --data "$data/held.csv" \
  --training-data "$data/mended.csv"
says '^\| lookup \| the most similar training row \|'
says '\(too few rows\)'
ends 0 ./peft4j advise --objective classification --model tiny --data "$data/mended.csv" --time-budget 15
says '^(look up|prompt instead|fine-tune|collect more|not known)' && says '^lookup '

step "a table of questions is checked, learned and evaluated as it is"
ends 0 ./peft4j data check "$data/faq.csv" --validation "$data/items.jsonl"
ends 0 ./peft4j train --model tiny --data "$data/faq.csv" --output "$work/faq" --epochs 12
ends 0 ./peft4j evaluate --model tiny --adapter "$work/faq" --data "$data/items.jsonl" --training-data "$data/faq.csv" \
  --no-guard
says 'the most similar training row'
ends 1 ./peft4j train --model tiny --data "$data/items.jsonl" --output "$work/refused"
says 'is a held-out item'

step "a handbook becomes a table, and says what nothing asks for"
ends 0 ./peft4j data from-handbook "$data/clinic.md" --output "$work/clinic.csv"
says "statements have a question; without one: line 5 'Please ring the bell"
says ":5, to fill in: Please ring the bell twice\."
grep -q '^What should I know about Dr. Helga Brandt?,Dr. Helga Brandt leads the clinic\.' "$work/clinic.csv" \
  || fail "a title ends a sentence"
grep -q '^What is the start of the Night shift?,The start of the Night shift is 21:30\.' "$work/clinic.csv" \
  || fail "the table's cells are not asked for"

step "a sweep tries what train takes, seeds are a group, an estimate says what it assumes, another base is named"
ends 0 ./peft4j sweep --model tiny --data "$data/faq.csv" --space "$data/space.json" --strategy grid --epochs 1 \
  --output "$work/sweep"
ends 0 ./peft4j runs compare "$work/sweep" --output "$work/runs.html"
says '^over the 2 seeds of '
ends 0 ./peft4j estimate --model tiny --data "$data/faq.csv"
says 'it assumes that the machine stays as busy'
ends 1 ./peft4j generate --model tests/fixtures/tiny-llama --adapter "$work/faq" --prompt Who
says 'for another base model: '

step "a server reads a workbook, refuses wrong labels, remembers, pauses, and keeps files that are in use"
./peft4j serve --model tiny --port 0 --data "$work/served" >"$work/served.log" 2>&1 &
server=$!
python3 - "$work/served.log" "$data" <<'PYTHON' || fail "the server: $(tail -5 "$work/served.log")"
import json
import pathlib
import re
import sys
import time
import urllib.error
import urllib.request

log, data = map(pathlib.Path, sys.argv[1:])
while not (found := re.search(r"listening on (\S+)", log.read_text())):
    time.sleep(0.2)


def call(method, path, body=None, kind="application/json"):
    body = json.dumps(body).encode() if isinstance(body, dict) else body
    request = urllib.request.Request(found[1] + path, body, {"Content-Type": kind}, method=method)
    try:
        with urllib.request.urlopen(request) as reply:
            return {**json.load(reply), "code": reply.status}
    except urllib.error.HTTPError as error:
        return {**json.load(error), "code": error.code}


def training_file(name, columns):
    form = "\r\n".join(["--x", 'Content-Disposition: form-data; name="purpose"', "", "user_data", "--x",
                        f'Content-Disposition: form-data; name="file"; filename="{name}"', "", ""]).encode()
    made = call("POST", "/v1/files", form + (data / name).read_bytes() + b"\r\n--x--\r\n",
                "multipart/form-data; boundary=x")
    rows = f"/v1/files/{made['id']}/rows"
    read = call("POST", rows, {"first": 2})
    assert read["mapping"] == columns, read
    return call("POST", rows, {"columns": columns, "save_as": name + ".jsonl"})["id"]


def job(file, **more):
    return call("POST", "/v1/fine_tuning/jobs", {"model": "tiny", "training_file": file, **more})


refused = job(training_file("tickets.csv", {"Text": "text", "Kategorie": "label"}))
while (refused := call("GET", "/v1/fine_tuning/jobs/" + refused["id"]))["status"] not in ("failed", "succeeded"):
    time.sleep(0.2)
assert "line 1 and 'login' in line 73" in refused["error"]["message"], refused
boxes = training_file("boxes.xlsx", {"Frage": "question", "Antwort": "answer"})
made = job(boxes, remember=True)
assert made["method"]["supervised"]["hyperparameters"]["remember"], made
place = "/v1/fine_tuning/jobs/" + made["id"]
assert call("POST", place + "/pause", {})["paused"], "a job that is checked can be paused"
assert call("DELETE", "/v1/files/" + boxes)["code"] == 409, "a file is in use"
assert call("POST", place + "/cancel", {})["status"] == "cancelled"
assert call("DELETE", "/v1/files/" + boxes)["deleted"]
for path in ("/v1/evals", "/v1/fine_tuning/checkpoints/x/permissions"):
    assert call("GET", path)["error"]["code"] == "unsupported_endpoint", path
print("the server does what it has to")
PYTHON
kill "$server"
server=
