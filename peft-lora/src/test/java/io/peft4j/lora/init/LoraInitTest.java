package io.peft4j.lora.init;

import static io.peft4j.core.peft.TinyNetwork.LAYERS;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.Passes;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.config.CalibrationBatches;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.lora.LoraConfig;
import io.peft4j.lora.LoraConfigBuilder;
import io.peft4j.lora.init.LoftQ.RoundedWeights;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Beginnings that are computed from the base weight. */
class LoraInitTest {
    private static final List<int[]> SEQUENCES = List.of(new int[] {1, 5, 3, 5, 2, 9}, new int[] {4, 12, 8, 4});

    static Stream<LoraConfig> configs() {
        LoraConfigBuilder pissa = LoraInitContractTest.lora(LoraInit.PISSA, 3, "q_proj", "down_proj", "up_proj");
        return Stream.of(pissa.build(), pissa.rsLora(true).alpha(5).rankPattern(Map.of("q_proj", 2))
                .alphaPattern(Map.of("up_proj", 7.0)).build(),
                LoraInitContractTest.lora(LoraInit.OLORA, 4,
                        "q_proj", "v_proj").build(),
                LoraInitContractTest.lora(LoraInitContractTest.corda(Corda.Mode.KPM), 2, "q_proj", "up_proj")
                        .rankPattern(Map.of("q_proj", 3)).build(),
                LoraInitContractTest.lora(LoraGa.builder().build(), 3, "o_proj", "down_proj")
                        .alpha(7).build(),
                LoraInitContractTest.lora(LoraInit.ORTHOGONAL, 2, "q_proj").build());
    }

    private static TinyModel base() {
        return new TinyModel(new TinyNetwork(4, true, false));
    }

    private static final CalibrationBatches DATA = new CalibrationBatches(List.of(
            SEQUENCES.stream().map(TokenSequence::allSupervised).toList()));

    private static PeftModel model(TinyModel base, LoraConfig config) {
        return PeftModel.of(base, config, new SplittableRandom(3), Optional.of(DATA));
    }

    private static float[] logits(PeftModel model) {
        return Passes.logits(model, SEQUENCES);
    }

    @ParameterizedTest
    @MethodSource("configs")
    void theModelBeginsAsTheBaseUpToRounding(LoraConfig config) {
        try (TinyModel base = base(); PeftModel model = model(base, config)) {
            // What is taken out and what is put in are the same numbers with opposite signs.
            assertArrayEquals(Passes.logits(base, SEQUENCES), logits(model), 1e-5f);
        }
    }

    /** The file holds plain LoRA that computes the same, to the last bit. */
    @ParameterizedTest
    @MethodSource("configs")
    void theFileIsPlainLora(LoraConfig config, @TempDir Path folder) {
        try (TinyModel base = base(); PeftModel model = model(base, config)) {
            for (int step = 0; step < 3; step++) {
                float[] weights = new float[logits(model).length];
                java.util.Arrays.fill(weights, step % 2 == 0 ? 0.1f : -0.05f);
                weights[step] = 1;
                Passes.backward(model, SEQUENCES, weights, step);
                Passes.descend(model.trainableParameters(), 0.1);
            }
            model.saveAdapter(folder);
            try (PeftModel loaded = PeftModel.load(base, folder)) {
                LoraConfig stored = (LoraConfig) loaded.adapter(PeftModel.DEFAULT_ADAPTER).config();
                boolean plain = config.initialization().equals(LoraInit.ORTHOGONAL);
                assertEquals(plain ? LoraInit.ORTHOGONAL : LoraInit.KAIMING, stored.initialization());
                assertEquals(plain ? config.rank() : 2 * config.rank(), stored.rank());
                assertArrayEquals(logits(model), logits(loaded));
            }
        }
    }

    private static LoraTarget target(TinyModel base, int rank, double scaling) {
        return new LoraTarget(base.network().slots().stream().filter(slot -> slot.path().endsWith("up_proj"))
                .findFirst().orElseThrow(), rank, rank, scaling, Optional.empty());
    }

    private static FrozenWeight weight(TinyModel base) {
        return target(base, 1, 1).linear().weight();
    }

