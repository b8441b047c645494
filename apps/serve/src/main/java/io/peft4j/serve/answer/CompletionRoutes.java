package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.Completion.TokenProbability;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.models.generation.AnswerListener;
import io.peft4j.models.generation.PendingAnswer;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bodies;
import io.peft4j.serve.http.Bound;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.http.Endpoint;
import io.peft4j.serve.http.EventStream;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.LongRequests;
import io.peft4j.serve.http.Operation;
import io.peft4j.serve.http.RequestFields;
import io.peft4j.serve.http.RouteGroup;
import io.peft4j.serve.http.Routes;
import io.peft4j.serve.model.ServedModel;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** {@code POST /v1/completions}: texts that are continued as they are, without a chat template. */
final class CompletionRoutes implements RouteGroup {
    private static final int MOST_LOG_PROBABILITIES = 5;
    private static final int DEFAULT_TOKENS = 16;

    private final AnswerGateway answers;
    private final Clock clock;
    private final Tokenizer tokenizer;
    private final ReplyParts replies;

    /** Completions by the models that answer. */
    public CompletionRoutes(AnswerGateway answers, Clock clock) {
        this.answers = answers;
        this.clock = clock;
        this.tokenizer = answers.models().base().tokenizer();
        this.replies = answers.replies();
    }

    @Override
    public void addTo(Routes routes) {
        routes.post("/v1/completions", Operation.of("createCompletion", "Continues a text").body("CompletionRequest")
                .reply("CompletionReply").reply("text/event-stream", Operation.TEXT), this::answer);
    }

    private record Wanted(ServedModel model, String name, List<int[]> prompts, GenerationOptions options,
            Streaming streaming) {
    }

    private Wanted read(RequestFields fields, Context http) {
        Caller caller = Caller.of(http);
        String name = ChatRequest.model(fields);
        ServedModel model = answers.model(name, caller);
        fields.ignore("user");
        fields.unsupported("suffix", "the models continue texts", "");
        fields.unsupported("echo", "the prompt is not repeated", "false");
        GenerationOptions options = SamplingFields.read(fields);
        fields.unsupported("best_of", "ask for 'n' answers and choose among them", String.valueOf(options.answers()));
        int most = fields.integer("logprobs", 0, MOST_LOG_PROBABILITIES).orElse(-1);
        GenerationOptions told = most < 0 ? options : options.withLogProbabilities(most);
        int maxTokens = fields.integer("max_tokens", 1, Integer.MAX_VALUE).orElse(DEFAULT_TOKENS);
        int room = answers.mostTokens(model, caller);
        List<int[]> prompts = prompts(fields.required("prompt"), room, () -> LongRequests.requireClient(http));
        Wanted wanted = new Wanted(model, name, prompts, told.withMaxNewTokens(maxTokens), Streaming.read(fields));
        fields.requireKnown();
        prompts.forEach(prompt -> SamplingFields.limited(told, "prompt", "max_tokens", Optional.of(maxTokens),
                prompt.length, room));
        return wanted;
    }

    private List<int[]> prompts(JsonNode value, int most, Runnable look) {
        if (value.isTextual()) {
            return List.of(encoded(value, most, look));
        }
        RequestFields.require(value.isArray() && value.size() > 0, "prompt",
                "a string, or an array of strings or tokens that "
                        + "is not empty",
                value);
        if (value.get(0).isIntegralNumber()) {
            return List.of(tokens(value));
        }
        if (value.size() > Bound.PROMPTS.most()) {
            throw ApiException.invalid("prompt", "'prompt' may have " + Bound.PROMPTS.most() + " entries, got "
                    + value.size());
        }
        List<int[]> prompts = new ArrayList<>();
        for (JsonNode each : value) {
            RequestFields.require(each.isTextual() || each.isArray(), "prompt", "an array of strings or tokens", each);
            prompts.add(each.isTextual() ? encoded(each, most, look) : tokens(each));
        }
        return prompts;
    }

    private int[] encoded(JsonNode text, int most, Runnable look) {
        return PromptTokens.of("prompt", text.textValue(), most, tokenizer::encodeWithSpecials, look);
    }

    private int[] tokens(JsonNode value) {
        return PromptTokens.given("prompt", value, answers.models().base());
    }

