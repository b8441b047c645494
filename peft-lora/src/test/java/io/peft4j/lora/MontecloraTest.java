package io.peft4j.lora;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.GradientCheck;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.peft.Passes;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.TinyModel;
import io.peft4j.core.peft.TinyNetwork;
import io.peft4j.core.peft.method.TrainingHook;
import io.peft4j.lora.MontecloraSample.Draw;
import io.peft4j.lora.init.LoraInit;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** MonteCLoRA's draws, its term of the loss, and the gradients of both. */
class MontecloraTest {
    private static final Path FIXTURE = Path.of("..", "tests", "fixtures", "monteclora.json");
    private static final List<int[]> SEQUENCES = List.of(new int[] {1, 5, 3, 5, 2, 9}, new int[] {4, 12, 8, 4});
    private static final Monteclora LOUD = new Monteclora(3, true, 0.5, 1, 0.5, 150);

    private static double[] doubles(JsonNode array) {
        return StreamSupport.stream(array.spliterator(), false).mapToDouble(JsonNode::asDouble).toArray();
    }

    private static INDArray array(JsonNode of, String name, long... shape) {
        return Arrays.of(Arrays.floats(doubles(of.get(name))), shape);
    }

    private static void assertClose(JsonNode of, String name, double[] actual, double tolerance) {
        double[] expected = doubles(of.get(name));
        double largest = DoubleStream.of(expected).map(Math::abs).max().orElseThrow();
        assertArrayEquals(expected, actual, tolerance * largest, name);
    }

    private static double[] doubles(INDArray array) {
        return Arrays.doubles(Arrays.toFloats(array));
    }

    /** One layer with the numbers that PEFT drew, against its float64; the decomposition in PEFT is in float32. */
    @ParameterizedTest
    @ValueSource(strings = {"entropy", "two"})
    void oneLayerAsInHuggingFacePeft(String name) throws IOException {
        JsonNode row = new ObjectMapper().readTree(FIXTURE.toFile()).get(name);
        JsonNode config = row.get("config");
        Monteclora monteclora = new Monteclora(config.get("num_samples").asInt(),
                config.path("use_entropy").asBoolean(),
                config.path("dirichlet_prior").asDouble(0.1), config.get("sample_scaler").asDouble(),
                config.get("kl_loss_weight").asDouble(), 1);
        long in = row.get("in").asLong();
        long out = row.get("out").asLong();
        long rank = row.get("rank").asLong();
        long rows = row.get("rows").asLong();
        float[][] matrices = StreamSupport.stream(row.get("matrices").spliterator(), false)
                .map(z -> Arrays.floats(doubles(z))).toArray(float[][]::new);
        Draw draw = new Draw(matrices, doubles(row.get("squares")), doubles(row.get("normals")));
        try (Kernels kernels = new NaiveKernels();
                Arena arena = new Arena();
                Parameter a = new Parameter("a", array(row, "a", rank, in));
                Parameter b = new Parameter("b", array(row, "b", out, rank));
                Parameter std = new Parameter("std", array(row, "std", rank));
                Parameter prior = new Parameter("prior", array(row, "prior", matrices.length));
                Tape tape = Tape.recording(kernels, arena, DataType.FLOAT)) {
            Variable noisy = MontecloraVariant.perturbed(tape, tape.parameter(a), tape.parameter(std),
                    tape.parameter(prior), draw, monteclora.scale());
            Variable h = MatrixOps.product(tape, tape.constant(array(row, "x", rows, in)), false, noisy, true);
            Variable y = ElementwiseOps.scale(tape, MatrixOps.product(tape, h, false, tape.parameter(b), true),
                    (float) row.get("scaling").asDouble());
            assertClose(row, "change", doubles(y.value()), 1e-6);
            tape.backward(y, array(row, "dy", rows, out));
            assertClose(row, "d_a", doubles(a.gradient()), 1e-6);
            assertClose(row, "d_b", doubles(b.gradient()), 1e-6);
            float[] s = Arrays.toFloats(std.value());
            float[] p = Arrays.toFloats(prior.value());
            MontecloraSample sample = new MontecloraSample(s, p, draw);
            assertClose(row, "variances", sample.variances(), 1e-6);
            assertClose(row, "weights", sample.weights(), 1e-6);
            MontecloraVariant.Term term = MontecloraVariant.term(monteclora, s, p, sample, 1);
            assertEquals(row.get("loss").asDouble(), term.value(), 1e-6 * Math.abs(row.get("loss").asDouble()));
            assertClose(row, "d_std", sum(doubles(std.gradient()), term.ofStd()), 1e-6);
            assertClose(row, "d_prior", sum(doubles(prior.gradient()), term.ofPrior()), 1e-6);
        }
    }

