package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a training keeps of its base. */
class KeepCommandTest {
    private static final Path MODEL = CommandRun.FIXTURES.resolve("tiny-llama");

    @TempDir
    private Path folder;

    private List<Object> words(String output, Object... more) throws IOException {
        Path data = Files.writeString(folder.resolve("data.jsonl"), "{\"prompt\": \"Pay day?\", \"completion\": "
                + "\"The 25th.\"}\n{\"prompt\": \"Notice?\", \"completion\": \"Ninety days.\"}\n");
        List<Object> words = new ArrayList<>(List.of("train", "--model", MODEL, "--data", data, "--output",
                folder.resolve(output), "--dtype", "f32", "--learning-rate", 0.01, "--epochs", 8, "--json"));
        words.addAll(Arrays.asList(more));
        return words;
    }

    private List<JsonNode> train(String output, Object... more) throws IOException {
        List<JsonNode> lines = CommandRun.succeeding(words(output, more).toArray()).json();
        return lines.stream().filter(line -> line.has("step")).toList();
    }

    @Test
    void aPenaltyHoldsTheModelNearItsBase() throws IOException {
        Path prompts = Files.writeString(folder.resolve("prompts.jsonl"), "{\"prompt\": \"Who are you?\"}\n");

        List<JsonNode> free = train("free", "--keep", prompts, "--keep-weight", 1e-9);
        List<JsonNode> held = train("held", "--keep", prompts, "--keep-weight", 3);

        assertEquals(0, free.get(0).get("kept_kl").asDouble(), 1e-9, "it begins as its base");
        double moved = free.get(7).get("kept_kl").asDouble();
        assertTrue(held.get(7).get("kept_kl").asDouble() < 0.5 * moved, moved + " and " + held);
        assertTrue(free.get(7).get("train_loss").asDouble() < 0.8 * free.get(0).get("train_loss").asDouble());
    }

    @Test
    void answersToGeneralPromptsAreKept() throws IOException {
        List<JsonNode> remembering = train("general", "--keep", "general");
        List<JsonNode> rows = train("rows", "--keep", "general", "--keep-by", "answers");

        assertEquals(0, remembering.get(0).get("kept_kl").asDouble(), 1e-9);
        double added = rows.get(0).get("train_loss").asDouble() - remembering.get(0).get("train_loss").asDouble();
        assertEquals(0.3 * rows.get(0).get("kept_nll").asDouble(), added, 1e-4,
                "the answers' likelihood counts by its default weight: " + rows + remembering);
    }

    @Test
    void generalRowsAreLearnedBesideThoseOfTheData() throws IOException {
        train("remembered", "--remember");
        JsonNode run = CommandRun.parse(Files.readString(folder.resolve("remembered/run.json")));

        assertEquals(3, run.get("plan").get("examples").asInt(), "two rows and a general one");
        JsonNode usual = train("again", "--remember").get(0).get("train_loss");
        assertEquals(usual, train("written", "--remember", "--remember-by", "written").get(0).get("train_loss"));
        assertNotEquals(usual, train("own", "--remember", "--remember-by", "self").get(0).get("train_loss"));
        String error = CommandRun.failing(1, words("other", "--remember", "--objective", "self-distillation")
                .toArray());
        assertTrue(error.contains("by the objective sft alone, not beside [2 examples for self-distillation]"), error);
    }

    @Test
    void ownAnswersOfSeveralWorkersAreRefusedBeforeTheyMeet() throws IOException {
        String error = CommandRun.failing(2, words("out", "--remember", "--remember-by", "self", "--workers",
                "localhost:7001,localhost:7002", "--worker-rank", "0", "--workers-secret", "s").toArray());

        assertTrue(error.contains("--remember-by is for one worker: several may answer differently"), error);
    }

    @ParameterizedTest
    @CsvSource({"--remember-by, self, 'has no effect without --remember'",
        "--keep-share, 1, has no effect without --keep", "--keep-by, rows, 'has no effect without --keep'"})
    void optionsWithoutAnythingToKeepAreErrors(String option, String value, String said) throws IOException {
        String error = CommandRun.failing(2, words("out", option, value).toArray());

        assertTrue(error.contains(said), error);
    }

    @ParameterizedTest
    @CsvSource({"--keep-share, 0, the share of kept answers is 0.0; it must be above 0",
        "--keep-weight, -1, the weight of kept answers is -1.0; it must be above 0",
        "--keep-by, rows, it must be divergence or answers"})
    void valuesOutOfRangeAreErrors(String option, String value, String said) throws IOException {
        String error = CommandRun.failing(2, words("out", "--keep", "general", option, value).toArray());

        assertTrue(error.contains(said), error);
    }
}
