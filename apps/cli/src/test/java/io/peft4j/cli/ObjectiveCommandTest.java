package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.LogLines;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Training, scoring and embedding with encoders. */
class ObjectiveCommandTest {
    private static final Path ENCODERS = CommandRun.FIXTURES.resolve("encoders");

    @TempDir
    Path folder;

    private Path data(String... rows) throws IOException {
        return Files.write(folder.resolve("data" + rows.length + rows[0].length() + ".jsonl"), List.of(rows));
    }

    private List<JsonNode> train(String model, String objective, Path data) {
        return CommandRun.succeeding("train", "--model", ENCODERS.resolve(model), "--objective", objective, "--data",
                data, "--output", folder.resolve("out"), "--dtype", "f32", "--epochs", 15, "--learning-rate", 0.02,
                "--batch-size", 4, "--json").json();
    }

    private static void assertLearned(List<JsonNode> lines) {
        assertTrue(lines.get(lines.size() - 2).get("train_loss").asDouble() < 0.5
                * lines.get(0).get("train_loss").asDouble(), lines.toString());
    }

    private List<JsonNode> score(String model, Path data) {
        return CommandRun.succeeding("score", "--model", ENCODERS.resolve(model), "--adapter", folder.resolve("out"),
                "--data", data, "--dtype", "f32", "--json").json();
    }

    @Test
    void aClassifierWithNewLabelsLearnsThemAndItsAdapterBringsThem() throws IOException {
        Path data = data("{\"text\": \"I was charged twice\", \"label\": \"money\"}",
                "{\"text\": \"refund to my card\", \"label\": \"money\"}",
                "{\"text\": \"the login fails\", \"label\": \"access\"}",
                "{\"text\": \"reset my password\", \"label\": \"access\"}");

        assertLearned(train("bert-question", "classification", data));

        JsonNode config = CommandRun.read(folder.resolve("out/adapter_config.json"));
        assertEquals("SEQ_CLS", config.get("task_type").asText());
        assertEquals("[\"classifier\",\"score\",\"bert.pooler.dense\"]", config.get("modules_to_save").toString());
        List<String> labels = new ArrayList<>();
        score("bert-question", data).forEach(row -> {
            assertEquals(2, row.get("logits").size());
            labels.add(row.get("label").asText());
        });
        assertEquals(List.of("money", "money", "access", "access"), labels);
        Path merged = folder.resolve("merged");
        CommandRun.succeeding("adapter", "merge", "--model", ENCODERS.resolve("bert-question"), "--adapter",
                folder.resolve("out"), "--output", merged);
        JsonNode row = CommandRun.succeeding("score", "--model", merged, "--data", data, "--dtype", "f32", "--json")
                .json().get(2);
        assertEquals("access", row.get("label").asText());
    }

    @Test
    void trainingSaysHowManyLabelsAreRight() throws IOException {
        Path data = data("{\"text\": \"I was charged twice\", \"label\": \"money\"}",
                "{\"text\": \"refund to my card\", \"label\": \"money\"}",
                "{\"text\": \"the login fails\", \"label\": \"access\"}",
                "{\"text\": \"reset my password\", \"label\": \"access\"}");
        Path held = data("{\"text\": \"charged twice\", \"label\": \"money\"}",
                "{\"text\": \"password\", \"label\": \"access\"}", "{\"text\": \"the login\", \"label\": \"money\"}");

        CommandRun run = CommandRun.succeeding("train", "--model", ENCODERS.resolve("bert-question"), "--objective",
                "classification", "--data", data, "--validation", held, "--output", folder.resolve("out"), "--dtype",
                "f32", "--epochs", 15, "--learning-rate", 0.02, "--batch-size", 4, "--json");

        List<JsonNode> rows = score("bert-question", held);
        double right = rows.stream().filter(row -> row.get("label").equals(row.get("gold"))).count() / 3.0;
        JsonNode end = run.json().get(run.json().size() - 1);
        assertEquals(right, end.get("eval_accuracy").asDouble(), 1e-12);
        assertEquals("charged twice", rows.get(0).get("text").asText());
        assertTrue(run.err().contains("Validation loss after 15.0 epochs: ")
                && run.err().contains(String.format(Locale.ROOT, ", accuracy %.3f", right)), run.err());
        assertTrue(run.err().matches("(?s).*validation loss [\\d.]+ -> [\\d.]+, accuracy [\\d.]+ -> "
                + String.format(Locale.ROOT, "%.3f", right) + ".*"), run.err());
    }

