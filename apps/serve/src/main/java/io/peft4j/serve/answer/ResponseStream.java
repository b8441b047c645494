package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.Completion.TokenProbability;
import io.peft4j.core.tool.AnswerReader;
import io.peft4j.core.tool.ParsedAnswer;
import io.peft4j.models.generation.AnswerListener;
import io.peft4j.models.generation.PendingAnswer;
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
    private final EventStream events;
    private final ToolUse.Growing text;
    private final List<ObjectNode> output = new ArrayList<>();
    /** Of tokens whose text has not been sent yet. */
    private ArrayNode held = Json.array();
    private Optional<Item> open = Optional.empty();
    private boolean begun;
    private String status = "";
    private int number;

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

        ObjectNode json(String status) {
            return switch (kind) {
                case THOUGHT -> ResponseItems.reasoning(id, status, said.toString());
                case CALL -> ResponseItems.call(id, callId, name, said.toString(), status);
                case MESSAGE -> status.equals("in_progress") ? ResponseItems.message(id, status)
                        : ResponseItems.message(id, status, ResponseItems.text(said.toString(), probabilities));
            };
        }
    }

    /** What an item is, and what its events are called. */
    private enum Kind {
        THOUGHT("rs_", "response.reasoning_text", "text"), MESSAGE("msg_", "response.output_text", "text"), CALL("fc_",
                "response.function_call_arguments", "arguments");

        private final String prefix;
        private final String event;
        private final String field;

        Kind(String prefix, String event, String field) {
            this.prefix = prefix;
            this.event = event;
            this.field = field;
        }
    }

    ResponseStream(ToolUse tools, ResponseBody response, ReplyParts replies, EventStream events) {
        this.response = response;
        this.replies = replies;
        this.events = events;
        this.text = new ToolUse.Growing(tools);
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
        return tell(text.accept(piece));
    }

    @Override
    public synchronized void onEnd(int answer, Completion completion) {
        begin();
        tell(text.finish(completion));
        ParsedAnswer parsed = text.answer(completion);
        status = ResponseRoutes.status(completion, parsed.calls());
        boolean silent = open.filter(item -> item.kind != Kind.THOUGHT).isEmpty() && output.stream()
                .allMatch(item -> item.path("type").asText().equals("reasoning"));
        if (silent) {
            grow(item(Kind.MESSAGE, ""), "");
        }
        // What the limit of tokens cut is not complete, a thought that was closed is.
        close(open.filter(item -> item.kind == Kind.CALL).isPresent() ? "incomplete" : status, parsed.wrong());
    }

    private boolean tell(AnswerReader.Piece piece) {
        if (!piece.reasoning().isEmpty()) {
            grow(item(Kind.THOUGHT, ""), piece.reasoning());
        }
        if (!piece.content().isEmpty()) {
            grow(item(Kind.MESSAGE, ""), piece.content());
        }
        for (AnswerReader.CallPiece call : piece.calls()) {
            call.name().ifPresent(name -> close("completed", List.of()));
            Item item = item(Kind.CALL, call.name().orElse(""));
            if (!call.arguments().isEmpty()) {
                grow(item, call.arguments());
            }
            if (call.index() < text.complete()) {
                close("completed", List.of());
            }
        }
        return !events.isBroken();
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
        close("completed", List.of());
        Item item = new Item(kind, name);
        open = Optional.of(item);
        send(item("response.output_item.added", item.json("in_progress")));
        if (kind == Kind.MESSAGE) {
            ObjectNode added = part("response.content_part.added", item);
            added.set("part", ResponseItems.text("", Json.array()));
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
    private void close(String how, List<ParsedAnswer.Wrong> wrong) {
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
                ToolUse.list(wrong, whole);
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
        events.send(event.get("type").textValue(), event.put("sequence_number", number++));
    }
}
