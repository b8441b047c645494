package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.javalin.http.Context;
import io.peft4j.core.decision.DecisionRequest;
import io.peft4j.core.decision.DecisionResult;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.task.DecisionModel;
import io.peft4j.core.task.DecisionModel.Reading;
import io.peft4j.serve.api.ModelRoutes;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bodies;
import io.peft4j.serve.http.Bound;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.LongRequests;
import io.peft4j.serve.http.Operation;
import io.peft4j.serve.http.RequestFields;
import io.peft4j.serve.http.RouteGroup;
import io.peft4j.serve.http.Routes;
import io.peft4j.serve.model.Decider;
import io.peft4j.serve.model.ServedModels;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Typed questions: {@code POST /v1/decisions} as OpenAI has it, and {@code POST /v1/systemone} as System One's servers
 * do, whose errors are {@code {"detail"}}.
 */
final class DecisionRoutes implements RouteGroup {
    private static final List<String> SYSTEM_ONE = List.of("model", "state", "questions", "assets");
    /** More than a token of almost any text. */
    private static final int BYTES_OF_TOKEN = 16;
    /** A text, or what is wrong with each field. */
    private static final String DETAIL = "{'type': 'object', 'required': ['detail'], 'properties': {'detail': {'type': "
            + "['string', 'array']}}}";

    private final ServedModels models;
    private final OptionalDouble maxError;
    private final DecisionQueue queue;

    /**
     * Questions to those of the models that answer them.
     *
     * @param maxError the share of answers that may be wrong; less certain ones are refused
     */
    DecisionRoutes(ServedModels models, OptionalDouble maxError) {
        this.models = models;
        this.maxError = maxError;
        this.queue = new DecisionQueue(models.isAnswering() ? Optional.of(models.model()) : Optional.empty());
    }

    /** How many requests wait while others are computed. */
    int waiting() {
        return queue.size();
    }

    @Override
    public void addTo(Routes routes) {
        routes.post("/v1/decisions", Operation.of("createDecision", "Typed questions with probabilities")
                .body(Operation.OBJECT).reply(Operation.OBJECT), this::decisions);
        routes.post("/v1/systemone", Operation.of("systemOne", "The same in System One's form")
                .body(Operation.OBJECT).reply(Operation.OBJECT).error(DETAIL), this::systemOne);
    }

    private void decisions(Context http) {
        RequestFields fields = new RequestFields(Bodies.object(http));
        String name = ChatRequest.model(fields);
        Decider model = find(name, Caller.of(http));
        DecisionInput input = DecisionInput.read(fields);
        fields.requireKnown();
        Bodies.reply(http, input.reply(name, decided(http, model, input.request(), "input")));
    }

    private DecisionResult decided(Context http, Decider decider, DecisionRequest request, String param) {
        try {
            requireRoom(decider.model().network().description().maxPositions(), request, param);
            DecisionModel decisions = new DecisionModel(decider.model());
            Reading reading = (maxError.isPresent() ? decisions.refusingBeyond(maxError.getAsDouble()) : decisions)
                    .read(request, () -> LongRequests.requireClient(http));
            LongRequests.leave(http);
            DecisionResult result = queue.decide(decider, reading);
            Caller.of(http).used((int) result.inputTokens());
            return result;
        } catch (ConfigurationException e) {
            throw ApiException.invalid("questions", e.getMessage());
        }
    }

    /** The state is tokenized for each question before anybody knows whether it fits. */
    private static void requireRoom(int context, DecisionRequest request, String param) {
        long most = Math.max(Bound.STATE_BYTES.most(), (long) BYTES_OF_TOKEN * context);
        long state = bytes(request.state());
        if (state > most) {
            throw ApiException.of(400, "invalid_request_error", "context_length_exceeded", param, "the state has "
                    + state + " bytes; of a model that reads " + context + " tokens it may have " + most);
        }
        long all = request.questions().values().stream().mapToLong(question -> state + bytes(question.instructions())
                + question.options().stream().mapToLong(option -> option.name().length()
                        + bytes(option.description())).sum())
                .sum();
        if (all > Bound.DECISION_BYTES.most()) {
            throw ApiException.invalid("questions", "the questions, each with the state, have " + all
                    + " bytes; they may have " + Bound.DECISION_BYTES.most() + ". Ask fewer at once");
        }
    }

    private static long bytes(JsonNode text) {
        return Json.text(text).getBytes(StandardCharsets.UTF_8).length;
    }

    private Decider find(String name, Caller caller) {
        return models.decider(name, caller).orElseThrow(() -> ModelRoutes.unsuitable(models, name, caller,
                "does not answer typed questions", models.deciderNames(caller)));
    }

    private void systemOne(Context http) {
        ObjectNode body = Bodies.object(http);
        JsonNode detail = faults(body);
        if (!detail.isEmpty()) {
            Bodies.reply(http.status(422), wrapped(detail));
            return;
        }
        String name = body.path("model").asText(models.baseName());
        Decider model = find(name, Caller.of(http));
        ObjectNode reply = Json.object().put("model", name);
        reply.setAll(decided(http, model, DecisionRequest.of(body), "state").toJson());
        Bodies.reply(http, reply);
    }

    private static ObjectNode wrapped(JsonNode detail) {
        ObjectNode body = Json.object();
        body.set("detail", detail);
        return body;
    }