    @ParameterizedTest
    @CsvSource({"bert-question, true", "bert-seq-cls, false"})
    void automaticTrainingOfANewHeadHasALowerRateAndEndsWhenLearned(String model, boolean newHead)
            throws IOException {
        Path data = data(IntStream.range(0, 48).mapToObj(i -> "{\"text\": \"text " + i + "\", \"label\": \""
                + List.of("billing", "login", "other").get(i % 3) + "\"}").toArray(String[]::new));
        String chosen = CommandRun.succeeding("train", "--model", ENCODERS.resolve(model), "--objective",
                "classification", "--data", data, "--output", folder.resolve("out"), "--max-steps", 1).err();
        assertTrue(chosen.contains("epochs at most 36 (until 97 % of the rows are learned"), chosen);
        assertEquals(newHead, chosen.contains("times 0.50 for classification"), chosen);
    }

    @Test
    void oneLabelIsNothingToLearn() throws IOException {
        Path data = data("{\"text\": \"charged twice\", \"label\": \"money\"}",
                "{\"text\": \"refund\", \"label\": \"money\"}");
        String message = CommandRun.failing(1, "train", "--model", ENCODERS.resolve("bert-question"), "--objective",
                "classification", "--data", data, "--output", folder.resolve("out"));
        assertTrue(message.contains("all examples have the label 'money'; a classifier needs examples of at least two"),
                message);
        assertFalse(Files.exists(folder.resolve("out")));
    }

    @Test
    void aClassifierThatKnowsAllLabelsKeepsItsOwn() throws IOException {
        Path data = data("{\"text\": \"charged twice\", \"label\": \"login\"}",
                "{\"text\": \"a\", \"label\": \"other\"}");

        train("bert-seq-cls", "classification", data);

        assertEquals(3, score("bert-seq-cls", data).get(0).get("logits").size());
    }

    @Test
    void rowsThatAreCutAreCountedAndListed() throws IOException {
        String tooLong = "refund to my card ".repeat(30).strip();
        Path texts = data("{\"text\": \"a\", \"label\": \"login\"}",
                "{\"text\": \"" + tooLong + "\", \"label\": \"other\"}");
        assertEquals("1 of 2 training examples: row 2", told("bert-seq-cls", "classification", texts));
        String tokens = "\"a\"" + ", \"a\"".repeat(60);
        Path words = data("{\"tokens\": [" + tokens + "], \"labels\": [" + tokens + "]}",
                "{\"tokens\": [\"a\"], \"labels\": [\"b\"]}");
        assertTrue(told("distilbert-question", "token-classification", words).endsWith("row 1"));
        assertTrue(told("bert-question", "contrastive", data("{\"anchor\": \"a\", \"positive\": \"b\"}",
                "{\"anchor\": \"a\", \"positive\": \"" + tooLong + "\"}")).endsWith("row 2"));
    }

    /** What a training says of rows that are cut. */
    private String told(String model, String objective, Path data) {
        String word = "longer than what the model reads, and cut there";
        return LogLines.of(() -> CommandRun.succeeding("train", "--model", ENCODERS.resolve(model), "--objective",
                objective, "--data", data, "--output", folder.resolve(objective), "--epochs", 1)).stream()
                .filter(line -> line.contains(word)).map(line -> line.substring(line.indexOf("1 of"))).findFirst()
                .orElse("");
    }

    @Test
    void aRegressionLearnsWholeNumbersAsNumbers() throws IOException {
        Path stars = data("{\"text\": \"good\", \"label\": 5}", "{\"text\": \"bad\", \"label\": 1}");
        train("bert-regression", "classification", stars);
        assertEquals(1, score("bert-regression", stars).get(0).get("logits").size(), "a number, not six classes");
    }

