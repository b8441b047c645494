package io.peft4j.vector;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.peft4j.core.array.Float16;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.kernel.RowProducts;
import io.peft4j.core.kernel.RowProducts.Part;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.Int8Weight;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Products against sums in double over odd shapes: single rows and columns, primes, rests of vectors and tiles. */
@Tag("processor")
class VectorRowProductsTest {
    private static final int[] ROWS = {1, 2, 31, 32, 33, 67};
    private static final int[] COLUMNS = {1, 2, 3, 7, 31, 64, 65, 127, 192, 257};
    private static final int[] COUNTS = {1, 2, 3, 4, 5, 8, 20};
    /** Large enough for several blocks of rows. */
    private static final int MANY = 1536;
    /** Of the sum of all magnitudes: a few roundings of partial sums, which are smaller. */
    private static final double TOLERANCE = 1e-6;

    private final RowProducts products = new VectorRowProducts();
    private final List<Long> memory = new ArrayList<>();
    private final Random random = new Random(11);

    @AfterEach
    void free() {
        memory.forEach(NativeMemory::free);
    }

    private long allocate(long bytes) {
        long address = NativeMemory.allocate(Math.max(1, bytes));
        memory.add(address);
        return address;
    }

    private float[] normal(int length) {
        float[] x = new float[length];
        for (int i = 0; i < length; i++) {
            x[i] = (float) random.nextGaussian();
        }
        return x;
    }

    /** Holds products of every number of rows to w {@code [rows, columns]}. */
    private void check(Part part, float[] w, double tolerance) {
        int rows = part.rows();
        int columns = part.columns();
        for (int count : COUNTS) {
            float[] x = normal(count * columns);
            float[] y = new float[count * rows + 1];
            Arrays.fill(y, Float.NaN);
            products.multiply(part, x, y, count);
            for (int i = 0; i < count; i++) {
                for (int j = 0; j < rows; j++) {
                    double sum = 0;
                    double magnitude = 0;
                    for (int k = 0; k < columns; k++) {
                        double product = (double) x[i * columns + k] * w[j * columns + k];
                        sum += product;
                        magnitude += Math.abs(product);
                    }
                    if (!(Math.abs(sum - y[i * rows + j]) <= tolerance * magnitude + 1e-30)) {
                        assertEquals(sum, y[i * rows + j], part + ", row " + i + " of " + count + ", output " + j);
                    }
                }
            }
            assertEquals(Float.NaN, y[count * rows], "nothing is written behind the result");
            float[] again = new float[count * rows];
            products.multiply(part, x, again, count);
            assertArrayEquals(Arrays.copyOf(y, count * rows), again, "the same bits");
        }
    }

    private void checkInt8(int rows, int columns) {
        float[] w = normal(rows * columns);
        try (Int8Weight weight = Int8Weight.of(w, rows, columns)) {
            for (int i = 0; i < rows; i++) {
                weight.readRow(i, w, i * columns);
            }
            // Bytes are multiplied as they are or plus 128, which the sums make good: four times as large a magnitude.
            check(products.int8(weight.values(), weight.scales(), rows, columns), w, 4 * TOLERANCE);
        }
    }

    @Test
    void bytesOfAllShapes() {
        for (int rows : ROWS) {
            for (int columns : COLUMNS) {
                checkInt8(rows, columns);
            }
        }
        checkInt8(33, MANY);
    }

    /** Random numbers with scales and minima of both signs. */
    private byte[] blocks(BlockType type, int rows, int columns) {
        byte[] bytes = new byte[(int) type.bytes((long) rows * columns)];
        random.nextBytes(bytes);
        int heads = type == BlockType.Q4_1 ? 2 : 1;
        for (int at = 0; at < bytes.length; at += type.blockBytes()) {
            for (int i = 0; i < heads; i++) {
                half(bytes, at + 2 * i, Float16.fromFloat((float) (0.2 * random.nextGaussian())));
            }
        }
        return bytes;
    }

    private static void half(byte[] bytes, int at, short half) {
        bytes[at] = (byte) half;
        bytes[at + 1] = (byte) (half >> 8);
    }

