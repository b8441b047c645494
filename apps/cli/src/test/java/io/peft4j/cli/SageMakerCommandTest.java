package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A training job of SageMaker on a tree as SageMaker makes it. */
class SageMakerCommandTest {
    private static final String WEIGHTS = "model/adapter_model.safetensors";

    @TempDir
    Path folder;

    private CommandRun run(MlFolder ml) {
        return CommandRun.of("sagemaker", "train", "--root", ml.root());
    }

    private CommandRun succeeding(MlFolder ml) {
        CommandRun run = run(ml);
        assertEquals(0, run.status(), run.err());
        assertFalse(ml.has("output/failure"));
        return run;
    }

    /** The reason in the failure file; nothing must look like a success. */
    private String failing(MlFolder ml) {
        CommandRun run = run(ml);
        assertEquals(1, run.status(), run.err());
        assertFalse(ml.has(WEIGHTS));
        String reason = ml.failure();
        assertTrue(reason.length() <= 1024, reason);
        assertTrue(run.err().lines().anyMatch(line -> line.startsWith("peft4j: ")), run.err());
        return reason;
    }

    @Test
    void aJobLeavesWhatTheTrainCommandLeaves() throws IOException {
        MlFolder ml = MlFolder.of(folder.resolve("ml"), Map.of("sagemaker_program", "x", "sagemaker_region", "y",
                "target_modules", "\"q_proj,v_proj\"", "no_shuffle", "true", "lora_fa", "false",
                "seed", "3000000000"));
        ml.channel("validation", MlFolder.chats(12, 14));
        succeeding(ml);
        Path straight = folder.resolve("straight");
        CommandRun.succeeding("train", "--model", MlFolder.MODEL, "--data",
                ml.root().resolve("input/data/training/rows.jsonl"), "--validation",
                ml.root().resolve("input/data/validation/rows.jsonl"), "--output", straight, "--epochs", 2,
                "--batch-size", 4, "--learning-rate", "1e-3", "--rank", 4, "--dtype", "f32", "--threads", 2,
                "--target-modules", "q_proj,v_proj", "--no-shuffle", "--seed", 3_000_000_000L);
        assertArrayEquals(Files.readAllBytes(straight.resolve("adapter_model.safetensors")), ml.bytes(WEIGHTS));
        assertEquals(8, ml.text("output/data/metrics.jsonl").lines()
                .filter(line -> line.contains("_loss")).count() - 1);
        assertFalse(ml.has("model/metrics.jsonl"));
        CommandRun.succeeding("score", "--model", MlFolder.MODEL, "--adapter", ml.root().resolve("model"), "--data",
                ml.root().resolve("input/data/training/rows.jsonl"), "--json");
    }

    @Test
    void theShippedExpressionsFindTheMetricsInTheLog() throws IOException {
        MlFolder ml = MlFolder.of(folder, Map.of());
        ml.channel("validation", MlFolder.chats(12, 14));
        String log = succeeding(ml).out();
        List<JsonNode> rows = ml.text("output/data/metrics.jsonl").lines().map(CommandRun::parse).toList();
        JsonNode definitions = new ObjectMapper().readTree(CommandRun.succeeding("sagemaker", "metrics").out());
        Map<String, String> keys = Map.of("step", "step", "epoch", "epoch", "train:loss", "train_loss",
                "validation:loss", "eval_loss", "train:learning_rate", "learning_rate", "train:grad_norm",
                "grad_norm");
        assertEquals(rows.size(), log.lines().count(), log);
        int found = 0;
        for (JsonNode definition : definitions) {
            String key = keys.getOrDefault(definition.get("Name").asText(), "tokens_per_s");
            Pattern pattern = Pattern.compile(definition.get("Regex").asText());
            for (int i = 0; i < rows.size(); i++) {
                Matcher matcher = pattern.matcher(log.lines().toList().get(i));
                boolean there = matcher.find();
                if (rows.get(i).has(key)) {
                    assertTrue(there, key + " in " + log);
                    // Seven digits are printed.
                    assertEquals(rows.get(i).get(key).asDouble(), Double.parseDouble(matcher.group(1)),
                            1e-6 * Math.abs(rows.get(i).get(key).asDouble()), key);
                    found++;
                }
            }
        }
        assertTrue(found > 6 * 6, log);
    }

    @Test
    void whatIsWrongWithTheHyperparametersIsInTheFailureFile() {
        MlFolder ml = MlFolder.of(folder, Map.of("learning_rat", "1e-3", "data", "x", "lora_fa", "perhaps"));
        String reason = failing(ml);
        assertTrue(reason.contains("unknown hyperparameter 'learning_rat'; the nearest of"), reason);
        assertTrue(reason.contains("'learning_rate'"), reason);
        assertTrue(reason.contains("'data' cannot be set: the data comes from the channel 'training'"), reason);
        assertTrue(reason.contains("'lora_fa' is 'perhaps'; it must be true or false"), reason);
    }

    @Test
    void aValueThatAnOptionDoesNotTakeIsInTheFailureFile() {
        assertTrue(failing(MlFolder.of(folder.resolve("a"), Map.of("epochs", "many"))).contains("'many' is not an"));
        assertTrue(failing(MlFolder.of(folder.resolve("b"), Map.of("learning_rate", "-1")))
                .contains("learning rate (--learning-rate) is -1.0"));
        assertTrue(failing(MlFolder.of(folder.resolve("c"), Map.of("method", "lroa"))).contains("'lora'"));
    }

    @Test
    void aMissingChannelIsNamed() throws IOException {
        MlFolder ml = MlFolder.of(folder, Map.of());
        Files.move(ml.root().resolve("input/data/training"), ml.root().resolve("input/data/trainig"));
        String reason = failing(ml);
        assertTrue(reason.contains("no channel 'training' (or 'train'), only [trainig]"), reason);
    }

