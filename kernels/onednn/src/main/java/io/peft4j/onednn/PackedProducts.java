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
        try (Scratch.Frame frame = team.caller().scratch().frame()) {
            Span input = weight.takesRowsAsTheyAre() ? Span.of(x) : padded(x, weight.rowType(), rows, padded);
            Span ys = Span.of(y);
            team.run(weight.slices(),
                    (lane, slice) -> weight.multiply(lane, slice, copy.get().slice(lane, w, slice), input,
                            rows, padded, ys, accumulate));
        }
        return true;
    }

    private Optional<Copy> copy(INDArray x, FrozenWeight w, int rows, boolean batches) {
        ThreadContext lane = team.caller();
        if (rows <= mostRowsOfLoops(w, x)) {
            FrozenWeight read = blocks(w);
            Optional<Copy> looped = copies.of(w, Layout.LOOPS, () -> LoopedWeight.runs(lane, read)
                    ? Optional.of(new LoopedWeight(lane, read, team.size())) : Optional.empty());
            // Floats are there as they are: to make their blocks' copy for each product would take longer.
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

    /**
     * A bfloat16 weight on a processor for which oneDNN has no product that widens it: some output features at a time
     * are widened into the second-level cache and multiplied there, so that the weight is read from memory once, in its
     * own type.
     *
     * <p>Two neighbours are one 32-bit word. Those at even places come out of a word by a shift, those at odd places by
     * a mask, in loops that the JVM vectorizes; so each half of the inputs is a matrix of its own.
     */
    private static final class WidenedWeight extends PackedWeight {
        private static final int EVEN = 0;
        private static final int ODD = 1;
        private static final int WORDS = 2;
        private static final int ROW = 1;
        private static final int HALF = 2;
        private static final int SHIFT = 16;
        private static final int HIGH = 0xFFFF0000;
        /** Words that are multiplied at a time: their floats lie in the second-level cache. */
        private static final int BLOCK = 1 << 16;
        /** Words that are widened at a time: they lie in the first-level cache. */
        private static final int TILE = 1 << 12;

        private final Span[] slices = new Span[slices()];

        WidenedWeight(int rows, int columns, int threads) {
            super(rows, columns, threads, count -> 0);
        }

        /** Whether such a weight can be widened so. */
        static boolean runs(Span values, int columns) {
            return !values.isFloat() && columns % 2 == 0;
        }

        @Override
        boolean pack(ThreadContext lane, FrozenWeight w, int slice, long copy) {
            slices[slice] = Span.of(((DenseWeight) w).values()).from((long) first(slice) * columns());
            return true;
        }

        @Override
        void multiply(ThreadContext lane, int slice, long copy, Span x, int rows, int padded, Span y,
                boolean accumulate) {
            int count = count(slice);
            Span target = y.from(first(slice));
            boolean direct = y.isFloat() && rows == padded;
            Matrix result = direct ? new Matrix(target, rows, count, rows(), false)
                    : Matrix.dense(Span.scratch(lane, DataType.FLOAT, (long) padded * count), padded, count);
            if (accumulate && !direct) {
                copy(lane, target, rows(), result.data(), count, rows, count);
            }
            Matrix even = half(lane, x, padded, EVEN);
            Matrix odd = half(lane, x, padded, ODD);
            int half = columns() / 2;
            int block = Math.max(1, Integer.highestOneBit(BLOCK / half));
            Span wide = Span.scratch(lane, DataType.FLOAT, 2L * block * half);
            Matrix left = Matrix.dense(wide, block, half).transpose();
            Matrix right = Matrix.dense(wide.from((long) block * half), block, half).transpose();
            Matrix last = Matrix.dense(Span.scratch(lane, DataType.FLOAT, (long) padded * block), padded, block);
            for (int done = 0; done < count; done += block) {
                int features = Math.min(block, count - done);
                Span from = slices[slice].from((long) done * columns());
                widen(lane, from, left.data(), right.data(), features * half);
                Matrix part = result.columns(done, features);
                if (features == block) {
                    add(lane, even, left, odd, right, part, accumulate);
                } else {
                    // Products of another shape sum in another order, and where slices end depends on the threads.
                    copy(lane, part.data(), part.stride(), last.data(), block, rows, features);
                    add(lane, even, left, odd, right, last, accumulate);
                    copy(lane, last.data(), block, part.data(), part.stride(), rows, features);
                }
            }
            if (!direct) {
                copy(lane, result.data(), count, target, rows(), rows, count);
            }
        }

        private static void add(ThreadContext lane, Matrix even, Matrix left, Matrix odd, Matrix right, Matrix result,
                boolean accumulate) {
            Products.onLane(lane, even, left, result, 1f, accumulate);
            Products.onLane(lane, odd, right, result, 1f, true);
        }

        /** The inputs of x at even or odd places. */
        private Matrix half(ThreadContext lane, Span x, int rows, int place) {
            int half = columns() / 2;
            Span to = Span.scratch(lane, DataType.FLOAT, (long) rows * half);
            float[] row = lane.floats(ROW, columns());
            float[] taken = lane.floats(HALF, half);
            for (int i = 0; i < rows; i++) {
                NativeMemory.read(x.from((long) i * columns()).address(), row, 0, columns());
                for (int j = 0; j < half; j++) {
                    taken[j] = row[2 * j + place];
                }
                NativeMemory.write(to.from((long) i * half).address(), taken, 0, half);
            }
            return Matrix.dense(to, rows, half);
        }

        /** Widens pairs of numbers: those at even places to {@code left}, the others to {@code right}. */
        private static void widen(ThreadContext lane, Span from, Span left, Span right, int count) {
            int[] words = lane.ints(WORDS, TILE);
            int[] even = lane.ints(EVEN, TILE);
            int[] odd = lane.ints(ODD, TILE);
            for (int done = 0; done < count; done += TILE) {
                int length = Math.min(TILE, count - done);
                NativeMemory.read(from.from(2L * done).address(), words, 0, length);
                split(words, even, odd, length);
                NativeMemory.write(left.from(done).address(), even, 0, length);
                NativeMemory.write(right.from(done).address(), odd, 0, length);
            }
        }

        private static void split(int[] words, int[] even, int[] odd, int count) {
            for (int i = 0; i < count; i++) {
                even[i] = words[i] << SHIFT;
                odd[i] = words[i] & HIGH;
            }
        }
    }
}
