package io.peft4j.core.io;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.ShortPointer;

/**
 * Copies between the heap and raw addresses. Nothing is checked here: a wrong address or length crashes the process, so
 * callers check first.
 */
public final class NativeMemory {
    private static final int TILE = 1 << 14;

    private NativeMemory() {
    }

    /** A sequence of floats that is read piece by piece. */
    @FunctionalInterface
    public interface FloatReader {
        /**
         * Reads a piece.
         *
         * @param first the first element
         * @param target where the values go
         * @param offset where in the target to begin
         * @param count how many elements
         */
        void read(long first, float[] target, int offset, int count);
    }

    /**
     * Copies raw bytes to the heap.
     *
     * @param address where to read
     * @param target where the bytes go
     * @param offset where in the target to begin
     * @param length how many bytes
     */
    public static void getBytes(long address, byte[] target, int offset, int length) {
        new BytePointer(new Address(address)).get(target, offset, length);
    }

    /**
     * Copies raw bytes from the heap.
     *
     * @param address where to write
     * @param source where the bytes come from
     * @param offset where in the source to begin
     * @param length how many bytes
     */
    public static void putBytes(long address, byte[] source, int offset, int length) {
        new BytePointer(new Address(address)).put(source, offset, length);
    }

    /**
     * Writes a sequence as 32-bit floats.
     *
     * @param source the values
     * @param count how many of them
     * @param address where to write {@code 4 * count} bytes
     */
    public static void putFloats(FloatReader source, long count, long address) {
        float[] tile = new float[(int) Math.min(count, TILE)];
        FloatPointer target = new FloatPointer(new Address(address));
        for (long done = 0; done < count; done += tile.length) {
            int n = (int) Math.min(tile.length, count - done);
            source.read(done, tile, 0, n);
            target.position(done).put(tile, 0, n);
        }
    }

    /**
     * Writes a sequence as bfloat16, rounded to nearest even.
     *
     * @param source the values
     * @param count how many of them
     * @param address where to write {@code 2 * count} bytes
     */
    public static void putBfloat16(FloatReader source, long count, long address) {
        float[] tile = new float[(int) Math.min(count, TILE)];
        short[] rounded = new short[tile.length];
        ShortPointer target = new ShortPointer(new Address(address));
        for (long done = 0; done < count; done += tile.length) {
            int n = (int) Math.min(tile.length, count - done);
            source.read(done, tile, 0, n);
            for (int i = 0; i < n; i++) {
                rounded[i] = HalfFloats.toBfloat16(tile[i]);
            }
            target.position(done).put(rounded, 0, n);
        }
    }

    /** JavaCPP keeps the address of a pointer protected; this is its way in. It owns nothing and frees nothing. */
    private static final class Address extends Pointer {
        Address(long address) {
            super((Pointer) null);
            this.address = address;
        }
    }
}
