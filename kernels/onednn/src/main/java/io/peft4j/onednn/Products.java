package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.onednn.BinarySpec.Operator;
import io.peft4j.onednn.MatmulSpec.AnyRows;
import io.peft4j.onednn.MatmulSpec.Operand;
import java.util.Optional;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * {@code c = alpha * a b (+ c)} for operands whose types oneDNN multiplies, shared among the threads.
 *
 * <p>The number of rows of a batch takes thousands of values, and each new one would cost a few milliseconds of
 * compiling and half a megabyte of memory for each shape. So a large product takes a primitive for any number of rows,
 * or, where oneDNN has none for its types, one for a multiple of {@value #PADDED_UNIT} rows. All others are cut into
 * parts of powers of two, of which the last is padded to {@value #LARGE} rows where others came before it, or to a
 * power of two.
 *
 * <p>Weights are multiplied as they lie: for rows as many as a training has, a copy in oneDNN's own layout is hardly
 * faster and would take their memory again for each direction.
 */
final class Products {
    private static final int ROW_UNIT = 16;
    /** Large products whose primitives are for one number of rows are padded to a multiple of this. */
    static final int PADDED_UNIT = 32;
    /** Rows of a task: more do not fit into the second-level cache, fewer repack the other operand too often. */
    private static final int MOST_ROWS = 512;
    private static final int FEWEST_ROWS = 32;
    private static final int COLUMN_UNIT = 32;
    private static final int COLUMN_UNIT_OF_FEW_ROWS = 96;
    /** Columns of a task: oneDNN's primitives for any number of rows allocate floats for all of a bf16 result. */
    private static final int MOST_COLUMNS = 768;
    /** The reduced dimension is cut where it is a number of rows of a batch. */
    private static final int MOST_REDUCED_ROWS = 256;
    /** Columns of a result with padded rows that are computed at a time, so that its copy stays small. */
    private static final int MOST_PADDED_COLUMNS = 2048;
    /** A longer reduced dimension is cut: oneDNN is slower where the left operand does not fit into the cache. */
    private static final int DEEP = 4096;
    private static final int DEEP_PART = 1024;
    /** From this size on a primitive for any number of rows is about as fast as one for its number. */
    private static final int LARGE = 64;

    private static final int MANY_ROWS = 64;
    private static final int SHARES_OF_FEW_ROWS = 8;

    private final ThreadTeam team;

    Products(ThreadTeam team) {
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

    /** What a task does to its part of a result after it has computed it, while it lies in the cache. */
    @FunctionalInterface
    interface Finish {
        /** Leaves it as it is. */
        Finish NOTHING = (lane, row, rows, column, columns) -> {
        };

        /** Works on some rows and columns of the result, from {@code row} and {@code column} on. */
        void run(ThreadContext lane, int row, int rows, int column, int columns);

        /** The same for a result whose columns are some of a larger one, from {@code first} on. */
        default Finish from(int first) {
            return (lane, row, rows, column, columns) -> run(lane, row, rows, first + column, columns);
        }
    }

    /**
     * For how many threads a result of so many rows is cut into tasks. oneDNN's implementations sum in orders of their
     * own and are chosen by the shape of a task. So that an answer is the same on any number of threads, the tasks of
     * few rows do not depend on it; those of many rows do, and so do their last bits.
     */
    static int shares(ThreadTeam team, int rows) {
        return rows < MANY_ROWS ? SHARES_OF_FEW_ROWS : team.size();
    }

    void multiply(Matrix a, Matrix b, Matrix c, float alpha, boolean accumulate, Finish finish) {
        int threads = shares(team, c.rows());
        // Columns are cut first: then each thread reads and repacks its own part of a weight that comes from main
        // memory.
        int unit = c.rows() < MANY_ROWS ? COLUMN_UNIT_OF_FEW_ROWS : COLUMN_UNIT;
        int sharing = Math.max(1, Math.min(threads, c.columns() / unit));
        int wantedColumns = sharing * ((c.columns() + sharing * MOST_COLUMNS - 1) / (sharing * MOST_COLUMNS));
        int columnSize = roundUp((c.columns() + wantedColumns - 1) / wantedColumns, COLUMN_UNIT);
        int columns = (c.columns() + columnSize - 1) / columnSize;
        int wantedRows = Math.max((c.rows() + MOST_ROWS - 1) / MOST_ROWS,
                Math.min((threads + columns - 1) / columns, c.rows() / FEWEST_ROWS));
        int rowSize = roundUp((c.rows() + Math.max(1, wantedRows) - 1) / Math.max(1, wantedRows), ROW_UNIT);
        int rows = (c.rows() + rowSize - 1) / rowSize;
        team.run(rows * columns, (lane, task) -> {
            int row = task / columns * rowSize;
            int column = task % columns * columnSize;
            int rowCount = Math.min(rowSize, c.rows() - row);
            int columnCount = Math.min(columnSize, c.columns() - column);
            block(lane, a, b, c, row, rowCount, column, columnCount, alpha, accumulate);
            finish.run(lane, row, rowCount, column, columnCount);
        });
    }

    private static int roundUp(int value, int unit) {
        return (value + unit - 1) / unit * unit;
    }

    /** The whole product on one lane. */
    static void onLane(ThreadContext lane, Matrix a, Matrix b, Matrix c, float alpha, boolean accumulate) {
        block(lane, a, b, c, 0, c.rows(), 0, c.columns(), alpha, accumulate);
    }

    /** One task's part: rows and columns of c over the whole reduced dimension. */
    private static void block(ThreadContext lane, Matrix a, Matrix b, Matrix c, int row, int rows, int column,
            int columns,
            float alpha, boolean accumulate) {
        int whole = a.columns();
        if (!a.transposed() && whole > DEEP && alpha == 1f) {
            deep(lane, a.rows(row, rows), b, c, row, column, columns, accumulate);
            return;
        }
        if (!a.transposed()) {
            rows(lane, a, b, c, row, rows, column, columns, 0, whole, alpha, accumulate);
            return;
        }
        // The reduced dimension counts rows of a batch. The first part overwrites, the others add.
        for (int done = 0; done < whole;) {
            int left = whole - done;
            boolean add = accumulate || done > 0;
            int part = part(done, left, MOST_REDUCED_ROWS);
            if (part > left && b.transposed()) {
                part = left;
            } else if (part > left) {
                long mark = lane.scratch().mark();
                rows(lane, padded(lane, a, done, left, part, 0, a.rows()), padded(lane, b, done, left, part, 0,
                        b.columns()), c, row, rows, column, columns, 0, part, alpha, add);
                lane.scratch().release(mark);
                return;
            }
            rows(lane, a, b, c, row, rows, column, columns, done, part, alpha, add);
            done += part;
        }
    }

    /** The sum of products over parts of the reduced dimension, in f32, for rows of c from {@code row} on. */
    private static void deep(ThreadContext lane, Matrix a, Matrix b, Matrix c, int row, int column, int columns,
            boolean accumulate) {
        int rows = a.rows();
        long mark = lane.scratch().mark();
        int padded = roundUp(rows, PADDED_UNIT);
        Matrix sum = Matrix.dense(Span.scratch(lane, DataType.FLOAT, (long) padded * columns), rows, columns,
                padded - rows);
        Matrix right = b.columns(column, columns);
        for (int from = 0; from < a.columns(); from += DEEP_PART) {
            rows(lane, a, right, sum, 0, rows, 0, columns, from, Math.min(DEEP_PART, a.columns() - from), 1f,
                    from > 0);
        }
        deliver(lane, sum.data(), c.rows(row, rows).columns(column, columns), accumulate);
        lane.scratch().release(mark);
    }

    /** Writes FLOAT rows without gaps to a result, or adds them. */
    static void deliver(ThreadContext lane, Span rows, Matrix c, boolean accumulate) {
        for (int i = 0; i < c.rows(); i++) {
            Span own = rows.from((long) i * c.columns());
            Span target = c.data().from((long) i * c.stride());
            if (accumulate) {
                Vectors.binary(lane, Operator.ADD, target, own, target, false, c.columns());
            } else {
                Vectors.convert(lane, own, target, c.columns());
            }
        }
    }

    /**
     * Whether a primitive for one number of rows reads the right operand where it lies, across its rows, where one for
     * any number copies parts of it together first, which a large product is faster by.
     */
    private static boolean isReadInPlace(Matrix b) {
        return b.type() == DataType.FLOAT && !b.transposed();
    }

    private static void rows(ThreadContext lane, Matrix a, Matrix b, Matrix c, int row, int rows, int column,
            int columns,
            int from, int reduced, float alpha, boolean accumulate) {
        if (FewRowsProduct.suits(a, b, c, rows, alpha)) {
            FewRowsProduct.run(lane, a.rows(row, rows).columns(from, reduced), new Matrix(
                    new Span(b.type(), b.address(from, column)), reduced, columns, b.stride(), true),
                    c.rows(row, rows).columns(column, columns), accumulate);
            return;
        }
        boolean large = alpha == 1f && !a.transposed() && reduced >= LARGE && columns >= LARGE;
        if (large && (rows == 1 || rows > ROW_UNIT && (rows % LARGE != 0 || isReadInPlace(b)))) {
            MatmulSpec shape = shape(a, b, c, rows, reduced, columns, alpha, accumulate);
            Optional<CompiledCall> call = lane.call(new AnyRows(shape));
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
        for (int done = 0; done < rows;) {
            int left = rows - done;
            int part = large && left >= LARGE ? Math.min(MOST_ROWS, roundUp(left, PADDED_UNIT))
                    : part(done, left, MOST_ROWS);
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

    /** The last rows, with some more after them. */
    private static void lastRows(ThreadContext lane, Matrix a, Matrix b, Matrix c, int row, int rows, int size,
            int column,
            int columns, int from, int reduced, float alpha, boolean accumulate) {
        long mark = lane.scratch().mark();
        boolean inPlace = row + size <= a.rows() + a.spare();
        Matrix left = inPlace ? a : padded(lane, a, row, rows, size, from, reduced);
        long address = left.address(inPlace ? row : 0, inPlace ? from : 0);
        if (row + rows == c.rows() && size - rows <= c.spare()) {
            PlainProduct.run(lane, shape(left, b, c, size, reduced, columns, alpha, accumulate), address,
                    b.address(from, column), c.address(row, column));
        } else {
            for (int done = 0; done < columns; done += MOST_PADDED_COLUMNS) {
                paddedResult(lane, left, address, b, from, c, row, rows, size, column + done,
                        Math.min(MOST_PADDED_COLUMNS, columns - done), reduced, alpha, accumulate);
            }
        }
        lane.scratch().release(mark);
    }

    /** Computes {@code size} rows of a product, and keeps {@code rows} of them. */
    private static void paddedResult(ThreadContext lane, Matrix left, long address, Matrix b, int from, Matrix c,
            int row,
            int rows, int size, int column, int columns, int reduced, float alpha, boolean accumulate) {
        long mark = lane.scratch().mark();
        Matrix result = Matrix.dense(Span.scratch(lane, c.type(), (long) size * columns), size, columns);
        long bytes = (long) columns * Arrays.bytes(c.type());
        long stride = (long) c.stride() * Arrays.bytes(c.type());
        long target = c.address(row, column);
        long copy = result.address(0, 0);
        if (accumulate) {
            NativeMemory.copyRows(target, stride, copy, bytes, bytes, rows);
            NativeMemory.clear(copy + rows * bytes, (size - rows) * bytes);
        }
        PlainProduct.run(lane, shape(left, b, result, size, reduced, columns, alpha, accumulate), address,
                b.address(from, column), copy);
        NativeMemory.copyRows(copy, bytes, target, stride, bytes, rows);
        lane.scratch().release(mark);
    }

    /** A copy of some columns of stored rows in scratch memory, with rows of zeros after them. */
    static Matrix padded(ThreadContext lane, Matrix m, int first, int count, int size, int from, int width) {
        Span copy = Span.scratch(lane, m.type(), (long) size * width);
        long bytes = (long) width * Arrays.bytes(m.type());
        NativeMemory.copyRows(m.data().from((long) first * m.stride() + from).address(),
                (long) m.stride() * Arrays.bytes(m.type()), copy.address(), bytes, bytes, count);
        NativeMemory.clear(copy.from((long) count * width).address(), (size - count) * bytes);
        return new Matrix(copy, m.transposed() ? width : size, m.transposed() ? size : width, width, m.transposed());
    }

    private static void exact(ThreadContext lane, Matrix a, Matrix b, Matrix c, int row, int rows, int column,
            int columns,
            int from, int reduced, float alpha, boolean accumulate) {
        PlainProduct.run(lane, shape(a, b, c, rows, reduced, columns, alpha, accumulate), a.address(row, from),
                b.address(from, column), c.address(row, column));
    }

    private static MatmulSpec shape(Matrix a, Matrix b, Matrix c, int rows, int reduced, int columns, float alpha,
            boolean accumulate) {
        return new MatmulSpec(a.operand(), b.operand(), c.operand(), rows, reduced, columns, alpha, accumulate);
    }

    /**
     * {@code c = a b (+ c)} in FLOAT for a few rows of a and a b that is the transpose of stored rows, as a weight is.
     *
     * <p>oneDNN brings the right operand into a layout of its own first, which for a few rows takes as long as
     * multiplying them. The left one it reads where it lies, so this computes {@code c^T = b^T a^T}: a weight that
     * comes from main memory is read once, and what is copied are the few rows.
     */
    private static final class FewRowsProduct {
        /** A row alone has code of its own. */
        private static final int FEWEST_ROWS = 2;
        /** With more rows the layout is worth what it costs. */
        private static final int MOST_ROWS = 32;
        /** Rows are padded to a multiple of this: the floats of a register, and few primitives. */
        private static final int UNIT = 8;
        private static final int FEWEST_COLUMNS = 32;

        private FewRowsProduct() {
        }

        /** Whether some rows of {@code c = alpha a b} are computed faster so. */
        static boolean suits(Matrix a, Matrix b, Matrix c, int rows, float alpha) {
            return rows >= FEWEST_ROWS && rows <= MOST_ROWS && alpha == 1f && !a.transposed() && b.transposed()
                    && c.columns() >= FEWEST_COLUMNS && a.type() == DataType.FLOAT && b.type() == DataType.FLOAT
                    && c.type() == DataType.FLOAT;
        }

        static void run(ThreadContext lane, Matrix a, Matrix b, Matrix c, boolean accumulate) {
            long mark = lane.scratch().mark();
            int columns = c.columns();
            int reduced = a.columns();
            int padded = (c.rows() + UNIT - 1) / UNIT * UNIT;
            Span rows = Products.padded(lane, a, 0, a.rows(), padded, 0, reduced).data();
            Span turned = turned(lane, rows, padded, reduced);
            Span product = Span.scratch(lane, DataType.FLOAT, (long) columns * padded);
            PlainProduct.run(lane, new MatmulSpec(Operand.rows(DataType.FLOAT, b.stride()),
                    Operand.rows(DataType.FLOAT, padded), Operand.rows(DataType.FLOAT, padded), columns, reduced,
                    padded,
                    1f, false), b.address(0, 0), turned.address(), product.address());
            Products.deliver(lane, turned(lane, product, columns, padded), c, accumulate);
            lane.scratch().release(mark);
        }

        /** The transpose of a matrix without gaps. */
        private static Span turned(ThreadContext lane, Span from, int rows, int columns) {
            Span to = Span.scratch(lane, DataType.FLOAT, (long) rows * columns);
            Vectors.required(lane, new CopySpec.Transposed(rows, columns, false)).run(lane, from.address(),
                    to.address());
            return to;
        }
    }
}
