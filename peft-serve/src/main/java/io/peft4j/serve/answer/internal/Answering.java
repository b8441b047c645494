package io.peft4j.serve.answer.internal;

import io.micrometer.core.instrument.FunctionCounter;
import io.peft4j.models.generation.AnswerService;
import io.peft4j.models.generation.AnswerStatus;
import io.peft4j.serve.answer.AnsweringOptions;
import io.peft4j.serve.http.internal.Meters;
import io.peft4j.serve.http.internal.RouteGroup;
import io.peft4j.serve.model.internal.ServedModels;
import java.time.Clock;
import java.util.List;
import java.util.function.ToLongFunction;

/** The part of a server that answers: one queue for all its models, and the routes that fill it. */
public final class Answering implements AutoCloseable {
    private final AnswerService service;
    private final List<RouteGroup> routes;

    /** Answers of these models; closed before them. */
    public Answering(ServedModels models, AnsweringOptions options, Clock clock) {
        this.service = AnswerService.open(models.model(), options.service());
        Answers answers = new Answers(service, models, options.service().rows(), options.timeout());
        this.routes = List.of(new ChatRoutes(answers, clock), new CompletionRoutes(answers, clock),
                new EmbeddingRoutes(models, options.embedders()), new AdapterRoutes(models, options.adapterRoots()));
    }

    /** The routes. */
    public List<RouteGroup> routes() {
        return routes;
    }

    /** What is answered now and has been. */
    public AnswerStatus status() {
        return service.status();
    }

    /** Adds what is answered to what is counted. */
    public void count(Meters meters) {
        meters.gauge("answers.running", "Answers that grow", () -> status().running());
        meters.gauge("answers.waiting", "Requests that wait", () -> status().waiting());
        meters.gauge("answers.cache.used", "Tokens whose keys and values answers hold", () -> status().usedCacheRows());
        meters.gauge("answers.cache.kept", "Tokens of earlier prompts that are kept", () -> status().keptCacheRows());
        meters.gauge("answers.cache.rows", "Tokens that there is room for", () -> status().cacheRows());
        count(meters, "answers.tokens.prompt", "Tokens of prompts", AnswerStatus::promptTokens);
        count(meters, "answers.tokens.reused", "Tokens of prompts that were not computed again",
                AnswerStatus::reusedTokens);
        count(meters, "answers.tokens.new", "Tokens of answers", AnswerStatus::newTokens);
    }

    private void count(Meters meters, String name, String description, ToLongFunction<AnswerStatus> value) {
        FunctionCounter.builder(name, service, each -> value.applyAsLong(each.status())).description(description)
                .register(meters.registry());
    }

    @Override
    public void close() {
        service.close();
    }
}