    /** W v = sigma u for each pair, with sigma = s |a|^2. */
    @Test
    void pissaTakesSingularVectors() {
        try (TinyModel base = base()) {
            FrozenWeight w = weight(base);
            LoraStart start = new Pissa(OptionalInt.empty()).start(target(base, 3, 2));
            double[] values = Decompositions.values(w);
            double last = Double.MAX_VALUE;
            for (int k = 0; k < 3; k++) {
                double square = 0;
                for (int j = 0; j < w.columns(); j++) {
                    square += Math.pow(start.a()[k * w.columns() + j], 2);
                }
                double sigma = 2 * square;
                assertTrue(sigma <= last, "the largest first");
                last = sigma;
                for (int i = 0; i < w.rows(); i++) {
                    double sum = 0;
                    for (int j = 0; j < w.columns(); j++) {
                        sum += values[i * w.columns() + j] * start.a()[k * w.columns() + j];
                    }
                    // a and b are rounded to f32.
                    assertEquals(sigma * start.b()[i * 3 + k], sum, 1e-5);
                }
            }
        }
    }

    @Test
    void oloraTakesAnOrthonormalBasis() {
        try (TinyModel base = base()) {
            FrozenWeight w = weight(base);
            LoraStart start = new Olora().start(target(base, 4, 1));
            double[] values = Decompositions.values(w);
            for (int k = 0; k < 4; k++) {
                for (int l = 0; l < 4; l++) {
                    double dot = 0;
                    for (int i = 0; i < w.rows(); i++) {
                        dot += (double) start.b()[i * 4 + k] * start.b()[i * 4 + l];
                    }
                    assertEquals(k == l ? 1 : 0, dot, 1e-6);
                }
                for (int i = 0; i < w.rows(); i++) {
                    double sum = 0;
                    for (int l = 0; l < 4; l++) {
                        sum += (double) start.b()[i * 4 + l] * start.a()[l * w.columns() + k];
                    }
                    // The first r columns of W are all of them.
                    assertEquals(values[i * w.columns() + k], sum, 1e-6);
                }
            }
        }
    }

    private static void assertRefused(LoraConfig config, Optional<CalibrationBatches> data, String part) {
        try (TinyModel base = base()) {
            String message = assertThrows(ConfigurationException.class,
                    () -> PeftModel.of(base, config, new SplittableRandom(1), data)).getMessage();
            assertTrue(message.contains(part), message);
        }
    }

    @Test
    void dataDrivenInitializationNeedsData() {
        for (LoraInit start : List.of(Eva.builder().build(),
                LoraInitContractTest.corda(Corda.Mode.IPM), LoraGa.builder().build())) {
            LoraConfig config = LoraInitContractTest.lora(start, 2, "q_proj").build();
            assertTrue(config.needsCalibration());
            assertRefused(config, Optional.empty(),
                    "init_lora_weights " + start.json() + " initializes adapters from data");
        }
        assertFalse(LoraConfig.builder().build().needsCalibration());
        assertThrows(ConfigurationException.class, () -> new CalibrationBatches(List.of()));
        assertThrows(ConfigurationException.class, () -> new CalibrationBatches(List.of(List.of())));
    }

    @Test
    void dataOfTooLowRankIsRefused() {
        LoraInit eva = Eva.builder().build();
        assertRefused(LoraInitContractTest.lora(eva, 6, "q_proj").build(), Optional.of(DATA), "12 directions");
        assertRefused(LoraInitContractTest.lora(eva, 3, "q_proj").build(), Optional.of(new CalibrationBatches(List.of(
                List.of(TokenSequence.allSupervised(1, 2, 3))))), "no batch has the 6 supervised tokens");
        assertRefused(LoraInitContractTest.lora(LoraGa.builder().build(), 5, "q_proj").build(),
                Optional.of(DATA), "twice the rank (5)");
        assertRefused(LoraInitContractTest.lora(LoraInitContractTest.corda(Corda.Mode.IPM), 9, "q_proj")
                .build(), Optional.of(DATA), "cannot reach rank 9");
    }

    /** What took long is read again: without data, and with the same result to f32's rounding of the file. */
    @Test
    void cordaReadsItsCache(@TempDir Path folder) {
        Corda files = Corda.builder()
                .covarianceFile(Optional.of(folder.resolve("covariance.safetensors").toString()))
                .cacheFile(Optional.of(folder.resolve("cache.safetensors").toString())).build();
        Corda covariance = Corda.builder().covarianceFile(files.covarianceFile()).build();
        try (TinyModel base = base(); PeftModel first = model(base, corda(files, 3))) {
            for (Corda stored : List.of(files, covariance)) {
                try (PeftModel again = PeftModel.of(base, corda(stored, 3), new SplittableRandom(4))) {
                    for (int i = 0; i < first.trainableParameters().size(); i++) {
                        assertArrayEquals(Arrays.toFloats(first.trainableParameters().get(i).value()),
                                Arrays.toFloats(again.trainableParameters().get(i).value()), 1e-4f);
                    }
                }
            }
        }
        assertRefused(corda(files, 2), Optional.empty(), "has no tensor");
    }

