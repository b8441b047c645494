package io.peft4j.core.peft;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.GradientCheck;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.config.CalibrationBatches;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.PeftMethod;
import io.peft4j.core.peft.method.PeftMethods;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What every method promises, for every configuration that its test gives. Runs on {@link TinyNetwork}. What concerns
 * files is in {@link PeftFilesContract}; extend that one.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class PeftMethodContract {
    /** Two sequences of different lengths, with repeated tokens. */
    protected static final List<int[]> SEQUENCES = List.of(new int[] {1, 5, 3, 5, 2, 9}, new int[] {4, 12, 8, 4});

    /** What adapters that begin from data begin from. */
    protected static final CalibrationBatches CALIBRATION = new CalibrationBatches(List.of(
            SEQUENCES.stream().map(TokenSequence::allSupervised).toList(),
            List.of(TokenSequence.allSupervised(7, 2, 11, 6, 0, 10, 3, 8, 1))));

    private final BaseLanguageModel plain = new TinyModel(new TinyNetwork(1, false, false));
    private final BaseLanguageModel biased = new TinyModel(new TinyNetwork(2, true, false));
    private final BaseLanguageModel tied = new TinyModel(new TinyNetwork(3, false, true));

    /** On which network a case runs. */
    public enum Base {
        /** No biases, an output layer of its own. */
        PLAIN,
        /** Biases in all linear layers but the output layer. */
        BIASED,
        /** The output layer is the embedding. */
        TIED
    }

    /**
     * A configuration and what is true of it.
     *
     * @param name for reports
     * @param base the network
     * @param config the configuration
     * @param identity whether the model begins as the base
     * @param mergeable whether it can be merged
     * @param parameters number of trainable parameters, from the closed formula with the sizes of {@link TinyNetwork}
     */
    public record Case(String name, Base base, PeftConfig config, boolean identity, boolean mergeable,
            long parameters) {
        @Override
        public String toString() {
            return name;
        }
    }

    /** The configurations that the contract is held to. */
    protected abstract List<Case> cases();

    /** A configuration with a dropout of 0.5, for the network without biases; empty where the method has none. */
    protected abstract Stream<PeftConfig> withDropout();

    /**
     * Whether a parameter's gradient is the derivative of the output. A method that by definition treats a part of its
     * computation as a constant says where it is not, and holds those gradients against a reference elsewhere.
     */
    protected boolean isDerivative(Parameter parameter) {
        return true;
    }

    @AfterAll
    final void closeModels() {
        plain.close();
        biased.close();
        tied.close();
    }

    final BaseLanguageModel base(Case test) {
        return test.config().modelOn(switch (test.base()) {
            case PLAIN -> plain;
            case BIASED -> biased;
            case TIED -> tied;
        });
    }

    final PeftModel model(Case test, long seed) {
        return PeftModel.of(base(test), test.config(), new SplittableRandom(seed), data(test.config()));
    }

    static void addSecond(PeftModel model, Case test, long seed) {
        model.addAdapter("second", test.config(), new SplittableRandom(seed), data(test.config()));
    }

    /** Two batches for a configuration that begins from data. */
    static Optional<CalibrationBatches> data(PeftConfig config) {
        return config.needsCalibration() ? Optional.of(CALIBRATION) : Optional.empty();
    }

    /** A model whose adapter has moved away from its beginning, as after training. */
    final PeftModel trained(Case test, long seed) {
        PeftModel model = model(test, seed);
        perturb(model.trainableParameters(), seed);
        return model;
    }

    static void perturb(List<Parameter> parameters, long seed) {
        SplittableRandom random = new SplittableRandom(seed + 1000);
        for (Parameter parameter : parameters) {
            float[] values = Arrays.toFloats(parameter.value());
            for (int i = 0; i < values.length; i++) {
                values[i] += (float) (0.1 * random.nextGaussian());
            }
            Arrays.write(parameter.value(), 0, values, 0, values.length);
        }
    }

    static float[] logits(LanguageModel model) {
        return Passes.logits(model, SEQUENCES);
    }

    static void assertDiffer(float[] a, float[] b) {
        assertFalse(java.util.Arrays.equals(a, b), "both give the same logits");
    }

    @ParameterizedTest
    @MethodSource("cases")
    void startsAsTheBaseIfPromised(Case test) {
        try (PeftModel model = model(test, 5)) {
            if (test.identity()) {
                assertArrayEquals(logits(base(test)), logits(model));
            } else {
                assertDiffer(logits(base(test)), logits(model));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void gradientsMatchCentralDifferences(Case test) {
        try (PeftModel model = trained(test, 6)) {
            float[] weights = weights();
            Passes.backward(model, SEQUENCES, weights, 0);
            for (Parameter parameter : model.trainableParameters()) {
                float[] gradient = Arrays.toFloats(parameter.gradient());
                assertTrue(norm(gradient) > 0, () -> parameter.name() + " gets no gradient");
                if (!isDerivative(parameter)) {
                    continue;
                }
                // Central differences in f32 through two decoder layers: 1e-2 of an element and of the mean size.
                GradientCheck.check(parameter.name(), parameter.value(), gradient,
                        () -> project(logits(model), weights), 1e-2);
            }
        }
    }

    private static double norm(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += (double) value * value;
        }
        return Math.sqrt(sum);
    }

    private static double project(float[] values, float[] weights) {
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            sum += (double) values[i] * weights[i];
        }
        return sum;
    }

    /** A random projection of the logits to a number. */
    static float[] weights() {
        SplittableRandom random = new SplittableRandom(9);
        int predicted = SEQUENCES.stream().mapToInt(sequence -> sequence.length - 1).sum();
        float[] weights = new float[predicted * TinyNetwork.VOCABULARY];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) random.nextGaussian() / 4;
        }
        return weights;
    }

    @ParameterizedTest
    @MethodSource("cases")
    void trainingLeavesTheBaseBitForBit(Case test) {
        List<INDArray> weights = ((TinyModel) base(test)).network().weights();
        List<float[]> before = weights.stream().map(Arrays::toFloats).toList();
        try (PeftModel model = model(test, 7)) {
            for (int step = 0; step < 3; step++) {
                Passes.backward(model, SEQUENCES, weights(), step);
                Passes.descend(model.trainableParameters(), 0.1);
            }
            assertDiffer(logits(base(test)), logits(model));
        }
        for (int i = 0; i < before.size(); i++) {
            assertArrayEquals(before.get(i), Arrays.toFloats(weights.get(i)));
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void disablingGivesTheBaseUntilTheScopeCloses(Case test) {
        try (PeftModel model = trained(test, 8)) {
            float[] adapted = logits(model);
            try (PeftModel.Scope scope = model.disable()) {
                assertArrayEquals(logits(base(test)), logits(model));
                assertEquals(List.of(), model.trainableParameters());
            }
            assertArrayEquals(adapted, logits(model));
            assertDiffer(logits(base(test)), adapted);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void twoAdaptersCanBeLoaded(Case test) {
        try (PeftModel model = trained(test, 9)) {
            float[] first = logits(model);
            addSecond(model, test, 10);
            assertArrayEquals(first, logits(model));
            model.activate("second");
            perturb(model.trainableParameters(), 10);
            float[] second = logits(model);
            assertDiffer(first, second);
            model.activate(PeftModel.DEFAULT_ADAPTER);
            assertArrayEquals(first, logits(model));
            assertArrayEquals(second, Passes.logits(model.with("second"), SEQUENCES));
            model.deleteAdapter(PeftModel.DEFAULT_ADAPTER);
            assertArrayEquals(logits(base(test)), logits(model));
            model.activate("second");
            assertArrayEquals(second, logits(model));
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void severalActiveAdaptersWorkOrAreRefused(Case test) {
        try (PeftModel model = trained(test, 11)) {
            float[] first = logits(model);
            addSecond(model, test, 12);
            boolean replaces = model.adapter("second").virtualTokens() > 0
                    || model.adapter("second").layers().stream().anyMatch(AdapterLayer::replacesBase);
            if (replaces) {
                String message = assertThrows(ConfigurationException.class,
                        () -> model.activate(PeftModel.DEFAULT_ADAPTER, "second")).getMessage();
                assertTrue(message.contains("'default' and 'second'"), message);
                assertArrayEquals(first, logits(model));
                return;
            }
            model.activate(PeftModel.DEFAULT_ADAPTER, "second");
            if (test.identity()) {
                assertArrayEquals(first, logits(model));
            }
            perturb(model.trainableParameters(), 13);
            assertDiffer(Passes.logits(model.with(PeftModel.DEFAULT_ADAPTER), SEQUENCES), logits(model));
            assertDiffer(Passes.logits(model.with("second"), SEQUENCES), logits(model));
            assertEquals(2 * test.parameters(), model.trainableParameterCount());
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void mergedEqualsUnmergedOrIsRefused(Case test) {
        List<float[]> before = ((TinyModel) base(test)).network().weights().stream().map(Arrays::toFloats).toList();
        try (PeftModel model = trained(test, 14)) {
            float[] unmerged = logits(model);
            if (!test.mergeable()) {
                String message = assertThrows(ConfigurationException.class, model::merge).getMessage();
                assertTrue(message.contains("cannot be merged"), message);
                assertArrayEquals(unmerged, logits(model));
                return;
            }
            model.merge();
            assertTrue(model.isMerged());
            assertFalse(model.mergedWeights().isEmpty());
            // One rounding of each weight to f32 against separate products: some 1e-6 of the largest logit.
            assertClose(unmerged, logits(model), 2e-5);
            assertThrows(ConfigurationException.class, model::trainableParameters);
            assertThrows(ConfigurationException.class, () -> model.activate());
            model.unmerge();
            assertArrayEquals(unmerged, logits(model));
        }
        List<INDArray> after = ((TinyModel) base(test)).network().weights();
        for (int i = 0; i < before.size(); i++) {
            assertArrayEquals(before.get(i), Arrays.toFloats(after.get(i)));
        }
    }

    static void assertClose(float[] expected, float[] actual, double tolerance) {
        double largest = 0;
        for (float value : expected) {
            largest = Math.max(largest, Math.abs(value));
        }
        assertArrayEquals(expected, actual, (float) (tolerance * largest));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void theParameterCountMatchesTheFormula(Case test) {
        try (PeftModel model = model(test, 15)) {
            assertEquals(test.parameters(), model.trainableParameterCount());
            assertEquals(test.parameters(), model.trainableParameters().stream().mapToLong(Parameter::length).sum());
            String summary = model.trainableSummary();
            assertEquals(String.format(Locale.ROOT, "trainable params: %,d || all params: %,d || trainable%%: %.4f",
                    test.parameters(), model.parameterCount(), 100.0 * test.parameters() / model.parameterCount()),
                    summary);
            long base = base(test).network().description().parameters();
            // What is stored and not trained may count, too.
            long frozen = model.adapter(PeftModel.DEFAULT_ADAPTER).tensors()
                    .filter(tensor -> !tensor.isTrainable() && !tensor.isPartOfBase())
                    .mapToLong(tensor -> tensor.parameter().length()).sum();
            assertTrue(model.parameterCount() >= base
                    && model.parameterCount() <= base + test.parameters() + frozen, summary);
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void theSameSeedGivesTheSameBits(Case test) {
        try (PeftModel one = model(test, 16); PeftModel two = model(test, 16)) {
            for (int step = 0; step < 3; step++) {
                for (PeftModel model : List.of(one, two)) {
                    Passes.backward(model, SEQUENCES, weights(), step);
                    Passes.descend(model.trainableParameters(), 0.1);
                }
            }
            assertArrayEquals(logits(one), logits(two));
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void generationUsesTheActiveAdapters(Case test) {
        List<Prompt> prompts = List.of(Prompt.tokens(3, 1, 7), Prompt.tokens(2));
        GenerationOptions options = GenerationOptions.defaults().withMaxNewTokens(3);
        try (PeftModel model = trained(test, 17)) {
            List<int[]> expected = model.with(PeftModel.DEFAULT_ADAPTER).generate(prompts, options)
                    .stream().map(completion -> completion.ids()).toList();
            List<int[]> actual = model.generate(prompts, options).stream().map(completion -> completion.ids()).toList();
            assertArrayEquals(expected.toArray(), actual.toArray());
        }
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("withDropout")
    void dropoutIsOnInTrainingOnly(PeftConfig config) {
        try (PeftModel model = PeftModel.of(plain, config, new SplittableRandom(18), data(config))) {
            perturb(model.trainableParameters(), 18);
            float[] evaluated = logits(model);
            assertArrayEquals(evaluated, logits(model));
            float[] trained = Passes.trainingLogits(model, SEQUENCES, 1);
            assertDiffer(evaluated, trained);
            assertArrayEquals(trained, Passes.trainingLogits(model, SEQUENCES, 1));
            assertDiffer(trained, Passes.trainingLogits(model, SEQUENCES, 2));
        }
    }

    @ParameterizedTest
    @MethodSource("cases")
    void theMethodIsRegistered(Case test) {
        PeftMethod method = PeftMethods.byType(test.config().peftType());
        assertEquals(method.getClass(), PeftMethods.byName(method.name()).getClass());
        assertFalse(method.description().isBlank());
        assertNotEquals("", method.paper());
    }
}
