package io.peft4j.cli;

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

/** What train learns, evaluate evaluates, or it says which command does. */
class TaskEvaluationCommandTest {
    private static final Path ENCODERS = CommandRun.FIXTURES.resolve("encoders");
    private static final String[] TICKETS = {"{\"text\": \"I was charged twice\", \"label\": \"money\"}",
        "{\"text\": \"refund to my card\", \"label\": \"money\"}",
        "{\"text\": \"the login fails\", \"label\": \"access\"}",
        "{\"text\": \"reset my password\", \"label\": \"access\"}"};

    @TempDir
    Path folder;

    private Path data(String name, String... rows) throws IOException {
        return Files.write(folder.resolve(name), List.of(rows));
    }

    private void train(String model, String objective, Path data) {
        CommandRun.succeeding("train", "--model", ENCODERS.resolve(model), "--objective", objective, "--data", data,
                "--output", folder.resolve("out"), "--dtype", "f32", "--epochs", 15, "--learning-rate", 0.02,
                "--batch-size", 4);
    }

    private JsonNode evaluate(String model, Path data, Object... more) {
        List<Object> words = new ArrayList<>(List.of("evaluate", "--model", ENCODERS.resolve(model), "--adapter",
                folder.resolve("out"), "--data", data, "--dtype", "f32", "--json"));
        words.addAll(Arrays.asList(more));
        return CommandRun.succeeding(words.toArray()).json().get(0);
    }

    private static double score(JsonNode result, String arm, String name) {
        return result.get("arms").get(arm).get("scores").get(name).get("value").asDouble();
    }

    @Test
    void classifierOnAHeadlessBaseIsComparedWithTheMostFrequentLabel() throws IOException {
        Path data = data("tickets.jsonl", TICKETS);
        train("bert-question", "classification", data);
        Path held = data("held.jsonl", "{\"text\": \"charged twice\", \"label\": \"money\"}",
                "{\"text\": \"password\", \"label\": \"access\"}", "{\"text\": \"login\", \"label\": \"access\"}",
                "{\"text\": \"the login fails\", \"label\": \"money\"}", "{\"text\": \"card\", \"label\": 1}");
        long right = CommandRun.succeeding("score", "--model", ENCODERS.resolve("bert-question"), "--adapter",
                folder.resolve("out"), "--data", held, "--dtype", "f32", "--json").json().stream()
                .filter(row -> row.get("label").equals(row.get("gold"))).count();
        Path page = folder.resolve("report.html");

        JsonNode result = evaluate("bert-question", held, "--report", page);

        assertEquals("accuracy", result.get("deciding_metric").asText());
        assertEquals(right / 5.0, score(result, "tuned", "accuracy"), 1e-12);
        assertEquals(0.6, score(result, "base", "accuracy"), 1e-12);
        assertEquals("gives every row the most frequent label of the held-out rows, money",
                result.get("arms").get("base").get("description").asText());
        assertEquals("mcnemar_exact", result.get("metrics").get("accuracy").get("test").asText());
        assertEquals("[\"access\",\"money\"]",
                result.get("arms").get("tuned").get("confusion").get("labels").toString());
        assertEquals(3, result.get("arms").get("tuned").get("classes").get("money").get("support").asInt());
        assertEquals(5 - right, result.get("failures").get("wrong").asInt());
        String wrong = result.get("failures").get("rows").toString();
        assertTrue(wrong.contains("{\"row\":4,\"text\":\"the login fails\",\"expected\":\"money\",\"base\":\"money\","
                + "\"tuned\":\"access\",\"right_before\":true}"), wrong);
        assertTrue(result.get("verdict").get("sentence").asText().contains("accuracy"), result.toString());
        String html = Files.readString(page);
        assertTrue(html.contains("Confusion matrix of the tuned model") && html.contains("class=\"same shade"), html);
        assertTrue(html.contains("the login fails"), "what is wrong is shown");
    }

