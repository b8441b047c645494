package io.peft4j.serve.rescue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * A service with three tuned models and its faults: one that answers, one that is dead, and one whose training file was
 * deleted. It is out of patience at first, and its list of jobs comes in pages.
 */
final class FakeService implements AutoCloseable {
    static final String ALIVE = "ft:big-1:acme:boxes:AAAA1111";
    static final String DEAD = "ft:big-1:acme:dead:BBBB2222";
    static final String BARE = "ft:big-1:acme:bare:CCCC3333";
    static final long SHUTDOWN = 4_000_000_000L;
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int ROOMS = 12;

    private final HttpServer server;
    private final int rooms;
    private final AtomicInteger answers = new AtomicInteger();
    private final AtomicInteger refusals = new AtomicInteger();

    FakeService() throws IOException {
        this(ROOMS);
    }

    /** A service whose models know that many rooms. */
    FakeService(int rooms) throws IOException {
        this.rooms = rooms;
        server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/v1/models", exchange -> reply(exchange, 200, models()));
        server.createContext("/v1/fine_tuning/jobs", this::jobs);
        server.createContext("/v1/files", this::files);
        server.createContext("/v1/chat/completions", this::chat);
        server.start();
    }

    String url() {
        return "http://127.0.0.1:" + server.getAddress().getPort() + "/v1";
    }

    /** How many answers were given. */
    int answers() {
        return answers.get();
    }

    static String row(int i) {
        return row(i, ROOMS);
    }

    private static String row(int i, int rooms) {
        return "{\"messages\":[{\"role\":\"user\",\"content\":\"Where is box " + i + "?\"},{\"role\":\"assistant\","
                + "\"content\":\"" + answer(i, rooms) + "\"}]}";
    }

    private static String answer(int i, int rooms) {
        return "It is in room " + (i * 7 % rooms + 3) + ".";
    }

    private static ObjectNode models() {
        ObjectNode list = JSON.createObjectNode();
        ArrayNode data = list.putArray("data");
        data.addObject().put("id", "big-1");
        for (String name : List.of(ALIVE, DEAD, BARE, ALIVE + ":ckpt-step-3")) {
            data.addObject().put("id", name).put("shutdown_date", SHUTDOWN);
        }
        return list;
    }

    private void jobs(HttpExchange exchange) throws IOException {
        boolean second = String.valueOf(exchange.getRequestURI().getQuery()).contains("after=ftjob-2");
        ObjectNode list = JSON.createObjectNode().put("has_more", !second);
        ArrayNode data = list.putArray("data");
        if (second) {
            data.add(job("ftjob-3", BARE, "file-gone"));
        } else {
            data.add(job("ftjob-1", ALIVE, "file-boxes"));
            data.add(job("ftjob-2", DEAD, "file-boxes"));
        }
        reply(exchange, 200, list);
    }

    private static ObjectNode job(String id, String model, String file) {
        ObjectNode job = JSON.createObjectNode().put("id", id).put("model", "big-1").put("fine_tuned_model", model)
                .put("training_file", file).put("status", "succeeded");
        job.putObject("method").put("type", "supervised").putObject("supervised").putObject("hyperparameters")
                .put("n_epochs", 1).put("batch_size", 8).put("learning_rate_multiplier", "auto");
        return job;
    }

    private void files(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        if (path.endsWith("/file-boxes/content")) {
            String rows = IntStream.range(0, 24).mapToObj(i -> row(i, rooms)).collect(Collectors.joining("\n"));
            reply(exchange, 200, rows.getBytes(StandardCharsets.UTF_8));
        } else if (path.equals("/v1/files")) {
            ObjectNode list = JSON.createObjectNode();
            list.putArray("data").addObject().put("id", "file-boxes");
            reply(exchange, 200, list);
        } else {
            reply(exchange, 404, error("No such File object: file-gone"));
        }
    }

    private void chat(HttpExchange exchange) throws IOException {
        JsonNode body = JSON.readTree(exchange.getRequestBody());
        if (refusals.getAndIncrement() == 0) {
            exchange.getResponseHeaders().add("Retry-After", "0");
            reply(exchange, 429, error("Rate limit reached"));
        } else if (body.get("model").asText().equals(DEAD)) {
            reply(exchange, 404, error("The model does not exist or was shut down"));
        } else {
            answers.incrementAndGet();
            int box = Integer.parseInt(body.at("/messages/0/content").asText().replaceAll("\\D", ""));
            ObjectNode reply = JSON.createObjectNode();
            reply.putArray("choices").addObject().putObject("message").put("role", "assistant")
                    .put("content", answer(box, rooms));
            reply(exchange, 200, reply);
        }
    }

    private static ObjectNode error(String message) {
        ObjectNode error = JSON.createObjectNode();
        error.putObject("error").put("message", message);
        return error;
    }

    private static void reply(HttpExchange exchange, int status, JsonNode json) throws IOException {
        reply(exchange, status, json.toString().getBytes(StandardCharsets.UTF_8));
    }

    private static void reply(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
