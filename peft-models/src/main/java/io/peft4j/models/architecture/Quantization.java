package io.peft4j.models.architecture;

import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.BlockWeight;
import io.peft4j.core.weight.FourBitEncoder;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.core.weight.Int8Weight;
import io.peft4j.core.weight.TensorStore;
import java.util.List;

/** Rounds the matrices of a file to few bits, some rows at a time: they are never there as floats. */
final class Quantization {
    /** Elements that a task rounds: few enough that all threads have work to the end. */
    private static final int PIECE = 1 << 20;

    private final TensorStore store;
    private final List<Runnable> tasks;

    /**
     * What rounds tensors of a file.
     *
     * @param tasks gets the work; weights have their values when it is done
     */
    Quantization(TensorStore store, List<Runnable> tasks) {
        this.store = store;
        this.tasks = tasks;
    }

    /** Something done with a few rows. */
    @FunctionalInterface
    private interface Rows {
        void run(int first, int count, float[] values);
    }

    FrozenWeight int8(String name, int rows, int columns) {
        Int8Weight weight = new Int8Weight(rows, columns);
        convert(name, rows, columns, (first, count, values) -> {
            for (int i = 0; i < count; i++) {
                weight.quantizeRow(first + i, values, i * columns);
            }
        });
        return weight;
    }

    /**
     * Blocks of 4 bits.
     *
     * @param columns a multiple of the block size
     * @param memory at least as many bytes as the blocks take
     */
    FrozenWeight fourBit(String name, int rows, int columns, NativeBlock memory) {
        BlockType type = FourBitEncoder.TYPE;
        convert(name, rows, columns, (first, count, values) -> {
            int blocks = count * (columns / type.blockSize());
            byte[] bytes = new byte[blocks * type.blockBytes()];
            new FourBitEncoder().encode(values, 0, blocks, bytes, 0);
            NativeMemory.write(memory.address() + type.bytes((long) first * columns), bytes, 0, bytes.length);
        });
        return new BlockWeight(type, rows, columns, memory.address(), memory);
    }

    private void convert(String name, int rows, int columns, Rows action) {
        int piece = Math.max(1, PIECE / columns);
        int tile = Math.max(1, TensorStore.TILE / columns);
        for (int first = 0; first < rows; first += piece) {
            int from = first;
            int to = Math.min(rows, first + piece);
            tasks.add(() -> {
                float[] values = new float[tile * columns];
                for (int row = from; row < to; row += tile) {
                    int count = Math.min(tile, to - row);
                    store.readFloats(name, (long) row * columns, values, 0, count * columns);
                    try {
                        action.run(row, count, values);
                    } catch (IllegalArgumentException e) {
                        throw new FileFormatException(store.path(), "tensor '" + name + "', rows " + row + " to "
                                + (row + count - 1) + ": " + e.getMessage());
                    }
                }
            });
        }
    }
}
