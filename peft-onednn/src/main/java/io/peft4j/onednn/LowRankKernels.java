package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.LowRankPart;
import io.peft4j.onednn.BinarySpec.Operator;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
    /** Rows that are widened at a time, so that they lie in the second-level cache until the last product. */
    private static final int BLOCK = 128;

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
        Operands all = operands(x, y, a, b);
        Span xs = Span.of(x);
        Span hs = Span.of(h);
        Span ys = Span.of(y);
        share(Arrays.rows(x), (lane, task, first, rows) ->
                all.forward(lane, xs, hs.from((long) first * all.rank), ys, first, rows, scale));
    }

    private Operands operands(INDArray x, INDArray y, INDArray a, INDArray b) {
        return new Operands(type(x), x.dataType(), Arrays.columns(x), Arrays.columns(y), Arrays.rows(a), Span.of(a),
                Span.of(b));
    }

    /** The parts in pieces of some rows, so that all threads have some. */
    void forward(INDArray x, List<LowRankPart> parts, INDArray y) {
        Span xs = Span.of(x);
        Span ys = Span.of(y);
        int size = size(parts.stream().mapToInt(part -> part.to() - part.from()).sum());
        List<Piece> pieces = new ArrayList<>();
        for (LowRankPart part : parts) {
            Operands all = operands(x, y, part.a(), part.b());
            Span h = Span.of(part.h());
            for (int first = part.from(); first < part.to(); first += size) {
                pieces.add(new Piece(part, all, h.from((long) (first - part.from()) * all.rank), first,
                        Math.min(size, part.to() - first)));
            }
        }
        team.run(pieces.size(), (lane, i) -> {
            Piece piece = pieces.get(i);
            piece.all.forward(lane, xs, piece.h, ys, piece.first, piece.rows, piece.part.scale());
        });
    }

    /** Rows of a part, and what is kept of them. */
    private record Piece(LowRankPart part, Operands all, Span h, int first, int rows) {
    }

    /** Whether there are adapters for all threads: all parts of an adapter run on one. */
    boolean occupiesAll(List<LowRankPart.Gradient> gradients) {
        return gradients.stream().map(gradient -> Arrays.address(gradient.da())).distinct().count() >= team.size();
    }

    /** Each adapter's parts one after the other on one thread, so that nothing is added twice at once. */
    void backward(INDArray dy, INDArray x, List<LowRankPart> parts, List<LowRankPart.Gradient> gradients,
            INDArray dx) {
        Span xs = Span.of(x);
        Span dys = Span.of(dy);
        Span dxs = Span.of(dx);
        Map<Long, List<Integer>> byAdapter = new LinkedHashMap<>();
        for (int i = 0; i < parts.size(); i++) {
            byAdapter.computeIfAbsent(Arrays.address(gradients.get(i).da()), key -> new ArrayList<>()).add(i);
        }
        List<List<Integer>> tasks = List.copyOf(byAdapter.values());
        team.run(tasks.size(), (lane, task) -> {
            for (int i : tasks.get(task)) {
                LowRankPart part = parts.get(i);
                LowRankPart.Gradient gradient = gradients.get(i);
                operands(x, dy, part.a(), part.b()).backward(lane, dys, xs, Span.of(part.h()),
                        Span.of(gradient.dh()), dxs, new Sums(Span.of(gradient.da()), Span.of(gradient.db()), true),
                        part.from(), part.to() - part.from(), part.scale(), true);
            }
        });
    }

    void backward(INDArray dy, INDArray x, INDArray a, INDArray b, float scale, INDArray h, INDArray dh, INDArray dx,
            boolean accumulate, INDArray da, INDArray db) {
        Operands all = operands(x, dy, a, b);
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
        share(Arrays.rows(x), (lane, task, first, rows) -> all.backward(lane, dys, xs, hs.from((long) first * all.rank),
                dhs.from((long) first * all.rank), dxs, new Sums(das[task], dbs[task], task == 0), first, rows, scale,
                accumulate));
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

    /** Where the gradients of the small matrices go, and whether they are added to. */
    private record Sums(Span da, Span db, boolean accumulate) {
    }

    /**
     * Types and sizes, and the two small matrices.
     *
     * @param type of the products
     * @param stored of the activations
     */
    private record Operands(DataType type, DataType stored, int in, int out, int rank, Span a, Span b) {
        /** Rows {@code first} and following; h begins with the first of them. */
        void forward(Lane lane, Span xs, Span h, Span ys, int first, int rows, float scale) {
            int block = block(rows);
            Matrix down = a(lane, type).transpose();
            Matrix up = b(lane, stored).transpose();
            for (int done = 0; done < rows; done += block) {
                int count = Math.min(block, rows - done);
                long mark = lane.scratch().mark();
                Matrix hRows = Matrix.dense(h.from((long) done * rank), count, rank);
                Products.onLane(lane, left(lane, rowsOf(xs, first + done, count, in)), down, hRows, 1f, false);
                Products.onLane(lane, left(lane, hRows), up, rowsOf(ys, first + done, count, out), scale, true);
                lane.scratch().release(mark);
            }
        }

        /** Gradients of rows {@code first} and following; h and dh begin with the first of them. */
        void backward(Lane lane, Span dys, Span xs, Span h, Span dh, Span dxs, Sums sums, int first, int rows,
                float scale, boolean accumulate) {
            int block = block(rows);
            Matrix up = b(lane, type);
            Matrix down = a(lane, stored);
            for (int done = 0; done < rows; done += block) {
                int count = Math.min(block, rows - done);
                long mark = lane.scratch().mark();
                backward(lane, rowsOf(dys, first + done, count, out), rowsOf(xs, first + done, count, in),
                        Matrix.dense(h.from((long) done * rank), count, rank),
                        Matrix.dense(dh.from((long) done * rank), count, rank),
                        rowsOf(dxs, first + done, count, in), up, down, new Sums(sums.da, sums.db,
                                sums.accumulate || done > 0), scale, accumulate);
                lane.scratch().release(mark);
            }
        }

        private void backward(Lane lane, Matrix dy, Matrix x, Matrix h, Matrix dh, Matrix dx, Matrix up, Matrix down,
                Sums sums, float scale, boolean accumulate) {
            Matrix dyLeft = left(lane, dy);
            Products.onLane(lane, dyLeft, up, dh, scale, false);
            Products.onLane(lane, dyLeft.transpose(), left(lane, h), Matrix.dense(sums.db, out, rank), scale,
                    sums.accumulate);
            Matrix dhLeft = left(lane, dh);
            Products.onLane(lane, dhLeft, down, dx, 1f, accumulate);
            Products.onLane(lane, dhLeft.transpose(), x, Matrix.dense(sums.da, rank, in), 1f, sums.accumulate);
        }

        private int block(int rows) {
            return type == stored ? rows : BLOCK;
        }

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
