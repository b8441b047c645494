package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.peft4j.core.model.Completion;
import io.peft4j.models.generation.AnswerListener;
import io.peft4j.models.generation.PendingAnswer;
import io.peft4j.serve.http.Bodies;
import io.peft4j.serve.http.Endpoint;
import io.peft4j.serve.http.EventStream;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.Operation;
import io.peft4j.serve.http.RequestFields;
import io.peft4j.serve.http.RouteGroup;
import io.peft4j.serve.http.Routes;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;

/** {@code POST /v1/responses}: the chats of {@link ChatRoutes} in another form. Responses are not kept. */
final class ResponseRoutes implements RouteGroup {
    private final Chats chats;
    private final Clock clock;
    private final ReplyParts replies;

    /** Responses of the models that answer. */
    public ResponseRoutes(AnswerGateway answers, Clock clock) {
        this.chats = new Chats(answers);
        this.clock = clock;
        this.replies = answers.replies();
    }

    @Override
    public void addTo(Routes routes) {
        routes.post("/v1/responses", Operation.of("createResponse", "Answers a conversation, in the form that OpenAI's "
                + "clients use now").body("ResponseRequest").reply("Response")
                .reply("text/event-stream", Operation.TEXT), this::answer);
    }

    private void answer(Context http) {
        ObjectNode body = Bodies.object(http);
        Endpoint.Asker asker = Endpoint.Asker.of(http);
        Chats.Chat chat = chats.read(new RequestFields(body), asker, ResponseFields::read);
        ResponseBody response = new ResponseBody(body, clock.instant().getEpochSecond());
        if (chat.request().streaming().wanted()) {
            ResponseStream stream = new ResponseStream(chat.request().tools(), response, replies,
                    new EventStream(http));
            stream.run(chats.submit(chat, asker, stream), asker);
            return;
        }
        PendingAnswer pending = chats.submit(chat, asker, AnswerListener.NONE);
        Completion completion = AnswerGateway.await(pending, asker).get(0);
        ToolForm.Parsed parsed = chat.request().tools().parsed(completion.text());
        String status = status(completion, parsed.calls());
        List<ObjectNode> output = new ArrayList<>();
        if (parsed.calls().isEmpty() || !parsed.content().isEmpty()) {
            ArrayNode probabilities = chat.options().logProbabilities().isEmpty() ? Json.array()
                    : replies.logProbabilities(completion.probabilities());
            output.add(ResponseItems.message(ReplyParts.id("msg_"), status, ResponseItems.text(parsed.content(),
                    probabilities)));
        }
        parsed.calls().forEach(call -> output.add(ResponseItems.call(ReplyParts.id("fc_"), ReplyParts.id("call_"),
                call.name(), Json.text(call.arguments()), "completed")));
        Bodies.reply(http, response.ended(status, output, pending, completion));
    }

    /** An answer that calls tools is complete with its last call. */
    static String status(Completion completion, List<ToolForm.Call> calls) {
        return calls.isEmpty() && ReplyParts.finishReason(completion).equals("length") ? "incomplete" : "completed";
    }
}
