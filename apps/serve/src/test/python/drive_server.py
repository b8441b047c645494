"""Drives a PEFT4J server with OpenAI's client (openai 3.57.0): files, jobs, models, and its typed errors.

    python drive_server.py http://127.0.0.1:8080 API_KEY
"""
import io
import json
import sys
import time

import openai

URL, KEY = sys.argv[1], sys.argv[2]
client = openai.OpenAI(base_url=URL + "/v1", api_key=KEY, max_retries=0)
jobs = client.fine_tuning.jobs
MODEL = client.models.list().data[0].id


def chats(count, start=0):
    return [{"messages": [{"role": "user", "content": f"Who is number {i}?"},
                          {"role": "assistant", "content": f"The {'old ' * (i % 3)}keeper {i}."}]}
            for i in range(start, start + count)]


def pairs(count):
    return [{"input": {"messages": [{"role": "user", "content": f"{i}?"}]},
             "preferred_output": [{"role": "assistant", "content": f"yes {i}"}],
             "non_preferred_output": [{"role": "assistant", "content": f"no {i}"}]} for i in range(count)]


def upload(rows, name="rows.jsonl"):
    text = "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
    return client.files.create(file=(name, io.BytesIO(text.encode())), purpose="fine-tune").id


def finished(job):
    end = time.time() + 120
    while job.status not in ("succeeded", "failed", "cancelled"):
        assert time.time() < end, job
        time.sleep(0.05)
        job = jobs.retrieve(job.id)
    return job


def raises(kind, call):
    try:
        call()
    except kind as e:
        assert type(e) is kind, type(e)
        assert KEY not in str(e)
        return e
    raise AssertionError(f"no {kind.__name__}")


# A whole job.
training, validation = upload(chats(12)), upload(chats(4, 20))
job = jobs.create(model=MODEL, training_file=training, validation_file=validation, suffix="handbook", seed=7,
                  metadata={"team": "hr"}, integrations=[{"type": "wandb", "wandb": {"project": "p", "tags": ["a"]}}],
                  method={"type": "supervised", "supervised": {"hyperparameters": {
                      "n_epochs": 2, "batch_size": 4, "learning_rate_multiplier": "auto"}}})
assert job.status in ("validating_files", "queued") and job.fine_tuned_model is None, job
job = finished(job)
assert job.status == "succeeded" and job.error is None, job
assert job.fine_tuned_model.startswith(f"ft:{MODEL}:peft4j:handbook:"), job
assert job.hyperparameters.n_epochs == 2 and job.method.supervised.hyperparameters.batch_size == 4
assert job.trained_tokens > 100 and job.metadata == {"team": "hr"} and job.seed == 7
events = list(jobs.list_events(job.id, limit=3))  # pages of three
steps = [event.data["step"] for event in events if event.type == "metrics"]
assert steps == [6, 5, 4, 3, 2, 1], steps
checkpoints = list(jobs.checkpoints.list(job.id, limit=1))
assert [c.step_number for c in checkpoints] == [6, 3]
assert all(c.metrics.full_valid_loss > 0 for c in checkpoints)
table = client.files.content(job.result_files[0]).text.splitlines()
assert table[0] == "step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy" and len(table) == 7, table
assert client.files.retrieve(job.result_files[0]).purpose == "fine-tune-results"
names = [model.id for model in client.models.list()]
assert names == [MODEL, job.fine_tuned_model], names
assert client.models.retrieve(checkpoints[1].fine_tuned_model_checkpoint).object == "model"

