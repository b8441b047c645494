package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.nn.WeightedLayer;
import io.peft4j.core.peft.MergeCheck;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.safetensors.Safetensors;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.weight.TensorStore;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.architecture.Architectures;
import io.peft4j.models.architecture.ConfigKeys;
import io.peft4j.models.export.ModelExport;
import io.peft4j.models.generation.AnswerRequest;
import io.peft4j.models.generation.AnswerService;
import io.peft4j.models.generation.AnswerServiceOptions;
import io.peft4j.models.generation.PendingAnswer;
import io.peft4j.models.generation.TextGenerator;
import io.peft4j.train.LearningRateSchedule;
import io.peft4j.train.StepMetrics;
import io.peft4j.train.Trainer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.AfterParameterizedClassInvocation;
import org.junit.jupiter.params.BeforeParameterizedClassInvocation;
import org.junit.jupiter.params.Parameter;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every family of decoders has to do, on tiny models of the fixtures: numbers of Hugging Face, generation with a
 * cache over texts that are longer than windows, training, merging, saving. A model made by {@code make_families.py} is
 * found without another line here. Adapters are left in {@code target/saved-families}, for
 * {@code check_saved_families.py}.
 */
@ParameterizedClass
@MethodSource("io.peft4j.parity.Fixtures#oneOfEachFamily")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FamiliesTest {
    private static final Path SAVED = Path.of("target", "saved-families");
    private static final List<String> TOKENIZER = List.of("tokenizer.json", "tokenizer_config.json");
    /** Relative, for losses: what the project promises. The reference's float32 stays within 3e-5 of its float64. */
    private static final double TRAINING = 1e-4;

    private static final double NARROW = 0.03;
    /** Tokens of an answer. */
    private static final int NEW = 8;

    @Parameter
    String name;
    private Path modelFolder;
    private JsonNode expected;
    private BaseModel base;
    private List<TokenSequence> texts;

    static List<String> families() {
        return Fixtures.folders("families");
    }

    /** Once for all tests of a family, none of which changes the base. */
    @BeforeParameterizedClassInvocation(injectArguments = false)
    void load(@TempDir Path folder) throws IOException {
        modelFolder = withTokenizer(fixture(), folder.resolve("model"));
        expected = Fixtures.json(fixture().resolve("expected.json"));
        base = BaseModel.load(modelFolder.toString(),
                ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32));
        texts = Fixtures.stream(expected.get("texts")).map(ids -> TokenSequence.allSupervised(Fixtures.ids(ids)))
                .toList();
    }

    @AfterParameterizedClassInvocation
    void close() {
        base.close();
    }

    private Path fixture() {
        return Fixtures.FOLDER.resolve("families").resolve(name);
    }

    /** The model's files and those of the tokenizer that all share. */
    static Path withTokenizer(Path fixture, Path target) throws IOException {
        Files.createDirectories(target);
        for (String file : List.of("config.json", "model.safetensors")) {
            Files.copy(fixture.resolve(file), target.resolve(file));
        }
        for (String file : TOKENIZER) {
            Files.copy(Fixtures.FOLDER.resolve("tiny-llama").resolve(file), target.resolve(file));
        }
        return target;
    }

    @Test
    void likelihoodsAndLogitsEqualHuggingFace() {
        assertEquals(Set.of(), ConfigKeys.unknown(base.config()), "keys that nobody reads");
        assertEquals(expected.get("parameters").asLong(), base.network().description().parameters());
        double[] nll = Fixtures.doubles(expected.get("nll_f64"));
        Measure.assertClose(nll, Measure.oneByOne(base, texts), name);
        assertEquals(expected.path("depends_on_length").asBoolean(), base.network().dependsOnLength());
        Measure.assertClose(nll, Measure.together(base, PackedBatch.of(texts)), name + " in one batch");
        if (!base.network().dependsOnLength()) {
            Measure.assertClose(nll, Measure.together(base, PackedBatch.sharingPrefixes(texts)), name + " shared");
        }
        for (JsonNode row : expected.get("logits")) {
            float[] actual = Measure.logits(base, texts.get(row.get("text").asInt()).ids(),
                    row.get("position").asInt());
            double[] values = Fixtures.doubles(row.get("values"));
            for (int i = 0; i < values.length; i++) {
                // Several orders of the same sums differ by a few times what Hugging Face's own float32 is off.
                assertEquals(values[i], actual[i], 8 * row.get("f32_error").asDouble(), name + ", logit " + i);
            }
        }
    }

    @Test
    void cachedGenerationEqualsUncached() {
        for (JsonNode row : expected.get("greedy")) {
            int[] prompt = Fixtures.ids(row.get("input_ids"));
            int[] wanted = Fixtures.ids(row.get("new_tokens"));
            double[] gaps = Fixtures.doubles(row.get("gaps"));
            int[] found = greedy(prompt, wanted.length);
            for (int i = 0; i < wanted.length; i++) {
                // Two logits nearer than float32 can move them may change places, and what follows with them.
                if (wanted[i] != found[i] && gaps[i] < 2e-4) {
                    break;
                }
                assertEquals(wanted[i], found[i], name + ", token " + i + " after " + prompt.length);
            }
        }
    }

    private int[] greedy(int[] prompt, int count) {
        try (ModelLease lease = base.lease()) {
            List<Completion> answers = new TextGenerator(base.tokenizer(), base.chatTemplate(), Set.of()).generate(
                    lease, List.of(Prompt.tokens(prompt)), GenerationOptions.defaults().withMaxNewTokens(count));
            return answers.get(0).ids();
        }
    }

    /** Scores, answers in one batch, and answers of a service that reads prompts in pieces, beside each other. */
    @Test
    void aRowsResultDoesNotDependOnItsNeighbours() {
        int longest = Math.min(120, base.network().description().maxPositions()) - NEW;
        List<int[]> rows = IntStream.of(1, longest, 2, 17, longest / 2, 33, 5).mapToObj(length -> IntStream
                .range(0, length).map(i -> i < 3 ? 5 + i : 3 + (length * 31 + i * 17) % 300).toArray()).toList();
        List<TokenSequence> sequences = rows.stream().filter(row -> row.length > 1).map(TokenSequence::allSupervised)
                .toList();
        Measure.assertClose(Measure.oneByOne(base, sequences), Measure.together(base, base.network().pack(sequences)),
                name + ", lengths apart");
        GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(NEW).withLogProbabilities(1);
        List<Prompt> prompts = rows.stream().map(Prompt::tokens).toList();
        try (PeftModel model = new PeftModel(base)) {
            List<Completion> alone = prompts.stream().map(prompt -> model.generate(List.of(prompt), options).get(0))
                    .toList();
            assertAnswers(alone, model.generate(prompts, options), "in one batch");
            try (AnswerService service = AnswerService.open(model, AnswerServiceOptions.defaults().withRows(4)
                    .withPromptChunk(7))) {
                List<PendingAnswer> pending = prompts.stream().map(prompt -> service.submit(AnswerRequest.of(prompt)
                        .withOptions(options))).toList();
                assertAnswers(alone, pending.stream().map(answer -> answer.completions().join().get(0)).toList(),
                        "of a service");
            }
        }
    }

    /** Up to where two tokens are as likely as each other but for rounding, which kernels make by the batch's size. */
    private void assertAnswers(List<Completion> expected, List<Completion> actual, String what) {
        for (int i = 0; i < expected.size(); i++) {
            int[] ids = expected.get(i).ids();
            for (int j = 0; j < ids.length; j++) {
                double wanted = expected.get(i).probabilities().get(j).logProbability();
                String place = name + " " + what + ", row " + i + ", token " + j;
                assertTrue(j < actual.get(i).ids().length, place);
                assertEquals(wanted, actual.get(i).probabilities().get(j).logProbability(), 1e-4, place);
                if (ids[j] != actual.get(i).ids()[j]) {
                    break;
                }
            }
        }
    }

    @Test
    void anAdapterOfHuggingFaceGivesItsNumbersMergedOrNot(@TempDir Path folder) throws IOException {
        double[] nll = Fixtures.doubles(expected.get("adapter_nll_f64"));
        Path saved = SAVED.resolve(name);
        try (PeftModel model = PeftModel.load(base, fixture().resolve("adapter"))) {
            Measure.assertClose(nll, Measure.oneByOne(model, texts), name + " adapted");
            model.merge(MergeCheck.defaults());
            Measure.assertClose(nll, Measure.together(model, texts), name + " merged");
            model.unmerge();
            Measure.assertClose(nll, Measure.together(model, texts), name + " again");
            ModelExport.of(model).toFolder(folder.resolve("merged"));
            model.saveAdapter(saved);
        }
        assertSameTensors(fixture().resolve("adapter/adapter_model.safetensors"),
                saved.resolve("adapter_model.safetensors"));
        try (BaseModel merged = BaseModel.load(folder.resolve("merged").toString(), ModelOptions.defaults()
                .withPrecision(ModelOptions.Precision.F32));
                TensorStore before = Safetensors.open(fixture());
                TensorStore after = Safetensors.open(folder.resolve("merged"))) {
            Measure.assertClose(nll, Measure.together(merged, texts), name + " exported");
            assertEquals(before.names(), after.names());
            before.names().forEach(tensor -> assertArrayEquals(before.shape(tensor), after.shape(tensor), tensor));
        }
    }

    private static void assertSameTensors(Path theirs, Path ours) {
        try (SafetensorsFile expected = SafetensorsFile.open(theirs);
                SafetensorsFile actual = SafetensorsFile.open(ours)) {
            assertEquals(expected.names(), actual.names());
            expected.names().forEach(key -> assertArrayEquals(expected.readFloats(key), actual.readFloats(key), key));
        }
    }

    @Test
    void twelveStepsGiveTheLossesOfPyTorch() {
        JsonNode run = expected.get("training");
        List<TokenSequence> examples = new ArrayList<>();
        run.get("batches").forEach(batch -> batch.forEach(number -> examples.add(texts.get(number.asInt()))));
        try (PeftModel model = PeftModel.load(base, fixture().resolve("adapter"))) {
            List<StepMetrics> steps = Trainer.builder(model).epochs(1).shuffle(false)
                    .batchSize(run.get("batches").get(0).size()).learningRate(run.get("learning_rate").asDouble())
                    .schedule(LearningRateSchedule.named(run.get("schedule").asText())).warmupSteps(0)
                    .weightDecay(run.get("weight_decay").asDouble()).maxGradNorm(run.get("max_grad_norm").asDouble())
                    .build().train(examples).steps();
            double[] losses = Fixtures.doubles(run.get("losses_f64"));
            assertEquals(losses.length, steps.size());
            for (int i = 0; i < losses.length; i++) {
                assertEquals(losses[i], steps.get(i).trainLoss(), TRAINING * losses[i], name + ", loss of step " + i);
            }
            double[] after = Fixtures.doubles(expected.get("trained_nll_f64"));
            double[] trained = Measure.together(model, texts);
            for (int i = 0; i < after.length; i++) {
                assertEquals(after[i], trained[i], TRAINING * after[i], name + ", text " + i + " after the training");
            }
        }
    }

    /** bfloat16 keeps 8 bits of a value, a byte with a scale for each row as many of the largest. */
    @ParameterizedTest
    @EnumSource(names = {"BF16", "INT8"})
    @Tag("full")
    void narrowWeightsSayAboutTheSame(ModelOptions.Precision precision) {
        double[] nll = Fixtures.doubles(expected.get("nll_f64"));
        try (BaseModel narrow = BaseModel.load(modelFolder.toString(),
                ModelOptions.defaults().withPrecision(precision))) {
            double[] actual = Measure.together(narrow, texts);
            for (int i = 0; i < nll.length; i++) {
                assertEquals(nll[i], actual[i], NARROW * nll[i], name + ", text " + i);
            }
        }
    }

    @Test
    void layersAreNamedBeforeThereIsAModel() {
        Set<String> names = new TreeSet<>();
        base.network().slots().stream().filter(slot -> slot.layer() instanceof WeightedLayer layer
                && layer.matrix().isPresent()).forEach(slot -> names.add(slot.name()));
        List<String> known = Architectures.of(base.config()).layerNames();
        // A model need not have all: those of a family with experts may have no other feed-forward network.
        assertTrue(known.containsAll(names), names + " are not all of " + known);
        assertTrue(names.containsAll(base.defaultTargetModules()));
    }
}