    @Test
    void aModelThatNothingNamesIsAskedFor() {
        MlFolder ml = MlFolder.of(folder, Map.of());
        ml.hyperparameters(Map.of("epochs", "1"));
        assertTrue(failing(ml).contains("no base model: set the hyperparameter 'model' or the variable PEFT4J_MODEL"));
    }

    @Test
    void theBaseComesFromTheModelChannel() throws IOException {
        MlFolder ml = MlFolder.of(folder, Map.of());
        ml.hyperparameters(Map.of("max_steps", "1", "rank", "4"));
        Files.createDirectories(ml.root().resolve("input/data"));
        Files.createSymbolicLink(ml.root().resolve("input/data/model"), MlFolder.MODEL);
        succeeding(ml);
        assertTrue(ml.has(WEIGHTS));
    }

    @Test
    void theMachinesOfAJobTrainTogetherAndTheFirstKeepsTheResult() throws Exception {
        MlFolder alone = MlFolder.of(folder.resolve("alone"), Map.of());
        succeeding(alone);
        List<String> hosts = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            try (ServerSocket free = new ServerSocket(0)) {
                hosts.add("localhost:" + free.getLocalPort());
            }
        }
        List<MlFolder> machines = List.of(MlFolder.of(folder.resolve("algo-1"), Map.of()),
                MlFolder.of(folder.resolve("algo-2"), Map.of()));
        for (int i = 0; i < 2; i++) {
            machines.get(i).config("resourceconfig.json", Map.of("current_host", hosts.get(i), "hosts", hosts));
        }
        CompletableFuture<CommandRun> second = CompletableFuture.supplyAsync(() -> run(machines.get(1)));
        CommandRun first = succeeding(machines.get(0));
        assertEquals(0, second.get().status(), second.get().err());

        assertFalse(machines.get(1).has(WEIGHTS) || machines.get(1).has("output/data/metrics.jsonl"));
        assertEquals("", second.get().out());
        assertEquals(losses(alone), losses(machines.get(0)), 1e-5);
        assertEquals(6, first.out().lines().filter(line -> line.contains("train_loss=")).count());
    }

    private static double losses(MlFolder ml) {
        return ml.text("output/data/metrics.jsonl").lines().map(CommandRun::parse)
                .mapToDouble(row -> row.path("train_loss").asDouble()).average().orElseThrow();
    }

    @Test
    void aMachineThatIsNoneOfTheJobsIsRefused() {
        MlFolder ml = MlFolder.of(folder, Map.of());
        ml.config("resourceconfig.json", Map.of("current_host", "algo-3", "hosts", List.of("algo-1", "algo-2")));
        assertTrue(failing(ml).contains("host 'algo-3' is not one of the hosts of the job: algo-1, algo-2"));
    }

    @Test
    void aPipeIsRefused() {
        MlFolder ml = MlFolder.of(folder, Map.of());
        ml.config("inputdataconfig.json", Map.of("training", Map.of("TrainingInputMode", "Pipe")));
        assertTrue(failing(ml).contains("the channel 'training' has the input mode Pipe"));
    }

    @Test
    void filesOfAChannelAreJoinedInTheOrderOfTheirNames() throws IOException {
        MlFolder one = MlFolder.of(folder.resolve("one"), Map.of("no_shuffle", "true"));
        succeeding(one);
        MlFolder many = MlFolder.of(folder.resolve("many"), Map.of("no_shuffle", "true"));
        Files.delete(many.root().resolve("input/data/training/rows.jsonl"));
        // The first file lacks its last line break.
        Files.writeString(many.write("input/data/training/a.jsonl", List.of()),
                String.join("\n", MlFolder.chats(0, 5)));
        many.write("input/data/training/b/rows.jsonl", MlFolder.chats(5, 12));
        many.write("input/data/training/_SUCCESS", List.of());
        succeeding(many);
        assertArrayEquals(one.bytes(WEIGHTS), many.bytes(WEIGHTS));
    }

    @Test
    void aJobThatHadFinishedGivesTheSameAdapterAgain() {
        MlFolder ml = MlFolder.of(folder, Map.of());
        succeeding(ml);
        byte[] first = ml.bytes(WEIGHTS);
        succeeding(ml);
        assertArrayEquals(first, ml.bytes(WEIGHTS));
    }

    /** What a machine that was taken away leaves: its lock, and a checkpoint of which not all was kept. */
    @Test
    void aFolderOfAMachineThatWasTakenAwayIsGoneOnWith() throws IOException {
        MlFolder ml = MlFolder.of(folder, Map.of("checkpoint_steps", "2"));
        succeeding(ml);
        byte[] first = ml.bytes(WEIGHTS);
        ml.write("checkpoints/.peft4j.lock", List.of("1 another-machine 2026-01-01T00:00:00Z "
                + "00000000-0000-0000-0000-000000000000"));
        Files.delete(ml.root().resolve("checkpoints/checkpoint-6/adapter_model.safetensors"));
        CommandRun run = succeeding(ml);
        assertTrue(run.err().contains("4 steps done before"), run.err());
        assertArrayEquals(first, ml.bytes(WEIGHTS));
        for (int step : new int[] {4, 6}) {
            Files.write(ml.root().resolve("checkpoints/checkpoint-" + step + "/SHA256SUMS"), List.of("damaged"));
        }
        Files.delete(ml.root().resolve(WEIGHTS));
        run = succeeding(ml);
        assertFalse(run.err().contains("steps done before"), run.err());
        assertArrayEquals(first, ml.bytes(WEIGHTS));
    }
}
