package io.peft4j.onednn;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.MatrixKernels.LowRankPart;
import io.peft4j.onednn.BinarySpec.Operator;
import io.peft4j.onednn.LowRankOperands.Sums;
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
 * only the left operand of a product is widened before; right operands and results stay as they are stored.
 */
final class FusedLowRankUpdate {
    private static final int ROW_UNIT = 16;
    private static final int FEWEST_ROWS = 64;

    private final ThreadTeam team;
    private final BFloat16Products bfloat16;

    FusedLowRankUpdate(ThreadTeam team, BFloat16Products bfloat16) {
        this.team = team;
        this.bfloat16 = bfloat16;
    }

    /** Whether activations of these types are multiplied as they are stored, or widened on the way. */
    boolean supports(INDArray x, INDArray y) {
        return x.dataType() == y.dataType() && (bfloat16.widen() || type(x) == x.dataType());
    }

    private DataType type(INDArray x) {
        return bfloat16.type(Arrays.rows(x), x);
    }

    /** Some rows of the batch. */
    @FunctionalInterface
    interface Rows {
        /** Works on rows {@code first} to {@code first + rows - 1}. */
        void run(ThreadContext lane, int task, int first, int rows);
    }

    /** Rows of a task. */
    private int size(int rows) {
        int wanted = Math.max(1, Math.min(team.size(), rows / FEWEST_ROWS));
        return ((rows + wanted - 1) / wanted + ROW_UNIT - 1) / ROW_UNIT * ROW_UNIT;
    }

    private int tasks(int rows) {
        return (rows + size(rows) - 1) / size(rows);
    }

    /** Shares rows among the threads, one task for each where there are rows enough. */
    void share(int rows, Rows part) {
        int size = size(rows);
        team.run(tasks(rows), (lane, task) -> part.run(lane, task, task * size, Math.min(size, rows - task * size)));
    }

    void forward(INDArray x, INDArray a, INDArray b, float scale, INDArray h, INDArray y) {
        LowRankOperands all = operands(x, y, a, b);
        Span xs = Span.of(x);
        Span hs = Span.of(h);
        Span ys = Span.of(y);
        share(Arrays.rows(x), (lane, task, first, rows) -> all.forward(lane, xs, hs.from((long) first * all.rank()), ys,
                first, rows, scale));
    }

    LowRankOperands operands(INDArray x, INDArray y, INDArray a, INDArray b) {
        return new LowRankOperands(type(x), x.dataType(), Arrays.columns(x), Arrays.columns(y), Arrays.rows(a),
                Span.of(a), Span.of(b));
    }

    /** The parts in pieces of some rows, so that all threads have some. */
    void forward(INDArray x, List<LowRankPart> parts, INDArray y) {
        Span xs = Span.of(x);
        Span ys = Span.of(y);
        int size = size(parts.stream().mapToInt(part -> part.to() - part.from()).sum());
        List<Piece> pieces = new ArrayList<>();
        for (LowRankPart part : parts) {
            LowRankOperands all = operands(x, y, part.a(), part.b());
            Span h = Span.of(part.h());
            for (int first = part.from(); first < part.to(); first += size) {
                pieces.add(new Piece(part, all, h.from((long) (first - part.from()) * all.rank()), first,
                        Math.min(size, part.to() - first)));
            }
        }
        team.run(pieces.size(), (lane, i) -> {
            Piece piece = pieces.get(i);
            piece.all.forward(lane, xs, piece.h, ys, piece.first, piece.rows, piece.part.scale());
        });
    }

    /** Rows of a part, and what is kept of them. */
    private record Piece(LowRankPart part, LowRankOperands all, Span h, int first, int rows) {
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
                LowRankOperands all = operands(x, dy, part.a(), part.b());
                long mark = lane.scratch().mark();
                Span dbTransposed = Span.scratch(lane, DataType.FLOAT, (long) all.rank() * all.out());
                all.backward(lane, dys, xs, Span.of(part.h()), Span.of(gradient.dh()), dxs,
                        new Sums(Span.of(gradient.da()), dbTransposed, true, false), part.from(),
                        part.to() - part.from(), part.scale(), true);
                addTransposed(lane, all, dbTransposed, Span.of(gradient.db()));
                lane.scratch().release(mark);
            }
        });
    }

    private static void addTransposed(ThreadContext lane, LowRankOperands all, Span dbTransposed, Span db) {
        Vectors.required(lane, new CopySpec.Transposed(all.rank(), all.out(), true))
                .run(lane, dbTransposed.address(), db.address());
    }

    void backward(INDArray dy, INDArray x, INDArray a, INDArray b, float scale, INDArray h, INDArray dh, INDArray dx,
            boolean accumulate, INDArray da, INDArray db) {
        LowRankOperands all = operands(x, dy, a, b);
        Span xs = Span.of(x);
        Span dys = Span.of(dy);
        Span hs = Span.of(h);
        Span dhs = Span.of(dh);
        Span dxs = Span.of(dx);
        summed(all, Arrays.rows(x), Span.of(da), Span.of(db),
                (lane, sums, first, rows) -> all.backward(lane, dys, xs, hs.from((long) first * all.rank()),
                        dhs.from((long) first * all.rank()),
                        dxs, sums, first, rows, scale, accumulate));
    }

    /** Some rows of the batch, with a place for what they add to the gradients of the small matrices. */
    @FunctionalInterface
    interface SummedRows {
        /** Works on rows {@code first} to {@code first + rows - 1}. */
        void run(ThreadContext lane, Sums sums, int first, int rows);
    }

    /**
     * Shares rows among the threads and adds up their gradients of the small matrices, in order: each task has sums of
     * its own, but for the first, which adds to da.
     */
    void summed(LowRankOperands all, int rows, Span da, Span db, SummedRows part) {
        try (Scratch.Frame frame = team.caller().scratch().frame()) {
            int tasks = tasks(rows);
            int sizeA = all.rank() * all.in();
            int sizeB = all.rank() * all.out();
            Span das = Span.scratch(team.caller(), DataType.FLOAT, (long) tasks * sizeA);
            Span dbs = Span.scratch(team.caller(), DataType.FLOAT, (long) tasks * sizeB);
            share(rows, (lane, task, first, count) -> part.run(lane, new Sums(task == 0 ? da
                    : das.from((long) task * sizeA), dbs.from((long) task * sizeB), task == 0, false), first, count));
            team.run(2, (lane, which) -> {
                for (int task = 0; task < tasks; task++) {
                    if (which == 1) {
                        addTransposed(lane, all, dbs.from((long) task * sizeB), db);
                    } else if (task > 0) {
                        Vectors.binary(lane, Operator.ADD, da, das.from((long) task * sizeA), da, false, sizeA);
                    }
                }
            });
        }
    }
}
