package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.Completion.TokenProbability;
import io.peft4j.core.tool.AnswerReader;
import io.peft4j.core.tool.ParsedAnswer;
import io.peft4j.models.generation.AnswerListener;
import io.peft4j.models.generation.PendingAnswer;
import io.peft4j.models.generation.ToolUse;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Endpoint;
import io.peft4j.serve.http.EventStream;
import io.peft4j.serve.http.Json;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A response as events, while it grows. A client that goes away ends it. */
final class ResponseStream implements AnswerListener {
    private final ResponseBody response;
    private final ReplyParts replies;
    private final Optional<EventStream> events;
    private final ToolUse.Growing text;
    private final List<ObjectNode> output = new ArrayList<>();
    /** Of tokens whose text has not been sent yet. */
    private ArrayNode held = Json.array();
    private Optional<Item> open = Optional.empty();
    private boolean begun;
    private String status = "";
    private int number;
    /** How many of those that were meant as calls and are none have been listed. */
    private int listed;

    /** An item of the output that grows. */
    private static final class Item {
        private final Kind kind;
        private final String id;
        private final String callId = ReplyParts.id("call_");
        private final String name;
        private final StringBuilder said = new StringBuilder();
        private final ArrayNode probabilities = Json.array();

        Item(Kind kind, String name) {
            this.kind = kind;
            this.id = ReplyParts.id(kind.prefix);
            this.name = name;
        }

        /** It as {@code output} has it, without content while it is in progress. */
        ObjectNode json(String status) {
            ObjectNode json = Json.object().put("id", id).put("type", kind.type).put("status", status);
            if (kind == Kind.CALL) {
                return json.put("call_id", callId).put("name", name).put("arguments", said.toString());
            }
            if (kind == Kind.MESSAGE) {
                json.put("role", "assistant");
            } else {
                json.putArray("summary");
            }
            ArrayNode content = json.putArray("content");
            if (!status.equals("in_progress")) {
                content.add(kind == Kind.MESSAGE ? text(said.toString(), probabilities) : Json.object()
                        .put("type", "reasoning_text").put("text", said.toString()));
            }
            return json;
        }

        /** The part of a message's text. */
        static ObjectNode text(String text, ArrayNode probabilities) {
            ObjectNode part = Json.object().put("type", "output_text").put("text", text);
            part.putArray("annotations");
            part.set("logprobs", probabilities);
            return part;
        }
    }

    /** What an item is, and what its events are called. */
    private enum Kind {
        THOUGHT("reasoning", "rs_", "response.reasoning_text", "text"), MESSAGE("message", "msg_",
                "response.output_text",
                "text"), CALL("function_call", "fc_", "response.function_call_arguments", "arguments");

        private final String type;
        private final String prefix;
        private final String event;
        private final String field;

        Kind(String type, String prefix, String event, String field) {
            this.type = type;
            this.prefix = prefix;
            this.event = event;
            this.field = field;
        }
    }

    /** @param events where it goes; empty where it comes as a whole */
    ResponseStream(ToolUse tools, ResponseBody response, ReplyParts replies, Optional<EventStream> events) {
        this.response = response;
        this.replies = replies;
        this.events = events;
        this.text = new ToolUse.Growing(tools);
    }

    /** Waits for the end of the answer. */
    void run(PendingAnswer pending, Endpoint.Asker asker) {
        try {
            Completion completion = AnswerGateway.await(pending, asker).get(0);
            send("response." + status, ended(pending, completion));
        } catch (ApiException e) {
            fail(e);
        }
    }

    /** The response to an answer that has been told as a whole. */
    ObjectNode ended(PendingAnswer pending, Completion completion) {
        return response.ended(status, output, pending, completion);
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
        return tell(text.accept(piece));
    }

