package io.peft4j.vector;

import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import io.peft4j.core.kernel.RowProducts;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Blocks of 4-bit numbers in the order of {@link FourBitCopy}: a lane is an output feature, and an int in it holds
 * eight of its numbers. They are cut out where they are, so that they come as floats times 1, 16, 256 ..., which x
 * makes good. With {@code w = d q + m} a block adds {@code d * sum(q x) + m * sum(x)}.
 */
record FourBitTiles(long address, int rows, int columns) implements RowProducts.Part {
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final VectorSpecies<Byte> BYTES = FLOATS.withLanes(byte.class);
    private static final int LANES = FLOATS.length();
    /** Output features of a tile. */
    static final int TILE = 2 * LANES;
    /** Input features that share a scale. */
    static final int GROUP = 32;
    /** Input features in an int. */
    static final int STEP = 8;
    private static final int STEPS = GROUP / STEP;
    private static final int FOUR = 4;
    private static final int VECTOR_BYTES = 4 * LANES;
    private static final int STEP_BYTES = 2 * VECTOR_BYTES;

    /** Bytes of a tile: scales and minima in 16 bits each, then the numbers. */
    static int tileBytes(int columns) {
        return (columns / GROUP + columns / STEP) * STEP_BYTES;
    }

    /** What x is multiplied by in a column. */
    static float factor(int column) {
        int place = column % STEP;
        return place == STEP - 1 ? 1 : 1f / (1 << 4 * place);
    }

    /**
     * The scales and minima of a tile as floats {@code [groups, TILE]}.
     *
     * @param tile its bytes
     */
    void scales(byte[] tile, float[] scales, float[] minima) {
        halves(tile, 2 * (columns / GROUP), scales, minima);
    }

    /**
     * Adds the product of a row of x to {@code y[at ..]}, TILE numbers.
     *
     * @param x the row from {@code xAt} on, each column times its {@link #factor}
     */
    void one(byte[] tile, float[] x, int xAt, float[] scales, float[] y, int at) {
        for (int half = 0; half < 2; half++) {
            one(tile, numbers() + half * VECTOR_BYTES, columns / STEP, x, xAt, scales, half * LANES, y,
                    at + half * LANES);
        }
    }

    /**
     * Adds the products of four rows of x to {@code y[at ..]}, [4, TILE].
     *
     * @param x the rows from {@code xAt} on, [columns, 4], each column times its {@link #factor}
     */
    void four(byte[] tile, float[] x, int xAt, float[] scales, float[] y, int at) {
        for (int half = 0; half < 2; half++) {
            four(tile, numbers() + half * VECTOR_BYTES, columns / STEP, x, xAt, scales,
                    half * LANES, y, at + half * LANES);
        }
    }

    /** Where a tile's numbers begin. */
    private int numbers() {
        return columns / GROUP * STEP_BYTES;
    }

    /**
     * Widens 16-bit floats: their bits at the places of a 32-bit float are a number 2^112 times too small, also
     * below the smallest normal one. Not for infinity and NaN.
     */
    private static void halves(byte[] tile, int vectors, float[] low, float[] high) {
        for (int i = 0; i < vectors; i++) {
            IntVector h = ByteVector.fromArray(BYTES, tile, VECTOR_BYTES * i).reinterpretAsInts();
            h.and(0x7FFF).lanewise(LSHL, 13).or(h.and(0x8000).lanewise(LSHL, 16)).reinterpretAsFloats()
                    .mul(0x1p112f).intoArray(low, LANES * i);
            h.lanewise(LSHR, 3).and(0x0FFFE000).or(h.and(0x80000000)).reinterpretAsFloats()
                    .mul(0x1p112f).intoArray(high, LANES * i);
        }
    }

    // Each of these is one loop without methods of our own: see VectorExponential. A loop of more than 24 operations
    // may be compiled at two thirds of its speed: HotSpot counts what went wrong in the Vector API's table of
    // operations (VectorOperators.ImplCache.find) again for each use, and above -XX:PerMethodTrapLimit (100) it trusts
    // no type of a vector any more and makes objects of them.

    private static void one(byte[] tile, int from, int steps, float[] x, int xAt, float[] scales, int scaleAt,
            float[] y, int at) {
        FloatVector sum = FloatVector.fromArray(FLOATS, y, at);
        for (int i = 0; i < steps; i++) {
            IntVector v = ByteVector.fromArray(BYTES, tile, from + STEP_BYTES * i).reinterpretAsInts();
            int k = xAt + STEP * i;
            FloatVector a = ((FloatVector) v.and(0xF).convertShape(I2F, FLOATS, 0))
                    .mul(FloatVector.broadcast(FLOATS, x[k]));
            FloatVector b = ((FloatVector) v.and(0xF0).convertShape(I2F, FLOATS, 0))
                    .mul(FloatVector.broadcast(FLOATS, x[k + 1]));
            a = ((FloatVector) v.and(0xF00).convertShape(I2F, FLOATS, 0))
                    .fma(FloatVector.broadcast(FLOATS, x[k + 2]), a);
            b = ((FloatVector) v.and(0xF000).convertShape(I2F, FLOATS, 0))
                    .fma(FloatVector.broadcast(FLOATS, x[k + 3]), b);
            a = ((FloatVector) v.and(0xF0000).convertShape(I2F, FLOATS, 0))
                    .fma(FloatVector.broadcast(FLOATS, x[k + 4]), a);
            b = ((FloatVector) v.and(0xF00000).convertShape(I2F, FLOATS, 0))
                    .fma(FloatVector.broadcast(FLOATS, x[k + 5]), b);
            a = ((FloatVector) v.and(0xF000000).convertShape(I2F, FLOATS, 0))
                    .fma(FloatVector.broadcast(FLOATS, x[k + 6]), a);
            b = ((FloatVector) v.lanewise(LSHR, 28).convertShape(I2F, FLOATS, 0))
                    .fma(FloatVector.broadcast(FLOATS, x[k + 7]), b);
            sum = a.add(b).fma(FloatVector.fromArray(FLOATS, scales, scaleAt + i / STEPS * TILE), sum);
        }
        sum.intoArray(y, at);
    }