# Preferences, and a tuned model that is trained further.
preference = finished(jobs.create(model=job.fine_tuned_model, training_file=upload(pairs(10)), method={
    "type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2, "n_epochs": 1}}}))
assert preference.status == "succeeded" and preference.method.dpo.hyperparameters.beta == 0.2, preference

# Reinforcement: prompts and a grader, from upload to answer.
def graded(calculation):
    text = {"input": "{{sample.output_text}}", "reference": "{{item.answer}}"}
    return {"type": "multi", "name": "both", "calculate_output": calculation, "graders": {
        "same": {"type": "string_check", "name": "same", "operation": "eq", **text},
        "near": {"type": "text_similarity", "name": "near", "evaluation_metric": "fuzzy_match", **text}}}


def rewarded(grader, **more):
    return {"type": "reinforcement", "reinforcement": {"grader": grader, "hyperparameters": {
        "n_epochs": 1, "batch_size": 4, "compute_multiplier": 0.5, **more}}}


def prompts(count, start=0):
    return [{"messages": [{"role": "user", "content": f"Who is number {i}?"}], "answer": f"The keeper {i}."}
            for i in range(start, start + count)]


grader = graded("0.5 * same + 0.5 * near")
alpha = client.fine_tuning.alpha.graders
assert alpha.validate(grader=grader).grader.type == "multi"
tried = alpha.run(grader=grader, model_sample="The keeper 4.", item={"answer": "The keeper 4."})
assert tried.reward == 1 and tried.sub_rewards == {"same": 1, "near": 1}, tried
asked = upload(prompts(12))
learned = finished(jobs.create(model=MODEL, training_file=asked, validation_file=upload(prompts(2, 20)),
                               method=rewarded(grader)))
assert learned.status == "succeeded" and learned.method.reinforcement.grader.type == "multi", learned
assert learned.method.reinforcement.hyperparameters.batch_size == 4, learned
told = list(jobs.list_events(learned.id))
steps = [event.data for event in told if event.type == "metrics"]
assert [step["step"] for step in steps] == [3, 2, 1], steps
# The answers of an untrained model do not end: all are cut, and the training continues.
assert all(0 <= step["train_mean_reward"] <= 1 and "rewards/near" in step and "entropy" in step
           and step["completions/mean_length"] <= 128 for step in steps), steps
assert 0 <= steps[0]["valid_mean_reward"] <= 1
samples = [event.data["answers"] for event in told if "answers" in (event.data or {})]
assert samples and samples[0][0]["prompt"].startswith("Who is number"), told
table = client.files.content(learned.result_files[0]).text.splitlines()
assert table[0] == "step,train_loss,train_mean_reward,valid_loss,valid_mean_reward" and len(table) == 4, table
answer = client.chat.completions.create(model=learned.fine_tuned_model, max_tokens=5,
                                        messages=[{"role": "user", "content": "Who is number 4?"}])
assert answer.choices[0].message.role == "assistant", answer

# A grader that gives no number, and one that fails, end their job with what they did and the row.
for bad, word in ((graded("sqrt(near - 2)"), "NaN"), (grader | {"graders": {"same": {
        "type": "string_check", "name": "same", "operation": "eq", "input": "{{sample.output_text}}",
        "reference": "{{item.nothing}}"}}, "calculate_output": "same"}, "nothing")):
    lost = finished(jobs.create(model=MODEL, training_file=asked, method=rewarded(bad)))
    assert lost.status == "failed" and word in lost.error.message, lost

# Data that is wrong ends a job with where it is wrong.
few = finished(jobs.create(model=MODEL, training_file=upload(chats(9))))
assert few.status == "failed" and few.error.param == "training_file", few
broken = finished(jobs.create(model=MODEL, training_file=upload(chats(11) + ["oops\n"])))
assert broken.status == "failed" and "line 12" in broken.error.message, broken

# Lists.
assert [j.id for j in jobs.list(limit=1)][:2] == [broken.id, few.id]
assert [j.id for j in jobs.list(extra_query={"metadata[team]": "hr"})] == [job.id]
assert [f.id for f in client.files.list(purpose="fine-tune", order="asc")][:2] == [training, validation]

# A long one is paused, resumed and cancelled.
long = jobs.create(model=MODEL, training_file=upload(chats(100)), hyperparameters={"n_epochs": 50, "batch_size": 1})
while jobs.retrieve(long.id).status in ("validating_files", "queued"):
    time.sleep(0.05)
assert jobs.pause(long.id).status == "queued"
assert jobs.resume(long.id).status in ("queued", "running")
assert jobs.cancel(long.id).status == "cancelled"

# A batch of requests, answered when no client waits; one of them is wrong.
def asked(number, model=MODEL):
    return {"custom_id": f"ask-{number}", "method": "POST", "url": "/v1/chat/completions", "body": {
        "model": model, "max_tokens": 4, "messages": [{"role": "user", "content": f"Who is number {number}?"}]}}


lines = "".join(json.dumps(row) + "\n" for row in [asked(1), asked(2), asked(3, "gpt-4o")])
requests = client.files.create(file=("requests.jsonl", io.BytesIO(lines.encode())), purpose="batch")
batch = client.batches.create(input_file_id=requests.id, endpoint="/v1/chat/completions", completion_window="24h",
                              metadata={"night": "1"})
while batch.status in ("validating", "in_progress", "finalizing"):
    time.sleep(0.05)
    batch = client.batches.retrieve(batch.id)
assert batch.status == "completed" and batch.metadata == {"night": "1"}, batch
assert (batch.request_counts.total, batch.request_counts.completed, batch.request_counts.failed) == (3, 2, 1), batch
answers = [json.loads(line) for line in client.files.content(batch.output_file_id).text.splitlines()]
assert sorted(answer["custom_id"] for answer in answers) == ["ask-1", "ask-2"], answers
assert all(answer["response"]["body"]["choices"][0]["message"]["role"] == "assistant" for answer in answers), answers
failed = json.loads(client.files.content(batch.error_file_id).text)
assert failed["response"]["status_code"] == 404 and failed["response"]["body"]["error"]["code"], failed
assert [b.id for b in client.batches.list(limit=1)] == [batch.id]
long = client.batches.create(input_file_id=client.files.create(file=("requests.jsonl", io.BytesIO("".join(
    json.dumps(asked(i)) + "\n" for i in range(500)).encode())), purpose="batch").id,
    endpoint="/v1/chat/completions", completion_window="24h")
raises(openai.ConflictError, lambda: client.files.delete(long.input_file_id))
assert client.batches.cancel(long.id).status == "cancelled"
assert client.files.delete(long.input_file_id).deleted

# What is not here says what to use.
assert "'evaluate'" in raises(openai.BadRequestError, client.evals.list).message
assert "as an adapter" in raises(openai.BadRequestError, lambda: client.fine_tuning.checkpoints.permissions.create(
    checkpoints[0].fine_tuned_model_checkpoint, project_ids=["p"]).data).message

# Every error is the client's own.
raises(openai.NotFoundError, lambda: jobs.retrieve("ftjob-none"))
raises(openai.NotFoundError, lambda: client.files.content("file-none"))
raises(openai.NotFoundError, lambda: jobs.create(model="gpt-4o", training_file=training))
wrong = raises(openai.BadRequestError, lambda: jobs.create(model=MODEL, training_file="file-none"))
assert wrong.param == "training_file" and wrong.code == "invalid_training_file" and wrong.request_id, wrong
method = raises(openai.BadRequestError, lambda: jobs.create(model=MODEL, training_file=training, method={
    "type": "reinforcement", "reinforcement": {"grader": {}}}))
assert "the grader needs" in method.message, method
raises(openai.BadRequestError, lambda: jobs.cancel(job.id))
stranger = openai.OpenAI(base_url=URL + "/v1", api_key="sk-wrong", max_retries=0)
raises(openai.AuthenticationError, stranger.models.list)

# What is deleted is gone.
assert client.files.delete(training).deleted
raises(openai.NotFoundError, lambda: client.files.retrieve(training))
assert client.models.delete(job.fine_tuned_model).deleted
raises(openai.NotFoundError, lambda: client.models.retrieve(job.fine_tuned_model))
print("ok")
