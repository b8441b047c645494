package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.weight.BlockWeight;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.core.weight.Int8Weight;
import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.lang.ref.WeakReference;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Products of a few rows with a frozen weight in passes of generation. Loops in vector registers read quantized weights
 * ({@link LoopedWeight}). For others, and where there are no such loops, oneDNN multiplies; its products bring a weight
 * into a layout of its own first, which takes several times as long as multiplying a row, so a copy in that layout is
 * kept, made at the first use. It lives until its weight is gone or a pass of another kind begins, which needs the
 * memory for other things.
 */
final class PackedProducts implements AutoCloseable {
    /** With more rows the copy is not worth its memory. */
    private static final int MOST_ROWS = 64;
    /** With more rows oneDNN is faster. */
    private static final int MOST_ROWS_OF_LOOPS = 8;
    /** Fewer rows are faster widened; where there is a copy for bf16 all the same, fewer take longer than this many. */
    private static final int FEWEST_BFLOAT16_ROWS = 4;
    /** Each number of rows takes primitives of its own: others are rounded up to these. */
    private static final int[] ROWS = {1, 2, 4, 8, 12, 16, 20, 24, 32, 48, 64};
    /** Smaller weights are multiplied as they are. */
    private static final int SMALLEST = 1 << 12;

    private final Team team;
    private final BFloat16Products bfloat16;
    private final Map<Key, Copies> packed = new HashMap<>();
    private final ReferenceQueue<FrozenWeight> gone = new ReferenceQueue<>();
    private boolean decoding;

    PackedProducts(Team team, BFloat16Products bfloat16) {
        this.team = team;
        this.bfloat16 = bfloat16;
    }

    /** A weight by its identity: equal values are not the same weight, and comparing them takes long. */
    private static final class Key extends WeakReference<FrozenWeight> {
        private final int hash;

        Key(FrozenWeight weight, ReferenceQueue<FrozenWeight> queue) {
            super(weight, queue);
            hash = System.identityHashCode(weight);
        }

        @Override
        public int hashCode() {
            return hash;
        }

        @Override
        public boolean equals(Object other) {
            return this == other || other instanceof Key key && get() != null && get() == key.get();
        }
    }

    /** Whether passes of generation follow. */
    void decoding(boolean now) {
        decoding = now;
    }

    /** Whether a product of few rows belongs to a pass of generation. One of another kind of pass frees all copies. */
    boolean suits(INDArray x, FrozenWeight w) {
        if (!decoding) {
            release();
            return false;
        }
        return Arrays.rows(x) <= MOST_ROWS && (long) w.rows() * w.columns() >= SMALLEST;
    }

    /** Computes {@code y = x W^T (+ y)}; false where that is not done here, and nothing has happened. */
    boolean linear(INDArray x, FrozenWeight w, INDArray y, boolean accumulate) {
        if (!suits(x, w)) {
            return false;
        }
        int rows = Arrays.rows(x);
        Copies copies = of(w);
        Optional<PackedWeight> copy = rows <= mostRowsOfLoops(w) ? copies.looped(w) : Optional.empty();
        copy = copy.isPresent() ? copy : copies.oneDnn(w, fastest(w, x), rows);
        copy.ifPresent(weight -> {
            int padded = padded(weight.rowType() == DataType.FLOAT ? rows : Math.max(rows, FEWEST_BFLOAT16_ROWS));
            long mark = team.caller().scratch().mark();
            Span input = weight.takesRowsAsTheyAre() ? Span.of(x) : padded(x, weight.rowType(), rows, padded);
            Span ys = Span.of(y);
            team.run(weight.slices(), (lane, slice) ->
                    weight.multiply(lane, slice, input, rows, padded, ys, accumulate));
            team.caller().scratch().release(mark);
        });
        return copy.isPresent();
    }

    /** Loops read weights once and compute more slowly than oneDNN, which has no product of few rows and bytes. */
    private static int mostRowsOfLoops(FrozenWeight w) {
        return w instanceof Int8Weight ? MOST_ROWS : MOST_ROWS_OF_LOOPS;
    }

