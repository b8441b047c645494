package io.peft4j.serve.answer.internal;

import io.peft4j.models.generation.AnswerService;
import io.peft4j.models.generation.AnswerStatus;
import io.peft4j.serve.answer.AnsweringOptions;
import io.peft4j.serve.http.internal.RouteGroup;
import io.peft4j.serve.model.internal.ServedModels;
import java.time.Clock;
import java.util.List;

/** The part of a server that answers: one queue for all its models, and the routes that fill it. */
public final class Answering implements AutoCloseable {
    private final AnswerService service;
    private final List<RouteGroup> routes;

    /** Answers of these models; closed before them. */
    public Answering(ServedModels models, AnsweringOptions options, Clock clock) {
        this.service = AnswerService.open(models.model(), options.service());
        Answers answers = new Answers(service, models, options.timeout());
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

    @Override
    public void close() {
        service.close();
    }
}