    @Test
    void aBaseWithTheLabelsOfTheRowsIsTheBase() throws IOException {
        Path model = ENCODERS.resolve("bert-seq-cls");
        Path data = data("known.jsonl", "{\"text\": \"a\", \"label\": 0}", "{\"text\": \"the manager\", \"label\": 1}",
                "{\"text\": \"in Paris\", \"label\": 2}");

        JsonNode result = CommandRun.succeeding("evaluate", "--model", model, "--adapter", model.resolve("adapter"),
                "--data", data, "--dtype", "f32", "--json").json().get(0);

        assertEquals("is the base model with its own head",
                result.get("arms").get("base").get("description").asText());
        long right = CommandRun.succeeding("score", "--model", model, "--data", data, "--dtype", "f32", "--json")
                .json().stream().filter(row -> row.get("label").equals(row.get("gold"))).count();
        assertEquals(right / 3.0, score(result, "base", "accuracy"), 1e-12);
    }

    @Test
    void trainingRowsGiveTheConstantAndShowLeaks() throws IOException {
        Path data = data("tickets.jsonl", TICKETS);
        train("bert-question", "classification", data);

        JsonNode result = evaluate("bert-question", data, "--training-data", data);

        assertEquals("do_not_ship", result.get("verdict").get("decision").asText());
        assertEquals(4, result.get("leakage").get("leaked").asInt());
        assertTrue(result.get("arms").get("base").get("description").asText().contains("of the training rows"));
    }

    @Test
    void aMergedClassifierIsEvaluatedAlone() throws IOException {
        Path data = data("tickets.jsonl", TICKETS);
        train("bert-question", "classification", data);
        Path merged = folder.resolve("merged");
        CommandRun.succeeding("adapter", "merge", "--model", ENCODERS.resolve("bert-question"), "--adapter",
                folder.resolve("out"), "--output", merged);

        JsonNode result = CommandRun.succeeding("evaluate", "--model", merged, "--data", data, "--dtype", "f32",
                "--json").json().get(0);

        assertEquals(1, score(result, "tuned", "accuracy"));
    }

    @Test
    void aTaggerIsComparedByEntities() throws IOException {
        Path data = data("words.jsonl",
                "{\"tokens\": [\"Ada\", \"Lovelace\", \"lived\"], \"labels\": [\"B-PER\", \"I-PER\", \"O\"]}",
                "{\"tokens\": [\"in\", \"Paris\"], \"labels\": [\"O\", \"B-LOC\"]}");
        train("distilbert-question", "token-classification", data);

        JsonNode result = evaluate("distilbert-question", data);

        assertEquals("entity_f1", result.get("deciding_metric").asText());
        assertEquals(1, score(result, "tuned", "entity_f1"));
        assertEquals(1, score(result, "tuned", "entity_recall"));
        assertEquals(0, score(result, "base", "entity_f1"));
        assertEquals(0.4, score(result, "base", "accuracy"), 1e-12, "2 of 5 words are O");
        assertEquals(1, result.get("arms").get("tuned").get("classes").get("PER").get("support").asInt());
    }

    @Test
    void aReaderIsScoredByTheRulesOfSquad() throws IOException {
        Path data = data("questions.jsonl", "{\"question\": \"who approves it\", \"context\": \"the manager approves "
                + "it\", \"answers\": {\"text\": [\"the manager\", \"manager\"], \"answer_start\": [0, 4]}}",
                "{\"question\": \"notice period\", \"context\": \"it is ninety days\", \"answers\": {\"text\": "
                        + "[\"ninety days\"], \"answer_start\": [6]}}");
        train("bert-seq-cls", "question-answering", data);

        JsonNode result = evaluate("bert-seq-cls", data);

        assertEquals("token_f1", result.get("deciding_metric").asText());
        assertEquals(1, score(result, "tuned", "exact_match"));
        assertEquals("answers every question with the whole text",
                result.get("arms").get("base").get("description").asText());
        // {the} manager approves it: P 1/3, R 1; it is ninety days: P 2/4, R 1.
        assertEquals((0.5 + 2.0 / 3) / 2, score(result, "base", "token_f1"), 1e-12);
        JsonNode row = CommandRun.succeeding("score", "--model", ENCODERS.resolve("bert-seq-cls"), "--adapter",
                folder.resolve("out"), "--data", data, "--dtype", "f32", "--json").json().get(1);
        assertEquals("ninety days", row.get("answer").asText());
    }

