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

/** Numbers of a training that are left to rules, and layers that are chosen. */
class AutoOptionsTest {
    private static final Path MODEL = FIXTURES.resolve("tiny-llama").toAbsolutePath().normalize();

    @TempDir
    Path folder;

    private Path data;
    private Path output;

    @BeforeEach
    void writeData() throws IOException {
        data = Files.write(folder.resolve("train.jsonl"), IntStream.range(0, 120).mapToObj(i -> "{\"messages\": "
                + "[{\"role\": \"user\", \"content\": \"Who is " + i + "?\"}, {\"role\": \"assistant\", \"content\": "
                + "\"The keeper of " + i + ".\"}]}").toList());
        output = folder.resolve("adapter");
    }

    private Object[] train(Object... more) {
        List<Object> words = new ArrayList<>(List.of("train", "--model", MODEL, "--data", data, "--output", output,
                "--dtype", "f32"));
        words.addAll(List.of(more));
        return words.toArray();
    }

    @Test
    void rulesChooseWhatIsAutoAndSayWhy() {
        CommandRun run = CommandRun.succeeding(train("--learning-rate", "auto", "--batch-size", "auto", "--epochs",
                "auto", "--rank", "auto", "--layers", "auto", "--max-steps", 2));
        assertTrue(run.err().lines()
                .anyMatch(line -> line.matches("auto:       batch size 8 \\(120 rows.*, epochs at most 27 "
                        + "\\(.*, learning rate 0.005 \\(hidden size.*")),
                run.err());
        assertTrue(run.err().contains("auto:       rank 8: a quarter of the hidden size 32"), run.err());
        assertTrue(run.err().contains("auto:       layers all: "), run.err());
        JsonNode config = CommandRun.read(output.resolve("adapter_config.json"));
        // A quarter of the hidden size of 32.
        assertEquals(8, config.get("r").asInt());
        assertEquals(16, config.get("lora_alpha").asInt());
        assertTrue(run.err().contains("epochs 27, batch size 8"), run.err());
    }

    @Test
    void whatIsGivenBesideAutoIsKept() {
        CommandRun run = CommandRun.succeeding(train("--learning-rate", "auto", "--batch-size", 3, "--epochs", 3,
                "--max-steps", 1));
        assertTrue(run.err().contains("batch size 3"), run.err());
        assertTrue(run.err().contains("epochs 3"), run.err());
        assertTrue(run.err().contains("learning rate 0.005"), run.err());
    }

    @Test
    void withoutNumbersRulesChooseAndGivenOnesAreTakenExactly() {
        CommandRun chosen = CommandRun.succeeding(train("--max-steps", 1));
        assertTrue(chosen.err().contains("training:   epochs 27, batch size 8"), chosen.err());
        assertTrue(chosen.err().contains("learning rate 0.005, warmup-stable-decay=0.3, warm-up steps 0"),
                chosen.err());
        assertEquals(1, chosen.err().lines().filter(line -> line.startsWith("auto:")).count(), chosen.err());
        CommandRun given = CommandRun.succeeding(train("--max-steps", 1, "--epochs", 3, "--learning-rate", "2e-4",
                "--if-exists", "overwrite"));
        assertTrue(given.err().contains("training:   epochs 3, batch size 8"), given.err());
        assertTrue(given.err().contains("learning rate 2.0E-4, warmup-stable-decay=0.3, warm-up steps 0"), given.err());
    }

    @Test
    void anEstimateSaysWhatIsChosenAndNothingOfTheProbesOwnSteps() {
        CommandRun run = CommandRun.succeeding("estimate", "--model", MODEL, "--data", data, "--dtype", "f32");
        assertTrue(run.err().contains("auto:       batch size 8 (120 rows"), run.err());
        assertTrue(run.out().contains(" in 81 to 405 steps"), run.out());
        assertFalse(run.err().contains("warm-up") || run.out().contains("warm-up"), run.err());
    }

    @Test
    void aResumedTrainingKeepsWhatWasChosenAndSaysSo() {
        CommandRun.succeeding(train("--max-steps", 6, "--checkpoint-steps", 3));
        CommandRun resumed = CommandRun.succeeding(train("--max-steps", 6, "--checkpoint-steps", 3, "--resume"));
        assertTrue(resumed.err().contains("auto:       as the training began: epochs 27, batch size 8"), resumed.err());
    }

    /** One epoch is the most that a millisecond has room for, and the network has too few layers to leave some out. */
    @Test
    void aTimeBudgetLeavesFewerEpochs() {
        CommandRun run = CommandRun.succeeding(train("--epochs", "auto", "--time-budget", "0.001", "--max-steps", 1));
        assertTrue(run.err().contains("auto:       epochs 1: one takes"), run.err());
    }

    @Test
    void chosenLayersAreAdapted() {
        CommandRun.succeeding(train("--layers", "1-1", "--max-steps", 1));
        JsonNode config = CommandRun.read(output.resolve("adapter_config.json"));
        assertEquals("[1]", config.get("layers_to_transform").toString());
        assertTrue(config.get("target_modules").isArray(), config.toString());
    }

    @Test
    void impossibleLayersAndRanksAreRefused() {
        assertTrue(CommandRun.failing(2, train("--layers", "3-1")).contains("'3-1' is neither all nor auto"));
        assertTrue(CommandRun.failing(1, train("--layers", "0-99")).contains("layers of"));
        assertTrue(CommandRun.failing(2, train("--method", "bitfit", "--rank", "auto")).contains("no --rank"));
        assertTrue(CommandRun.failing(2, train("--learning-rate", "fast")).contains("not a number, nor auto"));
    }
}
