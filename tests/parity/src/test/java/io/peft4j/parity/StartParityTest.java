package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.CalibrationBatches;
import io.peft4j.core.peft.file.AdapterCheckpoint;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.safetensors.SafetensorsFile;
import io.peft4j.models.BaseModel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * LoRA that begins from data or from a quantized base, against what Hugging Face PEFT computes from the same. A
 * singular vector may come out with either sign, so rows of A and columns of B are compared up to it; where both belong
 * to one singular value, the product is compared, too, which knows no sign.
 */
class StartParityTest {
    /** Of the largest value of a tensor. PEFT sums covariances and gradients in f32, and decomposes what it gets. */
    private static final double TOLERANCE = 2e-4;

    static Stream<String> starts() {
        return Fixtures.starts().stream();
    }

    @ParameterizedTest
    @MethodSource("starts")
    void aNewAdapterBeginsAsInPeft(String name) {
        Path folder = Fixtures.FOLDER.resolve("starts").resolve(name);
        JsonNode expected = Fixtures.json(folder.resolve("expected.json"));
        String model = expected.get("model").asText();
        List<TokenSequence> examples = Fixtures.examples();
        CalibrationBatches data = CalibrationBatches.of(examples, expected.get("batch_size").asInt(), examples.size());
        BaseModel base = KernelsUnderTest.sharedNaive(model);
        try (PeftModel begun = PeftModel.of(base, AdapterCheckpoint.readConfig(folder), new SplittableRandom(0),
                Optional.of(data));
                SafetensorsFile theirs = SafetensorsFile.open(folder.resolve("start.safetensors"))) {
            assertEquals(expected.get("trainable_parameters").asLong(), begun.trainableParameterCount());
            List<AdapterLayer> layers = begun.adapter(PeftModel.DEFAULT_ADAPTER).layers();
            assertEquals(expected.get("modules").size(), layers.size());
            for (AdapterLayer layer : layers) {
                JsonNode module = expected.get("modules").get(layer.slot().path());
                AdapterTensor a = layer.tensors().get(0);
                AdapterTensor b = layer.tensors().get(1);
                assertEquals(module.get("r").asInt(), a.fileShape()[0], layer.slot().path());
                compare(name, layer, theirs.readFloats(AdapterSetup.key(layer.slot(), a.name())),
                        theirs.readFloats(AdapterSetup.key(layer.slot(), b.name())));
            }
            Measure.assertClose(Fixtures.doubles(expected.get("nll")),
                    Measure.oneByOne(begun, Fixtures.texts(model)), "beginning");
        }
    }

    private static void compare(String name, AdapterLayer layer, float[] theirA, float[] theirB) {
        String what = name + " " + layer.slot().path();
        float[] ourA = Arrays.toFloats(layer.tensors().get(0).parameter().value());
        float[] ourB = Arrays.toFloats(layer.tensors().get(1).parameter().value());
        int rank = Math.toIntExact(layer.tensors().get(0).fileShape()[0]);
        int in = ourA.length / rank;
        for (int k = 0; k < rank; k++) {
            int row = k;
            assertSameLine(what + " A " + k, IntStream.range(0, in).map(j -> row * in + j).toArray(), theirA, ourA);
            assertSameLine(what + " B " + k, IntStream.range(0, ourB.length / rank).map(i -> i * rank + row).toArray(),
                    theirB, ourB);
        }
        if (name.startsWith("corda") || name.startsWith("loftq")) {
            assertClose(what + " B A", product(theirB, theirA, rank), product(ourB, ourA, rank), 1);
        }
    }

    private static void assertSameLine(String what, int[] places, float[] theirs, float[] ours) {
        double dot = 0;
        List<Double> expected = new ArrayList<>();
        List<Double> actual = new ArrayList<>();
        for (int place : places) {
            dot += (double) theirs[place] * ours[place];
            expected.add((double) theirs[place]);
            actual.add((double) ours[place]);
        }
        assertClose(what, expected.stream().mapToDouble(v -> v).toArray(),
                actual.stream().mapToDouble(v -> v).toArray(), dot < 0 ? -1 : 1);
    }

    private static void assertClose(String what, double[] expected, double[] actual, int sign) {
        double largest = 0;
        double difference = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            difference = Math.max(difference, Math.abs(expected[i] - sign * actual[i]));
        }
        assertTrue(difference <= TOLERANCE * largest, what + " differs by " + difference + " of " + largest);
    }

    private static double[] product(float[] b, float[] a, int rank) {
        int out = b.length / rank;
        int in = a.length / rank;
        double[] product = new double[out * in];
        for (int i = 0; i < product.length; i++) {
            for (int k = 0; k < rank; k++) {
                product[i] += (double) b[i / in * rank + k] * a[k * in + i % in];
            }
        }
        return product;
    }
}
