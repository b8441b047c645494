package io.peft4j.core.kernel;

import io.peft4j.core.array.NativeMemory;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;

/** The scratch memory of one thread of {@link Nd4jKernels}: heap arrays, and native memory for matrix products. */
final class ThreadScratch extends Tiles {
    private final Native[] memory = {new Native(), new Native(), new Native(), new Native()};
    final Address a = new Address();
    final Address b = new Address();
    final Address c = new Address();

    /** The address of at least {@code size} native floats. */
    long scratch(int slot, long size) {
        return memory[slot].floats(size);
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
        private long block;
        private long capacity;

        /** The address of at least {@code size} floats, aligned to a cache line. */
        long floats(long size) {
            long bytes = 4 * size + ALIGNMENT;
            if (capacity < bytes) {
                close();
                block = NativeMemory.allocate(bytes);
                capacity = bytes;
            }
            return (block + ALIGNMENT - 1) & -ALIGNMENT;
        }

        @Override
        public void close() {
            if (capacity > 0) {
                NativeMemory.free(block);
                capacity = 0;
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
