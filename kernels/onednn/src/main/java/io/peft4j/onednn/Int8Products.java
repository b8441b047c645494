package io.peft4j.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_ATTR_SCALES;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_DST;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SRC;
import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_WEIGHTS;

import io.peft4j.core.weight.Int8Weight;
import io.peft4j.onednn.BinarySpec.Operator;
import java.util.Optional;
import org.bytedeco.dnnl.global.dnnl.fpmath_mode;
import org.bytedeco.dnnl.matmul;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive_attr;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * Products with an {@link Int8Weight}, which stays as it is: {@code y = x W^T} and its gradient {@code dx = dy W}. The
 * scales, one an output feature, are oneDNN's business in the first; in the second they stand on the reduced dimension
 * and are multiplied into dy before ({@link #scaled}).
 */
final class Int8Products {
    private static final int ROW_UNIT = 16;
    /** More rows do not fit into the second-level cache; fewer widen the same bytes too often. */
    private static final int MOST_ROWS = 512;
    private static final int FEWEST_ROWS = 64;
    private static final int COLUMN_UNIT = 32;

    private final ThreadTeam team;

    Int8Products(ThreadTeam team) {
        this.team = team;
    }

    /** How a result is cut into tasks: columns first, so that each thread reads its own part of the weight. */
    private record Cut(int rows, int rowSize, int columns, int columnSize) {
        static Cut of(int rows, int columns, int threads) {
            int wantedColumns = Math.max(1, Math.min(threads, columns / COLUMN_UNIT));
            int columnSize = roundUp((columns + wantedColumns - 1) / wantedColumns, COLUMN_UNIT);
            int parts = (columns + columnSize - 1) / columnSize;
            int wantedRows = Math.max(1, Math.max((rows + MOST_ROWS - 1) / MOST_ROWS,
                    Math.min((threads + parts - 1) / parts, rows / FEWEST_ROWS)));
            int rowSize = roundUp((rows + wantedRows - 1) / wantedRows, ROW_UNIT);
            return new Cut(rows, rowSize, columns, columnSize);
        }

        private static int roundUp(int value, int unit) {
            return (value + unit - 1) / unit * unit;
        }

        int columnParts() {
            return (columns + columnSize - 1) / columnSize;
        }

        int tasks() {
            return (rows + rowSize - 1) / rowSize * columnParts();
        }

        int row(int task) {
            return task / columnParts() * rowSize;
        }

        int rowCount(int task) {
            return Math.min(rowSize, rows - row(task));
        }

        int column(int task) {
            return task % columnParts() * columnSize;
        }

        int columnCount(int task) {
            return Math.min(columnSize, columns - column(task));
        }
    }

    /**
     * Whether the number of rows is one that returns: each takes primitives of its own, of a megabyte each. For others
     * the weight is turned into floats first ({@link WeightPanels}), which costs a few percent of the product.
     */
    static boolean suits(int rows) {
        return Integer.bitCount(rows) == 1 || rows % MOST_ROWS == 0;
    }

    /**
     * Whether oneDNN has fast code for the product.
     *
     * @param type the type in which it is computed, that of the left operand later
     * @param resultType the type of the result
     */
    boolean supports(DataType type, Matrix a, Int8Weight w, Matrix c, DataType resultType, boolean backward,
            boolean accumulate) {
        Matrix left = a.at(new Span(type, 0));
        Matrix result = resultType == c.type() ? c : c.at(new Span(resultType, 0));
        Cut cut = Cut.of(c.rows(), c.columns(), Products.shares(team, c.rows()));
        boolean[] found = {true};
        team.alone((lane, unused) -> {
            // All tasks are like the first or the last.
            for (int task : new int[] {0, cut.tasks() - 1}) {
                int rest = cut.rowCount(task) % ROW_UNIT;
                for (int rows : new int[] {cut.rowCount(task) - rest, rest}) {
                    found[0] &= rows == 0 || lane.call(spec(left, w, result, rows, cut.columnCount(task), backward,
                            accumulate)).isPresent();
                }
            }
        });
        return found[0];
    }

    /**
     * Computes {@code c = a W^T}, or with {@code backward} {@code c = a q}, where q are the bytes of W without their
     * scales. {@link #supports} has been asked.
     */
    void multiply(Matrix a, Int8Weight w, Matrix c, boolean backward, boolean accumulate, Products.Finish finish) {
        Cut cut = Cut.of(c.rows(), c.columns(), Products.shares(team, c.rows()));
        team.run(cut.tasks(), (lane, task) -> {
            int first = cut.row(task);
            int count = cut.rowCount(task);
            int rest = count % ROW_UNIT;
            part(lane, a, w, c, first, count - rest, cut.column(task), cut.columnCount(task), backward, accumulate);
            part(lane, a, w, c, first + count - rest, rest, cut.column(task), cut.columnCount(task), backward,
                    accumulate);
            finish.run(lane, first, count, cut.column(task), cut.columnCount(task));
        });
    }

    private static void part(ThreadContext lane, Matrix a, Int8Weight w, Matrix c, int row, int rows, int column,
            int columns,
            boolean backward, boolean accumulate) {
        if (rows == 0) {
            return;
        }
        CompiledCall call = lane.call(spec(a, w, c, rows, columns, backward, accumulate)).orElseThrow();
        long left = a.address(row, 0);
        long result = c.address(row, column);
        if (backward) {
            call.run(lane, left, w.values() + column, result);
        } else {
            call.run(lane, left, w.values() + (long) column * w.columns(), result, w.scales() + 4L * column);
        }
    }

    private static Int8Spec spec(Matrix a, Int8Weight w, Matrix c, int rows, int columns, boolean backward,
            boolean accumulate) {
        return new Int8Spec(a.type(), a.stride(), !backward, w.columns(), c.type(), c.stride(), rows, a.columns(),
                columns, !backward, accumulate);
    }

    /** A copy in scratch memory, in the given type, of dy with each column multiplied by the weight's scale for it. */
    Matrix scaled(Matrix dy, Int8Weight w, DataType type) {
        Span to = Span.scratch(team.caller(), type, dy.length());
        Span scales = new Span(DataType.FLOAT, w.scales());
        int width = dy.columns();
        RowBlocks.share(team, dy.rows(), width, (lane, first, count) -> {
            long mark = lane.scratch().mark();
            Span from = dy.data().from((long) first * dy.stride());
            scale(lane, from, scales, to.from((long) first * width), count, width);
            lane.scratch().release(mark);
        });
        return dy.at(to);
    }

    private static void scale(ThreadContext lane, Span from, Span scales, Span to, int rows, int width) {
        Optional<CompiledCall> call = from.type() != to.type() ? Optional.empty() : lane.call(new BinarySpec(
                Operator.MULTIPLY, from.type(), DataType.FLOAT, BinarySpec.Shape.ROW, rows, width, false));
        if (call.isPresent()) {
            call.get().run(lane, from.address(), scales.address(), to.address());
            return;
        }
        float[] values = lane.floats(1, rows * width);
        float[] factors = lane.floats(2, width);
        OneDnnElements.read(lane, from, values, rows * width);
        OneDnnElements.read(lane, scales, factors, width);
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < width; j++) {
                values[i * width + j] *= factors[j];
            }
        }
        OneDnnElements.write(lane, values, to, rows * width);
    }

    /**
     * {@code c = a b (+ c)} with a [m, k] of floats and b [k, n] of signed bytes, which oneDNN widens to the type of a
     * on their way into the registers. Arguments of the call: a, b, c, and the scales of b where there are some.
     *
     * <p>A scale for each column of b is free. A scale for each row, the reduced dimension, is not: oneDNN has only
     * reference code for it, or crashes; so it is multiplied into a before. There is none for any number of rows
     * either, so each is compiled for itself.
     *
     * @param type type of a: BFLOAT16, or FLOAT with c FLOAT
     * @param aRow elements from row to row of a
     * @param transposed whether b is the transpose of the stored bytes
     * @param bRow bytes from one stored row to the next
     * @param result type of c
     * @param cRow elements from row to row of c
     * @param scaled whether each column of b has a scale
     * @param accumulate whether c is added to
     */
    private record Int8Spec(DataType type, int aRow, boolean transposed, int bRow, DataType result, int cRow, int m,
            int k, int n,
            boolean scaled, boolean accumulate) implements PrimitiveSpec {
        private static final int EACH_COLUMN = 1 << 1;

        @Override
        public Optional<CompiledCall> build(ThreadContext lane) {
            primitive_attr attributes = PrimitiveSpec.attributes(accumulate);
            // Without this the bytes would make it a product of integers.
            attributes.set_fpmath_mode(type == DataType.BFLOAT16 ? fpmath_mode.bf16 : fpmath_mode.strict, true);
            if (scaled) {
                attributes.set_scales_mask(DNNL_ARG_WEIGHTS, EACH_COLUMN);
            }
            memory.desc a = PrimitiveSpec.desc(type, new long[] {m, k}, new long[] {aRow, 1});
            memory.desc b = new memory.desc(new long[] {k, n}, memory.data_type.s8,
                    transposed ? new long[] {1, bRow} : new long[] {bRow, 1});
            memory.desc c = PrimitiveSpec.desc(result, new long[] {m, n}, new long[] {cRow, 1});
            matmul.primitive_desc description = new matmul.primitive_desc(lane.engine(), a, b, c, attributes, true);
            Argument[] arguments = new Argument[scaled ? 4 : 3];
            arguments[0] = new Argument(DNNL_ARG_SRC, a);
            arguments[1] = new Argument(DNNL_ARG_WEIGHTS, b);
            arguments[2] = new Argument(DNNL_ARG_DST, c);
            if (scaled) {
                arguments[3] = new Argument(DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS,
                        PrimitiveSpec.vector(DataType.FLOAT, n));
            }
            return PrimitiveSpec.assemble(lane, this, description, () -> new matmul(description), arguments);
        }
    }
}
