package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sweeps on a tiny model, and the options of training that came with them. */
class SweepCommandTest {
    private static final Path MODEL = FIXTURES.resolve("tiny-llama").toAbsolutePath().normalize();

    @TempDir
    private Path folder;
    private Path data;
    private Path space;

    @BeforeEach
    void writeFiles() throws IOException {
        List<String> rows = new ArrayList<>();
        for (int i = 0; i < 12; i++) {
            rows.add("{\"messages\": [{\"role\": \"user\", \"content\": \"Who is number " + i + "?\"}, "
                    + "{\"role\": \"assistant\", \"content\": \"The keeper " + i % 4 + ".\"}]}");
        }
        data = Files.write(folder.resolve("train.jsonl"), rows);
        space = Files.writeString(folder.resolve("space.json"),
                "{\"learning_rate\": [1e-5, 1e-2], \"rank\": [2, 4], \"optimizer\": [\"adamw\", \"lion\"]}");
    }

    private Object[] words(String command, Object... more) {
        List<Object> words = new ArrayList<>(List.of(command, "--model", MODEL, "--data", data, "--output",
                folder.resolve("out"), "--batch-size", 4, "--epochs", 2, "--dtype", "f32"));
        words.addAll(List.of(more));
        return words.toArray();
    }

    @Test
    void aSweepPrintsEachTrialAndTheBest() {
        CommandRun run = CommandRun.succeeding(words("sweep", "--space", space, "--strategy", "grid", "--rank", 3,
                "--json"));
        assertTrue(run.err().contains("WARN --rank has no effect: the space has values for it"), run.err());
        List<JsonNode> lines = run.json();
        assertEquals(9, lines.size());
        JsonNode end = lines.get(8);
        assertEquals(8, end.get("trials").asInt());
        Path best = Path.of(end.get("adapter").asText());
        assertEquals(folder.resolve("out").resolve(end.get("best").asText()), best);
        assertTrue(Files.exists(best.resolve("adapter_model.safetensors")));
        assertTrue(Files.exists(folder.resolve("out/sweep.html")));
        assertTrue(run.err().contains("trial-008") && run.err().contains("The best adapter is in " + best), run.err());
        CommandRun.succeeding("generate", "--model", MODEL, "--adapter", best, "--prompt", "Who?",
                "--max-new-tokens", 2);
        CommandRun again = CommandRun.succeeding(words("sweep", "--space", space, "--strategy", "grid", "--rank", 3,
                "--resume"));
        assertTrue(again.err().contains("The best adapter is in " + best), again.err());
    }

    @Test
    void theBestOfSeveralSeedsIsNamedWithTheirSpread() {
        CommandRun run = CommandRun.succeeding(words("sweep", "--seeds", 3, "--seed", 5, "--rank", 2, "--json"));
        List<JsonNode> lines = run.json();
        assertEquals(List.of(5, 6, 7), lines.subList(0, 3).stream().map(trial -> trial.get("values").get("seed")
                .asInt()).sorted().toList());
        double[] losses = lines.subList(0, 3).stream().mapToDouble(trial -> trial.get("eval_loss").asDouble()).sorted()
                .toArray();
        assertTrue(losses[0] < losses[2], run.out());
        assertEquals(losses[0], lines.get(3).get("eval_loss").asDouble());
        assertTrue(run.err().contains(String.format(Locale.ROOT, "The validation losses of 3 seeds are %.4f to %.4f, ",
                losses[0], losses[2])), run.err());
        for (Object[] wrong : new Object[][] {{"--seeds", 1}, {}, {"--seeds", 3, "--space", space}}) {
            assertTrue(CommandRun.failing(2, words("sweep", wrong)).startsWith("give --space FILE.json, or --seeds N"));
        }
    }

