"""Asks a server by OpenAI's client for Python and System One's, which know the address and a key and nothing else.

    python ask_server.py URL KEY

The server has the model "tiny", whose template shows tools, an adapter "tuned" and an embedder "vectors".
"""

import json
import sys

import openai
from pydantic import BaseModel
import typesafe_sdk
from typesafe_sdk import Choice, Noul, RetryPolicy, Score, TypeSafeClient

client = openai.OpenAI(base_url=sys.argv[1], api_key=sys.argv[2], max_retries=0)
messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "What is the notice period?"}]


def chat(**fields):
    return client.chat.completions.create(**{"model": "tiny", "messages": messages, "temperature": 0,
                                             "max_completion_tokens": 12, **fields})


reply = chat(logprobs=True, top_logprobs=3)
text = reply.choices[0].message.content
assert reply.choices[0].finish_reason == "length", reply
assert reply.usage.completion_tokens == 12 and reply.usage.total_tokens == reply.usage.prompt_tokens + 12, reply.usage
tokens = reply.choices[0].logprobs.content
assert len(tokens) == 12 and all(len(token.top_logprobs) == 3 for token in tokens)
assert all(token.logprob == token.top_logprobs[0].logprob for token in tokens), "greedy takes the likeliest"
assert b"".join(bytes(token.bytes) for token in tokens).decode("utf-8", "replace") == text

chunks = list(chat(stream=True, stream_options={"include_usage": True}))
assert "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices) == text
assert [choice.finish_reason for chunk in chunks for choice in chunk.choices][-1] == "length"
assert chunks[0].choices[0].delta.role == "assistant" and chunks[-1].usage.completion_tokens == 12

assert chat(model="tuned").choices[0].message.content != text
assert len({choice.message.content for choice in chat(n=3, temperature=1, seed=3).choices}) > 1
short = chat(stop=[text[3:5]])
assert short.choices[0].message.content == text[:3] and short.choices[0].finish_reason == "stop", short


class Period(BaseModel):
    days: int
    paid: bool


parsed = client.chat.completions.parse(model="tiny", messages=messages, temperature=0, max_completion_tokens=100,
                                       response_format=Period)
assert isinstance(parsed.choices[0].message.parsed, Period), parsed
assert chat(response_format={"type": "json_object"}).choices[0].message.content.startswith("{")

tool = {"type": "function", "function": {"name": "notice_period", "parameters": {
    "type": "object", "properties": {"level": {"enum": ["senior", "junior"]}}, "required": ["level"]}}}
forced = {"tools": [tool], "tool_choice": {"type": "function", "function": {"name": "notice_period"}},
          "max_completion_tokens": 100}
call = chat(**forced).choices[0]
assert call.finish_reason == "tool_calls", call
arguments = call.message.tool_calls[0].function.arguments
assert json.loads(arguments)["level"] in ("senior", "junior"), arguments
streamed = [choice.delta for chunk in chat(stream=True, **forced) for choice in chunk.choices]
calls = [each for delta in streamed for each in delta.tool_calls or []]
assert calls[0].function.name == "notice_period" and len({each.index for each in calls}) == 1, calls
assert "".join(each.function.arguments for each in calls) == arguments, calls
answered = chat(tools=[tool], messages=messages + [call.message, {
    "role": "tool", "tool_call_id": call.message.tool_calls[0].id, "content": "90 days"}])
assert answered.choices[0].message.content, answered

completion = client.completions.create(model="tiny", prompt=["The notice", "A"], max_tokens=4, temperature=0, n=2)
assert [choice.index for choice in completion.choices] == [0, 1, 2, 3], completion
pieces = list(client.completions.create(model="tiny", prompt="The notice", max_tokens=4, temperature=0, stream=True))
assert "".join(piece.choices[0].text for piece in pieces) == completion.choices[0].text
offsets = [piece.choices[0].logprobs.text_offset for piece in client.completions.create(
    model="tiny", prompt="The notice", max_tokens=4, temperature=0, stream=True, logprobs=0)]
whole = client.completions.create(model="tiny", prompt="The notice", max_tokens=4, temperature=0, logprobs=0)
assert sum(offsets, []) == whole.choices[0].logprobs.text_offset, offsets



