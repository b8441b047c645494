package io.peft4j.models.architecture;

import io.peft4j.core.array.NativeMemory;

/** A piece of native memory that weights read. */
final class NativeBlock implements AutoCloseable {
    private final long address;
    private final long bytes;
    private boolean closed;

    NativeBlock(long bytes) {
        this.bytes = bytes;
        this.address = NativeMemory.allocate(bytes);
    }

    long address() {
        return address;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            NativeMemory.free(address);
        }
    }

    @Override
    public String toString() {
        return bytes + " bytes of memory";
    }
}
