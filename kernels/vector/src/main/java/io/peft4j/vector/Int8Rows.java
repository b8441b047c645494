package io.peft4j.vector;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.XOR;

import io.peft4j.core.kernel.RowProducts;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rows of signed bytes as they lie, each with a scale. A lane of ints holds four neighbours. Their bytes are cut out
 * where they are, so that they come as floats times 1, 256 and 65536, which x makes good; the first three are made
 * positive before by adding 128 (which flips the sign's bit), the last keeps its sign.
 */
record Int8Rows(long address, long scales, int rows, int columns) implements RowProducts.Part, WeightRowLoops {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Byte> BYTES = FLOATS.withLanes(byte.class);
    private static final int LANES = FLOATS.length();
    private static final int LANE_BYTES = 4;
    private static final int PHASES = 4;
    private static final int SIGNS = 0x00808080;
    private static final int BYTE0 = 0xFF;
    private static final int BYTE1 = 0xFF00;
    private static final int BYTE2 = 0xFF0000;
    private static final int SHIFT3 = 24;
    private static final float OFFSET = 128;

    @Override
    public int rowBytes() {
        return columns;
    }

    @Override
    public int rowScales() {
        return 1;
    }

    @Override
    public int phases() {
        return PHASES;
    }

    @Override
    public float factor(int phase) {
        return phase == PHASES - 1 ? 1 : 1f / (1 << 8 * phase);
    }

    @Override
    public float offset(int phase) {
        return phase == PHASES - 1 ? 0 : OFFSET;
    }

    @Override
    public void scale(float[] y, int at, float[] ofRows, int count) {
        for (int i = 0; i < count; i++) {
            y[at + i] *= ofRows[i];
        }
    }

    @Override
    public float value(byte[] block, int row, int column) {
        return block[row * columns + column];
    }

    @Override
    public void one(byte[] block, float[] ofRows, int count, float[] x, float[] sums) {
        one(block, rowBytes(), count, x, columns / (PHASES * LANES) * LANES, sums);
    }

    @Override
    public void four(byte[] block, float[] ofRows, int count, float[] x, int at, float[] sums) {
        four(block, rowBytes(), count, x, at, columns / (PHASES * LANES) * LANES, sums);
    }

    // Each of these is one loop without methods of our own: see VectorExponential.

    private static void one(byte[] block, int rowBytes, int count, float[] x, int length, float[] sums) {
        for (int o = 0; o < count; o += 2) {
            int p = o * rowBytes;
            int q = o + 1 < count ? p + rowBytes : p;
            FloatVector p0 = FloatVector.zero(FLOATS);
            FloatVector p1 = p0;
            FloatVector q0 = p0;
            FloatVector q1 = p0;
            for (int i = 0; i < length; i += LANES) {
                IntVector u = ByteVector.fromArray(BYTES, block, p + LANE_BYTES * i).reinterpretAsInts()
                        .lanewise(XOR, SIGNS);
                IntVector v = ByteVector.fromArray(BYTES, block, q + LANE_BYTES * i).reinterpretAsInts()
                        .lanewise(XOR, SIGNS);
                FloatVector z = FloatVector.fromArray(FLOATS, x, i);
                p0 = ((FloatVector) u.and(BYTE0).convertShape(I2F, FLOATS, 0)).fma(z, p0);
                q0 = ((FloatVector) v.and(BYTE0).convertShape(I2F, FLOATS, 0)).fma(z, q0);
                z = FloatVector.fromArray(FLOATS, x, length + i);
                p1 = ((FloatVector) u.and(BYTE1).convertShape(I2F, FLOATS, 0)).fma(z, p1);
                q1 = ((FloatVector) v.and(BYTE1).convertShape(I2F, FLOATS, 0)).fma(z, q1);
                z = FloatVector.fromArray(FLOATS, x, 2 * length + i);
                p0 = ((FloatVector) u.and(BYTE2).convertShape(I2F, FLOATS, 0)).fma(z, p0);
                q0 = ((FloatVector) v.and(BYTE2).convertShape(I2F, FLOATS, 0)).fma(z, q0);
                z = FloatVector.fromArray(FLOATS, x, 3 * length + i);
                p1 = ((FloatVector) u.lanewise(ASHR, SHIFT3).convertShape(I2F, FLOATS, 0)).fma(z, p1);
                q1 = ((FloatVector) v.lanewise(ASHR, SHIFT3).convertShape(I2F, FLOATS, 0)).fma(z, q1);
            }
            p0.add(p1).intoArray(sums, o * LANES);
            q0.add(q1).intoArray(sums, (o + 1) * LANES);
        }
    }

    private static void four(byte[] block, int rowBytes, int count, float[] x, int xAt, int length,
            float[] sums) {
        for (int o = 0; o < count; o += 2) {
            int p = o * rowBytes;
            int q = o + 1 < count ? p + rowBytes : p;
            FloatVector p0 = FloatVector.zero(FLOATS);
            FloatVector q0 = p0;
            FloatVector p1 = p0;
            FloatVector q1 = p0;
            FloatVector p2 = p0;
            FloatVector q2 = p0;
            FloatVector p3 = p0;
            FloatVector q3 = p0;
            for (int i = 0; i < length; i += LANES) {
                IntVector u = ByteVector.fromArray(BYTES, block, p + LANE_BYTES * i).reinterpretAsInts()
                        .lanewise(XOR, SIGNS);
                IntVector v = ByteVector.fromArray(BYTES, block, q + LANE_BYTES * i).reinterpretAsInts()
                        .lanewise(XOR, SIGNS);
                FloatVector a = (FloatVector) u.and(BYTE0).convertShape(I2F, FLOATS, 0);
                FloatVector b = (FloatVector) v.and(BYTE0).convertShape(I2F, FLOATS, 0);
                p0 = a.fma(FloatVector.fromArray(FLOATS, x, xAt + i), p0);
                q0 = b.fma(FloatVector.fromArray(FLOATS, x, xAt + i), q0);
                p1 = a.fma(FloatVector.fromArray(FLOATS, x, xAt + length + i), p1);
                q1 = b.fma(FloatVector.fromArray(FLOATS, x, xAt + length + i), q1);
                p2 = a.fma(FloatVector.fromArray(FLOATS, x, xAt + 2 * length + i), p2);
                q2 = b.fma(FloatVector.fromArray(FLOATS, x, xAt + 2 * length + i), q2);
                p3 = a.fma(FloatVector.fromArray(FLOATS, x, xAt + 3 * length + i), p3);
                q3 = b.fma(FloatVector.fromArray(FLOATS, x, xAt + 3 * length + i), q3);
                a = (FloatVector) u.and(BYTE1).convertShape(I2F, FLOATS, 0);
                b = (FloatVector) v.and(BYTE1).convertShape(I2F, FLOATS, 0);
                p0 = a.fma(FloatVector.fromArray(FLOATS, x, xAt + 4 * length + i), p0);
                q0 = b.fma(FloatVector.fromArray(FLOATS, x, xAt + 4 * length + i), q0);
                p1 = a.fma(FloatVector.fromArray(FLOATS, x, xAt + 5 * length + i), p1);
                q1 = b.fma(FloatVector.fromArray(FLOATS, x, xAt + 5 * length + i), q1);
                p2 = a.fma(FloatVector.fromArray(FLOATS, x, xAt + 6 * length + i), p2);
                q2 = b.fma(FloatVector.fromArray(FLOATS, x, xAt + 6 * length + i), q2);
                p3 = a.fma(FloatVector.fromArray(FLOATS, x, xAt + 7 * length + i), p3);
                q3 = b.fma(FloatVector.fromArray(FLOATS, x, xAt + 7 * length + i), q3);
                a = (FloatVector) u.and(BYTE2).convertShape(I2F, FLOATS, 0);
                b = (FloatVector) v.and(BYTE2).convertShape(I2F, FLOATS, 0);
                p0 = a.fma(FloatVector.fromArray(FLOATS, x, xAt + 8 * length + i), p0);
                q0 = b.fma(FloatVector.fromArray(FLOATS, x, xAt + 8 * length + i), q0);
                p1 = a.fma(FloatVector.fromArray(FLOATS, x, xAt + 9 * length + i), p1);
                q1 = b.fma(FloatVector.fromArray(FLOATS, x, xAt + 9 * length + i), q1);
                p2 = a.fma(FloatVector.fromArray(FLOATS, x, xAt + 10 * length + i), p2);
                q2 = b.fma(FloatVector.fromArray(FLOATS, x, xAt + 10 * length + i), q2);
                p3 = a.fma(FloatVector.fromArray(FLOATS, x, xAt + 11 * length + i), p3);
                q3 = b.fma(FloatVector.fromArray(FLOATS, x, xAt + 11 * length + i), q3);
                a = (FloatVector) u.lanewise(ASHR, SHIFT3).convertShape(I2F, FLOATS, 0);
                b = (FloatVector) v.lanewise(ASHR, SHIFT3).convertShape(I2F, FLOATS, 0);
                p0 = a.fma(FloatVector.fromArray(FLOATS, x, xAt + 12 * length + i), p0);
                q0 = b.fma(FloatVector.fromArray(FLOATS, x, xAt + 12 * length + i), q0);
                p1 = a.fma(FloatVector.fromArray(FLOATS, x, xAt + 13 * length + i), p1);
                q1 = b.fma(FloatVector.fromArray(FLOATS, x, xAt + 13 * length + i), q1);
                p2 = a.fma(FloatVector.fromArray(FLOATS, x, xAt + 14 * length + i), p2);
                q2 = b.fma(FloatVector.fromArray(FLOATS, x, xAt + 14 * length + i), q2);
                p3 = a.fma(FloatVector.fromArray(FLOATS, x, xAt + 15 * length + i), p3);
                q3 = b.fma(FloatVector.fromArray(FLOATS, x, xAt + 15 * length + i), q3);
            }
            int at = 4 * o * LANES;
            p0.intoArray(sums, at);
            p1.intoArray(sums, at + LANES);
            p2.intoArray(sums, at + 2 * LANES);
            p3.intoArray(sums, at + 3 * LANES);
            q0.intoArray(sums, at + 4 * LANES);
            q1.intoArray(sums, at + 5 * LANES);
            q2.intoArray(sums, at + 6 * LANES);
            q3.intoArray(sums, at + 7 * LANES);
        }
    }
}
