package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.Completion.TokenProbability;
import io.peft4j.core.tool.AnswerReader;
import io.peft4j.core.tool.ParsedAnswer;
import io.peft4j.core.tool.ToolCall;
import io.peft4j.models.generation.AnswerListener;
import io.peft4j.models.generation.PendingAnswer;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Endpoint;
import io.peft4j.serve.http.EventStream;
import io.peft4j.serve.http.Json;
import java.util.ArrayList;
import java.util.List;

/** A response as events, while it grows. A client that goes away ends it. */
final class ResponseStream implements AnswerListener {
    private final ToolUse tools;
    private final ResponseBody response;
    private final ReplyParts replies;
    private final EventStream events;
    private final AnswerReader text;
    private final List<ObjectNode> output = new ArrayList<>();
    private final String message = ReplyParts.id("msg_");
    private final StringBuilder said = new StringBuilder();
    private final ArrayNode probabilities = Json.array();
    /** Of tokens whose text has not been sent yet. */
    private ArrayNode held = Json.array();
    private boolean begun;
    private boolean open;
    private String status = "";
    private int number;

    ResponseStream(ToolUse tools, ResponseBody response, ReplyParts replies, EventStream events) {
        this.tools = tools;
        this.response = response;
        this.replies = replies;
        this.events = events;
        this.text = tools.growing();
    }

    /** Waits for the end of the answer. */
    void run(PendingAnswer pending, Endpoint.Asker asker) {
        try {
            Completion completion = AnswerGateway.await(pending, asker).get(0);
            send("response." + status, response.ended(status, output, pending, completion));
        } catch (ApiException e) {
            fail(e);
        }
    }

    private synchronized void fail(ApiException error) {
        if (!begun) {
            throw error;
        }
        send("response.failed", response.failed(error, output));
    }

    @Override
    public synchronized boolean onText(int answer, String piece, List<TokenProbability> tokens) {
        begin();
        held.addAll(replies.logProbabilities(tokens));
        // A forced call is sent when it is complete.
        String content = tools.forced() ? "" : text.accept(piece).content();
        return content.isEmpty() ? !events.isBroken() : say(content);
    }

    @Override
    public synchronized void onEnd(int answer, Completion completion) {
        begin();
        String rest = tools.forced() ? "" : text.finish().content();
        ParsedAnswer parsed = tools.forced() ? tools.parsed(completion.text()) : tools.limited(text.answer());
        String last = tools.forced() ? parsed.content() : rest;
        status = ResponseRoutes.status(completion, parsed.calls());
        if (!parsed.reasoning().isEmpty() && !open) {
            ObjectNode thought = ResponseItems.reasoning(ReplyParts.id("rs_"), parsed.reasoning());
            send(item("response.output_item.added", thought));
            end(thought);
        }
        if (!last.isEmpty() || !open && parsed.calls().isEmpty()) {
            say(last);
        }
        if (open) {
            closeMessage();
        }
        parsed.calls().forEach(this::call);
    }

    private void begin() {
        if (!begun) {
            begun = true;
            send("response.created", response.inProgress());
            send("response.in_progress", response.inProgress());
        }
    }

    private boolean say(String content) {
        if (!open) {
            open = true;
            send(item("response.output_item.added", ResponseItems.message(message, "in_progress")));
            ObjectNode added = part("response.content_part.added");
            added.set("part", ResponseItems.text("", Json.array()));
            send(added);
        }
        said.append(content);
        probabilities.addAll(held);
        ObjectNode delta = part("response.output_text.delta").put("delta", content);
        delta.set("logprobs", held);
        held = Json.array();
        return send(delta);
    }

    private void closeMessage() {
        ObjectNode done = part("response.output_text.done").put("text", said.toString());
        done.set("logprobs", probabilities);
        send(done);
        ObjectNode whole = ResponseItems.text(said.toString(), probabilities);
        ObjectNode partDone = part("response.content_part.done");
        partDone.set("part", whole);
        send(partDone);
        end(ResponseItems.message(message, status, whole));
    }

    private void call(ToolCall call) {
        String id = ReplyParts.id("fc_");
        String callId = ReplyParts.id("call_");
        String arguments = Json.text(call.arguments());
        send(item("response.output_item.added", ResponseItems.call(id, callId, call.name(), "", "in_progress")));
        send(event("response.function_call_arguments.delta").put("item_id", id).put("output_index", output.size())
                .put("delta", arguments));
        send(event("response.function_call_arguments.done").put("item_id", id).put("output_index", output.size())
                .put("name", call.name()).put("arguments", arguments));
        end(ResponseItems.call(id, callId, call.name(), arguments, "completed"));
    }

    /** An item is complete. */
    private void end(ObjectNode item) {
        send(item("response.output_item.done", item));
        output.add(item);
    }

    private static ObjectNode event(String type) {
        return Json.object().put("type", type);
    }

    private ObjectNode item(String type, ObjectNode item) {
        ObjectNode event = event(type).put("output_index", output.size());
        event.set("item", item);
        return event;
    }

    /** An event of the message's only part. */
    private ObjectNode part(String type) {
        return event(type).put("item_id", message).put("output_index", output.size()).put("content_index", 0);
    }

    private void send(String type, ObjectNode body) {
        ObjectNode event = event(type);
        event.set("response", body);
        send(event);
    }

    private boolean send(ObjectNode event) {
        return events.send(event.get("type").textValue(), event.put("sequence_number", number++));
    }
}
