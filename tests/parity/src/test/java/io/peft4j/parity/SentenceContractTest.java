package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Task;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.data.task.TextPair;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.export.ModelExport;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.objective.ContrastiveObjective;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Folders of sentence-transformers are followed as they are written. */
class SentenceContractTest {
    @ParameterizedTest
    @ValueSource(strings = {"mean-normalized", "cls-weighted", "gemma-dense", "gemma2-projected", "qwen-last"})
    void embeddingsAreThoseOfSentenceTransformers(String name) {
        JsonNode expected = expected(name);
        try (BaseModel model = load(name)) {
            TextEmbedder embedder = new TextEmbedder(model);
            assertVectors(expected.get("embeddings"), embedder.embed(texts(expected)), name);
            for (String prompt : List.of("query", "page")) {
                if (expected.has("embeddings_" + prompt)) {
                    assertVectors(expected.get("embeddings_" + prompt), embedder.embed(texts(expected), prompt),
                            prompt);
                }
            }
        }
    }

    @Test
    void anUnknownPromptIsAnsweredWithTheKnownOnes() {
        try (BaseModel model = load("cls-weighted")) {
            String message = assertThrows(ConfigurationException.class,
                    () -> new TextEmbedder(model).embed(List.of("a"), "qeury")).getMessage();

            assertTrue(message.contains("unknown prompt 'qeury'") && message.contains("query"), message);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"mean-normalized", "gemma-dense", "gemma2-projected"})
    void twelveContrastiveStepsAreThoseOfPyTorch(String name) {
        JsonNode training = expected(name).get("training");
        List<TextPair> pairs = Fixtures.stream(training.get("pairs")).map(pair -> new TextPair(pair.get(0).asText(),
                pair.get(1).asText(), Stream.of(pair.get(2)).filter(JsonNode::isTextual).map(JsonNode::asText)
                        .toList()))
                .toList();
        try (BaseModel base = load(name);
                PeftModel model = base.withAdapter(Fixtures.FOLDER.resolve("sentences/" + name + "/adapter"))) {
            TrainingResult result = Trainer.builder(model).epochs(6).batchSize(3)
                    .learningRate(training.get("learning_rate").asDouble()).schedule(LearningRateSchedule.CONSTANT)
                    .weightDecay(0).maxGradNorm(1).shuffle(false).build()
                    .train(new ContrastiveObjective(model), pairs);

            double[] losses = Fixtures.doubles(training.get("losses"));
            for (int i = 0; i < losses.length; i++) {
                assertEquals(losses[i], result.steps().get(i).trainLoss(), 1e-4 * losses[i], "loss " + i);
            }
            List<float[]> vectors = new TextEmbedder(model).embed(texts(expected(name)));
            for (int i = 0; i < vectors.size(); i++) {
                assertArrayEquals(Fixtures.doubles(training.get("trained").get(i)), Arrays.doubles(vectors.get(i)),
                        1e-3, "vector " + i);
            }
        }
    }

    /** As those that sentence-transformers 6 writes. */
    @Test
    void aFolderWithoutALimitOfItsOwnCutsAtItsTokenizers(@TempDir Path folder) throws IOException {
        Path source = Fixtures.FOLDER.resolve("sentences/mean-normalized");
        Files.createDirectories(folder.resolve("1_Pooling"));
        for (String file : List.of("config.json", "model.safetensors", "modules.json", "tokenizer.json",
                "1_Pooling/config.json")) {
            Files.copy(source.resolve(file), folder.resolve(file));
        }
        Files.writeString(folder.resolve("tokenizer_config.json"), Files.readString(source.resolve(
                "tokenizer_config.json")).replace("\"model_max_length\": 48", "\"model_max_length\": 16"));
        try (BaseModel model = BaseModel.load(folder.toString(),
                ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32))) {
            assertEquals(16, new TextEmbedder(model).maxTokens());
            assertVectors(expected("mean-normalized").get("embeddings"), new TextEmbedder(model)
                    .embed(texts(expected("mean-normalized"))), "cut");
        }
    }

    @Test
    void denseLayersAreNotLeftOutOfAGgufFile(@TempDir Path folder) {
        try (BaseModel model = load("gemma-dense")) {
            String message = assertThrows(ConfigurationException.class, () -> ModelExport.of(model).toGguf(
                    folder.resolve("model.gguf"))).getMessage();
            assertTrue(message.contains("cannot store the dense layers [2_Dense, 3_Dense]"), message);
        }
    }

    @Test
    void aDecoderWhoseTokensSeeAllOthersWritesNoText() {
        Path folder = Fixtures.FOLDER.resolve("sentences/gemma-dense");
        String message = assertThrows(ConfigurationException.class, () -> BaseModel.load(folder.toString(),
                ModelOptions.defaults().withTask(Task.CAUSAL_LM))).getMessage();
        assertTrue(message.contains("each of its tokens sees all others"), message);
    }

    private static BaseModel load(String name) {
        return KernelsUnderTest.naive("sentences/" + name);
    }

    private static JsonNode expected(String name) {
        return Fixtures.json("sentences/" + name + "/expected.json");
    }

    private static List<String> texts(JsonNode expected) {
        return Fixtures.stream(expected.get("texts")).map(JsonNode::asText).toList();
    }

    private static void assertVectors(JsonNode expected, List<float[]> found, String what) {
        for (int i = 0; i < found.size(); i++) {
            assertArrayEquals(Fixtures.doubles(expected.get(i)), Arrays.doubles(found.get(i)), 1e-5,
                    what + ", text " + i);
        }
    }
}
