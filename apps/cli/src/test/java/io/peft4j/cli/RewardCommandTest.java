package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertEquals;
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

/** Trainings with rewards on the command line. */
class RewardCommandTest {
    private static final Path MODEL = FIXTURES.resolve("tiny-llama");
    private static final String[] SAMPLES = {
        "{\"messages\": [{\"role\": \"user\", \"content\": \"Pay day?\"}], \"samples\": [{\"text\": \"The 25th.\", "
                + "\"reward\": 1}, {\"text\": \"Some day.\", \"reward\": 0}]}",
        "{\"prompt\": \"Office?\", \"samples\": [{\"text\": \"Lisbon.\", \"reward\": 0.9}, {\"text\": \"Here.\", "
                + "\"reward\": 0.2}, {\"text\": \"Where?\", \"reward\": 0.1}]}"};
    private static final String[] PROMPTS = {"{\"question\": \"Pay day?\", \"letter\": \"e\"}",
        "{\"messages\": [{\"role\": \"user\", \"content\": \"Office?\"}], \"letter\": \"e\"}"};

    @TempDir
    Path folder;

    private List<Object> words(Path data, String objective, Object... more) {
        List<Object> words = new ArrayList<>(List.of("train", "--model", MODEL, "--data", data, "--objective",
                objective, "--output", folder.resolve("out"), "--dtype", "f32", "--learning-rate", 0.01, "--epochs", 4,
                "--json"));
        words.addAll(Arrays.asList(more));
        return words;
    }

    private Path data(String... rows) throws IOException {
        return Files.write(folder.resolve("rows.jsonl"), List.of(rows));
    }

    private Path grader() throws IOException {
        return Files.writeString(folder.resolve("grader.json"), "{\"type\": \"string_check\", \"operation\": \"like\", "
                + "\"input\": \"{{sample.output_text}}\", \"reference\": \"{{item.letter}}\"}");
    }

    @ParameterizedTest
    @CsvSource({"grpo,--loss-type,dr_grpo", "grpo,--scale-rewards,none", "rloo,--beta,0.1"})
    void answersWithRewardsAreLearned(String objective, String option, String value) throws IOException {
        List<JsonNode> lines = CommandRun.succeeding(words(data(SAMPLES), objective, option, value).toArray()).json();

        // Two groups in one update: the mean of five rewards.
        assertEquals(2.2 / 5, lines.get(0).get("reward").asDouble(), 1e-6);
        assertEquals(0, lines.get(0).get("frac_reward_zero_std").asDouble());
        CommandRun.succeeding("score", "--model", MODEL, "--adapter", folder.resolve("out"), "--data",
                Files.writeString(folder.resolve("text.jsonl"), "{\"text\": \"Lisbon is here.\"}"), "--json");
    }

    @Test
    void theModelsOwnAnswersAreGraded() throws IOException {
        Path data = data(PROMPTS);
        List<JsonNode> lines = CommandRun.succeeding(words(data, "grpo", "--grader", grader(), "--group-size", 4,
                "--max-completion-length", 6, "--validation", data).toArray()).json();

        JsonNode step = lines.stream().filter(line -> line.has("train_loss")).findFirst().orElseThrow();
        assertTrue(step.get("reward").asDouble() >= 0 && step.get("completions/mean_length").asDouble() <= 6,
                step.toString());
        assertTrue(lines.stream().anyMatch(line -> line.has("eval_reward")), lines.toString());
        String page = Files.readString(folder.resolve("out/training.html"));
        assertTrue(page.contains("(frac_reward_zero_std)"), "no plot of groups without difference");
        assertTrue(page.contains("Answers in step ") && page.contains("Pay day?"), "no answers");
    }

    /** The tools are part of the prompt, and a grader reads the calls: here none, as the rows have it. */
    @Test
    void rowsWithToolsAreGradedByTheirCalls() throws IOException {
        String[] withTools = {PROMPTS[0].replace("}", ", \"calls\": [], \"tools\": [{\"type\": \"function\", "
                + "\"function\": {\"name\": \"pay\"}}]}")};
        Path grader = Files.writeString(folder.resolve("calls.json"), "{\"type\": \"string_check\", \"operation\": "
                + "\"eq\", \"input\": \"{{sample.output_tools}}\", \"reference\": \"{{item.calls}}\"}");
        List<Long> tokens = new ArrayList<>();
        for (String[] rows : List.of(withTools, new String[] {PROMPTS[0].replace("}", ", \"calls\": []}")})) {
            JsonNode step = CommandRun.succeeding(words(data(rows), "grpo", "--grader", grader, "--group-size", 2,
                    "--max-completion-length", 6, "--tool-form", "pythonic", "--if-exists", "overwrite").toArray())
                    .json().get(0);
            assertEquals(1, step.get("reward").asDouble(), step.toString());
            tokens.add(step.get("tokens").asLong());
        }
        assertTrue(tokens.get(0) > tokens.get(1) + 20, tokens.toString());
    }

    @Test
    void whatIsMissingOrOutOfPlaceIsSaid() throws IOException {
        Path data = data(PROMPTS);
        String none = CommandRun.failing(1, words(data, "rloo").toArray());
        assertTrue(none.contains("a grader is needed") && none.contains("\"samples\""), none);
        String size = CommandRun.failing(2, words(data, "grpo", "--grader", grader(), "--group-size", 1).toArray());
        assertTrue(size.contains("group size (--group-size) is 1"), size);
        String type = CommandRun.failing(2, words(data, "grpo", "--loss-type", "ppo").toArray());
        assertTrue(type.contains("'ppo'") && type.contains("dr_grpo"), type);
        String wrong = CommandRun.failing(1, words(data("{\"prompt\": \"a\", \"samples\": [{\"text\": \"b\"}, "
                + "{\"text\": \"c\", \"reward\": 1}]}"), "grpo").toArray());
        assertTrue(wrong.contains("sample 1 is not"), wrong);
        String chats = CommandRun.failing(1, words(data("{\"text\": \"a\", \"label\": \"b\"}"), "grpo").toArray());
        assertTrue(chats.contains("classification"), chats);
    }
}
