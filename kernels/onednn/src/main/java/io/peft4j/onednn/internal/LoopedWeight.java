package io.peft4j.onednn.internal;

import io.peft4j.core.kernel.support.RowProducts;
import io.peft4j.core.weight.BlockWeight;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.core.weight.Int8Weight;
import java.util.Optional;

/**
 * A frozen weight that loops in vector registers multiply, where there are any ({@link RowProducts}): bytes
 * where they lie, 4-bit blocks from a copy of the same size.
 */
final class LoopedWeight extends PackedWeight {
    private static final int INPUT = 1;
    private static final int RESULT = 2;
    private static final int ROW = 3;
    private static final int OLD = 4;

    private final RowProducts.Part[] parts;

    LoopedWeight(ThreadContext lane, FrozenWeight weight, int threads) {
        super(weight.rows(), weight.columns(), threads, count -> copyBytes(lane, weight, count));
        this.parts = new RowProducts.Part[slices()];
    }

    private static RowProducts products(ThreadContext lane) {
        return lane.loops().rowProducts().orElseThrow();
    }

    private static long copyBytes(ThreadContext lane, FrozenWeight weight, int count) {
        return weight instanceof BlockWeight blocks
                ? products(lane).copyBytes(blocks.type(), count, weight.columns()) : 0;
    }

    /** Whether there are loops for such weights. */
    static boolean runs(ThreadContext lane, FrozenWeight weight) {
        return lane.loops().rowProducts().isPresent() && (weight instanceof Int8Weight
                || weight instanceof BlockWeight && copyBytes(lane, weight, 1) > 0);
    }

    @Override
    boolean takesRowsAsTheyAre() {
        return true;
    }

    @Override
    boolean pack(ThreadContext lane, FrozenWeight w, int slice, long copy) {
        parts[slice] = part(lane, w, slice, copy).orElse(null);
        return parts[slice] != null;
    }

    private Optional<RowProducts.Part> part(ThreadContext lane, FrozenWeight weight, int slice, long copy) {
        RowProducts products = products(lane);
        int count = count(slice);
        long before = (long) first(slice) * columns();
        if (weight instanceof Int8Weight bytes) {
            return Optional.of(products.int8(bytes.values() + before, bytes.scales() + 4L * first(slice), count,
                    columns()));
        }
        BlockWeight blocks = (BlockWeight) weight;
        return products.copy(blocks.type(), blocks.address() + blocks.type().bytes(before), count, columns(),
                copy);
    }

    @Override
    void multiply(ThreadContext lane, int slice, long copy, Span x, int rows, int padded, Span y, boolean accumulate) {
        int count = count(slice);
        float[] input = lane.floats(INPUT, rows * columns());
        float[] result = lane.floats(RESULT, rows * count);
        OneDnnElements.read(lane, x, input, rows * columns());
        products(lane).multiply(parts[slice], input, result, rows);
        float[] row = lane.floats(ROW, count);
        float[] old = lane.floats(OLD, count);
        for (int i = 0; i < rows; i++) {
            Span target = y.from((long) i * rows() + first(slice));
            System.arraycopy(result, i * count, row, 0, count);
            if (accumulate) {
                OneDnnElements.read(lane, target, old, count);
                OneDnnRows.add(old, row, count);
            }
            OneDnnElements.write(lane, row, target, count);
        }
    }
}
