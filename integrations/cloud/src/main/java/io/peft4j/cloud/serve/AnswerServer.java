package io.peft4j.cloud.serve;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.io.internal.AtomicFiles;
import io.peft4j.core.model.LanguageModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers over HTTP, on all addresses of the machine as a container has to. Whether the server is ready is told at any
 * time; a bounded number of requests is answered at once, and more are sent away with status 503. Errors are
 * {@code {"error": "..."}}: 400 where the request is wrong, 413 where it is too large, 415, 404 and 405 where it is for
 * something else, 504 where the answer would come too late.
 */
public final class AnswerServer implements AutoCloseable {
    /** The largest body; SageMaker passes no more on. */
    public static final int MOST_BYTES = 6 << 20;
    private static final int AT_ONCE = 64;
    /** SageMaker and Vertex AI kill a container 30 seconds after they have asked it to stop. */
    private static final long DRAIN_SECONDS = 25;
    private static final Logger LOG = LoggerFactory.getLogger(AnswerServer.class);

    private final LanguageModel model;
    private final EndpointContract contract;
    private final HttpServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool(task -> {
        Thread thread = new Thread(task, "peft4j-answers");
        thread.setDaemon(true);
        return thread;
    });
    private final Semaphore free = new Semaphore(AT_ONCE);
    private final ObjectMapper json = new ObjectMapper();
    private volatile boolean stopping;

    private AnswerServer(LanguageModel model, EndpointContract contract, HttpServer server) {
        this.model = model;
        this.contract = contract;
        this.server = server;
    }

    /**
     * Starts a server.
     *
     * @param model what answers; stays the caller's
     * @param contract routes and forms
     * @param port the port; 0 for any that is free
     * @throws UncheckedIOException when the port is taken
     */
    public static AnswerServer start(LanguageModel model, EndpointContract contract, int port) {
        Objects.requireNonNull(model, "model");
        try {
            HttpServer http = HttpServer.create(new InetSocketAddress("0.0.0.0", port), 0);
            AnswerServer server = new AnswerServer(model, contract, http);
            http.setExecutor(server.threads);
            http.createContext("/", server::handle);
            http.start();
            return server;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot listen on port " + port + ": " + AtomicFiles.reason(e), e);
        }
    }

    /** The port that it listens on. */
    public int port() {
        return server.getAddress().getPort();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String path = exchange.getRequestURI().getPath();
            if (path.equals(contract.healthRoute())) {
                health(exchange);
            } else if (path.equals(contract.answerRoute())) {
                answer(exchange);
            } else {
                fail(exchange, 404, "no route " + path + "; there are " + contract.healthRoute() + " and "
                        + contract.answerRoute());
            }
        } catch (RuntimeException e) {
            LOG.error("a request failed", e);
            throw e;
        }
    }

    private void health(HttpExchange exchange) throws IOException {
        if (requireMethod(exchange, "GET")) {
            send(exchange, stopping ? 503 : 200, JsonBodies.JSON_TYPE, stopping ? "{\"status\":\"stopping\"}"
                    : "{\"status\":\"ready\"}");
        }
    }

    private void answer(HttpExchange exchange) throws IOException {
        if (!requireMethod(exchange, "POST")) {
            return;
        }
        if (stopping || !free.tryAcquire()) {
            exchange.getResponseHeaders().set("Retry-After", "1");
            fail(exchange, 503, stopping ? "the server is stopping" : AT_ONCE + " requests are being answered");
            return;
        }
        try {
            byte[] body = exchange.getRequestBody().readNBytes(MOST_BYTES + 1);
            if (body.length > MOST_BYTES) {
                fail(exchange, 413, "the body has more than " + MOST_BYTES + " bytes");
            } else {
                answer(exchange, new String(body, StandardCharsets.UTF_8));
            }
        } finally {
            free.release();
        }
    }

    private void answer(HttpExchange exchange, String body) throws IOException {
        String type = Optional.ofNullable(exchange.getRequestHeaders().getFirst("Content-Type")).orElse("")
                .toLowerCase(Locale.ROOT).replaceFirst(";.*", "").strip();
        try {
            EndpointContract.Reply reply = contract.answer(model, type, body);
            send(exchange, 200, reply.contentType(), reply.body());
        } catch (UnsupportedTypeException e) {
            fail(exchange, 415, e.getMessage());
        } catch (Question.SlowAnswer e) {
            fail(exchange, 504, e.getMessage());
        } catch (PeftException e) {
            fail(exchange, 400, e.getMessage());
        } catch (RuntimeException | OutOfMemoryError e) {
            LOG.error("an answer failed", e);
            fail(exchange, 500, "internal error; the log of the container has more");
        }
    }

    private boolean requireMethod(HttpExchange exchange, String method) throws IOException {
        String asked = exchange.getRequestMethod();
        if (asked.equals(method) || method.equals("GET") && asked.equals("HEAD")) {
            return true;
        }
        exchange.getResponseHeaders().set("Allow", method);
        fail(exchange, 405, exchange.getRequestURI().getPath() + " takes " + method + ", not " + asked);
        return false;
    }

    private void fail(HttpExchange exchange, int status, String message) throws IOException {
        send(exchange, status, JsonBodies.JSON_TYPE, json.createObjectNode().put("error", message).toString());
    }

    private static void send(HttpExchange exchange, int status, String type, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", type);
        if (exchange.getRequestMethod().equals("HEAD")) {
            exchange.sendResponseHeaders(status, -1);
            return;
        }
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    /** Takes no more requests, and ends when those that are being answered have their answers, or after 25 seconds. */
    @Override
    public void close() {
        stopping = true;
        try {
            if (!free.tryAcquire(AT_ONCE, DRAIN_SECONDS, TimeUnit.SECONDS)) {
                LOG.warn("requests are still being answered after {} seconds; they get no answer", DRAIN_SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        server.stop(0);
        threads.shutdownNow();
    }
}
