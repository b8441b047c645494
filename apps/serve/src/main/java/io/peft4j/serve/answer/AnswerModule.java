package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.micrometer.core.instrument.FunctionCounter;
import io.peft4j.core.Internal;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.io.Closer;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.task.Reranker;
import io.peft4j.core.tool.ParsedAnswer;
import io.peft4j.models.generation.AnswerListener;
import io.peft4j.models.generation.AnswerService;
import io.peft4j.models.generation.AnswerService.AnswerStatus;
import io.peft4j.models.generation.PendingAnswer;
import io.peft4j.serve.api.ModelRoutes;
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
import io.peft4j.serve.http.ServerMetrics;
import io.peft4j.serve.model.ServedModels;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The part of a server that answers: one queue for all models that do, the routes that fill it, vectors and scores. */
@Internal
public final class AnswerModule implements AutoCloseable {
    private final Optional<AnswerService> service;
    private final DecisionRoutes decisions;
    private final AnswerLog log;
    private final List<RouteGroup> routes;

    /** Answers of these models; closed before them. */
    public AnswerModule(ServedModels models, AnsweringOptions options, Clock clock) {
        try (Closer opened = new Closer()) {
            this.service = models.isAnswering()
                    ? Optional.of(opened.add(AnswerService.open(models.model(), options.service()))) : Optional.empty();
            this.log = new AnswerLog(clock, options.slow());
            AnswerGateway answers = new AnswerGateway(service, models, options.service().rows(), options.timeout(),
                    log);
            this.decisions = new DecisionRoutes(models, options.maxError());
            this.routes = List.of(new ChatRoutes(answers, clock), new ResponseRoutes(answers, clock),
                    new CompletionRoutes(answers, clock), new EmbeddingRoutes(models), new RerankRoutes(models),
                    decisions, log, new AdapterRoutes(models, options.adapterRoots()));
            opened.keep();
        }
    }

    /** Why answers do not come, as of a time of {@link System#nanoTime}; empty where they do. */
    public Optional<String> problem(long now) {
        return service.flatMap(answering -> answering.problem(now));
    }

    /** The routes. */
    public List<RouteGroup> routes() {
        return routes;
    }

    /** Those of them that answer batches, too, by their paths. */
    public Map<String, Endpoint> endpoints() {
        return routes.stream().filter(Endpoint.class::isInstance).map(Endpoint.class::cast)
                .collect(Collectors.toUnmodifiableMap(Endpoint::path, Function.identity()));
    }

    /** Adds what is answered to what is counted. */
    public void count(ServerMetrics meters) {
        log.count(meters.registry());
        meters.gauge("decisions.waiting", "Requests with typed questions that wait", decisions::waiting);
        service.ifPresent(answering -> count(meters, answering));
    }

    private static void count(ServerMetrics meters, AnswerService service) {
        meters.gauge("answers.running", "Answers that grow", () -> service.status().running());
        meters.gauge("answers.waiting", "Requests that wait", () -> service.status().waiting());
        meters.gauge("answers.cache.used", "Tokens whose keys and values answers hold",
                () -> service.status().usedCacheRows());
        meters.gauge("answers.cache.kept", "Tokens of earlier prompts that are kept",
                () -> service.status().keptCacheRows());
        meters.gauge("answers.cache.rows", "Tokens that there is room for", () -> service.status().cacheRows());
        count(meters, service, "answers.tokens.prompt", "Tokens of prompts", AnswerStatus::promptTokens);
        count(meters, service, "answers.tokens.reused", "Tokens of prompts that were not computed again",
                AnswerStatus::reusedTokens);
        count(meters, service, "answers.tokens.new", "Tokens of answers", AnswerStatus::newTokens);
    }

    private static void count(ServerMetrics meters, AnswerService service, String name, String description,
            ToLongFunction<AnswerStatus> value) {
        FunctionCounter.builder(name, service, each -> value.applyAsLong(each.status())).description(description)
                .register(meters.registry());
    }

    @Override
    public void close() {
        service.ifPresent(AnswerService::close);
    }

    /** {@code POST /v1/chat/completions}. */
    private static final class ChatRoutes implements RouteGroup, Endpoint {
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
                throw ApiException.invalid("stream", "'stream' is for clients that read along; none does here");
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
            reply.set("usage", ReplyParts.usage(List.of(pending), completions,
                    chat.request().streaming()));
            return reply;
        }

