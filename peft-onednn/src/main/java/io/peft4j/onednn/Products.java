package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.onednn.MatmulSpec.AnyRows;
import java.util.Optional;

/**
 * {@code c = alpha * a b (+ c)} for operands whose types oneDNN multiplies, shared among the threads.
 *
 * <p>The number of rows of a batch takes thousands of values, and each new one would cost a few milliseconds of
 * compiling and half a megabyte of memory for each shape. So a large product takes a primitive for any number of rows,
 * and all others are cut into parts of powers of two, of which the last is padded to {@value #LARGE} rows where others
 * came before it, or to a power of two.
 */
final class Products {
    private static final int ROW_UNIT = 16;
    /** Rows of a task: more do not fit into the second-level cache, fewer repack the other operand too often. */
    private static final int MOST_ROWS = 512;
    private static final int FEWEST_ROWS = 32;
    private static final int COLUMN_UNIT = 32;
    /** The reduced dimension is cut where it is a number of rows of a batch. */
    private static final int MOST_REDUCED_ROWS = 256;
    /** From this size on a primitive for any number of rows is about as fast as one for its number. */
    private static final int LARGE = 64;

    private final Team team;

    Products(Team team) {
        this.team = team;
    }

    /** Whether oneDNN multiplies operands of these types and layouts. */
    boolean supports(Matrix a, Matrix b, Matrix c) {
        int rows = Math.min(a.rows(), ROW_UNIT);
        int reduced = a.transposed() ? Math.min(a.columns(), ROW_UNIT) : a.columns();
        boolean[] found = new boolean[1];
        team.alone((lane, task) -> found[0] = lane.call(new MatmulSpec(a.operand(), b.operand(), c.operand(), rows,
                reduced, b.columns(), 1f, false)).isPresent());
        return found[0];
    }

    /** Computes the product. */
    void multiply(Matrix a, Matrix b, Matrix c, float alpha, boolean accumulate) {
        int threads = team.size();
        // Columns are cut first: then each thread reads and repacks its own part of a weight that comes from main
        // memory.
        int wantedColumns = Math.max(1, Math.min(threads, c.columns() / COLUMN_UNIT));
        int columnSize = roundUp((c.columns() + wantedColumns - 1) / wantedColumns, COLUMN_UNIT);
        int columns = (c.columns() + columnSize - 1) / columnSize;
        int wantedRows = Math.max((c.rows() + MOST_ROWS - 1) / MOST_ROWS,
                Math.min((threads + columns - 1) / columns, c.rows() / FEWEST_ROWS));
        int rowSize = roundUp((c.rows() + Math.max(1, wantedRows) - 1) / Math.max(1, wantedRows), ROW_UNIT);
        int rows = (c.rows() + rowSize - 1) / rowSize;
        team.run(rows * columns, (lane, task) -> {
            int row = task / columns * rowSize;
            int column = task % columns * columnSize;
            block(lane, a, b, c, row, Math.min(rowSize, c.rows() - row), column,
                    Math.min(columnSize, c.columns() - column), alpha, accumulate);
        });
    }

    private static int roundUp(int value, int unit) {
        return (value + unit - 1) / unit * unit;
    }

    /** The whole product on one lane. */
    static void onLane(Lane lane, Matrix a, Matrix b, Matrix c, float alpha, boolean accumulate) {
        block(lane, a, b, c, 0, c.rows(), 0, c.columns(), alpha, accumulate);
    }

    /** One task's part: rows and columns of c over the whole reduced dimension. */
    private static void block(Lane lane, Matrix a, Matrix b, Matrix c, int row, int rows, int column, int columns,
            float alpha, boolean accumulate) {
        int whole = a.columns();
        if (!a.transposed()) {
            rows(lane, a, b, c, row, rows, column, columns, 0, whole, alpha, accumulate);
            return;
        }
        // The reduced dimension counts rows of a batch. The first part overwrites, the others add.
        for (int done = 0; done < whole; ) {
            int left = whole - done;
            boolean add = accumulate || done > 0;
            int part = part(done, left, MOST_REDUCED_ROWS);
            if (part > left && b.transposed()) {
                part = left;
            } else if (part > left) {
                long mark = lane.scratch().mark();
                rows(lane, padded(lane, a, done, left, part), padded(lane, b, done, left, part), c, row, rows, column,
                        columns, 0, part, alpha, add);
                lane.scratch().release(mark);
                return;
            }
            rows(lane, a, b, c, row, rows, column, columns, done, part, alpha, add);
            done += part;
        }
    }

