package io.peft4j.serve.answer;

import io.micrometer.core.instrument.FunctionCounter;
import io.peft4j.core.Internal;
import io.peft4j.models.generation.AnswerService;
import io.peft4j.models.generation.AnswerService.AnswerStatus;
import io.peft4j.serve.http.Endpoint;
import io.peft4j.serve.http.RouteGroup;
import io.peft4j.serve.http.ServerMetrics;
import io.peft4j.serve.model.ServedModels;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;

/** The part of a server that answers: one queue for all models that do, the routes that fill it, vectors and scores. */
@Internal
public final class AnswerModule implements AutoCloseable {
    private final Optional<AnswerService> service;
    private final DecisionRoutes decisions;
    private final List<RouteGroup> routes;

    /** Answers of these models; closed before them. */
    public AnswerModule(ServedModels models, AnsweringOptions options, Clock clock) {
        this.service = models.isAnswering() ? Optional.of(AnswerService.open(models.model(), options.service()))
                : Optional.empty();
        AnswerGateway answers = new AnswerGateway(service, models, options.service().rows(), options.timeout());
        this.decisions = new DecisionRoutes(models, options.maxError());
        this.routes = List.of(new ChatRoutes(answers, clock), new ResponseRoutes(answers, clock),
                new CompletionRoutes(answers, clock), new EmbeddingRoutes(models), new RerankRoutes(models),
                decisions, new AdapterRoutes(models, options.adapterRoots()));
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
}