    @Test
    void aModelOfSeveralLabelsStaysOneWhereEachRowHasOne() throws IOException {
        Path topics = data("{\"text\": \"charged twice\", \"label\": \"a\"}", "{\"text\": \"x\", \"label\": \"b\"}");
        train("distilbert-multi-label", "classification", topics);
        JsonNode row = score("distilbert-multi-label", topics).get(0);
        assertEquals(3, row.get("logits").size());
        assertFalse(row.has("label"), "several can still be right");
        assertTrue(row.get("labels").isArray(), row.toString());
    }

    @Test
    void wordsAreTaggedAsTheyWereTrained() throws IOException {
        Path data = data("{\"tokens\": [\"Ada\", \"Lovelace\", \"lived\"], \"labels\": [\"B-PER\", \"I-PER\", \"O\"]}",
                "{\"tokens\": [\"in\", \"Paris\"], \"labels\": [\"O\", \"B-LOC\"]}");

        assertLearned(train("distilbert-question", "token-classification", data));

        JsonNode row = score("distilbert-question", data).get(1);
        assertEquals(4, row.get("logits").size(), "[CLS], two words, [SEP]");
        assertEquals("[\"in\",\"Paris\"]", row.get("tokens").toString());
        assertEquals("[\"O\",\"B-LOC\"]", row.get("labels").toString());
        assertEquals(row.get("labels"), row.get("gold"));
        assertEquals(4, row.get("logits").get(0).size(), "O, B-LOC, B-PER, I-PER");
        JsonNode paris = row.get("logits").get(2);
        assertTrue(paris.get(1).asDouble() > paris.get(0).asDouble(), "Paris is a place: " + paris);
    }

    @Test
    void answersToQuestionsAreScored() throws IOException {
        JsonNode expected = CommandRun.read(ENCODERS.resolve("bert-question/expected.json"));
        Path data = data(expected.get("rows").get(0).toString().replace("input_ids", "ids"));

        JsonNode row = CommandRun.succeeding("score", "--model", ENCODERS.resolve("bert-question"), "--data", data,
                "--dtype", "f32", "--json").json().get(0);

        assertTrue(expected.get("rows").get(0).get("context").asText().contains(row.get("answer").asText()));
        JsonNode logits = expected.get("logits").get(0);
        for (int i = 0; i < row.get("start_logits").size(); i++) {
            assertEquals(logits.get(2 * i).asDouble(), row.get("start_logits").get(i).asDouble(), 1e-4);
            assertEquals(logits.get(2 * i + 1).asDouble(), row.get("end_logits").get(i).asDouble(), 1e-4);
        }
    }

    @Test
    void textsThatBelongTogetherComeNearEachOther() throws IOException {
        Path data = data("{\"anchor\": \"charged twice\", \"positive\": \"refund to my card\"}",
                "{\"anchor\": \"login fails\", \"positive\": \"reset the password\"}",
                "{\"anchor\": \"who approves it\", \"positive\": \"the manager\"}",
                "{\"anchor\": \"notice period\", \"positive\": \"ninety days\", \"negative\": \"in Paris\"}");

        assertLearned(train("bert-question", "contrastive", data));

        Path texts = data("{\"text\": \"charged twice\"}", "{\"text\": \"refund to my card\"}",
                "{\"text\": \"ninety days\"}");
        List<JsonNode> vectors = CommandRun.succeeding("embed", "--model", ENCODERS.resolve("bert-question"),
                "--adapter", folder.resolve("out"), "--data", texts, "--dtype", "f32", "--json").json();
        assertEquals(24, vectors.get(0).get("embedding").size());
        assertTrue(cosine(vectors.get(0), vectors.get(1)) > cosine(vectors.get(0), vectors.get(2)));
    }

    @Test
    void textsThatAreLongerThanTheModelReadsAreCutAndNamed() throws IOException {
        Path data = data("{\"text\": \"a\"}", "{\"text\": \"" + "card ".repeat(60) + "\"}", "{\"text\": \"b\"}");

        for (String command : List.of("score", "embed")) {
            CommandRun run = CommandRun.succeeding(command, "--model", ENCODERS.resolve("bert-seq-cls"), "--data", data,
                    "--dtype", "f32", "--json");

            assertEquals(3, run.json().size());
            assertTrue(run.err().contains("Cut at 48 tokens, the most that the model reads: 1 of 3 rows (row 2)"),
                    run.err());
        }
    }