    @Test
    void numbersAreComparedWithTheirMean() throws IOException {
        Path data = data("stars.jsonl", "{\"text\": \"good\", \"label\": 4.5}", "{\"text\": \"bad\", \"label\": 1}",
                "{\"text\": \"not bad\", \"label\": 3}");
        train("bert-question", "classification", data);

        JsonNode result = evaluate("bert-question", data);

        assertEquals("r2", result.get("deciding_metric").asText());
        assertEquals(0, score(result, "base", "r2"), 1e-12);
        double spread = (Math.pow(4.5 - 8.5 / 3, 2) + Math.pow(1 - 8.5 / 3, 2) + Math.pow(3 - 8.5 / 3, 2)) / 3;
        assertEquals(spread, score(result, "base", "mse"), 1e-9);
        assertEquals(1 - score(result, "tuned", "mse") / spread, score(result, "tuned", "r2"), 1e-9);
    }

    @Test
    void anEmbedderIsComparedWithItsBaseByASearch() throws IOException {
        Path data = data("pairs.jsonl", "{\"anchor\": \"charged twice\", \"positive\": \"refund to my card\"}",
                "{\"anchor\": \"login fails\", \"positive\": \"reset the password\"}",
                "{\"anchor\": \"notice period\", \"positive\": \"ninety days\", \"negative\": \"in Paris\"}");
        train("bert-question", "contrastive", data);

        JsonNode result = evaluate("bert-question", data);

        assertEquals("ndcg_at_10", result.get("deciding_metric").asText());
        assertEquals(1, score(result, "tuned", "accuracy_at_1"));
        assertTrue(score(result, "base", "mrr") <= score(result, "tuned", "mrr"));
    }

    @Test
    void rerankerLearnsMinedNegativesAndIsComparedWithBm25() throws IOException {
        Path chats = data("chats.jsonl", chat("who approves it", "the manager of the bank"),
                chat("where did Ada live", "in London"), chat("charged twice", "a refund to my card"));
        Path more = data("more.jsonl", "{\"text\": \"the login fails\"}");
        Path mined = folder.resolve("mined.jsonl");
        JsonNode told = CommandRun.succeeding("data", "mine-negatives", chats, "--model",
                CommandRun.FIXTURES.resolve("sentences/mean-normalized"), "--passages", more, "--output", mined,
                "--negatives", 2, "--json").json().get(0);
        assertEquals("{\"rows\":3,\"negatives\":6,\"without\":0}", told.toString());
        train("bert-question", "reranking", mined);

        JsonNode result = evaluate("bert-question", mined);

        assertEquals("ndcg_at_10", result.get("deciding_metric").asText());
        assertEquals(1, score(result, "tuned", "accuracy_at_1"));
        assertTrue(result.get("arms").get("base").get("description").asText().contains("BM25"), result.toString());
        assertEquals(1, score(result, "tuned", "recall_at_5"));
    }

    private static String chat(String question, String answer) {
        return "{\"messages\": [{\"role\": \"user\", \"content\": \"" + question
                + "\"}, {\"role\": \"assistant\", \"content\": \"" + answer + "\"}]}";
    }

    @Test
    void minedNegativesAreRefusedWhereNoneIsLeft() throws IOException {
        Path pairs = data("pairs.jsonl", "{\"query\": \"a\", \"positive\": \"b\"}",
                "{\"query\": \"c\", \"positive\": \"d\"}");
        Object[] words = {"data", "mine-negatives", pairs, "--model",
            CommandRun.FIXTURES.resolve("sentences/mean-normalized"), "--output", folder.resolve("out.jsonl"),
            "--max-score", -1};
        String none = CommandRun.failing(1, words);
        assertTrue(none.contains("no text is left as a negative"), none);
        words[7] = "--negatives";
        words[8] = 0;
        assertTrue(CommandRun.failing(2, words).contains("at least 1 negative"));
        for (String option : List.of("--max-score", "--min-score", "--margin", "--relative-margin")) {
            words[7] = option;
            words[8] = "NaN";
            String refused = CommandRun.failing(2, words);
            assertTrue(refused.contains("(" + option + ") is NaN; it must be"), refused);
        }
    }

