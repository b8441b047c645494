package io.peft4j.cli;

import static io.peft4j.cli.CommandRun.FIXTURES;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpServer;
import io.peft4j.eval.guard.GuardSet;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.IntFunction;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Planted cases end in the right verdict in the fixed form, and bad input is named. */
class EvaluateCommandTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> FIELDS = List.of("base", "tuned", "difference", "ci_low", "ci_high", "p_value",
            "p_adjusted", "test");

    @TempDir
    Path folder;

    private Path write(String name, int rows, IntFunction<String> row) throws IOException {
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < rows; i++) {
            lines.add(row.apply(i));
        }
        return Files.write(folder.resolve(name), lines);
    }

    private Path data(int rows) throws IOException {
        return write("data.jsonl", rows, i -> "{\"question\": \"What is the code of door " + i
                + "?\", \"reference\": \"The code is X" + i + "Y.\", \"must_contain\": \"X" + i + "Y\"}");
    }

    private Path answers(String name, int rows, IntFunction<Boolean> right) throws IOException {
        return write(name, rows, i -> "{\"text\": \"The code is " + (right.apply(i) ? "X" + i + "Y" : "unknown")
                + ".\"}");
    }

    private JsonNode evaluate(int rows, IntFunction<Boolean> base, IntFunction<Boolean> tuned, Object... more)
            throws IOException {
        List<Object> words = new ArrayList<>(List.of("evaluate", "--data", data(rows), "--base-predictions",
                answers("base.jsonl", rows, base), "--tuned-predictions", answers("tuned.jsonl", rows, tuned),
                "--json"));
        words.addAll(List.of(more));
        CommandRun run = CommandRun.succeeding(words.toArray());
        assertEquals(1, run.json().size());
        return run.json().get(0);
    }

    private static String decision(JsonNode result) {
        return result.get("verdict").get("decision").asText();
    }

    @Test
    void jsonHasTheDocumentedForm() throws IOException {
        JsonNode result = evaluate(60, i -> i % 10 == 0, i -> i % 10 != 1);
        assertEquals(60, result.get("n").asInt());
        for (String metric : List.of("exact_match", "token_f1", "rouge1", "rouge2", "rougeL", "bleu", "chrf",
                "contains")) {
            JsonNode values = result.get("metrics").get(metric);
            FIELDS.forEach(field -> assertTrue(values.has(field), metric + " has no " + field));
            assertTrue(values.get("ci_low").asDouble() <= values.get("difference").asDouble()
                    && values.get("difference").asDouble() <= values.get("ci_high").asDouble(), metric);
        }
        assertEquals("mcnemar_exact", result.get("metrics").get("contains").get("test").asText());
        assertEquals(0.1, result.get("metrics").get("contains").get("base").asDouble(), 1e-12);
        assertEquals(0.9, result.get("metrics").get("contains").get("tuned").asDouble(), 1e-12);
        assertEquals("harm_not_known", decision(result), "answers alone do not say what was forgotten");
        assertTrue(result.get("verdict").get("sentence").asText().contains("90 % of answers hold"), result.toString());
        assertEquals(6, result.get("failures").get("wrong").asInt());
        JsonNode again = evaluate(60, i -> i % 10 == 0, i -> i % 10 != 1);
        // The facts say when it was compared.
        List.of(result, again).forEach(one -> ((ObjectNode) one).remove("facts"));
        assertEquals(result, again, "the same seed, the same figures");
    }

    @Test
    void rewordedAnswersAreRightIfTheyHoldTheFactsOfTheReference() throws IOException {
        List<String[]> shifts = Files.readAllLines(Path.of("src/test/resources/shifts.txt")).stream()
                .map(line -> line.split(" \\| ")).toList();
        Path rows = Files.write(folder.resolve("shifts.jsonl"), shifts.stream().map(row -> JSON.createObjectNode()
                .put("question", row[0]).put("answer", row[1]).toString()).toList());
        Path answers = Files.write(folder.resolve("answers.jsonl"), shifts.stream().map(row -> JSON.createObjectNode()
                .put("text", row[2]).toString()).toList());

        Path unknown = Files.write(folder.resolve("unknown.jsonl"), Collections.nCopies(20,
                "{\"text\": \"I do not know.\"}"));

        JsonNode result = CommandRun.succeeding("evaluate", "--data", rows, "--base-predictions", unknown,
                "--tuned-predictions", answers, "--json").json().get(0);

        assertEquals("contains", result.get("deciding_metric").asText());
        assertEquals(12 / 20.0, result.get("metrics").get("contains").get("tuned").asDouble(), 1e-12,
                "8 of them in other words");
        assertEquals(4 / 20.0, result.get("metrics").get("exact_match").get("tuned").asDouble(), 1e-12);
        assertEquals(20, result.get("judged_by").get("facts drawn from the reference").asInt());
        assertEquals(8, result.get("failures").get("wrong").asInt());
    }

    @Test
    void verdictsOfKnownCasesAreRight() throws IOException {
        assertEquals("do_not_ship", decision(evaluate(100, i -> i % 2 == 0, i -> i % 2 == 0)));
        assertEquals("do_not_ship", decision(evaluate(100, i -> i % 2 == 0, i -> i % 4 == 0)));
        JsonNode few = evaluate(10, i -> i < 5, i -> i < 3 || i > 5);
        assertEquals("need_more_items", decision(few));
        assertTrue(few.get("verdict").get("items_needed").asInt() > 0, few.toString());
    }

    @Test
    void aLeakedTestSetIsFound() throws IOException {
        Path training = write("train.jsonl", 20, i -> "{\"messages\": [{\"role\": \"user\", \"content\": "
                + "\"what is the code of door " + i + "\"}, {\"role\": \"assistant\", \"content\": \"X\"}]}");
        JsonNode result = evaluate(60, i -> false, i -> true, "--training-data", training);
        assertEquals("do_not_ship", decision(result));
        assertEquals(20, result.get("leakage").get("leaked").asInt());
    }

    @Test
    void reportsAndCollectionFilesAreWritten() throws IOException {
        Path html = folder.resolve("report.html");
        Path next = folder.resolve("next");
        evaluate(30, i -> i < 3, i -> i > 0, "--report", html, "--next", next);
        String page = Files.readString(html);
        assertTrue(page.startsWith("<!DOCTYPE html>") && page.endsWith("</html>\n"), page);
        assertTrue(page.contains("<h1>Harm not known</h1>") && page.contains("<svg") && page.contains("<mark>"), page);
        assertTrue(page.contains("<em>right before</em>"), "item 0 was lost");
        JsonNode pair = JSON.readTree(Files.readAllLines(next.resolve("preferences.jsonl")).get(0));
        assertEquals("The code is X0Y.", pair.get("preferred_output").get(0).get("content").asText());
        assertEquals("The code is unknown.", pair.get("non_preferred_output").get(0).get("content").asText());
        JsonNode row = JSON.readTree(Files.readAllLines(next.resolve("collect.jsonl")).get(0));
        assertEquals("", row.get("messages").get(0).get("content").asText());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
        "{\"question\": \"Who?\"} | neither \"reference\" nor \"must_contain\"",
        "{\"question\": \"Who?\", \"references\": [\"I\"]} | --column references=reference",
        "{\"question\": \"Who?\", \"reference\": 7} | \"reference\" holds the number 7",
        "{\"question\": \"Who?\", \"reference\": [\"a\", null]} | \"reference\" holds null",
        "{\"question\": \"Who?\", \"reference\": []} | \"reference\" is empty",
        "{\"question\": \"Who?\", \"must_contain\": \" \"} | \"must_contain\" is blank",
        "{\"question\": \"Who?\", \"must_contain\": {\"a\": 1}} | \"must_contain\" holds the object",
        "{\"question\": 5, \"reference\": \"x\"} | \"question\" is not a string",
        "{\"question\": \" \", \"reference\": \"x\"} | \"question\" is blank",
        "{\"reference\": \"x\"} | neither \"question\" nor \"messages\" nor \"prompt\"",
        "{\"messages\": [], \"reference\": \"x\"} | \"messages\" is empty",
        "{\"question\": \"Who?\", \"reference\": \"x\", \"score\": NaN} | not valid JSON",
        "{\"question\": \"Who?\", \"any_of\": []} | \"any_of\" is empty",
        "{\"question\": \"Who?\", \"regex\": \"(\"} | \"regex\" is not a valid regular expression",
        "{\"question\": \"Who?\", \"label\": 3} | \"label\" is 3",
        "{\"question\": \"Who?\", \"refusal\": \"yes\"} | \"refusal\" is yes; it must be true or false",
        "{\"question\": \"Who?\", \"format\": {\"words\": [1]}} | \"format\" is {words=[1]}",
        "{\"question\": \"Who?\", \"format\": {\"json_schema\": {\"oneOf\": []}}} | the schema keyword \"oneOf\"",
        "{\"question\": \"Who?\", \"choices\": [\"a\", \"b\"], \"answer\": 2} | \"answer\" is 2",
        "{\"question\": \"Who?\", \"choices\": [\"a\", \"b\"]} | \"answer\" is null",
    })
    void anInvalidRowIsReportedWithItsLine(String row, String complaint) throws IOException {
        Path data = write("data.jsonl", 2, i -> i == 0 ? "{\"question\": \"Who?\", \"reference\": \"I\"}" : row);
        Path answers = answers("answers.jsonl", 2, i -> true);
        String err = CommandRun.failing(1, "evaluate", "--data", data, "--base-predictions", answers,
                "--tuned-predictions", answers, "--json");
        assertTrue(err.startsWith("peft4j: " + data + ":2"), err);
        assertTrue(err.contains(complaint), err);
        assertEquals(1, err.lines().count(), err);
    }

    @ParameterizedTest
    @ValueSource(ints = {9, 11, 0})
    void missingAndSurplusPredictionsAreReported(int rows) throws IOException {
        Path few = answers("few.jsonl", rows, i -> true);
        String err = CommandRun.failing(1, "evaluate", "--data", data(10), "--base-predictions",
                answers("base.jsonl", 10, i -> true), "--tuned-predictions", few, "--json");
        assertTrue(err.contains(few + ": holds " + rows + " predictions for 10 items"), err);
        assertTrue(err.contains(rows < 10 ? 10 - rows + " missing" : "1 too many"), err);
    }

    @Test
    void emptyDataAndInvalidPredictionsAreReported() throws IOException {
        Path answers = write("answers.jsonl", 1, i -> "{\"text\": null}");
        Path empty = write("empty.jsonl", 0, i -> "");
        String err = CommandRun.failing(1, "evaluate", "--data", empty, "--base-predictions", answers,
                "--tuned-predictions", answers, "--json");
        assertTrue(err.contains("contains no items"), err);
        err = CommandRun.failing(1, "evaluate", "--data", data(1), "--base-predictions", answers,
                "--tuned-predictions", answers, "--json");
        assertTrue(err.contains(answers + ":1: \"text\" is not a string"), err);
        err = CommandRun.failing(2, "evaluate", "--data", empty, "--base-predictions", answers, "--json");
        assertTrue(err.contains("either --model and --adapter, or --base-predictions"), err);
    }

    @Test
    void placesOfReportsAreCheckedBeforeAnythingIsAsked() throws IOException {
        Path items = data(3);
        Path answers = answers("answers.jsonl", 3, i -> true);
        Object[][] places = {{"--report", items}, {"--report", answers}, {"--report", folder},
            {"--report", items.resolve("report.html")}, {"--next", items}};
        List<String> reasons = List.of("would overwrite", "would overwrite", "it is a folder",
                "is a file, not a folder", "is a file, not a folder");
        String before = Files.readString(items);
        for (int i = 0; i < places.length; i++) {
            String err = CommandRun.failing(1, "evaluate", "--data", items, "--base-predictions", answers,
                    "--tuned-predictions", answers, places[i][0], places[i][1]);
            assertTrue(err.contains(reasons.get(i)), err);
        }
        assertEquals(before, Files.readString(items));
    }

    @Test
    void comparisonStoresAnswersAlsoForAGuardSetOfYourOwn() throws IOException {
        Path adapter = FIXTURES.resolve("adapters").resolve("lora");
        Path model = FIXTURES.resolve(CommandRun.read(adapter.resolve("expected.json")).get("model").asText());
        Path training = write("train.jsonl", 4, i -> "{\"messages\": [{\"role\": \"user\", \"content\": \"Door " + i
                + "?\"}, {\"role\": \"assistant\", \"content\": \"X" + i + "Y\"}]}");
        Path answers = folder.resolve("answers.jsonl");
        Object[] words = {"evaluate", "--model", model, "--adapter", adapter, "--data", data(5), "--max-new-tokens", 4,
            "--training-data", training, "--few-shot", 1, "--system-prompt", "Be brief.", "--answers", answers,
            "--report", folder.resolve("report.html"), "--json"};
        String wrong = CommandRun.failing(1, Stream.concat(Stream.of(words), Stream.of("--metric", "f1")).toArray());
        assertTrue(wrong.contains("the metric f1 is not available for these items; available are ["), wrong);
        assertFalse(Files.exists(answers), "no model was asked");
        JsonNode first = CommandRun.succeeding(words).json().get(0);
        assertEquals(List.of("base", "few-shot", "system prompt", "lookup", "tuned"), names(first.get("arms")));
        assertEquals(List.of("few-shot", "system prompt", "lookup"), names(first.get("other_arms")));
        assertEquals(GuardSet.builtIn().items().size(), first.get("guard").get("of").asInt());
        assertTrue(first.get("guard").get("items").asInt() < first.get("guard").get("of").asInt(), "a part decided");
        assertTrue(first.get("arms").get("tuned").get("cut_answers").isInt(), first.toString());
        long kept = Files.lines(answers).count();
        JsonNode second = CommandRun.succeeding(words).json().get(0);
        assertEquals(kept, Files.lines(answers).count(), "nothing was asked again");
        assertEquals(first.get("metrics"), second.get("metrics"));
        assertEquals(first.get("guard"), second.get("guard"));
        assertTrue(Files.readString(folder.resolve("report.html")).contains("Guard set"));
        Path own = write("own.jsonl", 3, i -> "{\"category\": \"house\", \"question\": \"Door " + i
                + "?\", \"choices\": [\"X\", \"Y\"], \"accept\": [\"X\"]}");
        JsonNode guard = CommandRun.succeeding(Stream.concat(Stream.of(words), Stream.of("--guard", own)).toArray())
                .json().get(0).get("guard");
        assertEquals(GuardSet.builtIn().items().size() + 3, guard.get("items").asInt());
        assertEquals(3, guard.get("parts").get("house").get("n").asInt());
    }

    @Test
    void theBaseIsAskedOnceOnAMachine() throws IOException {
        Path adapter = FIXTURES.resolve("adapters").resolve("lora");
        Path model = FIXTURES.resolve(CommandRun.read(adapter.resolve("expected.json")).get("model").asText());
        String run = UUID.randomUUID().toString();
        Path data = write("items.jsonl", 5, i -> "{\"question\": \"" + run + " " + i
                + "?\", \"must_contain\": [\"X\"]}");
        for (int i = 0; i < 2; i++) {
            CommandRun.succeeding("evaluate", "--model", model, "--adapter", adapter, "--data", data,
                    "--max-new-tokens", 4, "--no-guard", "--json");
            assertEquals(5, Files.lines(BaseAnswers.file()).filter(line -> line.contains(run)).count(),
                    "the base's answers, not the tuned model's");
        }
    }

    @Test
    void furtherAdaptersSizesAndSeedsAreReported() throws IOException {
        Path adapter = FIXTURES.resolve("adapters").resolve("lora");
        Path model = FIXTURES.resolve(CommandRun.read(adapter.resolve("expected.json")).get("model").asText());
        Path training = write("train.jsonl", 4, i -> "{\"messages\": [{\"role\": \"user\", \"content\": \"Door " + i
                + "?\"}, {\"role\": \"assistant\", \"content\": \"X" + i + "Y\"}]}");
        Path items = write("data.jsonl", 4, i -> "{\"question\": \"Door " + i + "?\", \"reference\": \"X" + i
                + "Y\", \"choices\": [\"X\", \"Y\"], \"answer\": " + i % 2 + ", \"label\": \""
                + (i < 2 ? "open" : "shut") + "\"}");
        Path report = folder.resolve("report.html");
        JsonNode result = CommandRun.succeeding("evaluate", "--model", model, "--adapter", adapter, "--data", items,
                "--max-new-tokens", 4, "--no-guard", "--arm", "checkpoint=" + adapter, "--training-data", training,
                "--trained-on", "1=" + adapter, "--trained-on", "2=" + adapter, "--other-seed", adapter, "--draws", 2,
                "--similarity", "--report", report, "--json").json().get(0);
        assertEquals(List.of("base", "checkpoint", "lookup", "tuned"), names(result.get("arms")));
        assertEquals(result.get("arms").get("checkpoint").get("metrics"),
                result.get("arms").get("tuned").get("metrics"), "the same adapter");
        for (String metric : List.of("acc", "acc_norm", "accuracy", "embedding_similarity")) {
            assertEquals(4, result.get("metrics").get(metric).get("n").asInt(), metric);
        }
        JsonNode tuned = result.get("arms").get("tuned");
        assertTrue(tuned.get("likelihood").get("perplexity_per_byte").asDouble() > 1, tuned.toString());
        assertTrue(tuned.get("choices").has("ece") && tuned.get("classification").has("roc_auc"), tuned.toString());
        assertEquals(4, tuned.get("draws").get("groups").asInt());
        JsonNode study = result.get("study");
        assertEquals("[1,2,4]", study.get("points").findValuesAsText("examples").toString().replace(" ", ""));
        assertEquals(2, study.get("spread").get("count").asInt());
        assertEquals(0, study.get("spread").get("standard_deviation").asDouble(), "the same adapter twice");
        assertTrue(Files.readString(report).contains("aria-label=\"Learning curve\""));
    }

    @Test
    void ownRowsOfATrainingThatWasCutOffAreNotLearned() throws IOException {
        Path model = FIXTURES.resolve("tiny-llama");
        Path adapter = folder.resolve("cut");
        Path training = write("train.jsonl", 60, i -> "{\"messages\": [{\"role\": \"user\", \"content\": \"Door " + i
                + "?\"}, {\"role\": \"assistant\", \"content\": \"X" + i + "Y\"}]}");
        CommandRun.succeeding("train", "--model", model, "--data", training, "--output", adapter, "--max-steps", 1,
                "--dtype", "f32");
        JsonNode verdict = CommandRun.succeeding("evaluate", "--model", model, "--adapter", adapter, "--data", data(5),
                "--max-new-tokens", 4, "--no-guard", "--training-data", training, "--json").json().get(0)
                .get("verdict");
        JsonNode own = verdict.get("own_rows");
        assertEquals(40, own.get("n").asInt());
        assertEquals("not_learned", own.get("finding").asText());
        assertEquals(60, own.get("rows").asInt());
        assertTrue(own.get("unlearned").asInt() > 50, own.toString());
        assertTrue(verdict.get("sentence").asText().contains("Not learned: of 40 rows that it was trained on ")
                && verdict.get("sentence").asText().contains("not learned (training: ended by the bound max_steps)"),
                verdict.toString());
    }

    @Test
    void aGuardSetOfYourOwnAndNoneAreMutuallyExclusive() throws IOException {
        Path adapter = FIXTURES.resolve("adapters").resolve("lora");
        String err = CommandRun.failing(2, "evaluate", "--model", FIXTURES.resolve("tiny-llama"), "--adapter", adapter,
                "--data", data(2), "--guard", folder.resolve("own.jsonl"), "--no-guard");
        assertTrue(err.contains("mutually exclusive"), err);
    }

    @Test
    void aJudgeServerRatesTheAnswers() throws IOException {
        List<String> keys = new CopyOnWriteArrayList<>();
        HttpServer server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/v1/chat/completions", exchange -> {
            keys.add(String.valueOf(exchange.getRequestHeaders().getFirst("Authorization")));
            String asked = JSON.readTree(exchange.getRequestBody().readAllBytes()).get("messages").get(1)
                    .get("content").asText();
            int from = asked.indexOf("<answer");
            boolean right = !asked.substring(from, asked.indexOf("</answer", from)).contains("unknown");
            String said = asked.contains("door 7?") ? "no idea" : asked.contains("answer_A")
                    ? "{\"better\": \"" + (right ? "A" : "B") + "\"}" : "{\"points\": " + (right ? 5 : 1) + "}";
            byte[] body = ("{\"choices\": [{\"message\": {\"content\": " + JSON.writeValueAsString(said) + "}}]}")
                    .getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        try {
            String url = "http://" + server.getAddress().getAddress().getHostAddress() + ":"
                    + server.getAddress().getPort() + "/v1";
            JsonNode result = evaluate(20, i -> i < 2, i -> i > 0, "--judge-url", url, "--judge-model", "judge",
                    "--api-key-env", "PATH");
            JsonNode preferred = result.get("metrics").get("judge_preferred");
            // Item 7 has no judgement, item 0 is worse, item 1 is equal, 17 are better.
            assertEquals(19, preferred.get("n").asInt());
            assertEquals(17 / 19.0, preferred.get("tuned").asDouble(), 1e-12);
            assertEquals(1 / 19.0, preferred.get("base").asDouble(), 1e-12);
            assertEquals(19, result.get("metrics").get("judge_score").get("n").asInt());
            assertEquals(2, result.get("opinions").get(0).get("counts").get("judge_score").get("unparsable").asInt());
            assertTrue(keys.stream().allMatch(("Bearer " + System.getenv("PATH"))::equals), "the key of the variable");
        } finally {
            server.stop(0);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--judge-url http://localhost:1/v1 | --judge-url and --judge-model must be given together",
        "--embedding-model x | --embedding-url and --embedding-model must be given together",
        "--judge-url localhost --judge-model x | is not an http or https URL",
        "--judge-url http://localhost:1 --judge-model x --api-key-env NO_SUCH_VARIABLE_X | which is not set",
        "--judge-at-once 0 | --judge-at-once is 0",
        "--draws 3 | cannot be combined with predictions",
        "--similarity | cannot be combined with predictions",
        "--arm a=b | cannot be combined with predictions",
    })
    void incompatibleOptionsAreWrongUsage(String options, String complaint) throws IOException {
        Path answers = answers("answers.jsonl", 3, i -> true);
        List<Object> words = new ArrayList<>(List.of("evaluate", "--data", data(3), "--base-predictions", answers,
                "--tuned-predictions", answers));
        words.addAll(List.of(options.strip().split(" ")));
        String err = CommandRun.failing(2, words.toArray());
        assertTrue(err.contains(complaint), err);
    }

    private static List<String> names(JsonNode object) {
        List<String> names = new ArrayList<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }
}
