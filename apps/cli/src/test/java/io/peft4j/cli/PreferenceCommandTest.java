package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.LogLines;
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
import org.junit.jupiter.params.provider.ValueSource;

/** Training from preferences and from a teacher, and what is said about options and files that do not fit. */
class PreferenceCommandTest {
    private static final Path MODEL = CommandRun.FIXTURES.resolve("tiny-llama");
    private static final String[] PAIRS = {
        "{\"prompt\": \"Notice period?\", \"chosen\": \"Ninety days.\", \"rejected\": \"It depends.\"}",
        "{\"prompt\": [{\"role\": \"user\", \"content\": \"Who approves?\"}], \"chosen\": [{\"role\": \"assistant\", "
                + "\"content\": \"The manager.\"}], "
                + "\"rejected\": [{\"role\": \"assistant\", \"content\": \"Nobody.\"}]}",
        "{\"input\": {\"messages\": [{\"role\": \"user\", \"content\": \"Pay day?\"}]}, \"preferred_output\": "
                + "[{\"role\": \"assistant\", \"content\": \"The 25th.\"}], \"non_preferred_output\": [{\"role\": "
                + "\"assistant\", \"content\": \"Some day.\"}]}",
        "{\"input\": {\"messages\": [{\"role\": \"user\", \"content\": \"Office?\"}]}, \"preferred_completion\": "
                + "[{\"role\": \"assistant\", \"content\": \"Lisbon.\"}], \"non_preferred_completion\": [{\"role\": "
                + "\"assistant\", \"content\": \"Here.\"}]}"};
    private static final String CHAT = "{\"messages\": [{\"role\": \"user\", \"content\": \"Pay day?\"}, "
            + "{\"role\": \"assistant\", \"content\": \"The 25th.\"}]";

    @TempDir
    Path folder;

    private Path data(String name, String... rows) throws IOException {
        return Files.write(folder.resolve(name), List.of(rows));
    }

    private CommandRun train(Path data, String objective, Object... more) {
        List<Object> words = new ArrayList<>(List.of("train", "--model", MODEL, "--data", data, "--objective",
                objective, "--output", folder.resolve("out"), "--dtype", "f32", "--learning-rate", 0.01, "--json"));
        if (!List.of(more).contains("--epochs")) {
            words.addAll(List.of("--epochs", 8));
        }
        words.addAll(Arrays.asList(more));
        return CommandRun.succeeding(words.toArray());
    }

    @ParameterizedTest
    @ValueSource(strings = {"dpo", "orpo", "simpo"})
    void pairsOfAllFormsAreLearnedAndMeasured(String objective) throws IOException {
        Path data = data("pairs.jsonl", PAIRS);

        List<JsonNode> lines = train(data, objective, "--beta", 0.5, "--validation", data).json();

        JsonNode first = lines.get(1);
        JsonNode last = lines.get(lines.size() - 3);
        assertTrue(last.get("rewards/margins").asDouble() > first.get("rewards/margins").asDouble() + 0.01,
                lines.toString());
        assertTrue(lines.get(lines.size() - 2).has("eval_rewards/accuracies"), lines.toString());
        if (objective.equals("dpo")) {
            assertEquals(Math.log(2), first.get("train_loss").asDouble(), 1e-6);
        }
        CommandRun.succeeding("score", "--model", MODEL, "--adapter", folder.resolve("out"), "--data",
                data("chat.jsonl", CHAT + "}"), "--json");
    }

    @Test
    void judgedAnswersAreLearned() throws IOException {
        Path data = data("judged.jsonl", "{\"prompt\": \"Pay?\", \"completion\": \"The 25th.\", \"label\": true}",
                "{\"prompt\": \"Notice?\", \"completion\": \"It depends.\", \"label\": false}",
                "{\"prompt\": \"Office?\", \"completion\": \"Lisbon.\", \"label\": 1}",
                "{\"prompt\": \"Lunch?\", \"completion\": \" \", \"label\": false}");

        List<JsonNode> lines = new ArrayList<>();

        String log = log(() -> lines.addAll(train(data, "kto", "--beta", 0.5, "--undesirable-weight", 2,
                "--reference", "start").json()));

        JsonNode last = lines.get(7);
        assertTrue(last.get("rewards/chosen").asDouble() > last.get("rewards/rejected").asDouble(), last.toString());
        assertTrue(last.has("kl"), last.toString());
        assertTrue(log.contains("1 of 4 training examples have an empty answer and are left out: row 4 (" + data
                + ", line 4)"), log);
    }

    private static String log(Runnable action) {
        return String.join("\n", LogLines.of(action));
    }

