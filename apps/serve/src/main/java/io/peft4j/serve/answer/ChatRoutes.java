package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.peft4j.core.model.Completion;
import io.peft4j.models.generation.AnswerListener;
import io.peft4j.models.generation.PendingAnswer;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bodies;
import io.peft4j.serve.http.Endpoint;
import io.peft4j.serve.http.EventStream;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.Operation;
import io.peft4j.serve.http.RequestFields;
import io.peft4j.serve.http.RouteGroup;
import io.peft4j.serve.http.Routes;
import java.time.Clock;
import java.util.List;

/** {@code POST /v1/chat/completions}. */
final class ChatRoutes implements RouteGroup, Endpoint {
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
    public String path() {
        return "/v1/chat/completions";
    }

    @Override
    public void addTo(Routes routes) {
        routes.post(path(), Operation.of("createChatCompletion", "Answers a conversation")
                .body("ChatRequest").reply("ChatReply").reply("text/event-stream", Operation.TEXT), this::answer);
    }

    private void answer(Context http) {
        Asker asker = Asker.of(http);
        Chats.Chat chat = chats.read(new RequestFields(Bodies.object(http)), asker, ChatRequest::read);
        ChatRequest request = chat.request();
        if (!request.streaming().wanted()) {
            Bodies.reply(http, answer(chat, asker));
            return;
        }
        String id = ReplyParts.id("chatcmpl-");
        long created = clock.instant().getEpochSecond();
        ChatStream stream = new ChatStream(request, replies, new EventStream(http),
                () -> ReplyParts.head(id, "chat.completion.chunk", created, request.model()));
        stream.run(chats.submit(chat, asker, stream), asker);
    }

    @Override
    public ObjectNode answer(ObjectNode body, Asker asker) {
        Chats.Chat chat = chats.read(new RequestFields(body), asker, ChatRequest::read);
        if (chat.request().streaming().wanted()) {
            throw ApiException.invalid("stream", "'stream' is for clients that read along; nobody does here");
        }
        return answer(chat, asker);
    }

    private ObjectNode answer(Chats.Chat chat, Asker asker) {
        PendingAnswer pending = chats.submit(chat, asker, AnswerListener.NONE);
        List<Completion> completions = AnswerGateway.await(pending, asker);
        ObjectNode reply = ReplyParts.head(ReplyParts.id("chatcmpl-"), "chat.completion",
                clock.instant().getEpochSecond(), chat.request().model());
        ArrayNode choices = reply.putArray("choices");
        for (int i = 0; i < completions.size(); i++) {
            choices.add(choice(i, chat.request(), completions.get(i)));
        }
        reply.set("usage", ReplyParts.usage(List.of(pending), completions));
        return reply;
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
