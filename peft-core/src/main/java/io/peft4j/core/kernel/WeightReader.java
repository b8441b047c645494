package io.peft4j.core.kernel;

import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.BlockWeight;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import java.util.OptionalLong;

/** Turns parts of a frozen weight into f32, without garbage. */
final class WeightReader {
    private final FrozenWeight weight;
    private final Elements dense;
    private final BlockType type;
    private final long address;

    WeightReader(FrozenWeight weight) {
        this.weight = weight;
        if (weight instanceof DenseWeight w) {
            dense = Elements.of(w.values());
            type = null;
            address = dense.address();
        } else {
            BlockWeight w = (BlockWeight) weight;
            dense = null;
            type = w.type();
            address = w.address();
        }
    }

    /** Where the values lie as plain floats, if they do. */
    OptionalLong floats() {
        boolean plain = dense == null ? type == BlockType.F32 : !dense.narrow();
        return plain ? OptionalLong.of(address) : OptionalLong.empty();
    }

    /** A part of a row begins and ends at a multiple of this. */
    int alignment() {
        return dense == null ? type.blockSize() : 1;
    }

    /** Reads columns {@code from} to {@code to} of a row to the start of {@code target}. */
    void read(int row, int from, int to, float[] target, Lane lane) {
        long first = (long) row * weight.columns() + from;
        if (dense != null) {
            dense.read(first, target, to - from, lane);
            return;
        }
        int blocks = (to - from) / type.blockSize();
        byte[] bytes = lane.bytes(blocks * type.blockBytes());
        NativeMemory.read(address + first / type.blockSize() * type.blockBytes(), bytes, 0, blocks * type.blockBytes());
        type.decode(bytes, blocks, target, 0);
    }

    /** Writes rows {@code firstRow} to {@code lastRow}, columns {@code from} to {@code to}, as a dense matrix. */
    void copy(int firstRow, int lastRow, int from, int to, long target, Lane lane, int slot) {
        int width = to - from;
        float[] row = lane.floats(slot, width);
        for (int i = firstRow; i < lastRow; i++) {
            read(i, from, to, row, lane);
            NativeMemory.write(target + 4L * (i - firstRow) * width, row, 0, width);
        }
    }
}
