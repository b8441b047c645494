package io.peft4j.models.architecture;

import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.TensorStore;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * The tensors of a checkpoint, of which none that is read may hold NaN or infinite values: a model computes with them
 * without a complaint, and its answers are noise. The values are looked at on their way, while they are in the
 * processor's cache; where a model reads blocks in the file itself, {@link #check} looks at their scales.
 */
final class FiniteTensors implements TensorStore {
    private final TensorStore store;

    FiniteTensors(TensorStore store) {
        this.store = store;
    }

    /**
     * Reads a tensor and does nothing with it.
     *
     * @throws FileFormatException when a value is NaN or infinite
     */
    void check(String name) {
        tiles(name, (tile, bytes, position) -> {
        });
    }

    @Override
    public void copyBytes(String name, long address) {
        tiles(name, (tile, bytes, position) -> NativeMemory.write(address + position, tile, 0, bytes));
    }

    /** What is done with a piece of a tensor. */
    @FunctionalInterface
    private interface Action {
        void accept(byte[] tile, int bytes, long position);
    }

    private void tiles(String name, Action action) {
        BlockType type = store.blockType(name).orElseThrow();
        long length = store.length(name);
        byte[] tile = new byte[(int) Math.min((long) 4 * TILE / type.blockBytes() * type.blockBytes(), length)];
        for (long done = 0; done < length; done += tile.length) {
            int bytes = (int) Math.min(tile.length, length - done);
            store.readBytes(name, done, tile, 0, bytes);
            require(name, type.isFinite(tile, bytes / type.blockBytes()));
            action.accept(tile, bytes, done);
        }
    }

    @Override
    public void readFloats(String name, long first, float[] target, int offset, int count) {
        store.readFloats(name, first, target, offset, count);
        int carried = 0;
        for (int i = offset; i < offset + count; i++) {
            // One more than an exponent whose bits are all set is the sign bit.
            carried |= (Float.floatToRawIntBits(target[i]) & 0x7F800000) + 0x00800000;
        }
        require(name, carried >= 0);
    }

    private void require(String name, boolean finite) {
        if (!finite) {
            throw new FileFormatException(store.path(), "tensor '" + name + "' holds NaN or infinite values; "
                    + "the file is damaged, or its training diverged");
        }
    }

    @Override
    public Path path() {
        return store.path();
    }

    @Override
    public Set<String> names() {
        return store.names();
    }

    @Override
    public long[] shape(String name) {
        return store.shape(name);
    }

    @Override
    public Optional<BlockType> blockType(String name) {
        return store.blockType(name);
    }

    @Override
    public long length(String name) {
        return store.length(name);
    }

    @Override
    public void readBytes(String name, long position, byte[] target, int offset, int count) {
        store.readBytes(name, position, target, offset, count);
    }

    @Override
    public ByteBuffer bytes(String name) {
        return store.bytes(name);
    }

    @Override
    public OptionalLong address(String name) {
        return store.address(name);
    }

    @Override
    public void close() {
        store.close();
    }
}