    /** What is wrong with the form of a request, as FastAPI's servers say it. */
    private static JsonNode faults(ObjectNode body) {
        ArrayNode faults = Json.array();
        body.fieldNames().forEachRemaining(name -> {
            if (!SYSTEM_ONE.contains(name)) {
                fault(faults, name, "Extra inputs are not permitted; " + SimilarNames.sentence(name, SYSTEM_ONE),
                        "extra_forbidden");
            }
        });
        for (String name : List.of("state", "questions")) {
            if (!body.has(name)) {
                fault(faults, name, "Field required", "missing");
            }
        }
        JsonNode state = body.path("state");
        if (body.has("state") && !state.isTextual() && !state.isContainerNode()) {
            fault(faults, "state", "Input should be a valid string, object or array", "value_error");
        }
        if (body.has("model") && !body.get("model").isTextual()) {
            fault(faults, "model", "Input should be a valid string", "string_type");
        }
        if (!body.path("assets").isMissingNode() && !body.path("assets").isEmpty()) {
            fault(faults, "assets", "images need a model that reads them; this server's models read text",
                    "value_error");
        }
        if (body.path("questions").size() > Bound.SYSTEM_ONE_QUESTIONS.most()) {
            fault(faults, "questions", "a request has at most " + Bound.SYSTEM_ONE_QUESTIONS.most() + " questions, got "
                    + body.path("questions").size(), "too_long");
        }
        if (faults.isEmpty()) {
            try {
                DecisionRequest.of(body);
            } catch (ConfigurationException e) {
                fault(faults, "questions", e.getMessage(), "value_error");
            }
        }
        return faults;
    }

    private static void fault(ArrayNode faults, String field, String message,
            String type) {
        ObjectNode fault = faults.addObject();
        fault.putArray("loc").add("body").add(field);
        fault.put("msg", message).put("type", type);
    }

    /**
     * Typed questions of requests that wait while others are computed, answered together: by a chat model's base and
     * adapters in one batch, by other models one batch each. A request that fills a pass alone does not wait.
     */
    private static final class DecisionQueue {
        /** About what a pass takes. */
        private static final long MOST_TOKENS = 2048;

        private final Optional<PeftModel> adapters;
        private final Queue<Waiting> waiting = new ArrayDeque<>();
        /** The one that has it computes for all waiting ones; the longest waiting is next. */
        private final ReentrantLock turn = new ReentrantLock(true);

        private record Waiting(Decider decider, Reading reading, CompletableFuture<DecisionResult> result) {
        }

        /** @param adapters those that can share a batch, with their base; empty where no model answers by labels */
        DecisionQueue(Optional<PeftModel> adapters) {
            this.adapters = adapters;
        }

        /** How many requests wait. */
        int size() {
            synchronized (waiting) {
                return waiting.size();
            }
        }

        /** The answers to what a model has read. */
        DecisionResult decide(Decider decider, Reading reading) {
            Waiting own = new Waiting(decider, reading, new CompletableFuture<>());
            if (reading.tokens() > MOST_TOKENS) {
                answer(List.of(own));
            } else {
                synchronized (waiting) {
                    waiting.add(own);
                }
                turn.lock();
                try {
                    while (!own.result().isDone()) {
                        next().forEach(this::answer);
                    }
                } finally {
                    turn.unlock();
                }
            }
            try {
                return own.result().join();
            } catch (CompletionException e) {
                throw e.getCause() instanceof RuntimeException known ? known : new IllegalStateException(e.getCause());
            }
        }

        /** As many of the requests that wait as a pass takes, those apart that cannot share one. */
        private Collection<List<Waiting>> next() {
            Map<Object, List<Waiting>> batches = new LinkedHashMap<>();
            synchronized (waiting) {
                long tokens = 0;
                while (!waiting.isEmpty() && (tokens += waiting.peek().reading().tokens()) <= MOST_TOKENS) {
                    Waiting each = waiting.remove();
                    boolean mixes = adapters.isPresent() && each.decider().adapter().isPresent();
                    batches.computeIfAbsent(mixes ? "mixed" : each.decider().model(), key -> new ArrayList<>())
                            .add(each);
                }
            }
            return batches.values();
        }

        /** Not everything asked fails: each adapter is asked alone then, and at last each request. */
        private void answer(List<Waiting> batch) {
            try {
                List<DecisionResult> results = together(batch);
                for (int i = 0; i < batch.size(); i++) {
                    batch.get(i).result().complete(results.get(i));
                }
            } catch (RuntimeException | Error e) {
                if (batch.size() == 1) {
                    batch.get(0).result().completeExceptionally(e);
                    return;
                }
                Map<Object, List<Waiting>> parts = new LinkedHashMap<>();
                batch.forEach(
                        each -> parts.computeIfAbsent(each.decider().model(), key -> new ArrayList<>()).add(each));
                (parts.size() > 1 ? parts.values() : batch.stream().map(List::of).toList()).forEach(this::answer);
            }
        }

        private List<DecisionResult> together(List<Waiting> batch) {
            List<LanguageModel> models = batch.stream().map(each -> each.decider().model()).distinct().toList();
            List<Reading> readings = batch.stream().map(Waiting::reading).toList();
            if (models.size() == 1) {
                return DecisionModel.decide(models.get(0), readings);
            }
            List<String> names = batch.stream().map(each -> each.decider().adapter().orElseThrow()).distinct().toList();
            return DecisionModel.decide(adapters.orElseThrow().byRow(names.toArray(String[]::new)), readings,
                    batch.stream()
                            .mapToInt(each -> names.indexOf(each.decider().adapter().orElseThrow())).toArray());
        }
    }
}