    @Override
    public synchronized void onEnd(int answer, Completion completion) {
        begin();
        tell(text.finish(completion.text()));
        boolean calls = !text.soFar().calls().isEmpty();
        // An answer that calls tools is complete with its last call.
        status = !calls && ReplyParts.finishReason(completion).equals("length") ? "incomplete" : "completed";
        if (!calls && open.filter(item -> item.kind != Kind.THOUGHT).isEmpty()) {
            grow(item(Kind.MESSAGE, ""), "");
        }
        close(status);
    }

    private boolean tell(AnswerReader.Piece piece) {
        if (!piece.reasoning().isEmpty()) {
            grow(item(Kind.THOUGHT, ""), piece.reasoning());
        }
        if (!piece.content().isEmpty()) {
            grow(item(Kind.MESSAGE, ""), piece.content());
        }
        for (AnswerReader.CallPiece call : piece.calls()) {
            call.name().ifPresent(name -> close("completed"));
            Item item = item(Kind.CALL, call.name().orElse(""));
            if (!call.arguments().isEmpty()) {
                grow(item, call.arguments());
            }
            if (call.index() < text.soFar().calls().size()) {
                close("completed");
            }
        }
        return events.filter(EventStream::isBroken).isEmpty();
    }

    private void begin() {
        if (!begun) {
            begun = true;
            send("response.created", response.inProgress());
            send("response.in_progress", response.inProgress());
        }
    }

    /** The item that grows, begun if another did so far. */
    private Item item(Kind kind, String name) {
        if (open.filter(item -> item.kind == kind).isPresent()) {
            return open.get();
        }
        close("completed");
        Item item = new Item(kind, name);
        open = Optional.of(item);
        send(item("response.output_item.added", item.json("in_progress")));
        if (kind == Kind.MESSAGE) {
            ObjectNode added = part("response.content_part.added", item);
            added.set("part", Item.text("", Json.array()));
            send(added);
        }
        return item;
    }

    private void grow(Item item, String more) {
        item.said.append(more);
        ObjectNode delta = part(item.kind.event + ".delta", item).put("delta", more);
        if (item.kind == Kind.MESSAGE) {
            item.probabilities.addAll(held);
            delta.set("logprobs", held);
            held = Json.array();
        }
        send(delta);
    }

    /** An item is complete. */
    private void close(String how) {
        open.ifPresent(item -> {
            String said = item.said.toString();
            ObjectNode done = part(item.kind.event + ".done", item).put(item.kind.field, said);
            if (item.kind == Kind.CALL) {
                done.put("name", item.name);
            }
            ObjectNode whole = item.json(how);
            if (item.kind == Kind.MESSAGE) {
                done.set("logprobs", item.probabilities);
            }
            send(done);
            if (item.kind == Kind.MESSAGE) {
                ObjectNode part = part("response.content_part.done", item);
                part.set("part", whole.at("/content/0"));
                send(part);
                List<ParsedAnswer.Wrong> wrong = text.soFar().wrong();
                ToolFields.list(wrong.subList(listed, wrong.size()), whole);
                listed = wrong.size();
            }
            send(item("response.output_item.done", whole));
            output.add(whole);
        });
        open = Optional.empty();
    }

    private static ObjectNode event(String type) {
        return Json.object().put("type", type);
    }

    private ObjectNode item(String type, ObjectNode item) {
        ObjectNode event = event(type).put("output_index", output.size());
        event.set("item", item);
        return event;
    }

    /** An event of the only part of an item, or of a call's arguments. */
    private ObjectNode part(String type, Item item) {
        ObjectNode event = event(type).put("item_id", item.id).put("output_index", output.size());
        return item.kind == Kind.CALL ? event : event.put("content_index", 0);
    }

    private void send(String type, ObjectNode body) {
        ObjectNode event = event(type);
        event.set("response", body);
        send(event);
    }

    private void send(ObjectNode event) {
        events.ifPresent(to -> to.send(event.get("type").textValue(), event.put("sequence_number", number++)));
    }
}
