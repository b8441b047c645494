package io.peft4j.onednn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.BFloat16;
import io.peft4j.core.array.Float16;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.BlockWeight;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import java.util.Random;
import org.bytedeco.javacpp.BytePointer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** oneDNN's kernels in passes of generation: any number of rows, long sums, copies of the weights. */
@Tag("processor")
class DecodingKernelsTest {
    private static final int OUT = 200;
    private static final int IN = 96;

    private Kernels create(int threads) {
        return create(threads, 8);
    }

    /** Kernels for steps of some rows. */
    protected Kernels create(int threads, int rows) {
        return new OneDnnKernels(threads).forGeneration(rows);
    }

    private static DenseWeight weight() {
        return new DenseWeight(random(DataType.BFLOAT16, 3, OUT, IN));
    }

    private static INDArray random(DataType type, int seed, long... shape) {
        INDArray array = Arrays.zeros(type, shape);
        float[] values = new float[(int) array.length()];
        Random random = new Random(seed);
        for (int i = 0; i < values.length; i++) {
            values[i] = BFloat16.toFloat(BFloat16.fromFloat((float) random.nextGaussian()));
        }
        Arrays.write(array, 0, values, 0, values.length);
        return array;
    }

    private static float[] linear(Kernels kernels, INDArray x, DenseWeight w) {
        try (INDArray y = Arrays.zeros(DataType.FLOAT, x.size(0), OUT)) {
            kernels.linear(x, w, y, false);
            return Arrays.toFloats(y);
        }
    }

    private static BlockWeight blocks(int rows, int columns) {
        byte[] bytes = new byte[(int) BlockType.Q4_1.bytes((long) rows * columns)];
        Random random = new Random(9);
        random.nextBytes(bytes);
        for (int at = 0; at < bytes.length; at += 2) {
            if (at % BlockType.Q4_1.blockBytes() < 4) {
                short half = Float16.fromFloat((float) (0.2 * random.nextGaussian()));
                bytes[at] = (byte) half;
                bytes[at + 1] = (byte) (half >> 8);
            }
        }
        BytePointer memory = new BytePointer(bytes.length).put(bytes);
        return new BlockWeight(BlockType.Q4_1, rows, columns, memory.address(), memory);
    }

    private static void checkRows(Kernels kernels, FrozenWeight w, int rows) {
        int in = w.columns();
        int out = w.rows();
        try (INDArray x = random(DataType.BFLOAT16, 5, rows, in);
                INDArray result = random(DataType.FLOAT, 6, rows, out)) {
            float[] before = Arrays.toFloats(result);
            kernels.linear(x, w, result, true);
            float[] y = Arrays.toFloats(result);
            float[] values = Arrays.toFloats(x);
            float[] row = new float[in];
            for (int j = 0; j < out; j += 13) {
                w.readRow(j, row, 0);
                for (int i = 0; i < rows; i++) {
                    double sum = before[i * out + j];
                    double magnitude = Math.abs(sum);
                    for (int k = 0; k < in; k++) {
                        sum += (double) row[k] * values[i * in + k];
                        magnitude += Math.abs((double) row[k] * values[i * in + k]);
                    }
                    // Products of bfloat16 numbers are exact floats: only sums are rounded. Block values and their
                    // minima are multiplied apart, which may be 16 times as large as their sum.
                    double tolerance = w instanceof DenseWeight ? 1e-6 : 16e-6;
                    if (!(Math.abs(sum - y[i * out + j]) <= tolerance * magnitude)) {
                        assertEquals(sum, y[i * out + j], "row " + i + " of " + rows + ", output " + j + ", " + in
                                + " inputs");
                    }
                }
            }
        }
    }

    @Test
    void everyNumberOfRowsGivesTheSameRows() {
        for (int sequences : new int[] {1, 8}) {
            try (Kernels kernels = create(2, sequences);
                    DenseWeight w = weight();
                    BlockWeight blocks = blocks(OUT, IN)) {
                for (int rows = 1; rows <= 64; rows++) {
                    checkRows(kernels, w, rows);
                    checkRows(kernels, blocks, rows);
                }
            }
        }
    }

    /** oneDNN cuts the reduced dimension into parts, too, and not always right. */
    @Test
    void longReductionsAreCorrect() {
        for (int in : new int[] {512, 544, 576, 1536, 4096}) {
            try (Kernels kernels = create(2);
                    BlockWeight blocks = blocks(OUT, in);
                    DenseWeight w = new DenseWeight(random(DataType.BFLOAT16, 3, OUT, in))) {
                for (int rows : new int[] {1, 5, 20}) {
                    checkRows(kernels, w, rows);
                    checkRows(kernels, blocks, rows);
                }
            }
        }
    }

    /** A copy that outlived its weight would be taken for the next one that lies at its place. */
    @Test
    void weightsAreCachedByIdentity() {
        try (Kernels kernels = create(1); INDArray x = random(DataType.BFLOAT16, 5, 1, IN)) {
            float[] first;
            try (DenseWeight w = weight()) {
                first = linear(kernels, x, w);
            }
            try (DenseWeight w = new DenseWeight(random(DataType.BFLOAT16, 4, OUT, IN))) {
                assertFalse(java.util.Arrays.equals(first, linear(kernels, x, w)));
            }
            try (DenseWeight w = weight()) {
                assertArrayEquals(first, linear(kernels, x, w));
            }
        }
    }
}