    @Test
    void sourcesAndTargetsAreQuestionsWithReferences() throws IOException {
        Path model = CommandRun.FIXTURES.resolve("seq2seq/t5-tied");
        Path data = data("sources.jsonl", "{\"source\": \"a cat\", \"target\": \"one\"}");

        JsonNode result = CommandRun.succeeding("evaluate", "--model", model, "--adapter", model.resolve("adapter"),
                "--data", data, "--dtype", "f32", "--no-guard", "--max-new-tokens", 4, "--json").json().get(0);

        assertTrue(result.get("metrics").has("token_f1"), result.toString());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{\"text\": \"a\", \"label\": \"b\"} | peft4j train --objective classification learns",
        "{\"tokens\": [\"a\"], \"labels\": [\"b\"]} | peft4j train --objective token-classification learns",
        "{\"anchor\": \"a\", \"positive\": \"b\"} | peft4j train --objective contrastive learns",
        "{\"question\": \"a\", \"context\": \"b\", \"answers\": []} | peft4j train --objective question-answering",
        "{\"prompt\": \"a\", \"completion\": \"b\", \"label\": true} | peft4j score --data",
        "{\"text\": \"a\"} | peft4j score --data",
    })
    void rowsThatAnAdapterWithoutAHeadCannotAnswerNameWhatCan(String row, String said) throws IOException {
        Path adapter = CommandRun.FIXTURES.resolve("adapters/lora");
        String message = CommandRun.failing(1, "evaluate", "--model", CommandRun.FIXTURES.resolve("tiny-llama"),
                "--adapter", adapter, "--data", data("rows.jsonl", row));

        assertTrue(message.contains(said), message);
        assertEquals(1, message.lines().count(), message);
    }

    @Test
    void rowsAndOptionsThatAreNotForAHeadAreRefused() throws IOException {
        Path data = data("tickets.jsonl", TICKETS);
        train("bert-question", "classification", data);
        Object[] words = {"evaluate", "--model", ENCODERS.resolve("bert-question"), "--adapter", folder.resolve("out"),
            "--data", data("questions.jsonl", "{\"question\": \"Who?\", \"reference\": \"I\"}")};

        String rows = CommandRun.failing(1, words);
        assertTrue(rows.contains("\"text\" is missing, only question, reference")
                && rows.contains("a model for SEQ_CLS is evaluated on texts with a label: {\"text\", \"label\"}"),
                rows);
        words[6] = data("chat.jsonl", "{\"messages\": [{\"role\": \"user\", \"content\": \"Who?\"}, {\"role\": "
                + "\"assistant\", \"content\": \"I\"}]}");
        String chat = CommandRun.failing(1, words);
        assertTrue(chat.contains("row 1: unknown label 'I'; there are 'money' and 'access'"), chat);
        words[6] = data("other.jsonl", "{\"text\": \"a\", \"label\": \"money\"}",
                "{\"text\": \"b\", \"label\": \"x\"}");
        String label = CommandRun.failing(1, words);
        assertTrue(label.contains("row 2: unknown label 'x'") && label.contains("money"), label);
        String option = CommandRun.failing(2, "evaluate", "--model", "m", "--adapter", folder.resolve("out"), "--data",
                data, "--draws", 2);
        assertTrue(option.contains("--draws is for questions"), option);
        String alone = CommandRun.failing(2, "evaluate", "--model", CommandRun.FIXTURES.resolve("tiny-llama"),
                "--data", data);
        assertTrue(alone.contains("give either --model and --adapter"), alone);
    }
}