    private static void rows(Lane lane, Matrix a, Matrix b, Matrix c, int row, int rows, int column, int columns,
            int from, int reduced, float alpha, boolean accumulate) {
        boolean large = alpha == 1f && !a.transposed() && reduced >= LARGE && columns >= LARGE;
        if (large && (rows == 1 || rows > ROW_UNIT && rows % LARGE != 0)) {
            MatmulSpec shape = shape(a, b, c, rows, reduced, columns, alpha, accumulate);
            Optional<Call> call = lane.call(new AnyRows(shape));
            if (call.isPresent()) {
                call.get().run(lane, a.address(row, from), b.address(from, column), c.address(row, column));
                return;
            }
        }
        if (a.transposed()) {
            // These rows are features, whose number does not change.
            exact(lane, a, b, c, row, rows, column, columns, from, reduced, alpha, accumulate);
            return;
        }
        for (int done = 0; done < rows; ) {
            int left = rows - done;
            int part = large && left >= LARGE ? Math.min(MOST_ROWS, left / LARGE * LARGE) : part(done, left, MOST_ROWS);
            if (part > left) {
                lastRows(lane, a, b, c, row + done, left, part, column, columns, from, reduced, alpha, accumulate);
                return;
            }
            exact(lane, a, b, c, row + done, part, column, columns, from, reduced, alpha, accumulate);
            done += part;
        }
    }

    /**
     * How many of the rows that are left are taken next: one of a few numbers, since each takes primitives of its own,
     * of half a megabyte each. More than are left means that these are padded.
     */
    private static int part(int done, int left, int most) {
        int power = Integer.highestOneBit(left);
        if (left >= LARGE) {
            return Math.min(most, power);
        }
        if (done > 0) {
            return LARGE;
        }
        boolean nearlyNext = left >= power + power / 2;
        return power == left || left > ROW_UNIT && !nearlyNext ? power : 2 * power;
    }

    /** The last rows, with some of zeros after them. */
    private static void lastRows(Lane lane, Matrix a, Matrix b, Matrix c, int row, int rows, int size, int column,
            int columns, int from, int reduced, float alpha, boolean accumulate) {
        long mark = lane.scratch().mark();
        Matrix left = padded(lane, a, row, rows, size);
        Matrix result = Matrix.dense(Span.scratch(lane, c.type(), (long) left.rows() * columns), left.rows(), columns);
        long bytes = (long) columns * Arrays.bytes(c.type());
        long stride = (long) c.stride() * Arrays.bytes(c.type());
        long target = c.address(row, column);
        long copy = result.address(0, 0);
        if (accumulate) {
            NativeMemory.copyRows(target, stride, copy, bytes, bytes, rows);
            NativeMemory.clear(copy + rows * bytes, (result.rows() - rows) * bytes);
        }
        PlainProduct.run(lane, shape(left, b, result, left.rows(), reduced, columns, alpha, accumulate),
                left.address(0, from), b.address(from, column), copy);
        NativeMemory.copyRows(copy, bytes, target, stride, bytes, rows);
        lane.scratch().release(mark);
    }

    /** A copy of some stored rows in scratch memory, with rows of zeros after them. */
    private static Matrix padded(Lane lane, Matrix m, int first, int count, int size) {
        int width = m.transposed() ? m.rows() : m.columns();
        Span copy = Span.scratch(lane, m.type(), (long) size * width);
        long bytes = (long) width * Arrays.bytes(m.type());
        NativeMemory.copyRows(m.data().from((long) first * m.stride()).address(),
                (long) m.stride() * Arrays.bytes(m.type()), copy.address(), bytes, bytes, count);
        NativeMemory.clear(copy.from((long) count * width).address(), (size - count) * bytes);
        return new Matrix(copy, m.transposed() ? width : size, m.transposed() ? size : width, width, m.transposed());
    }

    private static void exact(Lane lane, Matrix a, Matrix b, Matrix c, int row, int rows, int column, int columns,
            int from, int reduced, float alpha, boolean accumulate) {
        PlainProduct.run(lane, shape(a, b, c, rows, reduced, columns, alpha, accumulate), a.address(row, from),
                b.address(from, column), c.address(row, column));
    }

    private static MatmulSpec shape(Matrix a, Matrix b, Matrix c, int rows, int reduced, int columns, float alpha,
            boolean accumulate) {
        return new MatmulSpec(a.operand(), b.operand(), c.operand(), rows, reduced, columns, alpha, accumulate);
    }
}
