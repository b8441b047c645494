package io.peft4j.serve.answer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.models.BaseModel;
import io.peft4j.serve.FineTuningServer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Five places say where the time of an answer went, and read one record. */
class AnswerTimingsTest {
    private static final HttpClient CLIENT = HttpClient.newHttpClient();
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String CHAT = "{\"model\": \"tiny\", \"max_tokens\": 5, \"messages\": [{\"role\": \"user\", "
            + "\"content\": \"Who keeps the light of the old tower at night?\"}]";

    @TempDir
    private static Path folder;
    private static BaseModel model;
    private static FineTuningServer server;

    @BeforeAll
    static void start() {
        model = AnsweringServer.load(AnsweringServer.FIXTURES.resolve("tiny-llama"));
        server = FineTuningServer.builder(model, folder).modelName("tiny").answering(AnsweringOptions.defaults()
                .withSlow(Duration.ofNanos(1))).start();
    }

    @AfterAll
    static void stop() {
        server.close();
        model.close();
    }

    private static String get(String path) throws IOException, InterruptedException {
        return CLIENT.send(HttpRequest.newBuilder(URI.create(server.url() + path)).build(), BodyHandlers.ofString())
                .body();
    }

    private static JsonNode post(String path, String json) throws IOException, InterruptedException {
        return JSON.readTree(CLIENT.send(HttpRequest.newBuilder(URI.create(server.url() + path)).POST(BodyPublishers
                .ofString(json)).build(), BodyHandlers.ofString()).body());
    }

    @Test
    void anAnswerSaysWhereItsTimeWentIfThatIsWanted() throws IOException, InterruptedException {
        assertFalse(post("/v1/chat/completions", CHAT + "}").at("/usage").has("timings"));
        JsonNode usage = post("/v1/chat/completions", CHAT + ", \"timings\": true}").path("usage");
        JsonNode timings = usage.at("/timings/0");
        double sum = timings.path("queue_ms").asDouble() + timings.path("prompt_ms").asDouble() + timings.path(
                "decoding_ms").asDouble();
        assertEquals(timings.path("total_ms").asDouble(), sum, 0.01, usage.toString());
        assertEquals(usage.path("prompt_tokens").asInt(), timings.path("prompt_tokens").asInt());
        assertEquals(usage.path("completion_tokens").asInt(), timings.path("new_tokens").asInt());
        assertEquals(usage.at("/prompt_tokens_details/cached_tokens").asInt(), timings.path("reused_tokens").asInt());
        assertTrue(timings.path("prompt_ms").asDouble() > 0 && timings.has("per_token_ms"), usage.toString());
        assertEquals(2, post("/v1/completions", "{\"model\": \"tiny\", \"prompt\": [\"a b\", \"c d\"], "
                + "\"max_tokens\": 3, \"timings\": true}").at("/usage/timings").size());
        assertEquals(1, post("/v1/responses", "{\"model\": \"tiny\", \"input\": \"Who?\", \"max_output_tokens\": 3, "
                + "\"timings\": true}").at("/usage/timings").size());
    }

    @Test
    void aSchemaTakesTimeOfItsOwn() throws IOException, InterruptedException {
        JsonNode reply = post("/v1/chat/completions", CHAT + ", \"timings\": true, \"response_format\": {\"type\": "
                + "\"json_object\"}}");
        assertTrue(reply.at("/usage/timings/0/schema_ms").asDouble() > 0, reply.toString());
    }

    @Test
    void theLastAnswersAndTheFiguresAreThoseOfTheRecord() throws IOException, InterruptedException {
        JsonNode timings = post("/v1/chat/completions", CHAT + ", \"timings\": true}").at("/usage/timings/0");
        boolean listed = false;
        // It is listed at its end, just before or after its client hears of that.
        for (int tries = 0; !listed && tries < 1000; tries++) {
            listed = isListed(timings);
        }
        assertTrue(listed, timings + " is not in " + get("/metrics/answers"));
        String figures = get("/metrics");
        for (String name : List.of("gen_ai_server_request_duration_seconds_bucket",
                "gen_ai_server_time_to_first_token_seconds_count", "gen_ai_server_time_per_output_token_seconds_sum",
                "peft4j_answer_queue_seconds_count", "gen_ai_client_token_usage_count")) {
            assertTrue(figures.contains("\n" + name + "{gen_ai_request_model=\"tiny\""), name + " in " + figures);
        }
    }

    private static boolean isListed(JsonNode timings) throws IOException, InterruptedException {
        boolean listed = false;
        for (JsonNode each : JSON.readTree(get("/metrics/answers")).path("data")) {
            listed |= each.path("timings").equals(timings) && each.path("model").asText().equals("tiny")
                    && each.path("status").asText().equals("completed") && !each.path("adapter_loaded").asBoolean();
        }
        return listed;
    }

    @Test
    void theFlightRecorderHasEachAnswer() throws IOException, InterruptedException {
        List<RecordedEvent> events = java.util.Collections.synchronizedList(new java.util.ArrayList<>());
        JsonNode timings;
        try (RecordingStream recording = new RecordingStream()) {
            recording.enable("io.peft4j.Answer");
            recording.onEvent("io.peft4j.Answer", event -> events.add(event));
            recording.setReuse(false);
            recording.startAsync();
            timings = post("/v1/chat/completions", CHAT + ", \"timings\": true}").at("/usage/timings/0");
            long end = System.nanoTime() + Duration.ofSeconds(60).toNanos();
            while (events.isEmpty() && System.nanoTime() < end) {
                Thread.sleep(50);
            }
        }
        RecordedEvent event = events.get(0);
        assertEquals(timings.path("prompt_ms").asDouble(), event.getDuration("prompt").toNanos() / 1000 / 1000.0);
        assertEquals(timings.path("new_tokens").asInt(), event.getInt("newTokens"));
    }
}
