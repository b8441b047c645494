package io.peft4j.serve;

import io.javalin.http.Context;
import io.peft4j.core.Internal;
import io.peft4j.core.engine.WorkShare;
import io.peft4j.core.error.NonFiniteException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Bodies;
import io.peft4j.serve.http.Bound;
import io.peft4j.serve.http.Caller;
import io.peft4j.serve.http.EventStream;
import io.peft4j.serve.http.HttpServer;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.Operation;
import io.peft4j.serve.http.Routes;
import io.peft4j.serve.http.ServerMetrics;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Semaphore;

/**
 * Answers over HTTP as the clouds' endpoints ask for it, on all addresses of the machine as a container has to. A
 * bounded number of requests is answered at once, and more are sent away with status 503. Errors are OpenAI's error
 * objects: 400 where the request is wrong, 413 where it is too large, 415, 404 and 405 where it is for something else,
 * 504 where the answer would come too late.
 */
@Internal(shared = true)
public final class ContainerServer implements AutoCloseable {
    private static final int AT_ONCE = 64;

    private final LanguageModel model;
    private final EndpointContract contract;
    private final HttpServer server;
    private final Semaphore free = new Semaphore(AT_ONCE);

    private ContainerServer(LanguageModel model, EndpointContract contract, int port) {
        this.model = Objects.requireNonNull(model, "model");
        this.contract = Objects.requireNonNull(contract, "contract");
        this.server = new HttpServer("0.0.0.0", port, request -> Caller.LOCAL, new ServerMetrics(), failure -> false,
                new WorkShare(), List.of(this::addTo));
    }

    /**
     * Starts a server.
     *
     * @param model what answers; stays the caller's
     * @param contract routes and forms
     * @param port the port; 0 for any that is free
     * @throws io.peft4j.core.error.ConfigurationException when the port is taken
     */
    public static ContainerServer start(LanguageModel model, EndpointContract contract, int port) {
        return new ContainerServer(model, contract, port);
    }

    private void addTo(Routes routes) {
        routes.get(contract.healthRoute(),
                Operation.of("health", "Whether the server is ready").reply(Operation.OBJECT),
                request -> Bodies.reply(request, Json.object().put("status", "ready")));
        routes.post(contract.answerRoute(),
                Operation.of("answer", "Answers questions").body(Operation.OBJECT).atMost(Bound.CONTAINER_BYTES)
                        .reply(Operation.OBJECT).reply("text/event-stream", Operation.TEXT),
                this::answer);
    }

    /** The port that it listens on. */
    public int port() {
        return server.port();
    }

    private void answer(Context request) {
        if (!free.tryAcquire()) {
            throw ApiException.unavailable(AT_ONCE + " requests are being answered");
        }
        EventStream events = new EventStream(request);
        try {
            String type = Optional.ofNullable(request.contentType()).orElse("").toLowerCase(Locale.ROOT)
                    .replaceFirst(";.*", "").strip();
            contract.answer(model, type, Bodies.text(request), events)
                    .ifPresent(reply -> request.contentType(reply.contentType()).result(reply.body()));
        } catch (PeftException e) {
            ApiException told = told(e);
            if (!events.fail(told)) {
                throw told;
            }
        } finally {
            free.release();
        }
    }

    private static ApiException told(PeftException e) {
        if (e instanceof Question.SlowAnswer) {
            return ApiException.of(504, "server_error", "timeout", null, e.getMessage());
        }
        if (e instanceof NonFiniteException) {
            return ApiException.of(500, "server_error", "non_finite_output", null, e.getMessage());
        }
        return e instanceof ApiException known ? known : ApiException.invalid(e.getMessage());
    }

    /** Takes no more requests, and ends when those that are being answered have their answers, or after 25 seconds. */
    @Override
    public void close() {
        server.close();
    }
}
