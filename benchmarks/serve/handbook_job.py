"""What a user of OpenAI's fine-tuning does, by OpenAI's own client for Python, against a server that runs already:

    ./peft4j serve --model HuggingFaceTB/SmolLM2-135M-Instruct --port 8080 --data server-data
    python benchmarks/serve/handbook_job.py http://127.0.0.1:8080/v1 SmolLM2-135M-Instruct

Uploads the handbook of examples/handbook, creates a job, follows its events, asks base and tuned model each held-out
question and prints how many answers hold the fact that they must contain, with the minutes of each part. Needs the
package openai.
"""
import json
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import openai

HANDBOOK = Path(__file__).resolve().parents[2] / "examples" / "handbook"
AT_ONCE = 8


def right(client, model, rows):
    """How many of the rows' questions are answered with what the row must contain."""
    def ask(row):
        reply = client.chat.completions.create(model=model, messages=row["messages"][:-1], max_tokens=64, temperature=0)
        return row["must_contain"].lower() in reply.choices[0].message.content.lower()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(ask, rows))


def follow(client, job):
    """Prints events as they come, until the job is over."""
    seen = set()
    while True:
        job = client.fine_tuning.jobs.retrieve(job.id)
        for event in reversed(list(client.fine_tuning.jobs.list_events(job.id, limit=100))):
            if event.id not in seen and event.type != "metrics":
                print(f"  {event.level}: {event.message}", flush=True)
            seen.add(event.id)
        if job.status in ("succeeded", "failed", "cancelled"):
            return job
        time.sleep(2)


def timed(what, action):
    begin = time.perf_counter()
    result = action()
    print(f"{what}: {(time.perf_counter() - begin) / 60:.1f} minutes", flush=True)
    return result


def main():
    address, base = sys.argv[1:3]
    client = openai.OpenAI(base_url=address, api_key=sys.argv[3] if len(sys.argv) > 3 else "any", timeout=600)
    rows = [json.loads(line) for line in (HANDBOOK / "heldout.jsonl").read_text().splitlines()]
    before = timed("asking the base model", lambda: right(client, base, rows))
    with open(HANDBOOK / "train.jsonl", "rb") as train, open(HANDBOOK / "heldout.jsonl", "rb") as heldout:
        training = client.files.create(file=train, purpose="fine-tune")
        validation = client.files.create(file=heldout, purpose="fine-tune")
    job = client.fine_tuning.jobs.create(model=base, training_file=training.id, validation_file=validation.id,
                                         suffix="handbook")
    job = timed("the job", lambda: follow(client, job))
    if job.status != "succeeded":
        raise SystemExit(f"the job {job.status}: {job.error}")
    after = timed("asking the tuned model", lambda: right(client, job.fine_tuned_model, rows))
    for file in job.result_files:
        if client.files.retrieve(file).filename == "step_metrics.csv":
            print(client.files.content(file).text.splitlines()[-1])
        if client.files.retrieve(file).filename == "verdict.json":
            print("verdict:", json.loads(client.files.content(file).text).get("verdict"))
    print(f"{job.fine_tuned_model}: {before} of {len(rows)} facts right before, {after} after; hyperparameters "
          f"{job.hyperparameters or job.method}")


if __name__ == "__main__":
    main()