    private void checkBlocks(BlockType type, byte[] bytes, int rows, int columns) {
        long address = allocate(bytes.length);
        NativeMemory.write(address, bytes, 0, bytes.length);
        float[] w = new float[rows * columns];
        type.dequantize(address, 0, w, 0, w.length);
        long copy = allocate(products.copyBytes(type, rows, columns));
        // Numbers and minima are multiplied apart, which may be 16 times as large as their sum.
        check(products.copy(type, address, rows, columns, copy).orElseThrow(), w, 16 * TOLERANCE);
    }

    @Test
    void fourBitBlocksOfAllShapes() {
        for (BlockType type : new BlockType[] {BlockType.Q4_0, BlockType.Q4_1}) {
            for (int rows : ROWS) {
                for (int columns : new int[] {32, 64, 224}) {
                    checkBlocks(type, blocks(type, rows, columns), rows, columns);
                }
            }
            checkBlocks(type, blocks(type, 33, MANY), 33, MANY);
        }
    }

    @Test
    void eightBitBlocksOfAllShapes() {
        for (int rows : ROWS) {
            for (int columns : new int[] {32, 64, 224}) {
                checkBlocks(BlockType.Q8_0, blocks(BlockType.Q8_0, rows, columns), rows, columns);
            }
        }
        checkBlocks(BlockType.Q8_0, blocks(BlockType.Q8_0, 33, MANY), 33, MANY);
    }

    /** Zero, the smallest 16-bit float, the largest below the normal ones, the smallest normal one, negative zero. */
    @Test
    void scalesAtTheEndsOfTheirRange() {
        short[] halves = {0, 1, 0x3FF, 0x400, (short) 0x8000, (short) 0x8001, 0x3C00};
        int columns = 32 * halves.length;
        byte[] bytes = blocks(BlockType.Q4_1, 2, columns);
        for (int g = 0; g < halves.length; g++) {
            half(bytes, g * BlockType.Q4_1.blockBytes(), halves[g]);
            half(bytes, (halves.length + g) * BlockType.Q4_1.blockBytes() + 2, halves[g]);
        }
        checkBlocks(BlockType.Q4_1, bytes, 2, columns);
    }

    @Test
    void weightsWithInfiniteScalesAreDeclined() {
        for (BlockType type : new BlockType[] {BlockType.Q4_0, BlockType.Q8_0}) {
            for (short scale : new short[] {0x7C00, (short) 0xFC00, 0x7E00}) {
                byte[] bytes = blocks(type, 3, 64);
                half(bytes, type.blockBytes(), scale);
                long address = allocate(bytes.length);
                NativeMemory.write(address, bytes, 0, bytes.length);
                long copy = allocate(products.copyBytes(type, 3, 64));
                assertFalse(products.copy(type, address, 3, 64, copy).isPresent());
            }
        }
    }

    @Test
    void otherBlocksAreNotMultiplied() {
        for (BlockType type : BlockType.values()) {
            assertEquals(RowProducts.BLOCKS.contains(type), products.copyBytes(type, 3, 256) > 0, type.name());
        }
    }

    @Test
    void partsMadeElsewhereAreRefused() {
        Part other = new Part() {
            @Override
            public int rows() {
                return 1;
            }

            @Override
            public int columns() {
                return 1;
            }
        };
        assertThrows(IllegalArgumentException.class, () -> products.multiply(other, new float[1], new float[1], 1));
    }

    @Test
    void arraysThatAreTooShortAreRefused() {
        long scales = allocate(4 * 8);
        NativeMemory.clear(scales, 4 * 8);
        Part part = products.int8(allocate(8 * 64), scales, 8, 64);
        assertThrows(IndexOutOfBoundsException.class, () -> products.multiply(part, new float[64], new float[7], 1));
        assertThrows(IndexOutOfBoundsException.class, () -> products.multiply(part, new float[63], new float[8], 1));
        assertThrows(IndexOutOfBoundsException.class, () -> products.multiply(part, new float[64], new float[8], 0));
    }
}
