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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Advice and the range test by the real commands on a tiny model. */
class AdviseCommandTest {
    private static final Path MODEL = FIXTURES.resolve("tiny-llama").toAbsolutePath().normalize();
    private static final Path ENCODER = FIXTURES.resolve("encoders/bert-seq-cls").toAbsolutePath().normalize();

    @TempDir
    Path folder;

    /** All answers are alike: what training learns at once, and any row tells without one. */
    private Path data(int rows) throws IOException {
        return Files.write(folder.resolve("train.jsonl"), IntStream.range(0, rows).mapToObj(i -> "{\"messages\": "
                + "[{\"role\": \"user\", \"content\": \"Who is " + i * 37 + "?\"}, {\"role\": \"assistant\", "
                + "\"content\": \"me\"}], \"must_contain\": \"me\"}").toList());
    }

    @Tag("full")
    @Test
    void whatATinyModelLearnsAndAnyRowTellsIsLookedUp() throws IOException {
        Path report = folder.resolve("advice.html");
        CommandRun run = CommandRun.succeeding("advise", "--model", MODEL, "--data", data(64), "--dtype", "f32",
                "--max-new-tokens", 4, "--epochs", 16, "--rank", 8, "--report", report, "--json",
                "--changes-every", 24);
        JsonNode line = run.json().get(0);
        assertEquals("prompt", line.get("advice").asText(), run.out());
        assertEquals("lookup", line.at("/verdict/arm").asText(), run.out());
        assertEquals(1, line.get("ways").get(line.get("ways").size() - 1).get("score").asDouble(), "it is learned");
        assertEquals("base", line.get("ways").get(0).get("name").asText());
        assertTrue(line.get("gain_of_100_more").has("gain"), run.out());
        assertTrue(line.get("reasons").size() >= 2, run.out());
        assertTrue(Files.readString(report).contains("Look up instead"));
    }

    @Test
    void aClassifierIsComparedWithTheMostSimilarRowOfOtherObjectives() throws IOException {
        Path rows = Files.write(folder.resolve("labels.jsonl"), IntStream.range(0, 48).mapToObj(i -> "{\"text\": \"row "
                + i + (i % 3 == 0 ? " about a bill" : " about the door") + "\", \"label\": \"" + (i % 3 == 0 ? "billing"
                        : "login")
                + "\"}").toList());
        CommandRun run = CommandRun.succeeding("advise", "--objective", "classification", "--model", ENCODER, "--data",
                rows, "--dtype", "f32", "--epochs", 1, "--rank", 4, "--json");
        JsonNode line = run.json().get(0);
        List<String> ways = new ArrayList<>();
        line.get("ways").forEach(way -> ways.add(way.get("name").asText()));
        assertEquals(List.of("base", "lookup", "trained on 9", "trained on 18", "trained on 36"), ways, run.out());
        assertEquals(1, line.get("ways").get(1).get("score").asDouble(), "the words tell the class");
        assertEquals("lookup", line.at("/verdict/without_training/0/arm").asText(), run.out());
        assertFalse(line.at("/verdict/decision").asText().equals("ship"), run.out());
        assertEquals(12, line.get("items_asked").asInt());
        String refused = CommandRun.failing(1, "advise", "--objective", "dpo", "--model", MODEL, "--data", pairs());
        assertTrue(refused.contains("is evaluated on rows of"), refused);
        assertTrue(CommandRun.failing(2, "advise", "--objective", "classification", "--model", ENCODER, "--data", rows,
                "--passages", rows).contains("--passages is for --objective sft"));
    }

    private Path pairs() throws IOException {
        return Files.write(folder.resolve("pairs.jsonl"), IntStream.range(0, 20).mapToObj(i -> "{\"prompt\": \"Who is "
                + i + "?\", \"chosen\": \"me\", \"rejected\": \"you\"}").toList());
    }

    @Test
    void wrongInputIsRefused() throws IOException {
        assertTrue(CommandRun.failing(1, "advise", "--model", MODEL, "--data", data(5)).contains("at least 12"));
        assertTrue(CommandRun.failing(2, "advise", "--model", MODEL, "--data", data(20), "--time-budget", 0)
                .contains("more than no time"));
        assertTrue(CommandRun.failing(1, "advise", "--model", MODEL, "--data", data(20), "--passages",
                folder.resolve("none.md")).contains("none.md"));
    }

    @Test
    void aRangeTestSuggestsALearningRate() throws IOException {
        Path report = folder.resolve("range.html");
        CommandRun run = CommandRun.succeeding("lr-range", "--model", MODEL, "--data", data(40), "--dtype", "f32",
                "--lowest", "1e-4", "--highest", "1", "--range-steps", 40, "--report", report, "--json");
        JsonNode line = run.json().get(0);
        assertTrue(line.get("learning_rate").asDouble() > 1e-4, run.out());
        assertEquals(line.get("points").get(0).get("learning_rate").asDouble(), 1e-4, 1e-9);
        assertTrue(Files.readString(report).contains("Learning rate"));
        assertTrue(CommandRun.failing(2, "lr-range", "--model", MODEL, "--data", data(40), "--lowest", 1, "--highest",
                "0.1").contains("must rise"));
    }
}
