package io.peft4j.serve.rescue;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Is a proxy of a server and lets a service's troubles happen: every third question is refused for a second, the first
 * download breaks off in its middle, a file is gone and a model is dead.
 */
final class FaultyProxy implements AutoCloseable {
    private static final int REFUSED = 3;

    private final HttpClient client = HttpClient.newHttpClient();
    private final HttpServer proxy;
    private final String target;
    private final Set<String> goneFiles = ConcurrentHashMap.newKeySet();
    private final Set<String> deadModels = ConcurrentHashMap.newKeySet();
    private final Set<String> broken = new HashSet<>();
    private final AtomicInteger questions = new AtomicInteger();
    private final AtomicInteger refusals = new AtomicInteger();
    private final AtomicInteger breaks = new AtomicInteger();

    /** @param target where the server's API begins */
    FaultyProxy(String target) throws IOException {
        this.target = target;
        proxy = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        proxy.setExecutor(Executors.newCachedThreadPool());
        proxy.createContext("/v1", this::pass);
        proxy.start();
    }

    String url() {
        return "http://127.0.0.1:" + proxy.getAddress().getPort() + "/v1";
    }

    void withoutFile(String id) {
        goneFiles.add(id);
    }

    void withoutModel(String name) {
        deadModels.add(name);
    }

    /** How many questions were refused for a while. */
    int refusals() {
        return refusals.get();
    }

    /** How many connections broke. */
    int breaks() {
        return breaks.get();
    }

    private void pass(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().toString().substring("/v1".length());
        byte[] body = exchange.getRequestBody().readAllBytes();
        String text = new String(body, StandardCharsets.UTF_8);
        if (goneFiles.stream().anyMatch(id -> path.equals("/files/" + id + "/content"))) {
            reply(exchange, 404, error("No such File object"));
        } else if (deadModels.stream().anyMatch(name -> text.contains("\"model\":\"" + name + "\""))) {
            reply(exchange, 404, error("The model was shut down"));
        } else if (path.equals("/chat/completions") && questions.getAndIncrement() % REFUSED == 0) {
            refusals.incrementAndGet();
            exchange.getResponseHeaders().add("Retry-After", "0");
            reply(exchange, 429, error("Rate limit reached"));
        } else {
            forward(exchange, path, body);
        }
    }

    private void forward(HttpExchange exchange, String path, byte[] body) throws IOException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(target + path)).method(exchange
                .getRequestMethod(), body.length == 0 ? BodyPublishers.noBody() : BodyPublishers.ofByteArray(body));
        exchange.getRequestHeaders().getOrDefault("Authorization", java.util.List.of())
                .forEach(key -> request.header("Authorization", key));
        request.header("Content-Type", "application/json");
        HttpResponse<byte[]> reply;
        try {
            reply = client.send(request.build(), BodyHandlers.ofByteArray());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
        if (path.endsWith("/content") && isFirst(path)) {
            breaks.incrementAndGet();
            exchange.sendResponseHeaders(200, reply.body().length);
            exchange.getResponseBody().write(reply.body(), 0, reply.body().length / 2);
            exchange.getResponseBody().flush();
            exchange.close();
        } else {
            reply(exchange, reply.statusCode(), reply.body());
        }
    }

    private synchronized boolean isFirst(String path) {
        return broken.add(path);
    }

    private static byte[] error(String message) {
        return ("{\"error\": {\"message\": \"" + message + "\"}}").getBytes(StandardCharsets.UTF_8);
    }

    private static void reply(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        if (body.length > 0) {
            exchange.getResponseBody().write(body);
        }
        exchange.close();
    }

    @Override
    public void close() {
        proxy.stop(0);
    }
}
