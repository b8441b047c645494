package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.task.Reranker;
import io.peft4j.core.weight.BlockType;
import io.peft4j.data.task.RankedQuery;
import io.peft4j.data.task.TextPair;
import io.peft4j.models.BaseModel;
import io.peft4j.models.export.ModelExport;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.objective.RerankingObjective;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Cross-encoders score as in sentence-transformers, whichever version has written their folder. */
class RerankerContractTest {
    /** Of scores below 2; rounding of f32 on both sides. */
    private static final double CLOSE = 1e-5;

    @ParameterizedTest
    @ValueSource(strings = {"bert", "bert-logits", "roberta", "llama", "yes-no", "yes"})
    void scoresAreThoseOfSentenceTransformers(String name) {
        try (BaseModel model = load(name)) {
            assertScores(name, model);
        }
    }

    private static void assertScores(String name, BaseModel model) {
        JsonNode expected = expected(name);
        Reranker reranker = new Reranker(model);

        assertEquals(expected.get("max_length").asInt(), reranker.maxTokens());
        for (int i = 0; i < expected.get("pairs").size(); i++) {
            JsonNode pair = expected.get("pairs").get(i);
            assertEquals(expected.get("scores").get(i).asDouble(),
                    reranker.scores(pair.get(0).asText(), List.of(pair.get(1).asText()))[0], CLOSE,
                    name + ", pair " + i);
        }
    }

    @Test
    void textsComeBestFirstAndEqualOnesInTheirOrder() {
        try (BaseModel model = load("bert")) {
            Reranker reranker = new Reranker(model);
            List<String> texts = List.of("in Paris", "the manager of the bank", "in Paris", "b");
            double[] scores = reranker.scores("who approves it", texts);

            List<Integer> expected = IntStream.range(0, 4).boxed().sorted((i, j) -> Double.compare(scores[j],
                    scores[i])).toList();

            assertEquals(expected, reranker.rank("who approves it", texts).stream().map(Reranker.Ranked::index)
                    .toList());
            assertTrue(expected.indexOf(0) + 1 == expected.indexOf(2), expected.toString());
        }
    }

    /** The folders stay below {@code target}, where {@code check_rerankers.py} loads them in sentence-transformers. */
    @ParameterizedTest
    @ValueSource(strings = {"bert", "bert-logits", "llama", "yes-no", "yes"})
    void whatIsWrittenScoresAsBefore(String name) {
        Path folder = Path.of("target", "saved-rerankers", name).toAbsolutePath();
        try (BaseModel model = load(name)) {
            ModelExport.of(model).type(BlockType.F32).ifExists(IfExists.OVERWRITE).toFolder(folder);
        }
        try (BaseModel written = KernelsUnderTest.naive(folder.toString())) {
            assertScores(name, written);
        }
        if (name.startsWith("yes")) {
            assertTrue(Fixtures.json(folder.resolve("config.json")).get("architectures").get(0).asText().endsWith(
                    "ForCausalLM"));
            return;
        }
        assertEquals(name.equals("bert-logits"), Fixtures.json(folder.resolve("config.json"))
                .at("/sentence_transformers/activation_fn").asText().endsWith(".Identity"));
    }

    @ParameterizedTest
    @CsvSource({"bert, BINARY", "bert, LISTNET", "yes-no, BINARY"})
    void twelveUpdatesAreThoseOfSentenceTransformers(String name, RerankingObjective.Loss loss) {
        JsonNode expected = expected(name);
        JsonNode run = expected.get(loss.name().toLowerCase(Locale.ROOT));
        List<RankedQuery> queries = Fixtures.stream(expected.get("queries")).map(query -> {
            List<String> texts = Fixtures.stream(query.get(1)).map(JsonNode::asText).toList();
            return RankedQuery.of(new TextPair(query.get(0).asText(), texts.get(0), texts.subList(1, texts.size())));
        }).toList();
        try (BaseModel base = load(name);
                PeftModel model = base.withAdapter(Fixtures.FOLDER.resolve("rerankers").resolve(name).resolve(
                        "adapter"))) {
            TrainingResult result = Trainer.builder(model).epochs(6).batchSize(expected.get("batch_size").asInt())
                    .learningRate(expected.get("learning_rate").asDouble()).schedule(LearningRateSchedule.CONSTANT)
                    .weightDecay(0).maxGradNorm(1).shuffle(false).build()
                    .train(new RerankingObjective(model, loss), queries);

            double[] losses = Fixtures.doubles(run.get("losses"));
            assertEquals(losses.length, result.steps().size());
            for (int i = 0; i < losses.length; i++) {
                assertEquals(losses[i], result.steps().get(i).trainLoss(), 1e-4 * losses[i], "loss " + i);
            }
            double[] scores = Fixtures.stream(expected.get("pairs")).mapToDouble(pair -> new Reranker(model).scores(
                    pair.get(0).asText(), List.of(pair.get(1).asText()))[0]).toArray();
            double[] theirs = Fixtures.doubles(run.get("scores"));
            // By its order alone the head's bias has no gradient but rounding, of which AdamW makes whole steps.
            boolean compared = loss == RerankingObjective.Loss.LISTNET;
            for (int i = 0; i < scores.length; i++) {
                assertEquals(logit(theirs[i]) - (compared ? logit(theirs[0]) : 0),
                        logit(scores[i]) - (compared ? logit(scores[0]) : 0), 5e-3, "pair " + i);
            }
        }
    }