    private static double[] sum(double[] a, double[] b) {
        return IntStream.range(0, a.length).mapToDouble(i -> a[i] + b[i]).toArray();
    }

    private static PeftModel model(TinyModel base) {
        return PeftModel.of(base, LoraConfig.builder().rank(3).alpha(1).targetModules("v_proj", "down_proj")
                .initialization(LoraInit.RANDOM).monteclora(LOUD).build(), new SplittableRandom(4));
    }

    @Test
    void gradientsAreThoseOfAPassWithTheSameNoise() {
        float[] weights = new float[8 * TinyNetwork.VOCABULARY];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (i % 5 - 1.8f) / 4;
        }
        try (TinyModel base = new TinyModel(new TinyNetwork(5, false, false)); PeftModel model = model(base)) {
            float[] noisy = Passes.trainingLogits(model, SEQUENCES, 7);
            assertArrayEquals(noisy, Passes.trainingLogits(model, SEQUENCES, 7));
            assertFalse(java.util.Arrays.equals(noisy, Passes.trainingLogits(model, SEQUENCES, 8)));
            Passes.backward(model, SEQUENCES, weights, 7);
            assertEquals(2 * 4 * TinyNetwork.LAYERS, model.trainableParameters().size());
            for (Parameter parameter : model.trainableParameters()) {
                // As the contract of all methods has it.
                GradientCheck.check(parameter.name(), parameter.value(), Arrays.toFloats(parameter.gradient()), () -> {
                    float[] logits = Passes.trainingLogits(model, SEQUENCES, 7);
                    return IntStream.range(0, weights.length).mapToDouble(i -> (double) logits[i] * weights[i]).sum();
                }, 1e-2);
            }
        }
    }

    @Test
    void gradientsOfTheTermAreItsDerivatives() {
        try (TinyModel base = new TinyModel(new TinyNetwork(5, false, false));
                PeftModel model = model(base);
                TrainingHook hook = model.adapter(PeftModel.DEFAULT_ADAPTER).training(3)) {
            assertEquals(2 * 2 * TinyNetwork.LAYERS, hook.arrays().size());
            double value = hook.addToGradients(2);
            List<float[]> gradients = model.trainableParameters().stream()
                    .map(parameter -> Arrays.toFloats(parameter.gradient())).toList();
            assertEquals(value, hook.addToGradients(2));
            assertFalse(value == hook.addToGradients(3));
            for (int i = 0; i < gradients.size(); i++) {
                Parameter parameter = model.trainableParameters().get(i);
                if (parameter.name().contains("monteclora")) {
                    GradientCheck.check(parameter.name(), parameter.value(), gradients.get(i),
                            () -> hook.addToGradients(2), 1e-3);
                } else {
                    assertArrayEquals(new float[gradients.get(i).length], gradients.get(i), parameter.name());
                }
            }
        }
    }

    /** Means over 2000 draws; a chi-square number of 3 degrees has a deviation of 2.4, its mean here one of 0.03. */
    @Test
    void drawsAreOfTheirDistributions() {
        List<Draw> draws = LongStream.range(0, 2000).mapToObj(seed -> Draw.of(seed, 2, 3, 2)).toList();
        double squares = draws.stream().flatMapToDouble(draw -> DoubleStream.of(draw.squares())).average()
                .orElseThrow();
        double normals = draws.stream().flatMapToDouble(draw -> DoubleStream.of(draw.normals())).map(d -> d * d)
                .average().orElseThrow();
        double elements = draws.stream().mapToDouble(draw -> draw.matrices()[0][5] * draw.matrices()[0][5]).average()
                .orElseThrow();
        assertEquals(3, squares, 0.15);
        assertEquals(1, normals, 0.12);
        assertEquals(1, elements, 0.16);
        assertEquals(0, draws.stream().mapToDouble(draw -> draw.matrices()[0][1] * draw.matrices()[1][1]).average()
                .orElseThrow(), 0.12);
    }

    @Test
    void whatIsOutOfRangeIsRefused() {
        assertThrows(ConfigurationException.class, () -> Monteclora.of(0));
        assertThrows(ConfigurationException.class, () -> new Monteclora(4, false, 0, 1e-4, 1e-5, 150));
        assertThrows(ConfigurationException.class, () -> LoraConfig.builder().monteclora(LOUD).dora(true).build());
        assertThrows(ConfigurationException.class, () -> LoraConfig.builder().monteclora(LOUD)
                .invocationTokens(3).build());
    }
}
