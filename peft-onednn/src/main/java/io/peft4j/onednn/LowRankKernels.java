package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import io.peft4j.onednn.BinarySpec.Operator;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * LoRA's update and its gradient, each thread with some rows from the first product to the last: what one product
 * writes, the next one reads from the cache, and an adapter costs one hand-over each way.
 *
 * <p>Products are computed in one type ({@link BFloat16Products#type}). Where that is f32 and activations are bf16,
 * only what stands on the left of a product is widened before; right operands and results stay as they are stored.
 */
final class LowRankKernels {
    private static final int ROW_UNIT = 16;
    private static final int FEWEST_ROWS = 64;

    private final Team team;
    private final BFloat16Products bfloat16;

    LowRankKernels(Team team, BFloat16Products bfloat16) {
        this.team = team;
        this.bfloat16 = bfloat16;
    }

    /** Whether activations of these types are multiplied as they are stored, or widened on the way. */
    boolean supports(INDArray x, INDArray y) {
        return x.dataType() == y.dataType() && (bfloat16.widen() || type(x) == x.dataType());
    }

    /** The type of the products. */
    private DataType type(INDArray x) {
        return bfloat16.type(Arrays.rows(x), x);
    }

    /** Some rows of the batch. */
    @FunctionalInterface
    private interface Rows {
        void run(Lane lane, int task, int first, int rows);
    }

    /** Rows of a task. */
    private int size(int rows) {
        int wanted = Math.max(1, Math.min(team.size(), rows / FEWEST_ROWS));
        return ((rows + wanted - 1) / wanted + ROW_UNIT - 1) / ROW_UNIT * ROW_UNIT;
    }

    private int tasks(int rows) {
        return (rows + size(rows) - 1) / size(rows);
    }

    private void share(int rows, Rows part) {
        int size = size(rows);
        team.run(tasks(rows), (lane, task) ->
                part.run(lane, task, task * size, Math.min(size, rows - task * size)));
    }

    void forward(INDArray x, INDArray a, INDArray b, float scale, INDArray h, INDArray y) {
        Operands all = new Operands(type(x), x.dataType(), Arrays.columns(x), Arrays.columns(y), Arrays.rows(a),
                Span.of(a), Span.of(b));
        Span xs = Span.of(x);
        Span hs = Span.of(h);
        Span ys = Span.of(y);
        share(Arrays.rows(x), (lane, task, first, rows) -> {
            Matrix hRows = all.rowsOf(hs, first, rows, all.rank);
            Products.onLane(lane, all.left(lane, all.rowsOf(xs, first, rows, all.in)),
                    all.a(lane, all.type).transpose(), hRows, 1f, false);
            Products.onLane(lane, all.left(lane, hRows), all.b(lane, all.stored).transpose(),
                    all.rowsOf(ys, first, rows, all.out), scale, true);
        });
    }

    void backward(INDArray dy, INDArray x, INDArray a, INDArray b, float scale, INDArray h, INDArray dh, INDArray dx,
            boolean accumulate, INDArray da, INDArray db) {
        Operands all = new Operands(type(x), x.dataType(), Arrays.columns(x), Arrays.columns(dy), Arrays.rows(a),
                Span.of(a), Span.of(b));
        Span xs = Span.of(x);
        Span dys = Span.of(dy);
        Span hs = Span.of(h);
        Span dhs = Span.of(dh);
        Span dxs = Span.of(dx);
        long mark = team.caller().scratch().mark();
        // The first task adds to the gradients, the others have sums of their own, which are added in order.
        int tasks = tasks(Arrays.rows(x));
        Span[] das = sums(Span.of(da), tasks, da.length());
        Span[] dbs = sums(Span.of(db), tasks, db.length());
        share(Arrays.rows(x), (lane, task, first, rows) -> {
            Matrix dyRows = all.rowsOf(dys, first, rows, all.out);
            Matrix dhRows = all.rowsOf(dhs, first, rows, all.rank);
            Matrix dyLeft = all.left(lane, dyRows);
            Products.onLane(lane, dyLeft, all.b(lane, all.type), dhRows, scale, false);
            Matrix hRows = all.left(lane, all.rowsOf(hs, first, rows, all.rank));
            Products.onLane(lane, dyLeft.transpose(), hRows, Matrix.dense(dbs[task], all.out, all.rank), scale,
                    task == 0);
            Matrix dhLeft = all.left(lane, dhRows);
            Products.onLane(lane, dhLeft, all.a(lane, all.stored), all.rowsOf(dxs, first, rows, all.in), 1f,
                    accumulate);
            Products.onLane(lane, dhLeft.transpose(), all.rowsOf(xs, first, rows, all.in),
                    Matrix.dense(das[task], all.rank, all.in), 1f, task == 0);
        });
        if (tasks > 1) {
            team.run(2, (lane, task) -> {
                Span[] partial = task == 0 ? das : dbs;
                for (int i = 1; i < tasks; i++) {
                    Vectors.binary(lane, Operator.ADD, partial[0], partial[i], partial[0], false,
                            all.rank * (task == 0 ? all.in : all.out));
                }
            });
        }
        team.caller().scratch().release(mark);
    }

    private Span[] sums(Span gradient, int tasks, long length) {
        Span[] sums = new Span[tasks];
        for (int i = 0; i < tasks; i++) {
            sums[i] = i == 0 ? gradient : Span.scratch(team.caller(), DataType.FLOAT, length);
        }
        return sums;
    }

    /**
     * Types and sizes, and the two small matrices.
     *
     * @param type of the products
     * @param stored of the activations
     */
    private record Operands(DataType type, DataType stored, int in, int out, int rank, Span a, Span b) {
        Matrix a(Lane lane, DataType wanted) {
            return as(lane, Matrix.dense(a, rank, in), wanted);
        }

        Matrix b(Lane lane, DataType wanted) {
            return as(lane, Matrix.dense(b, out, rank), wanted);
        }

        Matrix rowsOf(Span array, int first, int rows, int width) {
            return Matrix.dense(array.from((long) first * width), rows, width);
        }

        /** The operand as the left one of a product. */
        Matrix left(Lane lane, Matrix m) {
            return as(lane, m, type);
        }

        private static Matrix as(Lane lane, Matrix m, DataType wanted) {
            if (m.type() == wanted) {
                return m;
            }
            Span copy = Span.scratch(lane, wanted, m.length());
            Vectors.convert(lane, m.data(), copy, (int) m.length());
            return m.at(copy);
        }
    }
}