    @Test
    void anEncoderDecoderIsTrainedScoredAndWritesWithItsAdapter() throws IOException {
        Path model = CommandRun.FIXTURES.resolve("seq2seq/flan-t5");
        JsonNode expected = CommandRun.read(model.resolve("expected.json"));
        List<String> rows = new ArrayList<>();
        expected.get("rows").forEach(row -> rows.add(row.toString()));
        Path data = data(rows.toArray(String[]::new));

        List<JsonNode> scores = CommandRun.succeeding("score", "--model", model, "--data", data, "--dtype", "f32",
                "--json").json();
        List<JsonNode> answers = CommandRun.succeeding("generate", "--model", model, "--data", data, "--dtype", "f32",
                "--max-new-tokens", 12, "--json").json();
        for (int i = 0; i < rows.size(); i++) {
            double nll = expected.get("nll").get(i).asDouble();
            assertEquals(nll, scores.get(i).get("nll").asDouble(), 1e-4 * nll);
            assertEquals(expected.get("greedy").get(i), answers.get(i).get("ids"));
        }
        assertLearned(CommandRun.succeeding("train", "--model", model, "--data", data, "--output",
                folder.resolve("out"), "--dtype", "f32", "--epochs", 30, "--learning-rate", 0.03, "--json").json());
        assertEquals("SEQ_2_SEQ_LM", CommandRun.read(folder.resolve("out/adapter_config.json")).get("task_type")
                .asText());
        List<JsonNode> after = CommandRun.succeeding("score", "--model", model, "--adapter", folder.resolve("out"),
                "--data", data, "--dtype", "f32", "--json").json();
        assertTrue(after.get(0).get("nll").asDouble() < scores.get(0).get("nll").asDouble());
    }

    private static double cosine(JsonNode a, JsonNode b) {
        double[] sums = new double[3];
        for (int i = 0; i < a.get("embedding").size(); i++) {
            double x = a.get("embedding").get(i).asDouble();
            double y = b.get("embedding").get(i).asDouble();
            sums[0] += x * y;
            sums[1] += x * x;
            sums[2] += y * y;
        }
        return sums[0] / Math.sqrt(sums[1] * sums[2]);
    }

    @Test
    void anEncoderDecoderIsEvaluatedByWhatItMakesOfTheQuestions() throws IOException {
        Path model = CommandRun.FIXTURES.resolve("seq2seq/t5-tied");
        double nll = CommandRun.succeeding("score", "--model", model, "--data", data(
                "{\"source\": \"a cat\", \"target\": \"one\"}", "{\"source\": \"a dog\", \"target\": \"two\"}"),
                "--dtype", "f32", "--json").json().stream().mapToDouble(row -> row.get("nll").asDouble()).sum();
        Path items = data("{\"question\": \"a cat\", \"reference\": \"one\", \"choices\": "
                + "[\"one\", \"two\"], \"answer\": 0}",
                "{\"question\": \"a dog\", \"reference\": \"two\", \"choices\": "
                        + "[\"one\", \"two\"], \"answer\": 1}");

        JsonNode result = CommandRun.succeeding("evaluate", "--model", model, "--adapter", model.resolve("adapter"),
                "--data", items, "--dtype", "f32", "--no-guard", "--max-new-tokens", 4, "--json").json().get(0);

        assertEquals(nll / 2, result.findValue("likelihood").get("nll_per_example").asDouble(), 1e-4 * nll);
    }

    @Test
    void unknownObjectivesAndMissingHeadsAreNamed() throws IOException {
        Path data = data("{\"text\": \"a\", \"label\": \"b\"}");

        String error = CommandRun.failing(2, "train", "--model", "m", "--data", data, "--output",
                folder.resolve("x"), "--objective", "clasification");

        assertTrue(error.contains("unknown objective 'clasification'") && error.contains("token-classification"),
                error);
        String noVectors = CommandRun.failing(1, "generate", "--model", ENCODERS.resolve("bert-seq-cls"),
                "--prompt", "Hello", "--dtype", "f32");
        assertTrue(noVectors.contains("does not predict tokens"), noVectors);
    }
}
