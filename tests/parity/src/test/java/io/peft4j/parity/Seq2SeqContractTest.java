package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Beams;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.model.SequenceScorer;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.safetensors.Safetensors;
import io.peft4j.core.weight.TensorStore;
import io.peft4j.data.task.SourceTarget;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.export.ModelExport;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainingResult;
import io.peft4j.train.objective.SourceTargetObjective;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What every encoder-decoder must do: a row is a folder of the fixtures, which Hugging Face's libraries made. */
class Seq2SeqContractTest {
    private static final double F32 = 1e-5;
    /** Of a loss: rounding grows from step to step, since AdamW divides by the size of gradients. */
    private static final double TRAINED = 1e-4;

    @ParameterizedTest
    @ValueSource(strings = {"t5-tied", "flan-t5", "mt5", "t5gemma", "t5gemma2"})
    void theLikelihoodsAreThoseOfTransformers(String name) {
        try (BaseModel model = load(name)) {
            assertArrayEquals(Fixtures.doubles(expected(name).get("nll_in_double")), nll(model, name), F32 * 50);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"t5-tied", "flan-t5", "mt5", "t5gemma", "t5gemma2"})
    void greedyAndBeamSearchChooseTheTokensThatTransformersChooses(String name) {
        JsonNode expected = expected(name);
        List<Prompt> prompts = rows(expected).stream().map(row -> Prompt.text(row.source())).toList();
        GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(12);
        try (BaseModel model = load(name)) {
            assertIds(expected.get("greedy"), model.generate(prompts, options), "greedy");
            assertIds(expected.get("greedy"), model.generate(prompts, options.withBatchSize(2)), "in small batches");
            for (JsonNode search : expected.get("beams")) {
                JsonNode settings = search.get("options");
                JsonNode stopping = settings.path("early_stopping");
                Beams beams = new Beams(settings.get("num_beams").asInt(),
                        settings.path("length_penalty").asDouble(1), stopping.isTextual() ? Beams.Stopping.NEVER
                                : stopping.asBoolean() ? Beams.Stopping.FIRST : Beams.Stopping.HEURISTIC);
                assertIds(search.get("ids"), model.generate(prompts, options.withBeams(beams)), beams.toString());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"t5-tied, adapter, training", "flan-t5, adapter, training", "mt5, adapter, training",
        "t5gemma, adapter, training", "t5gemma2, adapter, training"})
    void twelveStepsOfTrainingAreThoseOfPyTorchAndHuggingFacePeft(String name, String adapter, String key,
            @TempDir Path folder) {
        trains(name, adapter, key, folder);
    }

    @ParameterizedTest
    @ValueSource(strings = {"t5-tied", "flan-t5", "t5gemma"})
    void virtualTokensTrainAsInHuggingFacePeft(String name, @TempDir Path folder) {
        for (String key : List.of("prompt", "prefix", "prefix-projection", "p-tuning", "p-tuning-lstm")) {
            trains(name, key, key, folder.resolve(key));
        }
    }

    private static void trains(String name, String adapter, String key, Path folder) {
        JsonNode training = expected(name).get(key);
        try (BaseModel base = load(name);
                PeftModel model = MethodTrainingTest.start(base, Fixtures.FOLDER.resolve("seq2seq").resolve(name)
                        .resolve(adapter))) {
            assertEquals(training.get("trainable").asLong(), model.trainableParameterCount());
            assertArrayEquals(Fixtures.doubles(training.get("adapted")), nll(model, name), F32 * 50);

            TrainingResult result = Trainer.builder(model).epochs(6).batchSize(3)
                    .learningRate(training.get("learning_rate").asDouble()).schedule(LearningRateSchedule.CONSTANT)
                    .weightDecay(0).maxGradNorm(1).shuffle(false).build()
                    .train(new SourceTargetObjective(model), rows(expected(name)));

            double[] losses = Fixtures.doubles(training.get("losses"));
            for (int i = 0; i < losses.length; i++) {
                assertEquals(losses[i], result.steps().get(i).trainLoss(), TRAINED * losses[i], key + " loss " + i);
            }
            double[] trained = nll(model, name);
            assertArrayEquals(Fixtures.doubles(training.get("trained")), trained, TRAINED * 50);
            List<Prompt> prompts = rows(expected(name)).stream().map(row -> Prompt.text(row.source())).toList();
            if (training.has("greedy")) {
                GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(12);
                assertIds(training.get("greedy"), model.generate(prompts, options), "greedy");
                assertIds(training.get("greedy"), model.generate(prompts, options.withBeams(new Beams(1, 1,
                        Beams.Stopping.HEURISTIC))), "the best beam of one");
            }
            if (adapter.equals("adapter")) {
                Fixtures.keep(model, "seq2seq/" + name, List.of(trained));
            }
            model.saveAdapter(folder);
            try (PeftModel again = base.withAdapter(folder)) {
                assertArrayEquals(trained, nll(again, name), "saved and loaded");
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"t5-tied", "flan-t5", "mt5", "t5gemma", "t5gemma2"})
    void mergedModelsAreFoldersWithTheSameLikelihoods(String name, @TempDir Path folder) {
        Path fixture = Fixtures.FOLDER.resolve("seq2seq").resolve(name);
        Path merged = folder.resolve("merged");
        try (BaseModel base = load(name); PeftModel model = base.withAdapter(fixture.resolve("adapter"))) {
            ModelExport.of(model).toFolder(merged);
        }
        ModelOptions f32 = ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32);
        try (BaseModel again = BaseModel.load(merged.toString(), f32);
                TensorStore before = Safetensors.open(fixture);
                TensorStore after = Safetensors.open(merged)) {
            assertArrayEquals(Fixtures.doubles(expected(name).get("training").get("adapted")), nll(again, name),
                    F32 * 50);
            assertEquals(before.names().stream().filter(tensor -> !isLeftOut(tensor)).toList(), after.names().stream()
                    .toList());
        }
    }

    /** What T5Gemma 2 has for images. */
    private static boolean isLeftOut(String tensor) {
        return tensor.contains("vision") || tensor.contains("multi_modal") || tensor.endsWith("eoi_embedding");
    }

    private static BaseModel load(String name) {
        return KernelsUnderTest.naive("seq2seq/" + name);
    }

    @Test
    void whatCannotBeLearnedIsRefusedWithItsNumber() {
        try (BaseModel base = load("t5-tied");
                PeftModel model = base.withAdapter(Fixtures.FOLDER
                        .resolve("seq2seq").resolve("t5-tied").resolve("adapter"))) {
            Trainer trainer = Trainer.builder(model).build();
            for (SourceTarget bad : List.of(new SourceTarget("a", " "), new SourceTarget("a".repeat(1 << 23), "b"))) {
                String message = assertThrows(ConfigurationException.class, () -> trainer.train(
                        new SourceTargetObjective(base), List.of(new SourceTarget("a", "b"), bad))).getMessage();
                assertTrue(message.startsWith("training example 2: ") && (message.contains("is empty")
                        || message.contains("supports texts of up to")), message);
            }
        }
    }

    private static JsonNode expected(String name) {
        return Fixtures.json("seq2seq/" + name + "/expected.json");
    }

    private static List<SourceTarget> rows(JsonNode expected) {
        return Fixtures.stream(expected.get("rows")).map(row -> new SourceTarget(row.get("source").asText(),
                row.get("target").asText())).toList();
    }

    private static double[] nll(Model model, String name) {
        EncoderDecoderNetwork network = (EncoderDecoderNetwork) model.network();
        SourceTargetObjective objective = new SourceTargetObjective(model);
        assertEquals(name.startsWith("t5gemma") ? 2 : 0, network.startToken());
        return SequenceScorer.negativeLogLikelihoods(model, rows(expected(name)).stream()
                .map(row -> objective.encode(row).get(0).whole()).toList());
    }

    private static void assertIds(JsonNode expected, List<Completion> found, String how) {
        assertEquals(Fixtures.stream(expected).map(ids -> Arrays.toString(Fixtures.ids(ids))).toList(),
                IntStream.range(0, found.size()).mapToObj(i -> Arrays.toString(found.get(i).ids())).toList(), how);
    }
}
