package io.peft4j.trackers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.peft4j.trackers.Tracker.MetricRow;
import io.peft4j.trackers.Tracker.RunDescription;
import io.peft4j.trackers.Tracker.RunEnd;
import io.peft4j.trackers.Tracker.TrackedRun;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What is sent to an MLflow server, in the forms of MLflow's REST API; {@link TrackerReadersTest} asks a real one for
 * it.
 */
class MlflowTrackerTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String RUN = "{\"run\": {\"info\": {\"run_id\": \"r1\", \"artifact_uri\": "
            + "\"mlflow-artifacts:/7/r1/artifacts\"}}}";

    @TempDir
    Path folder;

    private record Call(String method, String path, String authorization, String body) {
        JsonNode json() {
            try {
                return JSON.readTree(body);
            } catch (IOException e) {
                throw new AssertionError(body, e);
            }
        }
    }

    private final List<Call> calls = Collections.synchronizedList(new ArrayList<>());
    /** Statuses and bodies of the next replies; after them each is the run. */
    private final Deque<Map.Entry<Integer, String>> replies = new ArrayDeque<>();
    private HttpServer server;

    @BeforeEach
    void start() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    @AfterEach
    void stop() {
        server.stop(0);
    }

    private void answer(HttpExchange exchange) throws IOException {
        calls.add(new Call(exchange.getRequestMethod(), exchange.getRequestURI().toString(),
                String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")),
                new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.ISO_8859_1)));
        Map.Entry<Integer, String> reply = replies.isEmpty() ? Map.entry(200, RUN) : replies.poll();
        byte[] body = reply.getValue().getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(reply.getKey(), body.length);
        exchange.getResponseBody().write(body);
        exchange.close();
    }

    private MlflowTracker tracker(Map<String, String> environment) {
        return new MlflowTracker(URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/"), environment);
    }

    private static RunDescription description(Map<String, String> settings) {
        return new RunDescription("a run", settings, Optional.empty(), 0);
    }

    @Test
    void aRunHasItsParametersMetricsArtifactsAndEnd() throws Exception {
        Map<String, String> settings = new LinkedHashMap<>(Map.of("odd|name", "x".repeat(600)));
        for (int i = 0; i < 150; i++) {
            settings.put("setting_" + i, "v" + i);
        }
        TrackedRun run = tracker(Map.of("MLFLOW_TRACKING_USERNAME", "me", "MLFLOW_TRACKING_PASSWORD", "secret"))
                .begin(description(settings));
        run.log(List.of(new MetricRow(3, Instant.ofEpochMilli(1234), Map.of("train_loss", Double.NaN))));
        Path adapter = Files.createDirectories(folder.resolve("adapter"));
        Files.writeString(adapter.resolve("adapter_config.json"), "{}");
        run.end(new RunEnd(RunEnd.Status.CANCELLED, Map.of("seconds", 2.5), Optional.of(adapter)));

        assertEquals(List.of("runs/create", "runs/log-batch", "runs/log-batch", "runs/log-batch", "runs/log-batch",
                "runs/log-batch", "7/r1/artifacts/adapter/adapter_config.json", "runs/update"),
                calls.stream()
                        .map(call -> call.path().replace("/api/2.0/mlflow/", "")
                                .replace("/api/2.0/mlflow-artifacts/artifacts/", ""))
                        .toList());
        calls.forEach(call -> assertEquals("Basic bWU6c2VjcmV0", call.authorization()));
        JsonNode create = calls.get(0).json();
        assertEquals("0", create.get("experiment_id").asText());
        assertEquals("a run", create.get("run_name").asText());
        assertTrue(create.get("start_time").isIntegralNumber());
        assertEquals(100, calls.get(1).json().get("params").size());
        assertEquals(51, calls.get(2).json().get("params").size());
        assertEquals("{\"key\":\"odd_name\",\"value\":\"" + "x".repeat(497) + "...\"}", calls.get(1).json()
                .get("params").get(0).toString());
        assertEquals("{\"run_id\":\"r1\",\"metrics\":[{\"key\":\"train_loss\",\"value\":\"NaN\",\"timestamp\":1234,"
                + "\"step\":3}]}", calls.get(3).body());
        assertEquals(2.5, calls.get(4).json().at("/metrics/0/value").asDouble());
        assertEquals("[{\"key\":\"peft4j.status\",\"value\":\"CANCELLED\"}]",
                calls.get(5).json().get("tags").toString());
        assertEquals("PUT {}", calls.get(6).method() + " " + calls.get(6).body());
        assertEquals("r1 KILLED", calls.get(7).json().get("run_id").asText() + " " + calls.get(7).json().get("status")
                .asText());
    }

    @Test
    void anExperimentIsFoundByItsNameOrMade() throws Exception {
        Map<String, String> environment = Map.of("MLFLOW_EXPERIMENT_NAME", "hand book", "MLFLOW_RUN_NAME", "mine",
                "MLFLOW_TRACKING_TOKEN", "t");
        replies.add(Map.entry(404, "{\"error_code\": \"RESOURCE_DOES_NOT_EXIST\", \"message\": \"none\"}"));
        replies.add(Map.entry(200, "{\"experiment_id\": \"12\"}"));
        tracker(environment).begin(description(Map.of()));
        assertEquals("/api/2.0/mlflow/experiments/get-by-name?experiment_name=hand%20book", calls.get(0).path());
        assertEquals("{\"name\":\"hand book\"}", calls.get(1).body());
        assertEquals("12", calls.get(2).json().get("experiment_id").asText());
        assertEquals("mine Bearer t", calls.get(2).json().get("run_name").asText() + " " + calls.get(2)
                .authorization());
        replies.add(Map.entry(200, "{\"experiment\": {\"experiment_id\": \"13\"}}"));
        tracker(environment).begin(description(Map.of()));
        assertEquals("13", calls.get(4).json().get("experiment_id").asText());
    }

    @Test
    void aBusyServerIsAskedAgainAndARefusalIsInItsWords() throws Exception {
        replies.add(Map.entry(503, "later"));
        tracker(Map.of()).begin(description(Map.of()));
        assertEquals(2, calls.size());
        replies.add(Map.entry(400, "{\"error_code\": \"INVALID_PARAMETER_VALUE\", \"message\": \"no such form\"}"));
        IOException refused = assertThrows(IOException.class, () -> tracker(Map.of()).begin(description(Map.of())));
        assertEquals("MLflow refused runs/create with 400: no such form", refused.getMessage());
        replies.add(Map.entry(403, "<html>"));
        assertEquals("MLflow refused runs/create with 403: <html>", assertThrows(IOException.class,
                () -> tracker(Map.of()).begin(description(Map.of()))).getMessage());
    }
}
