package io.peft4j.vector;

import static jdk.incubator.vector.VectorOperators.B2F;

import io.peft4j.core.array.Float16;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.kernel.RowProducts;
import io.peft4j.core.weight.BlockType;
import java.util.Optional;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rows of {@link BlockType#Q8_0} as they lie: 32 signed bytes behind a scale of 16 bits. The scales are also there as
 * floats, apart. With {@code w = d q} a block adds {@code d * sum(q x)}.
 *
 * @param address the first block
 * @param scales their scales as 32-bit floats
 */
record EightBitBlocks(long address, long scales, int rows, int columns)
        implements
            RowProducts.Part,
            WeightRowLoops {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();
    private static final VectorSpecies<Byte> BYTES = VectorSpecies.of(byte.class,
            VectorShape.forBitSize(LANES * Byte.SIZE));
    private static final int GROUP = BlockType.Q8_0.blockSize();
    private static final int BLOCK_BYTES = BlockType.Q8_0.blockBytes();
    private static final int SCALE_BYTES = BLOCK_BYTES - GROUP;
    private static final int FOUR = 4;

    /** Bytes of the scales as floats. */
    static long scaleBytes(int rows, int columns) {
        return (long) Float.BYTES * rows * (columns / GROUP);
    }

    /** Widens the scales; empty where one is not finite. */
    static Optional<EightBitBlocks> make(long address, int rows, int columns, long scales) {
        byte[] row = new byte[(int) BlockType.Q8_0.bytes(columns)];
        float[] ofRow = new float[columns / GROUP];
        for (int i = 0; i < rows; i++) {
            NativeMemory.read(address + (long) i * row.length, row, 0, row.length);
            for (int g = 0; g < ofRow.length; g++) {
                int at = g * BLOCK_BYTES;
                ofRow[g] = Float16.toFloat((short) (row[at] & 255 | row[at + 1] << 8));
                if (!Float.isFinite(ofRow[g])) {
                    return Optional.empty();
                }
            }
            NativeMemory.write(scales + scaleBytes(i, columns), ofRow, 0, ofRow.length);
        }
        return Optional.of(new EightBitBlocks(address, scales, rows, columns));
    }

    @Override
    public int rowBytes() {
        return columns / GROUP * BLOCK_BYTES;
    }

    @Override
    public int rowScales() {
        return columns / GROUP;
    }

    @Override
    public int phases() {
        return 1;
    }

    @Override
    public float factor(int phase) {
        return 1;
    }

    @Override
    public float offset(int phase) {
        return 0;
    }

    @Override
    public void scale(float[] y, int at, float[] ofRows, int count) {
        // Each block has been multiplied by its own.
    }

    @Override
    public float value(byte[] block, int row, int column) {
        throw new IllegalStateException("whole blocks fill vectors");
    }

    @Override
    public void one(byte[] block, float[] ofRows, int count, float[] x, float[] sums) {
        one(block, rowBytes(), ofRows, rowScales(), count, x, sums);
    }

    @Override
    public void four(byte[] block, float[] ofRows, int count, float[] x, int at, float[] sums) {
        four(block, rowBytes(), ofRows, rowScales(), count, x, at, sums);
    }

    // Each of these is one loop without methods of our own: see VectorExponential.

    private static void one(byte[] block, int rowBytes, float[] scales, int groups, int count, float[] x,
            float[] sums) {
        for (int o = 0; o < count; o += 2) {
            int next = o + 1 < count ? 1 : 0;
            int p = o * rowBytes + SCALE_BYTES;
            int q = p + next * rowBytes;
            FloatVector ps = FloatVector.zero(FLOATS);
            FloatVector qs = ps;
            for (int g = 0; g < groups; g++) {
                FloatVector a = FloatVector.zero(FLOATS);
                FloatVector b = a;
                for (int j = 0; j < GROUP; j += LANES) {
                    FloatVector z = FloatVector.fromArray(FLOATS, x, g * GROUP + j);
                    a = ((FloatVector) ByteVector.fromArray(BYTES, block, p + g * BLOCK_BYTES + j)
                            .convertShape(B2F, FLOATS, 0)).fma(z, a);
                    b = ((FloatVector) ByteVector.fromArray(BYTES, block, q + g * BLOCK_BYTES + j)
                            .convertShape(B2F, FLOATS, 0)).fma(z, b);
                }
                ps = a.fma(FloatVector.broadcast(FLOATS, scales[o * groups + g]), ps);
                qs = b.fma(FloatVector.broadcast(FLOATS, scales[(o + next) * groups + g]), qs);
            }
            ps.intoArray(sums, o * LANES);
            qs.intoArray(sums, (o + 1) * LANES);
        }
    }

    private static void four(byte[] block, int rowBytes, float[] scales, int groups, int count, float[] x, int xAt,
            float[] sums) {
        int columns = groups * GROUP;
        for (int o = 0; o < count; o++) {
            int p = o * rowBytes + SCALE_BYTES;
            FloatVector s0 = FloatVector.zero(FLOATS);
            FloatVector s1 = s0;
            FloatVector s2 = s0;
            FloatVector s3 = s0;
            for (int g = 0; g < groups; g++) {
                FloatVector a0 = FloatVector.zero(FLOATS);
                FloatVector a1 = a0;
                FloatVector a2 = a0;
                FloatVector a3 = a0;
                for (int j = 0; j < GROUP; j += LANES) {
                    int k = xAt + g * GROUP + j;
                    FloatVector w = (FloatVector) ByteVector.fromArray(BYTES, block, p + g * BLOCK_BYTES + j)
                            .convertShape(B2F, FLOATS, 0);
                    a0 = w.fma(FloatVector.fromArray(FLOATS, x, k), a0);
                    a1 = w.fma(FloatVector.fromArray(FLOATS, x, k + columns), a1);
                    a2 = w.fma(FloatVector.fromArray(FLOATS, x, k + 2 * columns), a2);
                    a3 = w.fma(FloatVector.fromArray(FLOATS, x, k + 3 * columns), a3);
                }
                FloatVector d = FloatVector.broadcast(FLOATS, scales[o * groups + g]);
                s0 = a0.fma(d, s0);
                s1 = a1.fma(d, s1);
                s2 = a2.fma(d, s2);
                s3 = a3.fma(d, s3);
            }
            int at = FOUR * o * LANES;
            s0.intoArray(sums, at);
            s1.intoArray(sums, at + LANES);
            s2.intoArray(sums, at + 2 * LANES);
            s3.intoArray(sums, at + 3 * LANES);
        }
    }
}
