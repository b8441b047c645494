package io.peft4j.core.kernel;

import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.BlockWeight;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.core.weight.Int8Weight;
import java.util.OptionalLong;

/** Turns parts of a frozen weight into f32, without garbage. */
abstract class WeightReader {
    private WeightReader() {
    }

    static WeightReader of(FrozenWeight weight) {
        if (weight instanceof DenseWeight dense) {
            return new Dense(dense);
        }
        if (weight instanceof Int8Weight bytes) {
            return new Int8(bytes);
        }
        return new Blocks((BlockWeight) weight);
    }

    /** Where the values lie as plain floats, if they do. */
    OptionalLong floats() {
        return OptionalLong.empty();
    }

    /** A part of a row begins and ends at a multiple of this. */
    int alignment() {
        return 1;
    }

    /** Reads columns {@code from} to {@code to} of a row to the start of {@code target}. */
    abstract void read(int row, int from, int to, float[] target, ThreadScratch lane);

    /** Writes rows {@code firstRow} to {@code lastRow}, columns {@code from} to {@code to}, as a dense matrix. */
    final void copy(int firstRow, int lastRow, int from, int to, long target, ThreadScratch lane, int slot) {
        int width = to - from;
        float[] row = lane.floats(slot, width);
        for (int i = firstRow; i < lastRow; i++) {
            read(i, from, to, row, lane);
            NativeMemory.write(target + 4L * (i - firstRow) * width, row, 0, width);
        }
    }

    private static final class Dense extends WeightReader {
        private final Elements values;
        private final int columns;

        Dense(DenseWeight weight) {
            values = Elements.of(weight.values());
            columns = weight.columns();
        }

        @Override
        OptionalLong floats() {
            return values.narrow() ? OptionalLong.empty() : OptionalLong.of(values.address());
        }

        @Override
        void read(int row, int from, int to, float[] target, ThreadScratch lane) {
            values.read((long) row * columns + from, target, to - from, lane);
        }
    }

    private static final class Int8 extends WeightReader {
        private final Int8Weight weight;

        Int8(Int8Weight weight) {
            this.weight = weight;
        }

        @Override
        void read(int row, int from, int to, float[] target, ThreadScratch lane) {
            weight.read(row, from, to, target, 0, lane.bytes(to - from));
        }
    }

    private static final class Blocks extends WeightReader {
        private final BlockWeight weight;
        private final BlockType type;

        Blocks(BlockWeight weight) {
            this.weight = weight;
            this.type = weight.type();
        }

        @Override
        OptionalLong floats() {
            return type == BlockType.F32 ? OptionalLong.of(weight.address()) : OptionalLong.empty();
        }

        @Override
        int alignment() {
            return type.blockSize();
        }

        @Override
        void read(int row, int from, int to, float[] target, ThreadScratch lane) {
            long first = (long) row * weight.columns() + from;
            int blocks = (to - from) / type.blockSize();
            byte[] bytes = lane.bytes(blocks * type.blockBytes());
            NativeMemory.read(weight.address() + first / type.blockSize() * type.blockBytes(), bytes, 0,
                    blocks * type.blockBytes());
            type.decode(bytes, blocks, target, 0);
        }
    }
}