    /** The type in which oneDNN multiplies many rows fastest: it has 4-bit blocks for FLOAT alone. */
    private DataType fastest(FrozenWeight w, INDArray x) {
        return w instanceof DenseWeight ? bfloat16.type(MOST_ROWS, x) : DataType.FLOAT;
    }

    private static int padded(int rows) {
        int i = 0;
        while (ROWS[i] < rows) {
            i++;
        }
        return ROWS[i];
    }

    /** x in the given type with rows of zeros after it. */
    private Span padded(INDArray x, DataType type, int rows, int padded) {
        Span values = Span.of(x);
        if (values.type() == type && rows == padded) {
            return values;
        }
        int columns = Arrays.columns(x);
        Span copy = Span.scratch(team.caller(), type, (long) padded * columns);
        team.alone((lane, unused) -> Vectors.convert(lane, values, copy, rows * columns));
        NativeMemory.clear(copy.from((long) rows * columns).address(),
                (long) Arrays.bytes(type) * (padded - rows) * columns);
        return copy;
    }

    private Copies of(FrozenWeight w) {
        Copies known = packed.get(new Key(w, null));
        if (known == null) {
            for (Reference<?> lost = gone.poll(); lost != null; lost = gone.poll()) {
                Copies copies = packed.remove(lost);
                if (copies != null) {
                    copies.close();
                }
            }
            known = new Copies();
            packed.put(new Key(w, gone), known);
        }
        return known;
    }

    /** The forms of a weight, each made at its first use. */
    private final class Copies {
        private Optional<PackedWeight> looped;
        private Optional<PackedWeight> oneDnn = Optional.empty();
        /** Of the rows that {@code oneDnn} is for; null before it was asked for. */
        private DataType rowType;

        Optional<PackedWeight> looped(FrozenWeight w) {
            if (looped == null) {
                looped = packed(LoopedWeight.runs(team.caller(), w)
                        ? new LoopedWeight(team.caller(), w, team.size()) : null);
            }
            return looped;
        }

        /**
         * The copy for rows that may be multiplied in the given type. One is kept: a batch that comes after single
         * rows replaces theirs, and its last rows take the batch's.
         */
        Optional<PackedWeight> oneDnn(FrozenWeight w, DataType fastest, int rows) {
            DataType type = rows < FEWEST_BFLOAT16_ROWS && rowType != fastest ? DataType.FLOAT : fastest;
            if (rowType != type) {
                closeOneDnn();
                PackedWeight[] made = new PackedWeight[1];
                team.alone((lane, task) -> made[0] = byOneDnn(lane, w, type));
                oneDnn = packed(made[0]);
                rowType = type;
            }
            return oneDnn;
        }

        private void closeOneDnn() {
            oneDnn.ifPresent(PackedWeight::close);
            oneDnn = Optional.empty();
            rowType = null;
        }

        void close() {
            if (looped != null) {
                looped.ifPresent(PackedWeight::close);
            }
            closeOneDnn();
        }
    }

    private PackedWeight byOneDnn(Lane lane, FrozenWeight w, DataType type) {
        if (w instanceof DenseWeight dense) {
            Span values = Span.of(dense.values());
            return PackedBFloat16.runs(lane, type, values, w.rows(), w.columns())
                    ? new PackedBFloat16(lane, type, values, w.rows(), w.columns(), team.size()) : null;
        }
        return w instanceof BlockWeight blocks && PackedFourBit.runs(lane, blocks)
                ? new PackedFourBit(blocks, team.size()) : null;
    }

    /** The weight, filled; empty where there is none or its values cannot be kept so. */
    private Optional<PackedWeight> packed(PackedWeight weight) {
        if (weight == null) {
            return Optional.empty();
        }
        AtomicBoolean done = new AtomicBoolean(true);
        team.run(weight.slices(), (lane, slice) -> {
            if (!weight.pack(lane, slice)) {
                done.set(false);
            }
        });
        if (!done.get()) {
            weight.close();
            return Optional.empty();
        }
        return Optional.of(weight);
    }

    private void release() {
        if (!packed.isEmpty()) {
            packed.values().forEach(Copies::close);
            packed.clear();
        }
    }

    @Override
    public void close() {
        release();
    }
}
