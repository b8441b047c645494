package io.peft4j.vector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.Float16;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.NaiveKernels;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.BlockWeight;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.core.weight.Int8Weight;
import io.peft4j.onednn.OneDnnKernels;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.bytedeco.javacpp.BytePointer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** oneDNN's kernels in passes of generation, where loops in vector registers multiply few rows, against naive ones. */
@Tag("processor")
class DecodingProductsOnVectorLoopsTest {
    private static final int OUT = 203;
    private static final int IN = 224;

    static Kernels create(int threads) {
        return new OneDnnKernels(threads).forGeneration(8);
    }

    private static INDArray random(DataType type, int seed, long... shape) {
        INDArray array = Arrays.zeros(type, shape);
        float[] values = floats(seed, (int) array.length());
        Arrays.write(array, 0, values, 0, values.length);
        return array;
    }

    private static float[] floats(int seed, int length) {
        Random random = new Random(seed);
        float[] values = new float[length];
        for (int i = 0; i < length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** @param scale of the first block */
    private static BlockWeight blocks(BlockType type, float scale) {
        return blocks(type, scale, OUT);
    }

    private static BlockWeight blocks(BlockType type, float scale, int rows) {
        byte[] bytes = new byte[(int) type.bytes((long) rows * IN)];
        new Random(9).nextBytes(bytes);
        for (int at = 0; at < bytes.length; at += type.blockBytes()) {
            int halves = type == BlockType.Q8_0 ? 1 : (type.blockBytes() - 16) / 2;
            for (int i = 0; i < 2 * halves; i += 2) {
                short half = Float16.fromFloat(at + i == 0 ? scale : type == BlockType.Q8_0 ? 0.01f : 0.1f);
                bytes[at + i] = (byte) half;
                bytes[at + i + 1] = (byte) (half >> 8);
            }
        }
        BytePointer memory = new BytePointer(bytes.length).put(bytes);
        return new BlockWeight(type, rows, IN, memory.address(), memory);
    }

    private static List<FrozenWeight> weights() {
        return List.of(new DenseWeight(random(DataType.BFLOAT16, 3, OUT, IN)),
                Int8Weight.of(floats(4, OUT * IN), OUT, IN), blocks(BlockType.Q4_0, 0.2f),
                blocks(BlockType.Q4_1, 0.2f), blocks(BlockType.Q8_0, 0.02f),
                decoded(blocks(BlockType.Q4_1, 0.2f)), decoded(blocks(BlockType.Q8_0, 0.02f)));
    }

    /** Floats with the blocks that they were decoded from. */
    private static DenseWeight decoded(BlockWeight blocks) {
        float[] values = new float[OUT * IN];
        blocks.type().dequantize(blocks.address(), 0, values, 0, values.length);
        INDArray array = Arrays.zeros(DataType.FLOAT, OUT, IN);
        Arrays.write(array, 0, values, 0, values.length);
        return new DenseWeight(array, Optional.of(blocks));
    }

    private static float[] linear(Kernels kernels, FrozenWeight w, int rows, boolean accumulate) {
        try (INDArray x = random(DataType.FLOAT, 5, rows, IN); INDArray y = random(DataType.FLOAT, 6, rows, w.rows())) {
            kernels.linear(x, w, y, accumulate);
            return Arrays.toFloats(y);
        }
    }

    @Test
    void productsOfFewRowsMatchTheNaiveKernels() {
        try (Kernels mine = create(2); Kernels naive = new NaiveKernels()) {
            for (FrozenWeight w : weights()) {
                for (int rows : new int[] {1, 2, 3, 5, 8, 9, 20}) {
                    for (boolean accumulate : new boolean[] {false, true}) {
                        float[] expected = linear(naive, w, rows, accumulate);
                        float[] actual = linear(mine, w, rows, accumulate);
                        for (int i = 0; i < expected.length; i++) {
                            // Sums of 224 products of about 1, rounded in another order.
                            assertEquals(expected[i], actual[i], 2e-4, w + ", " + rows + " rows, element " + i);
                        }
                    }
                }
                w.close();
            }
        }
    }

    /** Blocks of other numbers than the floats show which of both were read. */
    @Test
    void fewRowsOfFloatsAreMultipliedByTheirBlocks() {
        BlockWeight blocks = blocks(BlockType.Q8_0, 0.02f);
        try (Kernels mine = create(2);
                DenseWeight floats = decoded(blocks);
                DenseWeight other = new DenseWeight(random(DataType.FLOAT, 3, OUT, IN), Optional.of(blocks))) {
            assertArrayEquals(linear(mine, floats, 1, false), linear(mine, other, 1, false));
            assertArrayEquals(linear(mine, new DenseWeight(other.values()), 20, false),
                    linear(mine, other, 20, false));
        }
    }

    /** oneDNN has a product of its own, and a copy for it, where the number of output features is even. */
    @Test
    void aShortPromptOfOneSequenceTakesNoCopyBesideThatOfTheSteps() {
        try (OneDnnKernels mine = new OneDnnKernels(2); BlockWeight w = blocks(BlockType.Q4_0, 0.2f, OUT - 1)) {
            float[] asInTraining = linear(mine, w, 20, false);
            assertArrayEquals(asInTraining, linear(mine.forGeneration(1), w, 20, false));
            assertEquals(0, mine.packedBytes());
            linear(mine.forGeneration(1), w, 1, false);
            long ofSteps = mine.packedBytes();
            linear(mine.forGeneration(8), w, 20, false);
            assertTrue(mine.packedBytes() > ofSteps, "a batch has one");
        }
    }

    @Test
    void neitherThreadsNorRepetitionChangeABit() {
        try (Kernels one = create(1); Kernels three = create(3)) {
            for (FrozenWeight w : weights()) {
                for (int rows : new int[] {1, 3, 8}) {
                    float[] first = linear(one, w, rows, true);
                    assertArrayEquals(first, linear(three, w, rows, true), w.toString());
                    assertArrayEquals(first, linear(three, w, rows, true), w.toString());
                }
                w.close();
            }
        }
    }

    /** A scale that is infinite goes another way and gives what the naive kernels give. */
    @Test
    void scalesThatAreNotFinite() {
        try (Kernels mine = create(1);
                Kernels naive = new NaiveKernels();
                FrozenWeight w = blocks(BlockType.Q4_1, Float.POSITIVE_INFINITY)) {
            float[] expected = linear(naive, w, 1, false);
            float[] actual = linear(mine, w, 1, false);
            assertEquals(Float.isFinite(expected[0]), Float.isFinite(actual[0]));
            assertEquals(expected[1], actual[1], 2e-4);
        }
    }
}