    @Test
    void aStudentComesNearerToItsTeacher() throws IOException {
        Path data = data("chat.jsonl", CHAT + "}");

        List<JsonNode> lines = train(data, "distillation", "--teacher-adapter",
                CommandRun.FIXTURES.resolve("adapters/lora"), "--teacher-share", 1, "--temperature", 1).json();

        assertTrue(lines.get(7).get("teacher_kl").asDouble() < 0.5 * lines.get(0).get("teacher_kl").asDouble(),
                lines.toString());
    }

    @Test
    void aModelComesNearerToItselfWithAHandbook() throws IOException {
        Path data = data("chat.jsonl", CHAT + "}");
        Path handbook = Files.writeString(folder.resolve("handbook.md"), "# Notice\n\nNinety days.\n\nNobody knows.\n");

        List<JsonNode> lines = train(data, "self-distillation", "--along", "given", "--passages", handbook,
                "--alpha-divergence", 0).json();

        assertTrue(lines.get(7).get("divergence").asDouble() < 0.5 * lines.get(0).get("divergence").asDouble(),
                lines.toString());
        String error = CommandRun.failing(2, "train", "--model", MODEL, "--data", data, "--objective",
                "self-distillation", "--along", "mine", "--output", folder.resolve("other"));
        assertTrue(error.contains("unknown choice of answers 'mine'; use one of [own, given]"), error);
    }

    @Test
    void theVerdictOnPairsComesWithItsInterval() throws IOException {
        Path data = data("pairs.jsonl", PAIRS);
        train(data, "dpo", "--epochs", 15);
        Path page = folder.resolve("report.html");

        JsonNode result = CommandRun.succeeding("evaluate", "--model", MODEL, "--adapter", folder.resolve("out"),
                "--data", data, "--dtype", "f32", "--report", page, "--json").json().get(0);

        assertEquals(4, result.get("pairs").asInt());
        JsonNode margin = result.get("margin");
        assertTrue(margin.get("difference").asDouble() > 1, result.toString());
        assertTrue(margin.get("ci_low").asDouble() <= margin.get("difference").asDouble()
                && margin.get("difference").asDouble() <= margin.get("ci_high").asDouble(), result.toString());
        assertTrue(result.get("verdict").get("sentence").asText().contains("4 held-out pairs"), result.toString());
        assertTrue(Files.readString(page).contains("held-out pairs"));
        String error = CommandRun.failing(2, "evaluate", "--model", MODEL, "--adapter", folder.resolve("out"),
                "--data", data, "--metric", "contains");
        assertTrue(error.contains("--metric is for questions"), error);
    }

    @Test
    void theCheckOfDataNamesEqualAndLongAnswers() throws IOException {
        Path data = data("pairs.jsonl", PAIRS[0], "{\"prompt\": \"a\", \"chosen\": \"b\", \"rejected\": \"b\"}",
                "{\"prompt\": \"a\", \"chosen\": \"b\", \"rejected\": \"" + "long ".repeat(40) + "\"}");

        CommandRun run = CommandRun.of("data", "check", data, "--model", MODEL, "--max-length", 100, "--json");

        assertTrue(run.out().contains("equal_answers") && run.out().contains("where the answer is cut"), run.out());
    }

    @Test
    void aStoppedPreferenceTrainingGoesOn() throws IOException {
        Path data = data("pairs.jsonl", PAIRS);
        train(data, "dpo", "--batch-size", 2);
        byte[] whole = Files.readAllBytes(folder.resolve("out/adapter_model.safetensors"));
        train(data, "dpo", "--batch-size", 2, "--checkpoint-steps", 5, "--if-exists", "overwrite");
        Files.delete(folder.resolve("out/adapter_model.safetensors"));

        train(data, "dpo", "--batch-size", 2, "--checkpoint-steps", 5, "--resume");

        assertArrayEquals(whole, Files.readAllBytes(folder.resolve("out/adapter_model.safetensors")));
        String error = CommandRun.failing(1, "train", "--model", MODEL, "--data", data, "--objective", "dpo",
                "--output", folder.resolve("out"), "--dtype", "f32", "--epochs", 8, "--learning-rate", 0.01,
                "--batch-size", 2, "--beta", 0.2, "--resume");
        assertTrue(error.contains("objective.beta is 0.2, in the run 0.1"), error);
    }

    @Test
    void anotherObjectiveIsLearnedAtTheSameTimeFromAFileOfItsOwn() throws IOException {
        Path pairs = data("pairs.jsonl", PAIRS);
        Path chats = data("chats.jsonl", CHAT + "}", CHAT + "}", CHAT + "}");
        Object[] both = {"--batch-size", 2, "--beta", 0.5, "--validation", pairs, "--also", "sft=" + chats
                + ",weight=0.5,validation=" + chats,
            "--also", "distillation=" + chats, "--teacher-adapter",
            CommandRun.FIXTURES.resolve("adapters/lora")};

        List<JsonNode> lines = train(pairs, "dpo", both).json();

        JsonNode first = lines.get(1);
        assertEquals(Math.log(2), first.get("dpo/loss").asDouble(), 1e-6);
        assertEquals(first.get("dpo/loss").asDouble() + 0.5 * first.get("sft/loss").asDouble()
                + first.get("distillation/loss").asDouble(), first.get("train_loss").asDouble(), 1e-6);
        JsonNode before = lines.get(0);
        JsonNode after = lines.get(lines.size() - 2);
        for (String measure : List.of("eval_dpo/loss", "eval_sft/loss", "eval_loss")) {
            assertTrue(after.get(measure).asDouble() < before.get(measure).asDouble(), lines.toString());
        }
        assertEquals(16, lines.get(lines.size() - 3).get("step").asInt());
    }

