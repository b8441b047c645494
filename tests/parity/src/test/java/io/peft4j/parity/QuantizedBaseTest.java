package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.kernel.KernelSelection;
import io.peft4j.core.kernel.Kernels.BFloat16Speed;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.safetensors.Safetensors;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.core.safetensors.SafetensorsWriter;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.core.weight.TensorStore;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.ModelOptions.Precision;
import io.peft4j.models.hub.ModelLocator;
import io.peft4j.train.Trainer;
import io.peft4j.train.TrainingPasses;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Models whose linear layers are rounded to 8 or 4 bits: what is computed with, its gradients, and training on it. */
class QuantizedBaseTest {
    private static final String MODEL = "tiny-llama";
    private static final List<TokenSequence> TEXTS = Fixtures.texts(MODEL);
    private static final LoraConfig LORA = LoraConfig.builder().rank(4).alpha(8).targetModules(TargetModules.ALL_LINEAR)
            .build();

    private static final Map<Precision, Dequantized> DEQUANTIZED = new EnumMap<>(Precision.class);
    @TempDir
    private static Path models;

    @TempDir
    private Path folder;

    private static BaseModel load(Path model, Precision precision, KernelsUnderTest kernels) {
        return BaseModel.load(ModelLocator.fromEnvironment().locate(model.toString()),
                ModelOptions.defaults().withPrecision(precision),
                kernels.provider().create(KernelSelection.defaultThreads()));
    }

    private static BaseModel naive(Path model, Precision precision) {
        return BaseModel.load(ModelLocator.fromEnvironment().locate(model.toString()),
                ModelOptions.defaults().withPrecision(precision), new NaiveKernels());
    }

    static Stream<Arguments> kernelsAndPrecisions() {
        return KernelsUnderTest.all().stream()
                .flatMap(k -> Stream.of(Precision.INT8, Precision.Q4).map(p -> Arguments.of(k, p)));
    }

    @ParameterizedTest
    @EnumSource(names = {"INT8", "Q4"})
    void onlyLinearLayersOfBlocksAreQuantized(Precision precision) {
        for (String name : List.of("tiny-llama", "tiny-llama-untied")) {
            try (BaseModel model = naive(Fixtures.FOLDER.resolve(name), precision)) {
                assertEquals(precision, model.precision().precision());
                int quantized = 0;
                for (Slot slot : model.network().slots()) {
                    if (slot.layer() instanceof Linear linear) {
                        assertEquals(slot != model.network().causal().head(), linear.weight().isQuantized(),
                                slot.path());
                        quantized += linear.weight().isQuantized() ? 1 : 0;
                    }
                }
                assertEquals(3 * 7, quantized);
                assertInstanceOf(DenseWeight.class, ((Embedding) model.network().embedding().layer()).table());
            }
        }
    }

    /** A model of the values that quantized weights stand for, in f32, and what the naive kernels make of it. */
    private record Dequantized(Path model, float[] gradients, double[] nll) {
    }

    /** Made once for all kernels. */
    private static Dequantized dequantized(Precision precision) throws IOException {
        if (!DEQUANTIZED.containsKey(precision)) {
            Path copy = copy(precision);
            try (BaseModel model = naive(copy, Precision.F32)) {
                DEQUANTIZED.put(precision, new Dequantized(copy, gradients(model), Measure.oneByOne(model, TEXTS)));
            }
        }
        return DEQUANTIZED.get(precision);
    }

    private static Path copy(Precision precision) throws IOException {
        Path source = Fixtures.FOLDER.resolve(MODEL);
        Path copy = Files.createDirectories(models.resolve(precision.name()));
        for (String file : List.of("config.json", "generation_config.json", "tokenizer.json",
                "tokenizer_config.json")) {
            Files.copy(source.resolve(file), copy.resolve(file));
        }
        Map<String, TensorData> tensors = new LinkedHashMap<>();
        try (TensorStore store = Safetensors.open(source); BaseModel model = naive(source, precision)) {
            for (String name : store.names()) {
                tensors.put(name, TensorData.f32(store.shape(name), store.readFloats(name)));
            }
            for (Slot slot : model.network().slots()) {
                if (slot.layer() instanceof Linear linear && linear.weight().isQuantized()) {
                    tensors.put(slot.path() + ".weight", data(linear.weight()));
                }
            }
        }
        SafetensorsWriter.write(copy.resolve("model.safetensors"), tensors);
        return copy;
    }

    private static TensorData data(FrozenWeight weight) {
        float[] values = new float[weight.rows() * weight.columns()];
        for (int i = 0; i < weight.rows(); i++) {
            weight.readRow(i, values, i * weight.columns());
        }
        return TensorData.f32(new long[] {weight.rows(), weight.columns()}, values);
    }

    private static PeftModel adapted(BaseModel base) {
        PeftModel model = PeftModel.of(base, LORA, new Random(3));
        // B begins at zero, and the gradient of A would be zero with it.
        Random random = new Random(4);
        for (Parameter parameter : model.trainableParameters()) {
            float[] values = Arrays.toFloats(parameter.value());
            for (int i = 0; i < values.length; i++) {
                values[i] += (float) (0.05 * random.nextGaussian());
            }
            Arrays.write(parameter.value(), 0, values, 0, values.length);
        }
        return model;
    }

    private static float[] gradients(BaseModel base) {
        try (PeftModel model = adapted(base); TrainingPasses passes = TrainingPasses.of(model)) {
            PackedBatch batch = PackedBatch.of(TEXTS);
            passes.training(batch, 1, pass -> pass.backward(batch.targets().count()));
            int length = (int) model.trainableParameterCount();
            float[] all = new float[length];
            int at = 0;
            for (Parameter parameter : model.trainableParameters()) {
                float[] one = Arrays.toFloats(parameter.gradient());
                System.arraycopy(one, 0, all, at, one.length);
                at += one.length;
            }
            return all;
        }
    }