    private static double logit(double score) {
        return Math.log(score / (1 - score));
    }

    @Test
    void whatNoOrderIsLearnedFromIsRefused() {
        try (BaseModel base = load("bert");
                PeftModel model = base.withAdapter(Fixtures.FOLDER.resolve("rerankers/bert/adapter"))) {
            RerankingObjective objective = new RerankingObjective(model, RerankingObjective.Loss.BINARY);
            Trainer trainer = Trainer.builder(model).epochs(1).build();
            List<RankedQuery> alike = List.of(RankedQuery.of(TextPair.of("a", "b")));
            List<RankedQuery> graded = List.of(new RankedQuery("a", List.of("b", "c"), List.of(2.0, 0.0)));

            String equal = assertThrows(ConfigurationException.class, () -> trainer.train(objective, alike))
                    .getMessage();
            String above = assertThrows(ConfigurationException.class, () -> trainer.train(objective, graded))
                    .getMessage();

            assertTrue(equal.contains("equally relevant"), equal);
            assertTrue(above.contains("relevance 2.0"), above);
        }
    }

    @Test
    void whatNoScoreIsReadFromIsRefused(@TempDir Path folder) throws IOException {
        try (BaseModel model = KernelsUnderTest.naive("encoders/bert-seq-cls")) {
            String message = assertThrows(ConfigurationException.class, () -> new Reranker(model)).getMessage();

            assertTrue(message.contains("a reranker has one output"), message);
        }
        for (String file : List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json")) {
            Files.copy(Fixtures.FOLDER.resolve("rerankers/llama").resolve(file), folder.resolve(file));
        }
        Path config = folder.resolve("config.json");
        Files.writeString(config, Files.readString(config).replace("activation.Sigmoid", "activation.Tanh"));

        String message = assertThrows(FileFormatException.class,
                () -> KernelsUnderTest.naive(folder.toAbsolutePath().toString())).getMessage();

        assertTrue(message.contains("Tanh") && message.contains("Sigmoid"), message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "1_LogitScore/config.json | \"true_token_id\": \\d+ | \"true_token_id\": 999 | and has 129 tokens",
        "1_LogitScore/config.json | \"true_token_id\": \\d+ | \"true_token_id\": -1 | -1, not a token's number",
        "1_LogitScore/config.json | causal_logits | scores | causal_logits",
        "sentence_bert_config.json | add_generation_prompt | restore_suffix | restore_suffix",
        "config_sentence_transformers.json | \"judge\": | \"other\": | not among its prompts"})
    void aFormThatTheNextTokenCannotJudgeByIsRefused(String file, String from, String to, String said,
            @TempDir Path folder) throws IOException {
        Path source = Fixtures.FOLDER.resolve("rerankers/yes-no");
        Files.createDirectory(folder.resolve("1_LogitScore"));
        for (String name : List.of("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
                "chat_template.jinja", "modules.json", "sentence_bert_config.json",
                "config_sentence_transformers.json", "1_LogitScore/config.json")) {
            Files.copy(source.resolve(name), folder.resolve(name));
        }
        String before = Files.readString(folder.resolve(file));
        Files.writeString(folder.resolve(file), before.replaceFirst(from, to));

        String message = assertThrows(PeftException.class,
                () -> KernelsUnderTest.naive(folder.toAbsolutePath().toString())).getMessage();

        assertTrue(message.contains(said), message);
    }

    private static BaseModel load(String name) {
        return KernelsUnderTest.naive("rerankers/" + name);
    }

    private static JsonNode expected(String name) {
        return Fixtures.json("rerankers/" + name + "/expected.json");
    }
}
