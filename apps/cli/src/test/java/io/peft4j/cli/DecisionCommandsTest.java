package io.peft4j.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Decisions are trained, calibrated, evaluated and made. */
class DecisionCommandsTest {
    private static final Path LAYA = CommandRun.FIXTURES.resolve("decisions/laya");
    private static final Path LLAMA = CommandRun.FIXTURES.resolve("tiny-llama");

    @TempDir
    Path folder;

    private Path rows(String name, int count, long seed) throws IOException {
        Random random = new Random(seed);
        List<String> rows = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            boolean money = random.nextBoolean();
            // Some labels are wrong, so that no answer is certain.
            boolean labelled = random.nextInt(10) == 0 ? !money : money;
            rows.add("{\"text\": \"" + (money ? "refund" : "login") + " " + random.nextInt(1_000_000)
                    + "\", \"label\": \""
                    + (labelled ? "money" : "access") + "\"}");
        }
        return Files.write(folder.resolve(name), rows);
    }

    /** The same rows as OpenAI's chats, whose last answer is the label. */
    private Path chats(Path texts) throws IOException {
        return Files.write(folder.resolve("chats.jsonl"), Files.readAllLines(texts).stream().map(row -> row
                .replace("{\"text\":", "{\"messages\": [{\"role\": \"user\", \"content\":")
                .replace("\", \"label\":", "\"}, {\"role\": \"assistant\", \"content\":")
                .replaceFirst("}$", "}]}")).toList());
    }

    @Test
    void aLayaCheckpointAnswersRows() throws IOException {
        Path data = Files.writeString(folder.resolve("rows.jsonl"), "{\"state\": \"charged twice\", \"questions\": "
                + "{\"team\": {\"type\": \"choice\", \"instructions\": \"Which?\", \"criteria\": {\"a\": null, \"b\": "
                + "\"x\"}}, \"ok\": {\"type\": \"noul\"}}}\n");
        JsonNode line = CommandRun.succeeding("decide", "--model", LAYA, "--data", data, "--dtype", "f32", "--json")
                .json().get(0);
        assertEquals(1, line.at("/answers/team/probabilities/a").asDouble()
                + line.at("/answers/team/probabilities/b").asDouble(), 1e-9);
        assertTrue(line.at("/answers/ok/noul").isDouble() && line.at("/usage/input_tokens").asInt() > 10,
                line.toString());
        String words = CommandRun.succeeding("decide", "--model", LAYA, "--data", data, "--dtype", "f32",
                "--rotations", 2).out();
        assertTrue(words.contains("team") && words.contains("ok"), words);
    }

    /** The vectors are those that "embed" prints, which is tested against sentence-transformers. */
    @Test
    void anEmbedderAnswersWithoutTraining() throws IOException {
        Path embedder = CommandRun.FIXTURES.resolve("sentences/mean-normalized");
        Path data = Files.writeString(folder.resolve("rows.jsonl"), "{\"state\": \"I cannot reset my password\", "
                + "\"questions\": {\"team\": {\"type\": \"choice\", \"instructions\": \"Team?\", \"criteria\": "
                + "[\"billing\", \"login\"]}}}\n");
        Path texts = Files.writeString(folder.resolve("texts.jsonl"), "{\"text\": \"I cannot reset my password\"}\n"
                + "{\"text\": \"Team? billing\"}\n{\"text\": \"Team? login\"}\n");
        List<JsonNode> vectors = CommandRun.succeeding("embed", "--model", embedder, "--data", texts, "--dtype",
                "f32").json();
        double odds = 0;
        for (int i = 0; i < vectors.get(0).get("embedding").size(); i++) {
            odds += 20 * vectors.get(0).get("embedding").get(i).asDouble() * (vectors.get(1).get("embedding").get(i)
                    .asDouble() - vectors.get(2).get("embedding").get(i).asDouble());
        }
        assertEquals(1 / (1 + Math.exp(-odds)), CommandRun.succeeding("decide", "--model", embedder, "--data", data,
                "--dtype", "f32", "--json").json().get(0).at("/answers/team/probabilities/billing").asDouble(), 1e-4);
        String error = CommandRun.failing(2, "decide", "--model", CommandRun.FIXTURES.resolve("encoders/bert-seq-cls"),
                "--data", data, "--dtype", "f32");
        assertTrue(error.contains("has no head for options") && error.contains("train it"), error);
    }

    @Test
    void labelsAreLearnedCalibratedEvaluatedAndDecided() throws IOException {
        Path out = folder.resolve("out");
        Path training = rows("train.jsonl", 64, 1);
        CommandRun.succeeding("train", "--model", LLAMA, "--objective", "decision", "--data", training, "--validation",
                rows("held.jsonl", 12, 4), "--output", out, "--dtype", "f32");
        Path apart = rows("apart.jsonl", 60, 2);
        JsonNode fit = CommandRun.succeeding("calibrate", "--model", LLAMA, "--adapter", out, "--data",
                apart, "--error", "0.3,0.4", "--dtype", "f32", "--json").json().get(0).at("/questions/label");
        assertEquals(60, fit.get("rows").asInt());
        assertEquals(6, fit.get("thresholds").size(), "four errors, and two that were asked for");
        assertTrue(fit.get("nll").asDouble() < 0.65, fit.toString());
        String settings = Files.readString(out.resolve("decision.json"));
        assertTrue(settings.contains("\"thresholds\"") && settings.contains("\"names_as_labels\" : true"), settings);

        String seen = CommandRun.failing(1, "calibrate", "--model", LLAMA, "--adapter", out, "--data", training,
                "--dtype", "f32");
        assertTrue(seen.contains("64 rows of 64") && seen.contains("that the adapter was trained on"), seen);
        String impossible = CommandRun.failing(2, "calibrate", "--model", LLAMA, "--adapter", out, "--data", apart,
                "--error", "1.5", "--dtype", "f32");
        assertTrue(impossible.contains("each must be between 0 and 1"), impossible);

        Path test = rows("test.jsonl", 50, 3);
        assertEvaluated(out, training, apart, test);
        assertDecided(out, training, test);
    }

    private void assertEvaluated(Path out, Path training, Path apart, Path test) throws IOException {
        Path page = folder.resolve("page.html");
        JsonNode result = CommandRun.succeeding("evaluate", "--model", LLAMA, "--adapter", out, "--data", test,
                "--training-data", training, "--dtype", "f32", "--report", page, "--json").json().get(0);
        JsonNode scores = result.at("/arms/tuned/scores");
        assertTrue(scores.at("/accuracy/value").asDouble() > 0.75, result.toString());
        assertTrue(Math.abs(scores.at("/signed_gap/value").asDouble()) < 0.15, scores.toString());
        for (String name : List.of("nll", "brier", "ece", "ece_equal_mass", "aurc", "order_flips")) {
            assertTrue(scores.get(name).get("ci_low").isDouble(), name);
        }
        for (String other : List.of("accuracy", "over_most_frequent")) {
            assertTrue(result.at("/metrics/" + other + "/difference").asDouble() > 0.15, result.toString());
        }
        assertEquals("lookup", result.at("/verdict/without_training/0/arm").asText(), result.toString());
        String html = Files.readString(page);
        assertTrue(html.contains("Share of wrong answers among the surest"));
        assertTrue(html.matches("(?s).*<th scope=\"row\">log-likelihood</th><td[^>]*>-\\d+\\.\\d{3}</td>.*"), html);
        JsonNode byLikelihood = CommandRun.succeeding("evaluate", "--model", LLAMA, "--adapter", out, "--data", test,
                "--training-data", training, "--dtype", "f32", "--metric", "log_likelihood", "--json").json().get(0);
        assertTrue(byLikelihood.at("/verdict/sentence").asText().contains(" nats against "),
                byLikelihood.get("verdict").toString());
        JsonNode byBrier = CommandRun.succeeding("evaluate", "--model", LLAMA, "--adapter", out, "--data", test,
                "--training-data", training, "--dtype", "f32", "--metric", "brier", "--json").json().get(0);
        assertEquals("Look up instead", byBrier.at("/verdict/words").asText(), byBrier.get("verdict")
                .toString());
        assertTrue(byBrier.at("/verdict/sentence").asText().contains("less is better"), byBrier.toString());
        for (String lower : List.of("brier", "aurc", "brier_over_most_frequent", "aurc_over_most_frequent")) {
            assertTrue(byBrier.at("/metrics/" + lower + "/lower_is_better").asBoolean(), lower);
        }
        for (String lower : List.of("brier", "aurc")) {
            assertTrue(byBrier.at("/other_arms/lookup/" + lower + "/lower_is_better").asBoolean(), lower);
        }

        JsonNode chats = CommandRun.succeeding("evaluate", "--model", LLAMA, "--adapter", out, "--data",
                chats(test), "--dtype", "f32", "--json").json().get(0);
        assertEquals(scores.at("/accuracy/value"), chats.at("/arms/tuned/scores/accuracy/value"), "asked as texts are");
        for (Path known : List.of(training, apart)) {
            JsonNode verdict = CommandRun.succeeding("evaluate", "--model", LLAMA, "--adapter", out, "--data", known,
                    "--dtype", "f32", "--json").json().get(0).get("verdict");
            assertEquals("do_not_ship", verdict.get("decision").asText(), verdict.toString());
            assertTrue(verdict.get("sentence").asText().contains(known.equals(training)
                    ? "64 of 64 held-out items also occur in the training data"
                    : "The probabilities were calibrated on 60 rows of these"), verdict.toString());
        }
    }

    private static void assertDecided(Path out, Path training, Path test) throws IOException {
        JsonNode all = CommandRun.succeeding("decide", "--model", LLAMA, "--adapter", out, "--data", test, "--dtype",
                "f32", "--max-error", 0.01, "--json").json().get(0).at("/answers/question");
        assertTrue(all.get("refused").asBoolean(), "60 rows cannot show an error of 1 %: " + all);
        assertTrue(!all.has("set"), all.toString());
        List<JsonNode> sets = CommandRun.succeeding("decide", "--model", LLAMA, "--adapter", out, "--data", test,
                "--dtype", "f32", "--max-error", 0.4, "--sets", 0.95, "--json").json();
        assertTrue(sets.stream().anyMatch(row -> !row.at("/answers/question").has("refused")), "as was asked for");
        assertTrue(sets.stream().allMatch(row -> row.at("/answers/question/set/0").asText()
                .equals(row.at("/answers/question/choice").asText())), sets.toString());
        String words = CommandRun.succeeding("decide", "--model", LLAMA, "--adapter", out, "--data", test, "--dtype",
                "f32", "--sets", 0.9).out();
        assertTrue(words.contains(", one of ["), words);
        List<JsonNode> next = CommandRun.succeeding("decide", "--model", LLAMA, "--adapter", out, "--data", test,
                "--labelled", training, "--dtype", "f32", "--to-label", 5, "--json").json();
        assertEquals(5, next.size());
        JsonNode least = next.get(0);
        assertTrue(least.get("distance").asDouble() <= next.stream().mapToDouble(row -> row.get("distance").asDouble())
                .min().orElseThrow(), "the least certain comes first: " + next);
        assertEquals(Files.readAllLines(test).get(least.get("row").asInt() - 1).split("\"")[3],
                least.get("state").asText());
        assertTrue(least.at("/questions/question/criteria").has("money"), least.toString());
        String unfitted = CommandRun.failing(1, "decide", "--model", LLAMA, "--adapter", out, "--data", test, "--dtype",
                "f32", "--sets", 0.7);
        assertTrue(unfitted.contains("no sets with coverage 0.7 were fitted"), unfitted);
    }

    /** A copy of the chat model with a {@code decision.json}. */
    private Path model(String settings) throws IOException {
        Path model = Files.createDirectory(folder.resolve("model"));
        for (String name : List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
            Files.copy(LLAMA.resolve(name), model.resolve(name));
        }
        Files.writeString(model.resolve("decision.json"), settings);
        return model;
    }

    @Test
    void aModelAnswersWithTheAdapterThatItNames() throws IOException {
        Path adapter = CommandRun.FIXTURES.resolve("adapters/lora");
        Path model = model("{\"adapter\": \"own\"}");
        Files.createDirectory(model.resolve("own"));
        for (String name : List.of("adapter_config.json", "adapter_model.safetensors")) {
            Files.copy(adapter.resolve(name), model.resolve("own").resolve(name));
        }
        Path data = Files.writeString(folder.resolve("rows.jsonl"), ("{\"state\": \"a\", \"questions\": {\"ok\": "
                + "{\"type\": \"choice\", \"criteria\": {\"x\": null, \"y\": null}}}, \"expected\": {\"ok\": \"y\"}}\n")
                .repeat(2));
        JsonNode given = CommandRun.succeeding("decide", "--model", LLAMA, "--adapter", adapter, "--data", data,
                "--dtype", "f32", "--json").json().get(0);
        assertEquals(given, CommandRun.succeeding("decide", "--model", model, "--data", data, "--dtype", "f32",
                "--json").json().get(0));
        assertNotEquals(given, CommandRun.succeeding("decide", "--model", LLAMA, "--data", data, "--dtype", "f32",
                "--json").json().get(0));
        assertEquals(CommandRun.succeeding("evaluate", "--model", LLAMA, "--adapter", adapter, "--data", data,
                "--dtype", "f32", "--json").json().get(0).get("arms"),
                CommandRun.succeeding("evaluate", "--model", model, "--data", data, "--dtype", "f32", "--json").json()
                        .get(0).get("arms"));
        assertTrue(CommandRun.failing(2, "evaluate", "--model", LLAMA, "--data", data).startsWith("give either"));
    }

    private Path questions(String name, String instructions, String besides) throws IOException {
        return Files.write(folder.resolve(name), IntStream.range(0, 30).mapToObj(i -> "{\"state\": \"note " + 37 * i
                + (i % 2 == 0 ? " of a refund" : " about logins") + "\", \"questions\": {\"q\": {\"type\": \"choice\", "
                + "\"instructions\": \"" + instructions + "\", \"criteria\": {\"money\": null, \"access\": null}}, "
                + "\"who\": {\"type\": \"choice\", \"instructions\": \"Who hears of it?\", \"criteria\": [\"money\", "
                + "\"access\"]}}, \"expected\": {\"who\": \"" + (i % 3 == 0 ? "money" : "access") + "\", \"q\": \""
                + (i % 2 == 0 ? "money" : "access") + "\"}" + besides + "}").toList());
    }

    @Test
    void anotherWordingOfAQuestionIsAskedAndCounted() throws IOException {
        Path out = folder.resolve("out");
        CommandRun.succeeding("train", "--model", LLAMA, "--objective", "decision", "--data",
                rows("train.jsonl", 16, 1), "--output", out, "--dtype", "f32");
        String first = "Which team?";
        List<String> others = List.of("xyzzy 7 7 7 ? ! ?", "Where does this go, and who would have to read it?");
        JsonNode result = CommandRun.succeeding("evaluate", "--model", LLAMA, "--adapter", out, "--data",
                questions("asked.jsonl", first, ", \"wordings\": {\"q\": [\"" + String.join("\", \"", others)
                        + "\"]}"),
                "--dtype", "f32", "--json").json().get(0);
        JsonNode scores = result.at("/arms/tuned/scores");
        assertEquals("permutation 30", result.at("/metrics/accuracy/test").asText() + " "
                + result.at("/metrics/accuracy/n").asText(), "the two questions of a row are one item");
        assertTrue(result.at("/failures/wrong").asInt() > 0, result.toString());
        result.at("/failures/rows").forEach(row -> assertTrue(row.get("row").asInt() <= 30, row.toString()));
        int flips = 0;
        List<String> before = choices(out, questions("first.jsonl", first, ""));
        for (String other : others) {
            List<String> after = choices(out, questions("other.jsonl", other, ""));
            flips += (int) IntStream.range(0, 30).filter(i -> !before.get(i).equals(after.get(i))).count();
        }
        assertTrue(flips > 0, "some wording changes some answer");
        assertEquals(flips / 60.0, scores.at("/wording_flips/value").asDouble(), 1e-9);
        assertTrue(scores.at("/wording_flips/ci_low").isDouble(), scores.toString());
        String error = CommandRun.failing(1, "evaluate", "--model", LLAMA, "--adapter", out, "--data",
                questions("wrong.jsonl", first, ", \"wordings\": {\"p\": [\"Who?\"]}"), "--dtype", "f32");
        assertTrue(error.contains("wrong.jsonl:1") && error.contains("there are wordings of 'p'"), error);
    }

    private static List<String> choices(Path adapter, Path data) {
        return CommandRun.succeeding("decide", "--model", LLAMA, "--adapter", adapter, "--data", data, "--dtype", "f32",
                "--json").json().stream().map(row -> row.at("/answers/q/choice").asText()).toList();
    }

    @Test
    void aModelsFileAnswersAsItsFolder() throws IOException {
        Path model = model("{\"labels\": {\"noul\": [\"A\", \"B\"]}, \"temperature\": "
                + "{\"noul\": 3.5}}");
        Path data = Files.writeString(folder.resolve("rows.jsonl"), "{\"state\": {\"a\": 1.5}, \"questions\": "
                + "{\"ok\": {\"type\": \"noul\", \"instructions\": \"Is it?\"}}}\n");
        Path file = folder.resolve("model.gguf");
        CommandRun.succeeding("adapter", "merge", "--model", model, "--output", file);
        double[] answers = new double[2];
        for (Path asked : List.of(model, file)) {
            answers[asked.equals(file) ? 1 : 0] = CommandRun.succeeding("decide", "--model", asked, "--data", data,
                    "--dtype", "f32", "--json").json().get(0).at("/answers/ok/noul").asDouble();
        }
        assertEquals(answers[0], answers[1], 1e-6);
        String error = CommandRun.failing(1, "adapter", "merge", "--model", LAYA, "--output", folder.resolve("l.gguf"));
        assertTrue(error.contains("attention heads of the encoder"), error);
    }

    @Test
    void whatCannotBeAskedNamesItsRow() throws IOException {
        Path data = Files.writeString(folder.resolve("rows.jsonl"), "{\"state\": \"a\", \"questions\": {\"q\": "
                + "{\"type\": \"noul\"}}}\n{\"state\": \"a\", \"questions\": {\"q\": {\"type\": \"choice\", "
                + "\"criteria\": {\"a\": null}}}}\n");
        String error = CommandRun.failing(1, "decide", "--model", LAYA, "--data", data, "--dtype", "f32");
        assertTrue(error.contains("rows.jsonl:2") && error.contains("at least 2"), error);
    }
}
