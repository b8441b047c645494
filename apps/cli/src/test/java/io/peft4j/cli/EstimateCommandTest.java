package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code estimate} prints, beside what {@code train} then does. */
class EstimateCommandTest {
    private static final Path MODEL = FIXTURES.resolve("tiny-llama").toAbsolutePath().normalize();

    @TempDir
    Path folder;

    private Path data;
    private Path output;

    @BeforeEach
    void writeData() throws IOException {
        data = Files.write(folder.resolve("train.jsonl"), IntStream.range(0, 12).mapToObj(i -> "{\"messages\": "
                + "[{\"role\": \"user\", \"content\": \"Who is " + i + "?\"}, {\"role\": \"assistant\", \"content\": "
                + "\"The keeper" + " and again".repeat(i % 3) + ".\"}]}").toList());
        output = folder.resolve("adapter");
    }

    private Object[] words(String command, Object... more) {
        List<Object> words = new ArrayList<>(List.of(command, "--model", MODEL, "--data", data, "--dtype", "f32",
                "--epochs", 2, "--batch-size", 4, "--output", output, "--json"));
        words.addAll(List.of(more));
        return words.toArray();
    }

    @Test
    void theFiguresAreThoseOfTheTraining() throws IOException {
        JsonNode estimate = CommandRun.succeeding(words("estimate", "--machine-hour-price", 36,
                "--million-tokens-price", 8)).json().get(0);
        assertFalse(Files.exists(output));
        CommandRun run = CommandRun.succeeding(words("train"));
        long tokens = run.json().stream().filter(row -> row.has("tokens")).mapToLong(row -> row.get("tokens").asLong())
                .sum();
        assertEquals(tokens, estimate.get("tokens").asLong());
        assertEquals(Files.size(output.resolve("adapter_model.safetensors")), estimate.get("adapter_mb").asDouble()
                * 1e6, 0.5);
        assertTrue(run.err().contains(String.format("trainable params: %,d ",
                estimate.get("trainable_parameters").asLong())), run.err());
        assertTrue(estimate.get("seconds").asDouble() > 0 && estimate.get("peak_rss_mb").asLong() > 50);
        assertEquals(8e-6 * tokens, estimate.get("cost_service").asDouble(), 1e-9);
        assertEquals(estimate.get("seconds").asDouble() / 100, estimate.get("cost_machine").asDouble(), 1e-9);
        String foreseen = run.err().replaceFirst("(?s).*?estimate:   (.*?) in all, .*", "$1");
        assertTrue(foreseen.length() < 20 && run.err().contains("(estimated: " + foreseen + ", "), run.err());
    }

    @Test
    void aTableForPeopleNamesUnits() {
        CommandRun run = CommandRun.succeeding("estimate", "--model", MODEL, "--data", data, "--rank", 4, "--epochs",
                "auto", "--machine-hour-price", 1);
        assertTrue(run.out().contains("MB on disk") && run.out().contains("cost:") && run.out().contains("tokens/s"),
                run.out());
        assertTrue(
                run.err().contains("auto:       batch size 4 (12 rows") && run.err().contains(", epochs at most 36 ("),
                run.err());
    }

    @Test
    void whatTheBaseIsAskedBeforeIsCounted() {
        JsonNode plain = CommandRun.succeeding(words("estimate")).json().get(0);
        JsonNode keeping = CommandRun.succeeding(words("estimate", "--keep", "general", "--machine-hour-price", 36))
                .json()
                .get(0);

        assertFalse(plain.has("asking_seconds"), plain.toString());
        assertTrue(keeping.get("asking_seconds").asDouble() > 0, keeping.toString());
        assertEquals((keeping.get("asking_seconds").asDouble() + keeping.get("seconds").asDouble()) / 100, keeping
                .get("cost_machine").asDouble(), 1e-9);
        assertEquals(plain.get("tokens").asLong(), keeping.get("tokens").asLong());
    }

    @Test
    void wrongInputIsToldAsTrainTellsIt() {
        assertTrue(CommandRun.failing(2, "estimate", "--model", MODEL).contains("--data"));
        assertTrue(CommandRun.failing(2, words("estimate", "--machine-hour-price", "-1")).contains("price of an hour"));
        assertTrue(CommandRun.failing(2, words("estimate", "--learning-rate", "7")).contains("learning rate"));
        assertTrue(CommandRun.failing(1, "estimate", "--model", MODEL, "--data", folder.resolve("none.jsonl"))
                .contains("none.jsonl"));
    }
}
