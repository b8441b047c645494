package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Scores equal those of Hugging Face; wrong rows are named. */
class ScoreCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    /** Both sides compute in f32: sums of some hundred values, as the fixtures' own f32 error is 3e-6. */
    private static final double RELATIVE = 1e-5;

    @TempDir
    Path folder;

    private Path data(List<String> rows) throws IOException {
        return Files.write(folder.resolve("data.jsonl"), rows);
    }

    private static String row(String key, JsonNode value) {
        ObjectNode row = JSON.createObjectNode();
        row.set(key, value);
        return row.toString();
    }

    private static void assertScores(List<Double> nll, List<Integer> tokens, List<JsonNode> scores) {
        assertEquals(nll.size(), scores.size());
        for (int i = 0; i < nll.size(); i++) {
            assertEquals(nll.get(i), scores.get(i).get("nll").asDouble(), RELATIVE * nll.get(i), "row " + i);
            assertEquals(tokens.get(i), scores.get(i).get("tokens").asInt(), "row " + i);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tiny-llama", "tiny-llama-untied", "tiny-llama-sharded", "tiny-llama-bf16"})
    void allRowFormsHaveTheNllOfHuggingFace(String model) throws IOException {
        JsonNode expected = CommandRun.read(FIXTURES.resolve(model).resolve("expected.json"));
        List<String> rows = new ArrayList<>();
        List<Double> nll = new ArrayList<>();
        List<Integer> tokens = new ArrayList<>();
        for (JsonNode text : expected.get("texts")) {
            if (text.get("text").isTextual()) {
                rows.add(row("text", text.get("text")));
                nll.add(text.get("nll").asDouble());
                tokens.add(text.get("tokens").asInt());
            }
            rows.add(row("input_ids", text.get("input_ids")));
            nll.add(text.get("nll").asDouble());
            tokens.add(text.get("tokens").asInt());
        }
        for (JsonNode chat : expected.get("chats")) {
            rows.add(row("messages", chat.get("messages")));
            nll.add(chat.get("nll").asDouble());
            tokens.add(chat.get("supervised").size());
        }
        CommandRun run = CommandRun.succeeding("score", "--model", FIXTURES.resolve(model), "--data", data(rows),
                "--dtype", "f32", "--json");
        assertScores(nll, tokens, run.json());
    }

    @ParameterizedTest
    @ValueSource(strings = {"saved", "untied", "modules"})
    void adaptersOfAResizedBaseBringTheirTokens(String name) throws IOException {
        JsonNode expected = CommandRun.read(FIXTURES.resolve("resized").resolve("expected.json")).get(name);
        CommandRun run = CommandRun.succeeding("score", "--model", FIXTURES.resolve(expected.get("base").asText()),
                "--adapter", FIXTURES.resolve("resized").resolve(name), "--data",
                data(List.of(row("text", expected.get("text")))), "--dtype", "f32", "--json");
        assertEquals(expected.get("nll").asDouble(), run.json().get(0).get("nll").asDouble(),
                RELATIVE * expected.get("nll").asDouble());
    }

    @ParameterizedTest
    @ValueSource(strings = {"lora", "rslora", "patterns", "embedding", "modules-to-save", "lora-bias"})
    void adaptersHaveTheNllOfHuggingFace(String adapter) throws IOException {
        Path adapterFolder = FIXTURES.resolve("adapters").resolve(adapter);
        JsonNode expected = CommandRun.read(adapterFolder.resolve("expected.json"));
        Path model = FIXTURES.resolve(expected.get("model").asText());
        List<String> rows = new ArrayList<>();
        List<Double> nll = new ArrayList<>();
        List<Integer> tokens = new ArrayList<>();
        JsonNode texts = CommandRun.read(model.resolve("expected.json")).get("texts");
        for (int i = 0; i < texts.size(); i++) {
            rows.add(row("input_ids", texts.get(i).get("input_ids")));
            nll.add(expected.get("nll").get(i).asDouble());
            tokens.add(texts.get(i).get("tokens").asInt());
        }
        CommandRun run = CommandRun.succeeding("score", "--model", model, "--adapter", adapterFolder, "--data",
                data(rows), "--dtype", "f32", "--json");
        assertScores(nll, tokens, run.json());
    }

    @Test
    void aCompletionIsScoredAfterItsPrompt() throws IOException {
        Path model = FIXTURES.resolve("tiny-llama");
        String prompt = "What is the notice period?";
        String completion = " It is thirty days.";
        Path file = data(List.of("{\"text\": \"" + prompt + completion + "\"}", "{\"text\": \"" + prompt + "\"}",
                "{\"prompt\": \"" + prompt + "\", \"completion\": \"" + completion + "\"}",
                "{\"messages\": [{\"role\": \"user\", \"content\": \"Who?\"}, {\"role\": \"assistant\", \"content\": "
                        + "\"Me.\"}]}",
                "{\"prompt\": [{\"role\": \"user\", \"content\": \"Who?\"}],"
                        + " \"completion\": [{\"role\": \"assistant\", \"content\": \"Me.\"}]}"));
        List<JsonNode> scores = CommandRun.succeeding("score", "--model", model, "--data", file, "--dtype", "f32",
                "--json").json();
        double rest = scores.get(0).get("nll").asDouble() - scores.get(1).get("nll").asDouble();
        // The difference of two f32 sums of about 200.
        assertEquals(rest, scores.get(2).get("nll").asDouble(), 1e-3);
        assertEquals(scores.get(0).get("tokens").asInt() - scores.get(1).get("tokens").asInt(),
                scores.get(2).get("tokens").asInt());
        assertEquals(scores.get(3), scores.get(4));
    }

    @Test
    void manyRowsKeepTheirOrder() throws IOException {
        List<String> rows = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            rows.add("{\"input_ids\": [" + "7, ".repeat(i % 40) + (i % 300) + "]}");
        }
        List<JsonNode> scores = CommandRun.succeeding("score", "--model", FIXTURES.resolve("tiny-llama"), "--data",
                data(rows), "--dtype", "f32", "--json").json();
        assertEquals(400, scores.size());
        for (int i = 0; i < scores.size(); i++) {
            assertEquals(i % 40, scores.get(i).get("tokens").asInt());
        }
        // Rows of a batch do not see each other: alone, one has the same score.
        Path alone = Files.writeString(folder.resolve("alone.jsonl"), rows.get(399));
        JsonNode one = CommandRun.succeeding("score", "--model", FIXTURES.resolve("tiny-llama"), "--data", alone,
                "--dtype", "f32", "--json").json().get(0);
        assertEquals(one.get("nll").asDouble(), scores.get(399).get("nll").asDouble(),
                RELATIVE * one.get("nll").asDouble());
    }

    @Test
    void withoutJsonTheOutputIsReadable() throws IOException {
        CommandRun run = CommandRun.succeeding("score", "--model", FIXTURES.resolve("tiny-llama"), "--data",
                data(List.of("{\"input_ids\": [1, 2, 3]}")));
        assertTrue(run.out().matches("(?s)nll \\d+\\.\\d+, 2 tokens\\R\\Rin all: .*perplexity \\d+.*"), run.out());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{\"input_ids\": [384]} | 0 to 383",
        "{\"input_ids\": [1.5]} | integers",
        "{\"input_ids\": []} | no token",
        "{\"text\": \"\"} | no token",
        "{\"text\": 7} | not a string",
        "{\"question\": \"Who?\"} | none of",
        "{\"prompt\": \"Who?\"} | \"completion\" is missing",
        "{\"prompt\": \"What is the not\", \"completion\": \"ice period?\"} | spans the border",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"Who?\"}]} | no assistant message",
        "{\"text\": oops} | not valid JSON",
    })
    void anInvalidRowIsReportedWithItsLine(String row, String complaint) throws IOException {
        Path file = data(List.of("{\"input_ids\": [1, 2, 3]}", row));
        String err = CommandRun.failing(1, "score", "--model", FIXTURES.resolve("tiny-llama"), "--data", file,
                "--json");
        assertTrue(err.startsWith("peft4j: " + file + ":2"), err);
        assertTrue(err.contains(complaint), err);
        assertEquals(1, err.lines().count(), err);
    }

    @Test
    void anOverlongRowIsReportedWithItsLine() throws IOException {
        Path file = data(List.of("{\"input_ids\": [1" + ", 1".repeat(256) + "]}"));
        String err = CommandRun.failing(1, "score", "--model", FIXTURES.resolve("tiny-llama"), "--data", file,
                "--json");
        assertTrue(err.contains(file + ":1: has 257 tokens; the model's limit is 256"), err);
    }
}
