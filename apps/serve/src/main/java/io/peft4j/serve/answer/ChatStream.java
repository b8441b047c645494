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
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** A chat's answers as events, while they grow. A client that goes away ends them. */
final class ChatStream implements AnswerListener {
    private final ChatRequest request;
    private final ReplyParts replies;
    private final EventStream events;
    private final Supplier<ObjectNode> head;
    private final List<ToolUse.Growing> texts = new ArrayList<>();
    private final boolean[] begun;

    /**
     * A stream.
     *
     * @param head gives the head of each event
     */
    ChatStream(ChatRequest request, ReplyParts replies, EventStream events, Supplier<ObjectNode> head) {
        this.request = request;
        this.replies = replies;
        this.events = events;
        this.head = head;
        int count = request.options().answers();
        this.begun = new boolean[count];
        for (int i = 0; i < count; i++) {
            texts.add(new ToolUse.Growing(request.tools()));
        }
    }

    /** Waits for the end of the answers. */
    void run(PendingAnswer pending, Endpoint.Asker asker) {
        List<Completion> completions;
        try {
            completions = AnswerGateway.await(pending, asker);
        } catch (ApiException e) {
            if (!events.fail(e)) {
                throw e;
            }
            return;
        }
        if (request.streaming().usage()) {
            ObjectNode event = head.get();
            event.putArray("choices");
            event.set("usage", ReplyParts.usage(List.of(pending), completions, request.streaming()));
            events.send(event);
        }
        events.end();
    }

    @Override
    public boolean onText(int answer, String piece, List<TokenProbability> tokens) {
        AnswerReader.Piece told = texts.get(answer).accept(piece);
        return told.isEmpty() && tokens.isEmpty() ? !events.isBroken()
                : send(answer, delta -> fill(delta, told), tokens, Optional.empty());
    }

    private static void fill(ObjectNode delta, AnswerReader.Piece told) {
        if (!told.reasoning().isEmpty()) {
            delta.put("reasoning_content", told.reasoning());
        }
        if (!told.content().isEmpty()) {
            delta.put("content", told.content());
        }
        if (!told.calls().isEmpty()) {
            ArrayNode calls = delta.putArray("tool_calls");
            told.calls().forEach(call -> calls.add(ToolFields.json(call)));
        }
    }

    @Override
    public void onEnd(int answer, Completion completion) {
        ToolUse.Growing text = texts.get(answer);
        AnswerReader.Piece rest = text.finish(completion.text());
        if (!rest.isEmpty()) {
            send(answer, delta -> fill(delta, rest), List.of(), Optional.empty());
        }
        ParsedAnswer whole = text.answer(completion.text());
        send(answer, delta -> ToolFields.list(whole.wrong(), delta), List.of(), Optional.of(whole.calls().isEmpty()
                ? ReplyParts.finishReason(completion) : "tool_calls"));
    }

    /** Fills the delta of an event. */
    @FunctionalInterface
    private interface Delta {
        void fill(ObjectNode delta);
    }

    private boolean send(int answer, Delta content, List<TokenProbability> tokens, Optional<String> finish) {
        ObjectNode event = head.get();
        ArrayNode choices = event.putArray("choices");
        ObjectNode choice = choices.addObject().put("index", answer);
        ObjectNode delta = choice.putObject("delta");
        if (!begun[answer]) {
            begun[answer] = true;
            delta.put("role", "assistant");
            delta.put("content", "");
        }
        content.fill(delta);
        if (tokens.isEmpty()) {
            choice.putNull("logprobs");
        } else {
            choice.putObject("logprobs").putNull("refusal").set("content", replies.logProbabilities(tokens));
        }
        choice.put("finish_reason", finish.orElse(null));
        if (request.streaming().usage()) {
            event.putNull("usage");
        }
        return events.send(event);
    }
}
