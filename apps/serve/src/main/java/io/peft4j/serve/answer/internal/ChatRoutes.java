package io.peft4j.serve.answer.internal;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.peft4j.core.model.Completion;
import io.peft4j.models.generation.AnswerListener;
import io.peft4j.models.generation.PendingAnswer;
import io.peft4j.serve.http.internal.Bodies;
import io.peft4j.serve.http.internal.EventStream;
import io.peft4j.serve.http.internal.Json;
import io.peft4j.serve.http.internal.Operation;
import io.peft4j.serve.http.internal.RequestFields;
import io.peft4j.serve.http.internal.RouteGroup;
import io.peft4j.serve.http.internal.Routes;
import java.time.Clock;
import java.util.List;

/** {@code POST /v1/chat/completions}. */
final class ChatRoutes implements RouteGroup {
    private final Chats chats;
    private final Clock clock;
    private final ReplyParts replies;

    /** Chats with the models that answer. */
    public ChatRoutes(AnswerGateway answers, Clock clock) {
        this.chats = new Chats(answers);
        this.clock = clock;
        this.replies = answers.replies();
    }

    @Override
    public void addTo(Routes routes) {
        routes.post("/v1/chat/completions", Operation.of("createChatCompletion", "Answers a conversation")
                .body("ChatRequest").reply("ChatReply").reply("text/event-stream", Operation.TEXT), this::answer);
    }

    private void answer(Context http) {
        Chats.Chat chat = chats.read(new RequestFields(Bodies.object(http)), http, ChatRequest::read);
        ChatRequest request = chat.request();
        String id = ReplyParts.id("chatcmpl-");
        long created = clock.instant().getEpochSecond();
        if (request.streaming().wanted()) {
            ChatStream stream = new ChatStream(request, replies, new EventStream(http),
                    () -> ReplyParts.head(id, "chat.completion.chunk", created, request.model()));
            stream.run(chats.submit(chat, http, stream), http);
            return;
        }
        PendingAnswer pending = chats.submit(chat, http, AnswerListener.NONE);
        List<Completion> completions = AnswerGateway.await(pending, http);
        ObjectNode reply = ReplyParts.head(id, "chat.completion", created, request.model());
        ArrayNode choices = reply.putArray("choices");
        for (int i = 0; i < completions.size(); i++) {
            choices.add(choice(i, request, completions.get(i)));
        }
        reply.set("usage", ReplyParts.usage(List.of(pending), completions));
        Bodies.reply(http, reply);
    }

    private ObjectNode choice(int index, ChatRequest request, Completion completion) {
        ToolForm.Parsed parsed = request.tools().parsed(completion.text());
        ObjectNode choice = Json.object().put("index", index);
        ObjectNode message = choice.putObject("message").put("role", "assistant");
        message.put("content", parsed.calls().isEmpty() || !parsed.content().isEmpty() ? parsed.content() : null)
                .putNull("refusal");
        if (!parsed.calls().isEmpty()) {
            ArrayNode calls = message.putArray("tool_calls");
            parsed.calls().forEach(call -> calls.add(call.json(ReplyParts.id("call_"))));
        }
        if (request.options().logProbabilities().isPresent()) {
            choice.putObject("logprobs").putNull("refusal").set("content",
                    replies.logProbabilities(completion.probabilities()));
        } else {
            choice.putNull("logprobs");
        }
        return choice.put("finish_reason", parsed.calls().isEmpty() ? ReplyParts.finishReason(completion)
                : "tool_calls");
    }
}