    private static LoraConfig corda(Corda corda, int rank) {
        return LoraInitContractTest.lora(corda, rank, "q_proj", "down_proj").build();
    }

    /** Two of four layers with the same input get what one of them finds, and no more than the sum of all ranks. */
    @Test
    void evaDistributesTheRanks() {
        LoraConfig config = LoraInitContractTest.lora(Eva.builder().build(), 2, "q_proj", "k_proj",
                "down_proj").alpha(4).build();
        try (TinyModel base = base(); PeftModel model = model(base, config)) {
            LoraConfig given = (LoraConfig) model.adapter(PeftModel.DEFAULT_ADAPTER).config();
            int sum = 0;
            for (AdapterLayer layer : model.adapter(PeftModel.DEFAULT_ADAPTER).layers()) {
                int rank = Math.toIntExact(layer.tensors().get(0).fileShape()[0]);
                String path = layer.slot().path();
                assertEquals(rank, given.rankPattern().getOrDefault(path, 2));
                assertEquals(2.0 * rank, given.alphaPattern().getOrDefault(path, 4.0));
                sum += rank;
            }
            assertEquals(LAYERS * 3 * 2, sum);
        }
    }

    /** With its beginning the model is nearer to the base than with the quantized weights alone. */
    @Test
    void loftqReducesTheQuantizationError() {
        try (TinyModel base = base()) {
            float[] exact = Passes.logits(base, SEQUENCES);
            for (int iterations = 1; iterations <= 2; iterations++) {
                LoraConfig config = LoraInitContractTest.lora(new LoftQ(4, iterations), 3,
                        "q_proj", "down_proj", "up_proj").build();
                assertFalse(config.needsCalibration());
                try (PeftModel model = PeftModel.of(base, config)) {
                    double distance = distance(exact, logits(model));
                    assertTrue(distance > 0);
                    model.trainableParameters().forEach(parameter -> Arrays.clear(parameter.value()));
                    assertTrue(distance < distance(exact, logits(model)) / 1.5);
                }
            }
        }
    }

    private static double distance(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (a[i] - b[i]) * (double) (a[i] - b[i]);
        }
        return Math.sqrt(sum);
    }

    /** The quantiles themselves stay. */
    @Test
    void roundedWeightsAreRoundedOnce() {
        double[] values = new SplittableRandom(5).doubles(200, -2, 2).toArray();
        double[] once = toDoubles(RoundedWeights.nf4(values));
        assertArrayEquals(once, toDoubles(RoundedWeights.nf4(once)));
        // The widest gap between quantiles is 0.304.
        assertArrayEquals(values, once, 0.153 * 2);
    }

    /** Rows have scales of their own; half precision and half a step of 127 are lost. */
    @Test
    void roundedRowsStayWithinHalfAStep() {
        double[] small = new SplittableRandom(6).doubles(100, -1e-2, 1e-2).toArray();
        double[] large = new SplittableRandom(7).doubles(100, -5, 5).toArray();
        double[] zeros = new double[100];
        double[] rounded = toDoubles(RoundedWeights.int8(
                Stream.of(small, large, zeros).flatMapToDouble(DoubleStream::of).toArray(), 100));
        for (int i = 0; i < 100; i++) {
            assertEquals(small[i], rounded[i], 1e-2 * (0.5 / 127 + 1e-3));
            assertEquals(large[i], rounded[100 + i], 5 * (0.5 / 127 + 1e-3));
            assertEquals(0, rounded[200 + i]);
        }
    }

    private static double[] toDoubles(float[] values) {
        double[] result = new double[values.length];
        for (int i = 0; i < result.length; i++) {
            result[i] = values[i];
        }
        return result;
    }

    @Test
    void impossibleInitializationsAreRefused() {
        try (TinyModel base = base()) {
            for (LoraConfig config : List.of(
                    LoraInitContractTest.lora(LoraInit.PISSA, 9, "q_proj").build(),
                    LoraInitContractTest.lora(LoraInit.OLORA, 2, "embed_tokens").build(),
                    LoraInitContractTest.lora(LoraInit.ORTHOGONAL, 3, "q_proj").build())) {
                String message = assertThrows(ConfigurationException.class, () -> PeftModel.of(base, config))
                        .getMessage();
                assertTrue(message.contains("init_lora_weights"), message);
            }
            assertThrows(ConfigurationException.class,
                    () -> LoraInitContractTest.lora(LoraInit.PISSA, 2, "q_proj").dora(true).build());
            assertThrows(ConfigurationException.class, () -> LoraInitContractTest.lora(
                    LoraInitContractTest.corda(Corda.Mode.IPM), 2, "q_proj").dora(true).build());
        }
    }
}
