package io.peft4j.core.kernel;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.fail;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.BlockWeight;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.core.weight.Int8Weight;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import java.util.function.Function;
import org.bytedeco.javacpp.BytePointer;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * One comparison with the naive kernels: makes the arguments, runs both, compares the results, and runs the tested
 * kernels once more to see that they give the same bits. Frees the arguments at the end.
 */
final class KernelCase implements AutoCloseable {
    private final KernelsUnderTest tested;
    private final String what;
    private final Random random;
    private final List<AutoCloseable> owned = new ArrayList<>();
    private boolean bfloat16;
    private double termSize;
    private double looseness = 1;

    KernelCase(KernelsUnderTest tested, String what, Object... details) {
        this.tested = tested;
        this.what = what + " " + List.of(details);
        this.random = new SequentialRandom(this.what.hashCode());
    }

    /** Results may be small differences of terms of this size, and are as exact as the terms. */
    KernelCase termsOfSize(double size) {
        termSize = size;
        return this;
    }

    /** Multiplies the tolerance; the caller says why. */
    KernelCase loosened(double factor) {
        looseness = factor;
        return this;
    }

    // ---- arguments

    /** Normally distributed values. */
    INDArray normal(DataType type, long... shape) {
        return scaled(type, 1, shape);
    }

    /** Normally distributed values times {@code deviation}. */
    INDArray scaled(DataType type, double deviation, long... shape) {
        INDArray array = Arrays.zeros(type, shape);
        owned.add(array);
        fill(array, random, deviation);
        bfloat16 |= type == DataType.BFLOAT16;
        return array;
    }

    static void fill(INDArray array, Random random, double deviation) {
        float[] values = new float[(int) array.length()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (deviation * random.nextGaussian());
        }
        Arrays.write(array, 0, values, 0, values.length);
    }

    /** A dense weight. Its type alone does not loosen the tolerance: f32 activations are multiplied in f32. */
    FrozenWeight dense(DataType type, int rows, int columns) {
        boolean before = bfloat16;
        FrozenWeight weight = new DenseWeight(normal(type, rows, columns));
        bfloat16 = before;
        return weight;
    }

    FrozenWeight blocks(BlockType type, int rows, int columns) {
        byte[] bytes = RandomBlocks.of(type, (long) rows * columns, random);
        BytePointer memory = new BytePointer(bytes.length).put(bytes);
        owned.add(memory);
        return new BlockWeight(type, rows, columns, memory.address(), memory);
    }

    FrozenWeight int8(int rows, int columns) {
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        Int8Weight weight = Int8Weight.of(values, rows, columns);
        owned.add(weight);
        return weight;
    }

    int[] indices(int count, int bound) {
        return random.ints(count, 0, bound).toArray();
    }

    float[] floats(int count) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    // ---- comparison

    /** Runs {@code operation} on both implementations and compares the arrays that it writes. */
    void compare(Consumer<Kernels> operation, INDArray... results) {
        compareWithValues(kernels -> {
            operation.accept(kernels);
            return new float[0];
        }, results);
    }

    /** The same for an operation that also gives a Java array. */
    void compareWithValues(Function<Kernels, float[]> operation, INDArray... results) {
        float[][] before = snapshot(results);
        float[] expectedValues;
        try (NaiveKernels naive = new NaiveKernels()) {
            expectedValues = operation.apply(naive);
        }
        float[][] expected = snapshot(results);
        restore(before, results);
        float[] values = operation.apply(tested.kernels());
        float[][] actual = snapshot(results);
        restore(before, results);
        float[] valuesAgain = operation.apply(tested.kernels());
        float[][] again = snapshot(results);
        check("value", expectedValues, values, valuesAgain);
        for (int i = 0; i < results.length; i++) {
            check("result " + i, expected[i], actual[i], again[i]);
        }
    }

    private void check(String part, float[] expected, float[] actual, float[] again) {
        assertClose(what + ", " + part, expected, actual,
                looseness * (bfloat16 ? tested.bfloat16Tolerance() : tested.floatTolerance()), termSize);
        assertArrayEquals(actual, again, () -> what + ", " + part + ": the second run gave other bits");
    }

    /** Fails where an element is off by more than {@code tolerance * (|expected| + root mean square of all)}. */
    static void assertClose(String what, float[] expected, float[] actual, double tolerance) {
        assertClose(what, expected, actual, tolerance, 0);
    }

    private static void assertClose(String what, float[] expected, float[] actual, double tolerance, double termSize) {
        double squares = 0;
        for (float value : expected) {
            squares += (double) value * value;
        }
        double level = Math.max(termSize, Math.sqrt(squares / Math.max(1, expected.length)));
        for (int i = 0; i < expected.length; i++) {
            double error = Math.abs((double) actual[i] - expected[i]);
            if (!(error <= tolerance * (Math.abs(expected[i]) + level))) {
                fail(what + ", element " + i + ": expected " + expected[i] + ", got " + actual[i] + " (level " + level
                        + ", tolerance " + tolerance + ")");
            }
        }
    }

    private static float[][] snapshot(INDArray... arrays) {
        float[][] values = new float[arrays.length][];
        for (int i = 0; i < arrays.length; i++) {
            values[i] = Arrays.toFloats(arrays[i]);
        }
        return values;
    }

    private static void restore(float[][] values, INDArray... arrays) {
        for (int i = 0; i < arrays.length; i++) {
            Arrays.write(arrays[i], 0, values[i], 0, values[i].length);
        }
    }

    @Override
    public void close() {
        for (AutoCloseable each : owned) {
            try {
                each.close();
            } catch (Exception e) {
                throw new IllegalStateException("cannot free an argument of " + what, e);
            }
        }
    }
}