    private void answer(Context http) {
        Wanted wanted = read(new RequestFields(Bodies.object(http)), http);
        if (wanted.prompts().stream().anyMatch(prompt -> prompt.length == 0)) {
            throw ApiException.invalid("prompt", "'prompt' has no tokens");
        }
        String id = ReplyParts.id("cmpl-");
        long created = clock.instant().getEpochSecond();
        EventStream events = new EventStream(http);
        List<PendingAnswer> pending = new ArrayList<>();
        try {
            for (int i = 0; i < wanted.prompts().size(); i++) {
                int first = i * wanted.options().answers();
                AnswerListener listener = wanted.streaming().wanted() ? listener(wanted, events, first, id, created)
                        : AnswerListener.NONE;
                pending.add(answers.submit(wanted.model(), wanted.prompts().get(i), wanted.options(), Caller.of(http),
                        listener));
            }
            List<Completion> completions = new ArrayList<>();
            pending.forEach(each -> completions.addAll(AnswerGateway.await(each, Endpoint.Asker.of(http))));
            finish(http, wanted, events, pending, completions, ReplyParts.head(id, "text_completion", created,
                    wanted.name()));
        } catch (ApiException e) {
            pending.forEach(PendingAnswer::cancel);
            if (!events.fail(e)) {
                throw e;
            }
        }
    }

    private void finish(Context http, Wanted wanted, EventStream events, List<PendingAnswer> pending,
            List<Completion> completions, ObjectNode reply) {
        ArrayNode choices = reply.putArray("choices");
        boolean stream = wanted.streaming().wanted();
        for (int i = 0; i < completions.size() && !stream; i++) {
            Completion each = completions.get(i);
            choices.add(choice(i, each.text(), each.probabilities(), 0, wanted)
                    .put("finish_reason", ReplyParts.finishReason(each)));
        }
        if (!stream || wanted.streaming().usage()) {
            reply.set("usage", ReplyParts.usage(pending, completions, wanted.streaming()));
        }
        if (!stream) {
            Bodies.reply(http, reply);
            return;
        }
        if (wanted.streaming().usage()) {
            events.send(reply);
        }
        events.end();
    }

    private AnswerListener listener(Wanted wanted, EventStream events, int first, String id, long created) {
        return new AnswerListener() {
            private final int[] offsets = new int[wanted.options().answers()];

            @Override
            public boolean onText(int answer, String piece, List<TokenProbability> tokens) {
                ObjectNode choice = choice(first + answer, piece, tokens, offsets[answer], wanted);
                replies.shown(tokens).forEach(token -> offsets[answer] += length(token));
                return send(choice.putNull("finish_reason"));
            }

            @Override
            public void onEnd(int answer, Completion completion) {
                send(choice(first + answer, "", List.of(), offsets[answer], wanted)
                        .put("finish_reason", ReplyParts.finishReason(completion)));
            }

            private boolean send(ObjectNode choice) {
                ObjectNode event = ReplyParts.head(id, "text_completion", created, wanted.name());
                event.putArray("choices").add(choice);
                if (wanted.streaming().usage()) {
                    event.putNull("usage");
                }
                return events.send(event);
            }
        };
    }

    /** In characters of Unicode, as Python counts them. */
    private static int length(TokenProbability token) {
        return token.text().codePointCount(0, token.text().length());
    }

    /** @param before the length of what was told before */
    private ObjectNode choice(int index, String text, List<TokenProbability> tokens, int before, Wanted wanted) {
        ObjectNode choice = Json.object().put("index", index).put("text", text);
        if (wanted.options().logProbabilities().isEmpty()) {
            return choice.putNull("logprobs");
        }
        ObjectNode told = choice.putObject("logprobs");
        ArrayNode texts = told.putArray("tokens");
        ArrayNode probabilities = told.putArray("token_logprobs");
        ArrayNode top = told.putArray("top_logprobs");
        ArrayNode offsets = told.putArray("text_offset");
        int offset = before;
        for (TokenProbability token : replies.shown(tokens)) {
            texts.add(token.text());
            probabilities.add(token.logProbability());
            offsets.add(offset);
            offset += length(token);
            ObjectNode most = top.addObject();
            token.mostLikely().forEach(each -> most.put(each.text(), each.logProbability()));
        }
        return choice;
    }
}
