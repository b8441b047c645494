package io.peft4j.vector;

import static jdk.incubator.vector.VectorOperators.LSHL;

import io.peft4j.core.array.BFloat16;
import io.peft4j.core.kernel.RowProducts;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Rows of bfloat16 numbers as they lie. A lane of ints holds two neighbours: shifted and masked they are the floats of
 * even and odd columns, which are multiplied by those columns of x.
 */
record BFloat16Rows(long address, int rows, int columns) implements RowProducts.Part, RowLoops {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Byte> BYTES = FLOATS.withLanes(byte.class);
    private static final int LANES = FLOATS.length();
    private static final int LANE_BYTES = 4;
    private static final int HIGH = 0xFFFF0000;
    private static final int HALF_BITS = 16;

    @Override
    public int rowBytes() {
        return 2 * columns;
    }

    @Override
    public int phases() {
        return 2;
    }

    @Override
    public float factor(int phase) {
        return 1;
    }

    @Override
    public void one(byte[] block, int count, float[] x, float[] sums) {
        one(block, rowBytes(), count, x, columns / (2 * LANES) * LANES, sums);
    }

    @Override
    public void four(byte[] block, int count, float[] x, int at, float[] sums) {
        four(block, rowBytes(), count, x, at, columns / (2 * LANES) * LANES, sums);
    }

    @Override
    public float value(byte[] block, int row, int column) {
        int at = row * rowBytes() + 2 * column;
        return BFloat16.toFloat((short) (block[at] & 0xFF | block[at + 1] << 8));
    }

    @Override
    public float offset(int phase) {
        return 0;
    }

    @Override
    public void scale(float[] y, int at, int first, int count) {
        // Values are what they are.
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
                IntVector u = ByteVector.fromArray(BYTES, block, p + LANE_BYTES * i).reinterpretAsInts();
                IntVector v = ByteVector.fromArray(BYTES, block, q + LANE_BYTES * i).reinterpretAsInts();
                FloatVector even = FloatVector.fromArray(FLOATS, x, i);
                FloatVector odd = FloatVector.fromArray(FLOATS, x, length + i);
                p0 = u.lanewise(LSHL, HALF_BITS).reinterpretAsFloats().fma(even, p0);
                q0 = v.lanewise(LSHL, HALF_BITS).reinterpretAsFloats().fma(even, q0);
                p1 = u.and(HIGH).reinterpretAsFloats().fma(odd, p1);
                q1 = v.and(HIGH).reinterpretAsFloats().fma(odd, q1);
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
            FloatVector p1 = p0;
            FloatVector p2 = p0;
            FloatVector p3 = p0;
            FloatVector q0 = p0;
            FloatVector q1 = p0;
            FloatVector q2 = p0;
            FloatVector q3 = p0;
            for (int i = 0; i < length; i += LANES) {
                IntVector u = ByteVector.fromArray(BYTES, block, p + LANE_BYTES * i).reinterpretAsInts();
                IntVector v = ByteVector.fromArray(BYTES, block, q + LANE_BYTES * i).reinterpretAsInts();
                FloatVector u0 = u.lanewise(LSHL, HALF_BITS).reinterpretAsFloats();
                FloatVector v0 = v.lanewise(LSHL, HALF_BITS).reinterpretAsFloats();
                FloatVector u1 = u.and(HIGH).reinterpretAsFloats();
                FloatVector v1 = v.and(HIGH).reinterpretAsFloats();
                FloatVector even = FloatVector.fromArray(FLOATS, x, xAt + i);
                FloatVector odd = FloatVector.fromArray(FLOATS, x, xAt + 4 * length + i);
                p0 = u1.fma(odd, u0.fma(even, p0));
                q0 = v1.fma(odd, v0.fma(even, q0));
                even = FloatVector.fromArray(FLOATS, x, xAt + length + i);
                odd = FloatVector.fromArray(FLOATS, x, xAt + 5 * length + i);
                p1 = u1.fma(odd, u0.fma(even, p1));
                q1 = v1.fma(odd, v0.fma(even, q1));
                even = FloatVector.fromArray(FLOATS, x, xAt + 2 * length + i);
                odd = FloatVector.fromArray(FLOATS, x, xAt + 6 * length + i);
                p2 = u1.fma(odd, u0.fma(even, p2));
                q2 = v1.fma(odd, v0.fma(even, q2));
                even = FloatVector.fromArray(FLOATS, x, xAt + 3 * length + i);
                odd = FloatVector.fromArray(FLOATS, x, xAt + 7 * length + i);
                p3 = u1.fma(odd, u0.fma(even, p3));
                q3 = v1.fma(odd, v0.fma(even, q3));
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