    @ParameterizedTest
    @CsvSource({"sft=, is not OBJECTIVE=FILE", "'sft=x,weight=0', must be a number above 0",
        "'sft=x,size=2', 'is not weight=W or validation=FILE'", "wish=x, unknown objective",
        "contrastive=x, '--also is for objectives that predict tokens'"})
    void whatCannotBeLearnedBesidesIsAnError(String also, String said) throws IOException {
        String error = CommandRun.failing(2, "train", "--model", MODEL, "--data", data("pairs.jsonl", PAIRS),
                "--output", folder.resolve("out"), "--objective", "dpo", "--also", also);

        assertTrue(error.contains(said), error);
    }

    @ParameterizedTest
    @CsvSource({"sft, --beta, 1, 'dpo, orpo, simpo, kto'", "dpo, --gamma, 1, simpo", "orpo, --reference, start, "
            + "'dpo, kto'",
        "kto, --loss, ipo, dpo", "classification, --max-length, 9, 'sft, dpo, orpo, simpo, kto, "
                + "distillation'",
        "dpo, --teacher, x, distillation", "orpo, --label-smoothing, 0.1, 'sft, dpo, simpo'",
        "dpo, --gradient-cache, 4, contrastive"})
    void anOptionThatTheObjectiveDoesNotUseIsAnError(String objective, String option, String value, String users)
            throws IOException {
        String error = CommandRun.failing(2, "train", "--model", MODEL, "--data", data("pairs.jsonl", PAIRS),
                "--output", folder.resolve("out"), "--objective", objective, option, value);

        assertTrue(error.contains(option + " is not used by --objective " + objective + "; it is for " + users), error);
        assertFalse(Files.exists(folder.resolve("out")));
    }

    @ParameterizedTest
    @CsvSource({"classification, pairs.jsonl, 'dpo, orpo or simpo'",
        "dpo, chat.jsonl, 'sft, distillation, self-distillation or decision'",
        "dpo, judged.jsonl, kto", "kto, pairs.jsonl, 'dpo, orpo or simpo'", "sft, words.jsonl, token-classification",
        "contrastive, chat.jsonl, 'sft, distillation, self-distillation or decision'"})
    void aFileOfAnotherKindSaysWhichObjectiveItFits(String objective, String file, String fits) throws IOException {
        data("pairs.jsonl", PAIRS);
        data("chat.jsonl", CHAT + "}");
        data("judged.jsonl", CHAT + ", \"label\": true}");
        data("words.jsonl", "{\"tokens\": [\"a\"], \"labels\": [\"b\"]}");

        String error = CommandRun.failing(1, "train", "--model", MODEL, "--data", folder.resolve(file), "--output",
                folder.resolve("out"), "--objective", objective);

        assertTrue(error.contains("which fit --objective " + fits), error);
    }

    @Test
    void pairsOfWhichNothingIsLearnedAreListedWithRowAndLine() throws IOException {
        Path data = data("pairs.jsonl", PAIRS[0], "", "{\"prompt\": \"a\", \"chosen\": \"b\", \"rejected\": \"b\"}",
                "{\"prompt\": \"a\", \"chosen\": \"\", \"rejected\": \"b\"}", PAIRS[1]);

        List<CommandRun> runs = new ArrayList<>();
        String log = log(() -> runs.add(train(data, "dpo", "--max-length", 46)));

        assertTrue(log.contains("the same tokens for both answers and are left out: row 2 (" + data + ", line 3)")
                && log.contains("an empty answer and are left out: row 3 (" + data + ", line 4)")
                && log.contains("cut at the limit of 46 tokens: row 1"), log);
        assertTrue(runs.get(0).err().contains("2 examples left out"), runs.get(0).err());
        String error = CommandRun.failing(2, "train", "--model", MODEL, "--data", data, "--objective", "distillation",
                "--output", folder.resolve("other"));
        assertTrue(error.contains("needs a teacher"), error);
        String wrong = CommandRun.failing(2, "train", "--model", MODEL, "--data", data, "--objective", "dpo",
                "--output", folder.resolve("other"), "--reference", "basis");
        assertTrue(wrong.contains("unknown reference 'basis'; use one of [base, start]"), wrong);
    }
}