    private static void four(byte[] tile, int from, int steps, float[] x, int xAt, float[] scales, int scaleAt,
            float[] y, int at) {
        FloatVector y0 = FloatVector.fromArray(FLOATS, y, at);
        FloatVector y1 = FloatVector.fromArray(FLOATS, y, at + TILE);
        FloatVector y2 = FloatVector.fromArray(FLOATS, y, at + 2 * TILE);
        FloatVector y3 = FloatVector.fromArray(FLOATS, y, at + 3 * TILE);
        for (int i = 0; i < steps; i++) {
            IntVector v = ByteVector.fromArray(BYTES, tile, from + STEP_BYTES * i).reinterpretAsInts();
            int k = xAt + FOUR * STEP * i;
            FloatVector q = (FloatVector) v.and(0xF).convertShape(I2F, FLOATS, 0);
            FloatVector a0 = q.mul(FloatVector.broadcast(FLOATS, x[k]));
            FloatVector a1 = q.mul(FloatVector.broadcast(FLOATS, x[k + 1]));
            FloatVector a2 = q.mul(FloatVector.broadcast(FLOATS, x[k + 2]));
            FloatVector a3 = q.mul(FloatVector.broadcast(FLOATS, x[k + 3]));
            q = (FloatVector) v.and(0xF0).convertShape(I2F, FLOATS, 0);
            a0 = q.fma(FloatVector.broadcast(FLOATS, x[k + 4]), a0);
            a1 = q.fma(FloatVector.broadcast(FLOATS, x[k + 5]), a1);
            a2 = q.fma(FloatVector.broadcast(FLOATS, x[k + 6]), a2);
            a3 = q.fma(FloatVector.broadcast(FLOATS, x[k + 7]), a3);
            q = (FloatVector) v.and(0xF00).convertShape(I2F, FLOATS, 0);
            a0 = q.fma(FloatVector.broadcast(FLOATS, x[k + 8]), a0);
            a1 = q.fma(FloatVector.broadcast(FLOATS, x[k + 9]), a1);
            a2 = q.fma(FloatVector.broadcast(FLOATS, x[k + 10]), a2);
            a3 = q.fma(FloatVector.broadcast(FLOATS, x[k + 11]), a3);
            q = (FloatVector) v.and(0xF000).convertShape(I2F, FLOATS, 0);
            a0 = q.fma(FloatVector.broadcast(FLOATS, x[k + 12]), a0);
            a1 = q.fma(FloatVector.broadcast(FLOATS, x[k + 13]), a1);
            a2 = q.fma(FloatVector.broadcast(FLOATS, x[k + 14]), a2);
            a3 = q.fma(FloatVector.broadcast(FLOATS, x[k + 15]), a3);
            q = (FloatVector) v.and(0xF0000).convertShape(I2F, FLOATS, 0);
            a0 = q.fma(FloatVector.broadcast(FLOATS, x[k + 16]), a0);
            a1 = q.fma(FloatVector.broadcast(FLOATS, x[k + 17]), a1);
            a2 = q.fma(FloatVector.broadcast(FLOATS, x[k + 18]), a2);
            a3 = q.fma(FloatVector.broadcast(FLOATS, x[k + 19]), a3);
            q = (FloatVector) v.and(0xF00000).convertShape(I2F, FLOATS, 0);
            a0 = q.fma(FloatVector.broadcast(FLOATS, x[k + 20]), a0);
            a1 = q.fma(FloatVector.broadcast(FLOATS, x[k + 21]), a1);
            a2 = q.fma(FloatVector.broadcast(FLOATS, x[k + 22]), a2);
            a3 = q.fma(FloatVector.broadcast(FLOATS, x[k + 23]), a3);
            q = (FloatVector) v.and(0xF000000).convertShape(I2F, FLOATS, 0);
            a0 = q.fma(FloatVector.broadcast(FLOATS, x[k + 24]), a0);
            a1 = q.fma(FloatVector.broadcast(FLOATS, x[k + 25]), a1);
            a2 = q.fma(FloatVector.broadcast(FLOATS, x[k + 26]), a2);
            a3 = q.fma(FloatVector.broadcast(FLOATS, x[k + 27]), a3);
            q = (FloatVector) v.lanewise(LSHR, 28).convertShape(I2F, FLOATS, 0);
            a0 = q.fma(FloatVector.broadcast(FLOATS, x[k + 28]), a0);
            a1 = q.fma(FloatVector.broadcast(FLOATS, x[k + 29]), a1);
            a2 = q.fma(FloatVector.broadcast(FLOATS, x[k + 30]), a2);
            a3 = q.fma(FloatVector.broadcast(FLOATS, x[k + 31]), a3);
            FloatVector d = FloatVector.fromArray(FLOATS, scales, scaleAt + i / STEPS * TILE);
            y0 = a0.fma(d, y0);
            y1 = a1.fma(d, y1);
            y2 = a2.fma(d, y2);
            y3 = a3.fma(d, y3);
        }
        y0.intoArray(y, at);
        y1.intoArray(y, at + TILE);
        y2.intoArray(y, at + 2 * TILE);
        y3.intoArray(y, at + 3 * TILE);
    }
}
