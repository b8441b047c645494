package io.peft4j.core.kernel;

import io.peft4j.core.Internal;

/**
 * The heap arrays of one thread, kept between calls and grown as needed: loops over heap arrays are vectorized, those
 * over native memory are not. Contents are undefined. A slot is one array; a call names a different slot for each thing
 * it holds.
 */
@Internal(shared = true)
public class Tiles implements AutoCloseable {
    /** Elements that loops take at a time: a few such arrays fit in the first-level cache. */
    public static final int TILE = 1024;

    private static final int SLOTS = 8;

    private final float[][] floats = new float[SLOTS][0];
    private final Loops loops = LoopSelection.create();
    private final int[][] ints = new int[SLOTS][0];
    private short[] shorts = {};
    private long[] longs = {};
    private byte[] bytes = {};

    /** Array number {@code slot}, of 0 to 7, with at least {@code size} floats. */
    public final float[] floats(int slot, int size) {
        if (floats[slot].length < size) {
            floats[slot] = new float[Math.max(size, 2 * floats[slot].length)];
        }
        return floats[slot];
    }

    /** A tile of {@link #TILE} floats. */
    final float[] tile(int slot) {
        return floats(slot, TILE);
    }

    /** Array number {@code slot}, of 0 to 7, with at least {@code size} 32-bit words. */
    public final int[] ints(int slot, int size) {
        if (ints[slot].length < size) {
            ints[slot] = new int[Math.max(size, 2 * ints[slot].length)];
        }
        return ints[slot];
    }

    /** At least {@code size} 16-bit words. */
    public final short[] shorts(int size) {
        if (shorts.length < size) {
            shorts = new short[Math.max(size, 2 * shorts.length)];
        }
        return shorts;
    }

    /** At least {@code size} 64-bit words. */
    public final long[] longs(int size) {
        if (longs.length < size) {
            longs = new long[size];
        }
        return longs;
    }

    /** At least {@code size} bytes. */
    public final byte[] bytes(int size) {
        if (bytes.length < size) {
            bytes = new byte[size];
        }
        return bytes;
    }

    /** The loops over heap arrays, with scratch arrays of their own. */
    public final Loops loops() {
        return loops;
    }

    /** Frees what the thread holds besides heap arrays. */
    @Override
    public void close() {
    }
}
