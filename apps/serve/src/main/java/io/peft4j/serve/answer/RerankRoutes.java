package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.task.Reranker;
import io.peft4j.serve.api.ModelRoutes;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bodies;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.LongRequests;
import io.peft4j.serve.http.Operation;
import io.peft4j.serve.http.RequestFields;
import io.peft4j.serve.http.RouteGroup;
import io.peft4j.serve.http.Routes;
import io.peft4j.serve.model.ServedModels;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * {@code POST /v1/rerank}, in the form of Jina and of Cohere's first version. What is longer than the model reads is
 * cut, as theirs do; a query alone must fit.
 */
final class RerankRoutes implements RouteGroup {
    private static final int MOST_DOCUMENTS = 1000;
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
        if (documents.size() > MOST_DOCUMENTS) {
            throw ApiException.invalid("documents", "'documents' may have " + MOST_DOCUMENTS + " texts, got "
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