    /** Size of the difference relative to the size of what is expected. */
    private static double distance(float[] expected, float[] actual) {
        double difference = 0;
        double size = 0;
        for (int i = 0; i < expected.length; i++) {
            difference += Math.pow((double) actual[i] - expected[i], 2);
            size += (double) expected[i] * expected[i];
        }
        return Math.sqrt(difference / size);
    }

    /**
     * Likelihoods and gradients are those of the dequantized weights: to float32's rounding where activations are f32;
     * where they are bfloat16, as near as a model with the same weights in bfloat16 comes.
     */
    @ParameterizedTest
    @MethodSource("kernelsAndPrecisions")
    void resultsEqualThoseOfTheDequantizedWeights(KernelsUnderTest kernels, Precision precision) throws IOException {
        Dequantized expected = dequantized(precision);
        try (BaseModel actual = load(Fixtures.FOLDER.resolve(MODEL), precision, kernels)) {
            boolean narrow = actual.engine().bfloat16Speed() != BFloat16Speed.SLOWER;
            double[] nll = Measure.oneByOne(actual, TEXTS);
            for (int i = 0; i < nll.length; i++) {
                assertEquals(expected.nll()[i], nll[i], (narrow ? 4e-3 : Measure.NLL) * expected.nll()[i],
                        "text " + i);
            }
            // Rounding differs from product to product, so that the one distance is not exactly the other.
            double tolerance = narrow
                    ? 1.5 * distance(expected.gradients(), narrowGradients(expected.model(), kernels)) : 1e-5;
            double off = distance(expected.gradients(), gradients(actual));
            assertTrue(off < tolerance, "gradients are off by " + off + ", bound " + tolerance);
        }
    }

    private static float[] narrowGradients(Path model, KernelsUnderTest kernels) {
        try (BaseModel narrow = load(model, Precision.BF16, kernels)) {
            return gradients(narrow);
        }
    }

    /** Half a step of 8 bits is 0.4 percent of a row's largest value, of 4 bits some 7 percent of a block's values. */
    @ParameterizedTest
    @EnumSource(names = {"INT8", "Q4"})
    void likelihoodsStayNearThoseOfTheFullWeights(Precision precision) {
        BaseModel full = KernelsUnderTest.sharedNaive(MODEL);
        try (BaseModel rounded = naive(Fixtures.FOLDER.resolve(MODEL), precision)) {
            double[] expected = Measure.oneByOne(full, TEXTS);
            double[] actual = Measure.oneByOne(rounded, TEXTS);
            double bound = precision == Precision.INT8 ? 5e-3 : 3e-2;
            for (int i = 0; i < expected.length; i++) {
                assertEquals(expected[i], actual[i], bound * expected[i], "text " + i);
            }
            assertTrue(Math.abs(expected[0] - actual[0]) > 0, "nothing was rounded");
        }
    }

    @ParameterizedTest
    @MethodSource("kernelsAndPrecisions")
    void trainingLowersTheLossAndLeavesTheBaseAsItWas(KernelsUnderTest kernels, Precision precision)
            throws IOException {
        Path output = folder.resolve("adapter");
        try (BaseModel base = load(Fixtures.FOLDER.resolve(MODEL), precision, kernels);
                PeftModel model = base.withAdapter(LORA)) {
            double[] before = Measure.together(base, TEXTS);
            double untrained = sum(Measure.together(model, TEXTS));
            assertEquals(sum(before), untrained, 0);
            Trainer.builder(model).learningRate(0.01).batchSize(2).epochs(8).seed(5).output(output).build()
                    .train(TEXTS);
            double trained = sum(Measure.together(model, TEXTS));
            assertTrue(trained < 0.9 * untrained, trained + " after " + untrained);
            assertArrayEquals(before, Measure.together(base, TEXTS));
        }
        // The file is the one that a full base gives: the same names and shapes, 32-bit floats.
        Path full = folder.resolve("full");
        BaseModel base = kernels.shared(MODEL);
        try (PeftModel model = base.withAdapter(LORA)) {
            model.saveAdapter(full);
            assertEquals(shapes(full), shapes(output));
            model.loadAdapter("trained", output);
            model.activate("trained");
            assertTrue(sum(Measure.together(model, TEXTS)) < 0.92 * sum(Measure.together(base, TEXTS)));
        }
    }

    private static double sum(double[] values) {
        return java.util.Arrays.stream(values).sum();
    }

    private static Set<String> shapes(Path adapter) {
        try (SafetensorsFile file = SafetensorsFile.open(adapter.resolve(AdapterCheckpoint.WEIGHTS_FILE))) {
            return file.names().stream()
                    .map(n -> n + " " + file.blockType(n) + java.util.Arrays.toString(file.shape(n)))
                    .collect(Collectors.toSet());
        }
    }

    /** The merged weight is the dequantized one plus the update, in f32: nothing is rounded again. */
    @Test
    void mergingDequantizes() {
        for (Precision precision : new Precision[] {Precision.INT8, Precision.Q4}) {
            try (BaseModel base = naive(Fixtures.FOLDER.resolve(MODEL), precision); PeftModel model = adapted(base)) {
                double[] apart = Measure.oneByOne(model, TEXTS);
                model.merge();
                Measure.assertClose(apart, Measure.oneByOne(model, TEXTS), "merged");
                model.unmerge();
                assertArrayEquals(apart, Measure.oneByOne(model, TEXTS));
            }
        }
    }
}
