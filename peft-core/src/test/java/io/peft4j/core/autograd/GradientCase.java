package io.peft4j.core.autograd;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.peft4j.core.array.Arena;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.GradientCheck;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A computation on a tape with random parameters. {@link #check} holds its gradients against central differences, with
 * all parameters trained and with each one alone, and looks that all memory comes back.
 */
final class GradientCase implements AutoCloseable {
    /** The error of the differences, see {@link GradientCheck}. */
    private static final double TOLERANCE = 1e-3;

    /** Computes the result from the parameters. */
    @FunctionalInterface
    interface Computation {
        Variable run(Tape tape, List<Variable> parameters);
    }

    private final String what;
    private final Random random;
    private final Kernels kernels = new NaiveKernels();
    private final List<Parameter> parameters = new ArrayList<>();

    GradientCase(String what) {
        this.what = what;
        this.random = new Random(what.hashCode());
    }

    /** Adds a parameter with normally distributed values. */
    GradientCase parameter(long... shape) {
        return scaledParameter(1, shape);
    }

    /** Adds a parameter with normally distributed values times {@code deviation}. */
    GradientCase scaledParameter(double deviation, long... shape) {
        parameters.add(new Parameter("p" + parameters.size(), scaled(deviation, shape)));
        return this;
    }

    INDArray normal(long... shape) {
        return scaled(1, shape);
    }

    INDArray scaled(double deviation, long... shape) {
        INDArray array = Arrays.zeros(DataType.FLOAT, shape);
        float[] values = new float[(int) array.length()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (deviation * random.nextGaussian());
        }
        Arrays.write(array, 0, values, 0, values.length);
        return array;
    }

    void check(Computation computation) {
        float[] weights = Arrays.toFloats(normal(value(computation).length));
        List<float[]> gradients = gradients(computation, weights, parameters);
        for (int i = 0; i < gradients.size(); i++) {
            GradientCheck.check(what + ", parameter " + i, parameters.get(i).value(), gradients.get(i),
                    () -> project(value(computation), weights), TOLERANCE);
        }
        for (int i = 0; i < gradients.size(); i++) {
            // What is not trained changes nothing for the rest, up to the order in which parts of a sum arrive.
            float[] alone = gradients(computation, weights, List.of(parameters.get(i))).get(0);
            assertArrayEquals(gradients.get(i), alone, 1e-5f, what + ", parameter " + i + " alone");
        }
    }

    private float[] value(Computation computation) {
        try (Arena arena = new Arena(); Tape tape = Tape.inference(kernels, arena, DataType.FLOAT)) {
            Variable y = computation.run(tape, variables(tape, parameters));
            assertFalse(y.requiresGradient());
            assertEquals(0, tape.recordedOperations());
            return Arrays.toFloats(y.value());
        }
    }

    private List<Variable> variables(Tape tape, List<Parameter> trained) {
        return parameters.stream()
                .map(p -> trained.contains(p) ? tape.parameter(p) : tape.constant(p.value())).toList();
    }

    /** The gradients of two passes, halved: the second must add to the first. */
    private List<float[]> gradients(Computation computation, float[] weights, List<Parameter> trained) {
        trained.forEach(Parameter::clearGradient);
        List<float[]> first = List.of();
        try (Arena arena = new Arena()) {
            long peak = 0;
            for (int pass = 0; pass < 2; pass++) {
                try (Tape tape = Tape.recording(kernels, arena, DataType.FLOAT)) {
                    Variable y = computation.run(tape, variables(tape, trained));
                    try (INDArray dy = Arrays.of(weights, y.value().shape())) {
                        tape.backward(y, dy);
                        assertArrayEquals(weights, Arrays.toFloats(dy), what + ": the seed was changed");
                    }
                }
                assertEquals(0, arena.liveBytes(), what + ": memory is still held");
                first = pass == 0 ? copies(trained) : first;
                peak = pass == 0 ? arena.peakBytes() : peak;
                assertEquals(peak, arena.peakBytes(), what + ": the second pass took more memory");
            }
        }
        List<float[]> both = copies(trained);
        for (int i = 0; i < first.size(); i++) {
            float[] twice = first.get(i).clone();
            for (int j = 0; j < twice.length; j++) {
                twice[j] *= 2;
            }
            // One more rounding of numbers below about 100.
            assertArrayEquals(twice, both.get(i), 1e-5f, what + ": gradients of two passes add up");
        }
        return first;
    }

    private static List<float[]> copies(List<Parameter> parameters) {
        return parameters.stream().map(p -> Arrays.toFloats(p.gradient())).toList();
    }

    private static double project(float[] values, float[] weights) {
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            sum += (double) values[i] * weights[i];
        }
        return sum;
    }

    @Override
    public void close() {
        parameters.forEach(Parameter::close);
    }
}
