package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.kernel.RowProducts;
import io.peft4j.core.weight.BlockWeight;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.core.weight.Int8Weight;
import io.peft4j.onednn.PackedCopies.Copy;
import io.peft4j.onednn.PackedCopies.Layout;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Products of a few rows with a frozen weight in passes of generation. Loops in vector registers read quantized weights
 * ({@link LoopedWeight}). For others, and where there are no such loops, oneDNN multiplies; its products bring a weight
 * into a layout of its own first, which takes several times as long as multiplying a row, so a copy in that layout is
 * kept ({@link PackedCopies}); where it has none for bfloat16, it is widened in parts ({@link WidenedWeight}). Which
 * way a product goes follows from the weight, the type, the number of rows, and whether the batch has several
 * sequences.
 */
final class PackedProducts implements AutoCloseable {
    /** With more rows the copy is not worth its memory. */
    private static final int MOST_ROWS = 64;
    /** With more rows oneDNN is faster. */
    private static final int MOST_ROWS_OF_LOOPS = 8;
    /** The same where oneDNN has floats, or bytes that it decodes fast. */
    private static final int MOST_ROWS_OF_LOOPS_FOR_FLOATS = 4;
    /** Fewer rows are faster widened, unless a batch of more keeps its copy for them. */
    static final int FEWEST_BFLOAT16_ROWS = 4;
    /** Each number of rows takes primitives of its own: others are rounded up to these. */
    private static final int[] ROWS = {1, 2, 4, 8, 12, 16, 20, 24, 32, 48, 64};
    /** Smaller weights are multiplied as they are. */
    private static final int SMALLEST = 1 << 12;

    private final ThreadTeam team;
    private final BFloat16Products bfloat16;
    private final PackedCopies copies;

    /** @param budget the most bytes that copies take */
    PackedProducts(ThreadTeam team, BFloat16Products bfloat16, long budget) {
        this.team = team;
        this.bfloat16 = bfloat16;
        this.copies = new PackedCopies(team, budget);
    }

    /**
     * Whether a product has few rows and a weight that is worth a copy. A short prompt of a single sequence is not,
     * where its copy would be another than that of the steps which follow.
     */
    boolean suits(INDArray x, FrozenWeight w, boolean batches) {
        int rows = Arrays.rows(x);
        boolean few = rows <= MOST_ROWS && (long) w.rows() * w.columns() >= SMALLEST;
        return few && (batches || rows < FEWEST_BFLOAT16_ROWS || sharesCopyWithSteps(w, x, rows));
    }

    /** Whether the copy for a short prompt is that of the steps of a single sequence. */
    private boolean sharesCopyWithSteps(FrozenWeight w, INDArray x, int rows) {
        boolean looped = w instanceof BlockWeight && LoopedWeight.runs(team.caller(), w);
        return fastest(w, x) == DataType.FLOAT && (!looped || rows <= mostRowsOfLoops(w, x));
    }

    /**
     * Computes {@code y = x W^T (+ y)}; false where that is not done here, and nothing has happened.
     *
     * @param batches whether the steps are of several sequences, as long as all run
     */
    boolean linear(INDArray x, FrozenWeight w, INDArray y, boolean accumulate, boolean batches) {
        if (!suits(x, w, batches)) {
            return false;
        }
        int rows = Arrays.rows(x);
        Optional<Copy> copy = copy(x, w, rows, batches);
        if (copy.isEmpty()) {
            return false;
        }
        PackedWeight weight = copy.get().weight();
        int padded = padded(weight.rowType() == DataType.BFLOAT16 ? Math.max(rows, FEWEST_BFLOAT16_ROWS) : rows);
        long mark = team.caller().scratch().mark();
        Span input = weight.takesRowsAsTheyAre() ? Span.of(x) : padded(x, weight.rowType(), rows, padded);
        Span ys = Span.of(y);
        team.run(weight.slices(), (lane, slice) -> weight.multiply(lane, slice, copy.get().slice(lane, w, slice), input,
                rows, padded, ys, accumulate));
        team.caller().scratch().release(mark);
        return true;
    }

    private Optional<Copy> copy(INDArray x, FrozenWeight w, int rows, boolean batches) {
        ThreadContext lane = team.caller();
        if (rows <= mostRowsOfLoops(w, x)) {
            FrozenWeight read = blocks(w);
            Optional<Copy> looped = copies.of(w, Layout.LOOPS, () -> LoopedWeight.runs(lane, read)
                    ? Optional.of(new LoopedWeight(lane, read, team.size())) : Optional.empty());
            // Floats are there as they are: to make their blocks' copy anew for each product would take longer.
            if (looped.isPresent() && (read == w || looped.get().kept())) {
                return looped;
            }
        }
        DataType type = batches ? fastest(w, x) : DataType.FLOAT;
        return copies.of(w, type == DataType.FLOAT ? Layout.FLOAT_ROWS : Layout.BFLOAT16_ROWS, () -> {
            List<PackedWeight> made = new ArrayList<>();
            team.alone((alone, task) -> byOneDnn(alone, w, type).ifPresent(made::add));
            return made.stream().findFirst();
        });
    }

    /**
     * Loops read weights once and compute more slowly than oneDNN, which has no product of few rows and bytes. Where it
     * multiplies in floats, bytes are decoded for it.
     */
    private static int mostRowsOfLoops(FrozenWeight w, INDArray x) {
        if (w instanceof Int8Weight && x.dataType() != DataType.FLOAT) {
            return MOST_ROWS;
        }
        return w instanceof BlockWeight ? MOST_ROWS_OF_LOOPS : MOST_ROWS_OF_LOOPS_FOR_FLOATS;
    }

    /** The blocks that floats were decoded from, or the weight itself. */
    private static FrozenWeight blocks(FrozenWeight w) {
        return w instanceof DenseWeight dense && dense.blocks().isPresent() ? dense.blocks().get() : w;
    }

    /** The type in which oneDNN multiplies many rows fastest: it has 4-bit blocks for FLOAT alone. */
    private DataType fastest(FrozenWeight w, INDArray x) {
        return w instanceof DenseWeight ? bfloat16.type(MOST_ROWS, x) : DataType.FLOAT;
    }

    private Optional<PackedWeight> byOneDnn(ThreadContext lane, FrozenWeight w, DataType type) {
        if (w instanceof DenseWeight dense) {
            Span values = Span.of(dense.values());
            if (PackedBFloat16.runs(lane, type, values, w.rows(), w.columns())) {
                return Optional.of(new PackedBFloat16(lane, type, w.rows(), w.columns(), team.size()));
            }
            return WidenedWeight.runs(values, w.columns())
                    ? Optional.of(new WidenedWeight(w.rows(), w.columns(), team.size())) : Optional.empty();
        }
        return w instanceof BlockWeight blocks && PackedFourBit.runs(lane, blocks)
                ? Optional.of(new PackedFourBit(blocks, team.size())) : Optional.empty();
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

    /** Frees the copies of a weight. */
    void forget(FrozenWeight w) {
        copies.forget(w);
    }

    /** The bytes that copies take now. */
    long bytes() {
        return copies.bytes();
    }

    @Override
    public void close() {
        copies.close();
    }

    /**
     * A frozen weight that loops in vector registers multiply, where there are any ({@link RowProducts}): bytes
     * where they lie, 4-bit blocks from a copy of the same size.
     */
    private static final class LoopedWeight extends PackedWeight {
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
            parts[slice] = part(lane, blocks(w), slice, copy).orElse(null);
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
        void multiply(ThreadContext lane, int slice, long copy, Span x, int rows, int padded, Span y,
                boolean accumulate) {
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
}
