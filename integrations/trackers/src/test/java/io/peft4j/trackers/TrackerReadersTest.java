package io.peft4j.trackers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.trackers.Tracker.MetricRow;
import io.peft4j.trackers.Tracker.RunDescription;
import io.peft4j.trackers.Tracker.RunEnd;
import io.peft4j.trackers.Tracker.TrackedRun;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What TensorBoard, Weights and Biases, and an MLflow server read is what was measured. {@code peft4j.trackers.python}
 * names a Python that has them (see {@code src/test/python/read_trackers.py}).
 */
@Tag("trackers")
class TrackerReadersTest {
    private static final String PYTHON = System.getProperty("peft4j.trackers.python", "python3");
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Map<String, String> SETTINGS = settings();

    @TempDir
    private static Path folder;
    private static Path adapter;
    private static final List<MetricRow> ROWS = rows();

    private static Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>(Map.of("learning_rate", "0.001", "model", "tiny|ä"));
        // More than MLflow takes at once, and more than a block of the run log holds.
        for (int i = 0; i < 150; i++) {
            settings.put("setting_" + i, "x".repeat(300) + i);
        }
        return settings;
    }

    private static List<MetricRow> rows() {
        List<MetricRow> rows = new ArrayList<>();
        for (int i = 1; i <= 700; i++) {
            Map<String, Double> values = new LinkedHashMap<>();
            values.put("train_loss", 3.0 / i);
            values.put("learning_rate", 1e-3 - i * 1e-6);
            rows.add(new MetricRow(i, Instant.ofEpochMilli(1_790_000_000_000L + i), values));
            if (i % 100 == 0) {
                rows.add(new MetricRow(i, Instant.ofEpochMilli(1_790_000_000_001L + i), Map.of("eval_loss", 2.0 / i)));
            }
        }
        return rows;
    }

    @BeforeAll
    static void adapter() throws IOException {
        adapter = Files.createDirectories(folder.resolve("adapter"));
        Files.writeString(adapter.resolve("adapter_config.json"), "{}");
        Files.write(adapter.resolve("adapter_model.safetensors"), new byte[70_000]);
    }

    private static void track(Tracker tracker) throws Exception {
        TrackedRun run = tracker.begin(new RunDescription("a run", SETTINGS, Optional.of(folder), 0));
        run.log(ROWS.subList(0, 300));
        run.log(ROWS.subList(300, ROWS.size()));
        run.end(new RunEnd(RunEnd.Status.FINISHED, Map.of("seconds", 1.5), Optional.of(adapter)));
    }

    static JsonNode read(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(PYTHON, "src/test/python/read_trackers.py"));
        command.addAll(List.of(arguments));
        Path errors = folder.resolve("errors.txt");
        Process process = new ProcessBuilder(command).redirectError(errors.toFile()).start();
        String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertEquals(0, process.waitFor(), () -> text(errors));
        return JSON.readTree(out.lines().reduce((a, b) -> b).orElseThrow());
    }

    private static String text(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            return e.toString();
        }
    }

    private static void assertSeries(JsonNode series, double tolerance) {
        for (String name : List.of("train_loss", "learning_rate", "eval_loss")) {
            List<MetricRow> expected = ROWS.stream().filter(row -> row.values().containsKey(name)).toList();
            assertEquals(expected.size(), series.get(name).size(), name);
            for (int i = 0; i < expected.size(); i++) {
                double value = expected.get(i).values().get(name);
                assertEquals(expected.get(i).step(), series.get(name).get(i).get(0).longValue(), name);
                assertEquals(value, series.get(name).get(i).get(1).doubleValue(), tolerance * value, name);
            }
        }
    }

    /** Scalars are floats there. */
    @Test
    void tensorBoardReadsTheEvents() throws Exception {
        Path events = folder.resolve("events");
        track(new TensorBoardTracker(events));
        JsonNode found = read("tensorboard", events.toString());
        assertSeries(found.get("scalars"), 1e-7);
        assertTrue(found.get("texts").get("settings").asText().contains("| model | tiny\\|ä |"));
        assertEquals("FINISHED", found.get("texts").get("status").asText());
    }

    @Test
    void wandbReadsTheRun() throws Exception {
        track(new WandbTracker(folder, Map.of("WANDB_PROJECT", "handbook", "WANDB_TAGS", "a, b", "WANDB_RUN_ID",
                "abcd1234", "WANDB_NAME", "named")));
        JsonNode found = read("wandb", folder.toString());
        assertEquals("{\"name\":\"named\",\"project\":\"handbook\",\"tags\":[\"a\",\"b\"],\"id\":\"abcd1234\"}",
                found.get("run").toString());
        assertEquals(0.001, found.get("config").get("learning_rate").doubleValue());
        assertEquals(SETTINGS.size(), found.get("config").size());
        assertEquals(700, found.get("history").size(), "one record a step");
        for (MetricRow measured : ROWS) {
            JsonNode row = found.get("history").get((int) measured.step() - 1);
            measured.values().forEach((name, value) -> assertEquals(value, row.get(name).doubleValue(), name));
            assertEquals(measured.step(), row.get("_step").longValue());
        }
        assertFalse(found.get("history").get(98).has("eval_loss"));
        assertTrue(found.get("history").get(99).has("eval_loss") && found.get("history").get(99).has("train_loss"));
        assertEquals(2.0 / 700, found.get("summary").get("eval_loss").doubleValue());
        assertEquals(1.5, found.get("summary").get("seconds").doubleValue());
        assertEquals("[\"adapter/adapter_config.json\",\"adapter/adapter_model.safetensors\"]",
                found.get("files").toString());
        assertEquals(0, found.get("exit").intValue());
        assertEquals("header", found.get("kinds").get(0).asText());
    }

    @Test
    void anMlflowServerHasTheRun() throws Exception {
        try (MlflowServer server = MlflowServer.start(PYTHON, folder.resolve("mlflow"))) {
            track(new MlflowTracker(server.address(), Map.of("MLFLOW_EXPERIMENT_NAME", "handbook")));
            JsonNode found = read("mlflow", server.address().toString(), "handbook");
            assertSeries(found.get("metrics"), 0);
            assertEquals("a run", found.get("name").asText());
            assertEquals("FINISHED", found.get("status").asText());
            assertEquals(SETTINGS.size(), found.get("params").size());
            assertEquals("0.001", found.get("params").get("learning_rate").asText());
            assertEquals("[\"adapter/adapter_config.json\",\"adapter/adapter_model.safetensors\"]",
                    found.get("artifacts").toString());
        }
    }
}
