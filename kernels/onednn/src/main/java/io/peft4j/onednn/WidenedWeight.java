package io.peft4j.onednn;

import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A bfloat16 weight on a processor for which oneDNN has no product that widens it: some output features at a time are
 * widened into the second-level cache and multiplied there, so that the weight is read from memory once, in its own
 * type.
 *
 * <p>Two neighbours are one 32-bit word. Those at even places come out of a word by a shift, those at odd places by a
 * mask, in loops that the JVM vectorizes; so each half of the inputs is a matrix of its own.
 */
final class WidenedWeight extends PackedWeight {
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
    void multiply(ThreadContext lane, int slice, long copy, Span x, int rows, int padded, Span y, boolean accumulate) {
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
