package io.peft4j.core.kernel;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/**
 * The scratch memory of one thread, kept between calls: heap arrays, where plain loops are fast, and native memory for
 * matrix products. Contents are undefined. A slot is one array; a call names a different slot for each thing it holds.
 */
final class Lane implements AutoCloseable {
    /** Elements that elementwise loops take at a time: a few tiles fit in the first-level cache. */
    static final int TILE = 1024;

    private final float[][] floats = new float[8][0];
    private final Native[] memory = {new Native(), new Native(), new Native(), new Native()};
    private final Loops loops = LoopSelection.create();
    private short[] shorts = {};
    private byte[] bytes = {};
    final Address a = new Address();
    final Address b = new Address();
    final Address c = new Address();

    /** A tile of {@link #TILE} floats. */
    float[] tile(int slot) {
        return floats(slot, TILE);
    }

    /** At least {@code size} floats. */
    float[] floats(int slot, int size) {
        if (floats[slot].length < size) {
            floats[slot] = new float[size];
        }
        return floats[slot];
    }

    short[] shorts(int size) {
        if (shorts.length < size) {
            shorts = new short[size];
        }
        return shorts;
    }

    byte[] bytes(int size) {
        if (bytes.length < size) {
            bytes = new byte[size];
        }
        return bytes;
    }

    /** The address of at least {@code size} native floats. */
    long scratch(int slot, long size) {
        return memory[slot].floats(size);
    }

    /** The inner loops, with scratch arrays of their own. */
    Loops loops() {
        return loops;
    }

    @Override
    public void close() {
        for (Native each : memory) {
            each.close();
        }
    }

    /** Native memory that grows. */
    static final class Native implements AutoCloseable {
        private static final long ALIGNMENT = 64;
        private BytePointer block;

        /** The address of at least {@code size} floats, aligned to a cache line. */
        long floats(long size) {
            long bytes = 4 * size + ALIGNMENT;
            if (block == null || block.capacity() < bytes) {
                close();
                block = new BytePointer(bytes);
            }
            return (block.address() + ALIGNMENT - 1) & -ALIGNMENT;
        }

        @Override
        public void close() {
            if (block != null) {
                block.deallocate();
                block = null;
            }
        }
    }

    /** A pointer that is moved from call to call, so that calls make no garbage. */
    static final class Address extends FloatPointer {
        Address() {
            super((Pointer) null);
        }

        Address at(long newAddress) {
            address = newAddress;
            return this;
        }
    }
}
