package io.peft4j.onednn;

/**
 * Heap arrays that grow as needed and are used again: loops over heap arrays are vectorized, those over native memory
 * not.
 */
final class Tiles {
    /** The slot that conversions use. */
    static final int CONVERSION = 0;

    private static final int SLOTS = 8;

    private final float[][] floats = new float[SLOTS][0];
    private short[] shorts = new short[0];
    private byte[] bytes = new byte[0];

    /**
     * Array number {@code slot} (1 to 7 for operations) with at least {@code length} elements of undefined contents.
     */
    float[] floats(int slot, int length) {
        if (floats[slot].length < length) {
            floats[slot] = new float[Math.max(length, 2 * floats[slot].length)];
        }
        return floats[slot];
    }

    /** An array of bytes with at least {@code length} elements of undefined contents. */
    byte[] bytes(int length) {
        if (bytes.length < length) {
            bytes = new byte[length];
        }
        return bytes;
    }

    /** An array of 16-bit words with at least {@code length} elements of undefined contents. */
    short[] shorts(int length) {
        if (shorts.length < length) {
            shorts = new short[Math.max(length, 2 * shorts.length)];
        }
        return shorts;
    }
}