    /** The method, the seed, the layers and an objective's own options are tried as train takes them. */
    @Test
    void everyOptionOfTrainCanBeTried() throws IOException {
        Path methods = Files.writeString(folder.resolve("methods.json"), "{\"method\": [\"lora\", \"loha\"], "
                + "\"seed\": [1, 3000000000], \"target_modules\": [[\"q_proj\", \"k_proj\"]], \"no_shuffle\": [true], "
                + "\"learn\": [\"all\"], \"layers\": [\"0-0\"], \"neftune_alpha\": [0]}");
        CommandRun.succeeding(words("sweep", "--space", methods, "--strategy", "grid", "--seed", 7));
        List<String> seen = new ArrayList<>();
        for (int i = 1; i <= 4; i++) {
            Path trial = folder.resolve("out/trial-00" + i);
            JsonNode config = CommandRun.read(trial.resolve("adapter_config.json"));
            assertEquals("[\"k_proj\",\"q_proj\"]", config.get("target_modules").toString().replace(
                    "[\"q_proj\",\"k_proj\"]", "[\"k_proj\",\"q_proj\"]"));
            assertEquals("[0]", config.get("layers_to_transform").toString());
            JsonNode settings = CommandRun.read(trial.resolve("run.json")).get("settings");
            assertEquals("false", settings.get("shuffle").asText());
            seen.add(config.get("peft_type").asText() + settings.get("seed").asText());
        }
        assertEquals(List.of("LOHA1", "LOHA3000000000", "LORA1", "LORA3000000000"), seen.stream().sorted().toList());
        Path pairs = Files.writeString(folder.resolve("pairs.jsonl"), "{\"prompt\": \"a\", \"chosen\": \"b\", "
                + "\"rejected\": \"c\"}\n".repeat(1));
        Path betas = Files.writeString(folder.resolve("betas.json"), "{\"beta\": [0.1, 5]}");
        CommandRun dpo = CommandRun.succeeding("sweep", "--model", MODEL, "--data", pairs, "--validation", pairs,
                "--objective", "dpo", "--epochs", 2, "--space", betas, "--strategy", "grid", "--output",
                folder.resolve("dpo"), "--json");
        assertTrue(!dpo.json().get(0).get("eval_loss").equals(dpo.json().get(1).get("eval_loss")), dpo.out());
        assertTrue(CommandRun.failing(1, words("sweep", "--space", Files.writeString(folder.resolve("bad.json"),
                "{\"method\": [\"lorra\"]}"))).contains("the space of the sweep: {method=\"lorra\"}: "));
    }

    @Test
    void trialsKeepWhatTheBaseAnswers() throws IOException {
        Path prompts = Files.writeString(folder.resolve("prompts.jsonl"), "{\"prompt\": \"Who are you?\"}\n");
        Path rates = Files.writeString(folder.resolve("rates.json"), "{\"learning_rate\": [1e-3, 1e-2]}");
        CommandRun.succeeding(words("sweep", "--space", rates, "--strategy", "grid", "--rank", 2, "--keep", prompts));

        for (String trial : List.of("trial-001", "trial-002")) {
            List<String> steps = Files.readAllLines(folder.resolve("out").resolve(trial).resolve("metrics.jsonl"));
            assertTrue(steps.stream().anyMatch(step -> step.contains("\"kept_kl\"")), steps.toString());
        }
    }

    @Test
    void wrongUsageIsToldBeforeAModelIsLoaded() throws IOException {
        assertTrue(CommandRun.failing(2, words("sweep", "--space", space, "--strategy", "bayes"))
                .startsWith("unknown strategy 'bayes'; there are 'tpe', 'grid' and 'random'"));
        assertTrue(CommandRun.failing(2, words("sweep", "--space", space, "--trials", 0))
                .startsWith("--trials and --side-by-side must be at least 1"));
        assertTrue(CommandRun.failing(1, words("sweep", "--space", folder.resolve("none.json")))
                .contains("no such file"));
        Path pairs = Files.writeString(folder.resolve("pairs.jsonl"),
                "{\"prompt\": \"a\", \"chosen\": \"b\", \"rejected\": \"c\"}\n");
        assertTrue(CommandRun.failing(2, "sweep", "--model", MODEL, "--data", pairs, "--validation", pairs, "--output",
                folder.resolve("out"), "--space", space, "--objective", "dpo", "--side-by-side", 2)
                .startsWith("--side-by-side is for --objective sft"));
        Path wrong = Files.writeString(folder.resolve("wrong.json"), "{\"learning_rte\": [1e-3, 1e-2]}");
        assertTrue(CommandRun.failing(1, words("sweep", "--space", wrong)).contains(
                "unknown option \"learning_rte\"; the nearest of"));
    }

    @Test
    void trainTakesOptimizersGroupsSchedulesNoiseAndSmoothing() {
        CommandRun run = CommandRun.succeeding(words("train", "--learning-rate", "2e-4", "--optimizer", "adafactor",
                "--schedule", "warmup-stable-decay=0.5", "--neftune-alpha", 5, "--label-smoothing", 0.1,
                "--parameter-group", "lora_B:learning-rate=1e-3,weight-decay=0", "--json"));
        assertTrue(run.err().contains("optimizer:  adafactor with 1 parameter groups, NEFTune 5.0, label smoothing "
                + "0.1, learning rate 2.0E-4, warmup-stable-decay=0.5"), run.err());
        assertEquals(6, run.json().get(run.json().size() - 1).get("steps").asInt());
        assertTrue(CommandRun.failing(2, words("train", "--optimizer", "adam")).startsWith("unknown optimizer 'adam'"));
        assertTrue(CommandRun.failing(2, words("train", "--schedule", "polynomial=x")).contains("which is no number"));
        assertTrue(CommandRun.failing(2, words("train", "--parameter-group", "x")).startsWith(
                "cannot read the parameter group 'x'"));
    }
}
