package io.peft4j.vector;

import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.kernel.RowProducts;
import io.peft4j.core.weight.BlockType;
import java.util.Arrays;
import java.util.Objects;
import java.util.Optional;
import jdk.incubator.vector.FloatVector;

/**
 * {@link RowProducts} through the Vector API: a single row alone, more rows four at a time, filled up with zeros.
 */
final class VectorRowProducts implements RowProducts {
    private static final int LANES = FloatVector.SPECIES_PREFERRED.length();
    private static final int FOUR = 4;
    /** What is copied to the heap at a time: it stays in the first-level cache. */
    private static final int BLOCK_BYTES = 1 << 14;

    private static final float[] FACTORS = factors();

    private byte[] block = new byte[0];
    private float[] input = new float[0];
    private float[] inputSums = new float[0];
    private float[] sums = new float[0];
    private float[] scales = new float[0];
    private float[] minima = new float[0];

    private static float[] factors() {
        float[] factors = new float[FourBitTiles.STEP];
        for (int i = 0; i < factors.length; i++) {
            factors[i] = FourBitTiles.factor(i);
        }
        return factors;
    }

    @Override
    public Part int8(long address, long scaleAddress, int rows, int columns) {
        return new Int8Rows(address, scaleAddress, rows, columns);
    }

    @Override
    public long copyBytes(BlockType type, int rows, int columns) {
        return type == BlockType.Q8_0 ? EightBitBlocks.scaleBytes(rows, columns)
                : FourBitCopy.bytes(type, rows, columns);
    }

    @Override
    public Optional<Part> copy(BlockType type, long address, int rows, int columns, long copy) {
        return type == BlockType.Q8_0 ? EightBitBlocks.make(address, rows, columns, copy).map(part -> part)
                : FourBitCopy.make(type, address, rows, columns, copy).map(part -> part);
    }

    @Override
    public void multiply(Part part, float[] x, float[] y, int count) {
        Objects.checkIndex(0, count);
        Objects.checkFromIndexSize(0, Math.multiplyExact(count, part.columns()), x.length);
        Objects.checkFromIndexSize(0, Math.multiplyExact(count, part.rows()), y.length);
        if (part instanceof WeightRowLoops loops) {
            multiplyRows(loops, x, y, count);
        } else if (part instanceof FourBitTiles tiles) {
            multiplyTiles(tiles, x, y, count);
        } else {
            throw new IllegalArgumentException("not a part made here: " + part);
        }
    }

    private static float[] grown(float[] array, int length) {
        return array.length >= length ? array : new float[length];
    }

    /** Rows of x that are multiplied at once. */
    private static int together(int count) {
        return count == 1 ? 1 : FOUR;
    }

    // ---- rows that lie as they are

    private void multiplyRows(WeightRowLoops w, float[] x, float[] y, int count) {
        int together = together(count);
        int length = w.columns() / (w.phases() * LANES) * LANES;
        split(w, x, count, together, length);
        int most = Math.max(2, BLOCK_BYTES / w.rowBytes() / 2 * 2);
        sums = grown(sums, (most + 1) * together * LANES);
        block = block.length >= most * w.rowBytes() ? block : new byte[most * w.rowBytes()];
        scales = grown(scales, most * w.rowScales());
        for (int first = 0; first < w.rows(); first += most) {
            int rows = Math.min(most, w.rows() - first);
            NativeMemory.read(w.address() + (long) first * w.rowBytes(), block, 0, rows * w.rowBytes());
            NativeMemory.read(w.scales() + 4L * first * w.rowScales(), scales, 0, rows * w.rowScales());
            for (int i = 0; i < count; i += together) {
                if (together == 1) {
                    w.one(block, scales, rows, input, sums);
                } else {
                    w.four(block, scales, rows, input, i * w.phases() * length, sums);
                }
                for (int r = 0; r < Math.min(together, count - i); r++) {
                    int to = (i + r) * w.rows() + first;
                    finish(sums, r, together, inputSums[i + r], y, to, rows);
                    if (w.phases() * length < w.columns()) {
                        addRest(w, block, w.phases() * length, x, (i + r) * w.columns(), y, to, rows);
                    }
                    w.scale(y, to, scales, rows);
                }
            }
        }
    }

    /** Puts the phases of x apart, {@code [count / together, phases, together, length]}, and sums their offsets. */
    private void split(WeightRowLoops w, float[] x, int count, int together, int length) {
        int phases = w.phases();
        int padded = (count + together - 1) / together * together;
        input = grown(input, padded * phases * length);
        inputSums = grown(inputSums, padded);
        for (int i = 0; i < padded; i++) {
            float offset = 0;
            for (int phase = 0; phase < phases; phase++) {
                int to = ((i / together * phases + phase) * together + i % together) * length;
                if (i >= count) {
                    Arrays.fill(input, to, to + length, 0);
                    continue;
                }
                float factor = w.factor(phase);
                float sum = 0;
                for (int j = 0, from = i * w.columns() + phase; j < length; j++, from += phases) {
                    input[to + j] = x[from] * factor;
                    sum += x[from];
                }
                offset += sum * w.offset(phase);
            }
            inputSums[i] = offset;
        }
    }