        private ObjectNode choice(int index, ChatRequest request, Completion completion) {
            ParsedAnswer parsed = request.tools().parsed(completion.text());
            ObjectNode choice = Json.object().put("index", index);
            ObjectNode message = choice.putObject("message").put("role", "assistant");
            message.put("content", parsed.calls().isEmpty() || !parsed.content().isEmpty() ? parsed.content() : null)
                    .putNull("refusal");
            if (!parsed.reasoning().isEmpty()) {
                message.put("reasoning_content", parsed.reasoning());
            }
            if (!parsed.calls().isEmpty()) {
                ArrayNode calls = message.putArray("tool_calls");
                parsed.calls().forEach(call -> calls.add(ToolFields.json(call, ReplyParts.id("call_"))));
            }
            ToolFields.list(parsed.wrong(), message);
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

    /**
     * {@code POST /v1/rerank}, in the form of Jina and of Cohere's first version. What is longer than the model reads
     * is cut, as theirs do; a query alone must fit.
     */
    private static final class RerankRoutes implements RouteGroup {
        private static final String FORMS = "an array of strings, or of objects with 'text', that is not empty";

        private final ServedModels models;

        /** Scores by those of the models that give them. */
        public RerankRoutes(ServedModels models) {
            this.models = models;
        }

        @Override
        public void addTo(Routes routes) {
            routes.post("/v1/rerank", Operation.of("rerank", "Texts in the order of how well they answer a query")
                    .body("RerankRequest").reply("RerankReply"), this::rerank);
        }

        private void rerank(Context http) {
            RequestFields fields = new RequestFields(Bodies.object(http));
            String name = ChatRequest.model(fields);
            LanguageModel model = find(name, Caller.of(http));
            Reranker reranker = new Reranker(model);
            String query = fields.requiredText("query");
            List<String> texts = texts(fields.required("documents"));
            int most = fields.integer("top_n", 1, Integer.MAX_VALUE).orElse(texts.size());
            boolean repeated = fields.flag("return_documents");
            fields.requireKnown();
            requireRoom(query, reranker.maxTokens(), model.tokenizer()::encodeWithSpecials,
                    () -> LongRequests.requireClient(http));
            List<TokenSequence> pairs = pairs(reranker, query, texts);
            int tokens = pairs.stream().mapToInt(TokenSequence::length).sum();
            LongRequests.leave(http);
            double[] scores = reranker.scoresOf(pairs);
            Caller.of(http).used(tokens);
            ObjectNode reply = Json.object().put("id", "rerank-" + UUID.randomUUID()).put("object", "list")
                    .put("model", name);
            ArrayNode results = reply.putArray("results");
            IntStream.range(0, scores.length).boxed().sorted(Comparator.comparingDouble(i -> -scores[i])).limit(most)
                    .forEach(i -> {
                        ObjectNode result = results.addObject().put("index", i).put("relevance_score", scores[i]);
                        if (repeated) {
                            result.putObject("document").put("text", texts.get(i));
                        }
                    });
            reply.putObject("usage").put("prompt_tokens", tokens).put("total_tokens", tokens);
            reply.putObject("meta").putObject("billed_units").put("search_units", 1);
            Bodies.reply(http, reply);
        }

        private LanguageModel find(String name, Caller caller) {
            return models.reranker(name, caller).orElseThrow(() -> ModelRoutes.unsuitable(models, name, caller,
                    "does not score texts for a query", models.rerankerNames(caller)));
        }

        private static List<String> texts(JsonNode documents) {
            RequestFields.require(documents.isArray() && !documents.isEmpty(), "documents", FORMS, documents);
            if (documents.size() > Bound.DOCUMENTS.most()) {
                throw ApiException.invalid("documents",
                        "'documents' may have " + Bound.DOCUMENTS.most() + " texts, got "
                                + documents.size());
            }
            List<String> texts = new ArrayList<>();
            documents.forEach(document -> {
                JsonNode text = document.isObject() ? document.path("text") : document;
                RequestFields.require(text.isTextual(), "documents", FORMS, document);
                texts.add(text.textValue());
            });
            return texts;
        }

        private static void requireRoom(String query, int most, Function<String, int[]> tokenizer,
                Runnable look) {
            int tokens = PromptTokens.of("query", query, most, tokenizer, look).length;
            if (tokens >= most) {
                throw ApiException.of(400, "invalid_request_error", "context_length_exceeded", "query", "the query has "
                        + tokens + " tokens, but the model reads " + most + " of a query with a document");
            }
        }

        private static List<TokenSequence> pairs(Reranker reranker, String query, List<String> texts) {
            try {
                return texts.stream().map(text -> reranker.sequence(query, text)).toList();
            } catch (PeftException e) {
                throw ApiException.invalid("documents", e.getMessage());
            }
        }
    }
}
