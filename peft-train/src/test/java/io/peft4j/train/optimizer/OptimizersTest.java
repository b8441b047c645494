package io.peft4j.train.optimizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.train.optimizer.AdamW.BlockMoments;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Updates against PyTorch, Transformers, lion-pytorch and bitsandbytes; the README of the fixtures says how. */
class OptimizersTest {
    private static final Path FIXTURES = Path.of("src", "test", "resources", "fixtures", "updates");
    private static final Map<String, Optimizer> OPTIMIZERS = Map.of("sgd", Sgd.DEFAULT,
            "sgd-plain", new Sgd(0, false), "sgd-nesterov", new Sgd(0.8, true), "lion", Lion.DEFAULT,
            "adafactor", Adafactor.DEFAULT, "adafactor-scaled", new Adafactor(-0.8, 1, true));

    private static JsonNode read(String name) throws IOException {
        return new ObjectMapper().readTree(FIXTURES.resolve(name).toFile());
    }

    private static double[] doubles(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).mapToDouble(JsonNode::asDouble).toArray();
    }

    private static float[] floats(JsonNode array) {
        return Arrays.floats(doubles(array));
    }

    @Test
    void updatesMatchTheReferences() throws IOException {
        int checked = 0;
        for (JsonNode run : read("optimizers.json").get("runs")) {
            long[] shape = StreamSupport.stream(run.get("shape").spliterator(), false).mapToLong(JsonNode::asLong)
                    .toArray();
            try (Engine engine = new Engine(new NaiveKernels());
                    Parameter parameter = new Parameter("p", Arrays.of(floats(run.get("start")), shape));
                    Updates updates = new Updates(engine, List.of(parameter),
                            OPTIMIZERS.get(run.get("optimizer").asText()), run.get("weight_decay").asDouble())) {
                for (int step = 0; step < run.get("gradients").size(); step++) {
                    float[] gradient = floats(run.get("gradients").get(step));
                    Arrays.write(parameter.gradient(), 0, gradient, 0, gradient.length);
                    updates.step(run.get("learning_rates").get(step).asDouble(), 1);
                    // Roundings of f32, 6e-8 each: of the start, the gradients (up to 300) and some operations a step.
                    assertArrayEquals(doubles(run.get("parameters").get(step)),
                            Arrays.doubles(Arrays.toFloats(parameter.value())), 4e-6,
                            run.get("optimizer") + ", " + step);
                }
            }
            checked++;
        }
        assertEquals(12, checked);
    }

    @Test
    void moreThanTheMemoryHoldsIsRefusedWithTheNumbers() {
        try (Engine engine = new Engine(new NaiveKernels());
                Parameter first = new Parameter("a", Arrays.of(new float[1000], 1000));
                Parameter second = new Parameter("b", Arrays.of(new float[1000], 1000))) {
            List<Parameter> both = List.of(first, second);
            // 4 bytes each of value, gradient and two moments.
            new Updates(engine, both, AdamW.DEFAULT, parameter -> 0, parameter -> 1, 32_000).close();
            String message = assertThrows(ConfigurationException.class, () -> new Updates(engine, both, AdamW.DEFAULT,
                    parameter -> 0, parameter -> 1, 31_999)).getMessage();
            assertTrue(message.startsWith("training 2,000 parameters takes more than 0 MB"), message);
        }
    }

    @Test
    void eightBitMomentsMatchBitsandbytes() throws IOException {
        JsonNode run = read("adamw_8bit.json");
        // A rounding of f32.
        assertArrayEquals(doubles(run.get("map_signed")), Arrays.doubles(BlockMoments.map(true)), 6e-8);
        assertArrayEquals(doubles(run.get("map_unsigned")), Arrays.doubles(BlockMoments.map(false)), 6e-8);
        float[] start = new float[5120];
        for (int i = 0; i < start.length; i++) {
            start[i] = (float) Math.sin(i);
        }
        try (Engine engine = new Engine(new NaiveKernels());
                Parameter parameter = new Parameter("p", Arrays.of(start, 16, 320));
                Updates updates = new Updates(engine, List.of(parameter), AdamW.EIGHT_BIT,
                        run.get("weight_decay").asDouble())) {
            float[] gradient = new float[start.length];
            for (int step = 0; step < run.get("steps").size(); step++) {
                for (int i = 0; i < gradient.length; i++) {
                    gradient[i] = (float) (Math.cos(1.7 * i + step) * Math.pow(10, -(i % 5)));
                }
                Arrays.write(parameter.gradient(), 0, gradient, 0, gradient.length);
                updates.step(run.get("learning_rate").asDouble(), 1);
                float[] values = Arrays.toFloats(parameter.value());
                JsonNode expected = run.get("steps").get(step);
                for (int k = 0; k < expected.get("every_61st").size(); k++) {
                    assertEquals(expected.get("every_61st").get(k).asDouble(), values[61 * k], 1e-6, step + ", " + k);
                }
                double sum = 0;
                for (float value : values) {
                    sum += value;
                }
                assertEquals(expected.get("sum").asDouble(), sum, 2e-4);
            }
            Map<String, INDArray> arrays = updates.arrays();
            assertCodes(run.get("exp_avg_every_61st"), arrays.get("0.p.exp_avg"));
            assertCodes(run.get("exp_avg_sq_every_61st"), arrays.get("0.p.exp_avg_sq"));
            assertClose(run.get("exp_avg_absmax"), arrays.get("0.p.exp_avg_absmax"));
            assertClose(run.get("exp_avg_sq_absmax"), arrays.get("0.p.exp_avg_sq_absmax"));
        }
    }

    private static void assertCodes(JsonNode expected, INDArray codes) {
        assertEquals(84, expected.size());
        for (int k = 0; k < expected.size(); k++) {
            assertEquals(expected.get(k).asInt(), codes.getInt(61 * k), "code " + 61 * k);
        }
    }

    private static void assertClose(JsonNode expected, INDArray largest) {
        assertEquals(20, expected.size());
        for (int k = 0; k < expected.size(); k++) {
            assertEquals(1, largest.getDouble(k) / expected.get(k).asDouble(), 1e-6);
        }
    }

    @Test
    void momentsInEightBitsTakeAQuarter() {
        try (Engine engine = new Engine(new NaiveKernels());
                Parameter large = new Parameter("large", Arrays.of(new float[8192], 8192));
                Parameter small = new Parameter("small", Arrays.of(new float[64], 64));
                Updates updates = new Updates(engine, List.of(large, small), AdamW.EIGHT_BIT, 0)) {
            Map<String, Long> lengths = new LinkedHashMap<>();
            updates.arrays()
                    .forEach((name, array) -> lengths.put(name, array.data().getElementSize() * array.length()));
            assertEquals(8192, lengths.get("0.large.exp_avg"));
            assertEquals(4 * 8192 / 256, lengths.get("0.large.exp_avg_sq_absmax"));
            assertEquals(4 * 64, lengths.get("1.small.exp_avg"));
        }
    }

    @Test
    void theGradientScaleComesBeforeAllElse() {
        OPTIMIZERS.forEach((name, optimizer) -> {
            try (Engine engine = new Engine(new NaiveKernels());
                    Parameter scaled = new Parameter("a", Arrays.of(new float[] {1, 2}, 1, 2));
                    Parameter halved = new Parameter("b", Arrays.of(new float[] {1, 2}, 1, 2));
                    Updates first = new Updates(engine, List.of(scaled), optimizer, 0.01);
                    Updates second = new Updates(engine, List.of(halved), optimizer, 0.01)) {
                for (float size : new float[] {1, 4, 0.5f}) {
                    Arrays.write(scaled.gradient(), 0, new float[] {size, -size}, 0, 2);
                    Arrays.write(halved.gradient(), 0, new float[] {size / 2, -size / 2}, 0, 2);
                    first.step(0.1, 0.5);
                    second.step(0.1, 1);
                    assertEquals(halved.value(), scaled.value(), name);
                }
            }
        });
    }

    @Test
    void wrongNamesAndNumbersAreReported() {
        assertEquals("unknown optimizer 'adam'; use one of [adamw, adamw-8bit, "
                + "sgd, lion, adafactor]",
                assertThrows(ConfigurationException.class,
                        () -> Optimizer.named("adam")).getMessage());
        Optimizer.all().forEach((name, optimizer) -> assertEquals(optimizer, Optimizer.named(name)));
        List<Runnable> wrong = List.of(() -> new Sgd(1, false), () -> new Sgd(0, true), () -> new Lion(-1, 0.9),
                () -> new AdamW(0.9, 0.99, 0, false), () -> new Adafactor(0.5, 1, false),
                () -> new Adafactor(-0.8, 0, false));
        wrong.forEach(each -> assertTrue(assertThrows(ConfigurationException.class, each::run).getMessage()
                .contains("must be") || each == wrong.get(1)));
    }
}