    /** Sums the lanes of every {@code together}-th vector from number {@code r} on. */
    private static void finish(float[] sums, int r, int together, float offset, float[] y, int at, int count) {
        for (int i = 0, from = r * LANES; i < count; i++, from += together * LANES) {
            y[at + i] = LaneSums.of(sums, from) - offset;
        }
    }

    /** Adds the products of the columns from {@code done} on, which fill no vector. */
    private static void addRest(WeightRowLoops w, byte[] block, int done, float[] x, int xAt, float[] y, int at,
            int count) {
        for (int i = 0; i < count; i++) {
            float sum = y[at + i];
            for (int k = done; k < w.columns(); k++) {
                sum += w.value(block, i, k) * x[xAt + k];
            }
            y[at + i] = sum;
        }
    }

    // ---- tiles of 4-bit numbers

    private void multiplyTiles(FourBitTiles w, float[] x, float[] y, int count) {
        int together = together(count);
        int tile = FourBitTiles.TILE;
        int groups = w.columns() / FourBitTiles.GROUP;
        int tileBytes = FourBitTiles.tileBytes(w.columns());
        interleave(w.columns(), x, count, together);
        block = block.length >= tileBytes ? block : new byte[tileBytes];
        scales = grown(scales, groups * tile);
        minima = grown(minima, groups * tile);
        sums = grown(sums, together * tile);
        for (int t = 0; t < FourBitCopy.tiles(w.rows()); t++) {
            NativeMemory.read(w.address() + (long) t * tileBytes, block, 0, tileBytes);
            w.scales(block, scales, minima);
            for (int i = 0; i < count; i += together) {
                int rows = Math.min(together, count - i);
                Arrays.fill(sums, 0, together * tile, 0);
                for (int r = 0; r < rows; r++) {
                    addMinima(groups, (i + r) * groups, r * tile);
                }
                if (together == 1) {
                    w.one(block, input, 0, scales, sums, 0);
                } else {
                    w.four(block, input, i * w.columns(), scales, sums, 0);
                }
                for (int r = 0; r < rows; r++) {
                    System.arraycopy(sums, r * tile, y, (i + r) * w.rows() + t * tile,
                            Math.min(tile, w.rows() - t * tile));
                }
            }
        }
    }

    /** The rows of x times the columns' factors, {@code [count / together, columns, together]}, and block sums. */
    private void interleave(int columns, float[] x, int count, int together) {
        int padded = (count + together - 1) / together * together;
        int groups = columns / FourBitTiles.GROUP;
        input = grown(input, padded * columns);
        inputSums = grown(inputSums, count * groups);
        Arrays.fill(input, count / together * together * columns, padded * columns, 0);
        for (int i = 0; i < count; i++) {
            int to = i / together * together * columns + i % together;
            for (int g = 0, k = 0; g < groups; g++) {
                float sum = 0;
                for (int end = k + FourBitTiles.GROUP; k < end; k++) {
                    float value = x[i * columns + k];
                    sum += value;
                    input[to + k * together] = value * FACTORS[k % FourBitTiles.STEP];
                }
                inputSums[i * groups + g] = sum;
            }
        }
    }

    /** Adds {@code minima * block sums} of a row of x to its sums. */
    private void addMinima(int groups, int ofRow, int at) {
        for (int j = 0; j < FourBitTiles.TILE; j += LANES) {
            FloatVector y = FloatVector.zero(FloatVector.SPECIES_PREFERRED);
            for (int g = 0; g < groups; g++) {
                y = FloatVector.fromArray(FloatVector.SPECIES_PREFERRED, minima, g * FourBitTiles.TILE + j)
                        .fma(FloatVector.broadcast(FloatVector.SPECIES_PREFERRED, inputSums[ofRow + g]), y);
            }
            y.intoArray(sums, at + j);
        }
    }

    /**
     * Sums the lanes of a vector that lies in an array, always in the same order: halves are added until one lane is
     * left. The Vector API's own reduction adds in an order that differs between the interpreter and the compilers of
     * some JVMs, and so would the bits of a result.
     */
    private static final class LaneSums {
        private static final int LANES = FloatVector.SPECIES_PREFERRED.length();
        private static final int WIDE = 16;

        private LaneSums() {
        }

        /** The sum of the lanes of the vector at {@code a}; there are at least eight. */
        static float of(float[] x, int a) {
            if (LANES == WIDE) {
                return x[a] + x[a + 8] + (x[a + 4] + x[a + 12]) + (x[a + 2] + x[a + 10] + (x[a + 6] + x[a + 14]))
                        + (x[a + 1] + x[a + 9] + (x[a + 5] + x[a + 13])
                                + (x[a + 3] + x[a + 11] + (x[a + 7] + x[a + 15])));
            }
            float sum = 0;
            for (int i = a; i < a + LANES; i += 8) {
                sum += x[i] + x[i + 4] + (x[i + 2] + x[i + 6]) + (x[i + 1] + x[i + 5] + (x[i + 3] + x[i + 7]));
            }
            return sum;
        }
    }
}