def respond(**fields):
    return {"model": "tiny", "instructions": "Be brief.", "input": "What is the notice period?", "temperature": 0,
            "max_output_tokens": 12, **fields}


response = client.responses.create(**respond(store=True, metadata={"for": "test"}))
assert response.output_text == text, response
assert response.status == "incomplete" and response.incomplete_details.reason == "max_output_tokens", response
assert response.usage.input_tokens == reply.usage.prompt_tokens and response.usage.total_tokens == reply.usage.total_tokens
with client.responses.stream(**respond()) as stream:
    events = list(stream)
    assert "".join(event.delta for event in events if event.type == "response.output_text.delta") == text
    assert events[-1].type == "response.incomplete" and events[-1].response.output_text == text, events[-1]
assert [event.sequence_number for event in events] == list(range(len(events)))
again = client.responses.create(**respond(instructions=None, input=[
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": [{"type": "input_text", "text": "What is the notice period?"}]}]))
assert again.output_text == text, again

parsed = client.responses.parse(**respond(text_format=Period, max_output_tokens=100))
assert isinstance(parsed.output_parsed, Period) and parsed.status == "completed", parsed
with client.responses.stream(**respond(text_format=Period, max_output_tokens=100)) as stream:
    assert stream.get_final_response().output_parsed == parsed.output_parsed
flat = {"type": "function", "strict": True, **tool["function"]}
conversation = [{"role": "user", "content": "What is the notice period?"}]
called = client.responses.create(**respond(input=conversation, tools=[flat], tool_choice="required",
                                           max_output_tokens=100))
call = called.output[0]
assert called.status == "completed" and call.type == "function_call" and call.name == "notice_period", called
assert json.loads(call.arguments)["level"] in ("senior", "junior"), call
with client.responses.stream(**respond(input=conversation, tools=[flat], tool_choice="required",
                                       max_output_tokens=100)) as stream:
    assert stream.get_final_response().output[0].arguments == call.arguments
conversation += called.output
conversation.append({"type": "function_call_output", "call_id": call.call_id, "output": "90 days"})
assert client.responses.create(**respond(input=conversation, tools=[flat])).output_text

banned = client.completions.create(model="tiny", prompt=[5, 6, 7], max_tokens=3, temperature=0,
                                   logit_bias={"9": 100}, logprobs=0)
assert len(set(banned.choices[0].logprobs.tokens)) == 1, banned

TEAM = {"type": "choice", "name": "team", "instructions": "Which team?", "choices": [
    {"value": "billing", "description": "Invoices"}, {"value": "login"}]}
decision = client.decisions.create(model="tiny", input=[{"role": "user", "content": "I was charged twice"}], questions=[
    TEAM,
    {"type": "score", "instructions": "How urgent?", "levels": [{"label": "low"}, {"label": "high"}]}])
team, urgent = decision.answers
assert (team.type, urgent.type) == ("choice", "score"), decision
assert team.name == "team" and urgent.name is None and team.choice in ("billing", "login")
assert abs(sum(one.probability for one in team.probabilities) - 1) < 1e-9
assert urgent.probabilities[1].label == "high" and abs(urgent.score - urgent.probabilities[1].probability) < 1e-9
assert decision.usage.output_tokens == 0 and decision.usage.total_tokens == decision.usage.input_tokens > 20


def system_one(key=sys.argv[2], **fields):
    with TypeSafeClient(base_url=sys.argv[1].removesuffix("/v1"), api_key=key, retry=RetryPolicy(max_retries=0)) as asking:
        return asking.system_one(**{"model": "tiny", "state": [
            {"role": "user", "content": "I was charged twice"}], "questions": {
                "team": Choice(instructions="Which team?", criteria={"billing": "Invoices", "login": None}),
                "urgent": Score(instructions="How urgent?", criteria=["low", "high"])}, **fields})


typed = system_one()
assert typed.choices["team"].choice == team.choice and typed.usage.output_tokens == 0, typed
assert all(abs(typed.choices["team"].probabilities[one.value] - one.probability) < 1e-6 for one in team.probabilities), typed
assert abs(sum(typed.scores["urgent"].probabilities.values()) - 1) < 1e-9 and typed.scores["urgent"].legend[1] == "high"
assert system_one(model="tuned").choices["team"].probabilities != typed.choices["team"].probabilities
with TypeSafeClient(base_url=sys.argv[1].removesuffix("/v1"), api_key=sys.argv[2]) as asking:
    assert {"tiny", "tuned"} == {model.name for model in asking.models.list().models}
assert client.decisions.create(model="tuned", input="I was charged twice", questions=[TEAM]).answers[0].confidence >= 0

vectors = client.embeddings.create(model="vectors", input=["notice period", "leave"])
assert len(vectors.data) == 2 and len(vectors.data[0].embedding) == len(vectors.data[1].embedding) > 3
floats = client.embeddings.create(model="vectors", input="leave", encoding_format="float")
assert all(abs(a - b) < 1e-6 for a, b in zip(floats.data[0].embedding, vectors.data[1].embedding))
assert vectors.usage.prompt_tokens == vectors.usage.total_tokens > floats.usage.prompt_tokens
assert len(client.embeddings.create(model="vectors", input=[[1, 2, 3], [4]]).data) == 2
assert {"tiny", "tuned", "vectors"} <= {model.id for model in client.models.list()}


def refused(error, code, action):
    try:
        action()
    except error as e:
        assert e.code == code, (e.code, code, e)
        return
    raise AssertionError(f"no {error.__name__}")


refused(openai.NotFoundError, "model_not_found", lambda: chat(model="nobody"))
refused(openai.NotFoundError, "model_not_found", lambda: client.decisions.create(
    model="nobody", input="a", questions=[TEAM]))
refused(openai.BadRequestError, "unknown_parameter", lambda: chat(extra_body={"temperatur": 1}))
refused(openai.BadRequestError, "context_length_exceeded", lambda: chat(max_completion_tokens=100000))
refused(openai.BadRequestError, "invalid_value", lambda: chat(temperature=3))
refused(openai.BadRequestError, "invalid_type", lambda: chat(temperature="warm"))
refused(openai.BadRequestError, "unsupported_parameter", lambda: client.responses.create(
    **respond(previous_response_id="resp_1")))
refused(openai.BadRequestError, "unsupported_parameter", lambda: client.responses.create(
    **respond(tools=[{"type": "web_search"}])))
refused(openai.BadRequestError, "invalid_value", lambda: chat(logit_bias={"1000000": 1}))
refused(openai.BadRequestError, "invalid_value", lambda: client.embeddings.create(
    model="vectors", input="leave", dimensions=3))
refused(openai.NotFoundError, "unknown_url", lambda: client.images.generate(prompt="a cat"))
refused(openai.BadRequestError, "invalid_json_schema", lambda: chat(response_format={
    "type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object", "minProperties": 2}}}))
refused(openai.BadRequestError, "model_not_supported", lambda: client.embeddings.create(model="tiny", input="a"))
refused(openai.AuthenticationError, "invalid_api_key",
        lambda: client.with_options(api_key="wrong").chat.completions.create(model="tiny", messages=messages))
refused(openai.PermissionDeniedError, "forbidden", lambda: client.post(
    "/load_lora_adapter", body={"lora_name": "a", "lora_path": "/etc"}, cast_to=str))
for error, said, fields in [
        (typesafe_sdk.TypeSafeAuthenticationError, "key", {"key": "wrong"}),
        (typesafe_sdk.TypeSafeNotFoundError, "'nobody' does not exist", {"model": "nobody"}),
        (typesafe_sdk.TypeSafeUnprocessableEntityError, "state: Input should be", {"state": 1}),
        (typesafe_sdk.TypeSafeBadRequestError, "labels [Yes, No]", {"questions": {"ok": Noul(instructions="Is it?")}})]:
    try:
        system_one(**fields)
        raise AssertionError(f"no {error.__name__}")
    except error as e:
        assert said in str(e), e
print("all as expected with openai", openai.__version__, "and typesafe-sdk", typesafe_sdk.__version__)
