package io.peft4j.core.autograd;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Choosing and joining rows on a tape. */
@Internal(shared = true)
public final class RowOps {
    private RowOps() {
    }

    /** Rows of a frozen embedding: table [V, H], result [N, H]. */
    public static Variable embedding(Tape tape, FrozenWeight table, int[] ids) {
        INDArray y = tape.allocate(ids.length, table.columns());
        tape.kernels().gather(table, ids, y);
        return tape.record(y, (out, dy) -> {
        }, List.of());
    }

    /** {@code y[i] = x[rows[i]]}: x [M, H], y [N, H]. Gradient: rows are added back. */
    public static Variable gatherRows(Tape tape, Variable x, int[] rows) {
        Kernels kernels = tape.kernels();
        Consumer<INDArray> forward = result -> kernels.gatherRows(x.value(), rows, result);
        INDArray y = tape.arena().allocate(x.value().dataType(), rows.length, x.columns());
        forward.accept(y);
        return tape.recordRecomputable(y, forward, (out, dy) -> x.addGradient((dx, accumulate) -> {
            if (!accumulate) {
                Arrays.clear(dx);
            }
            kernels.gatherRowsBackward(dy, rows, dx);
        }), List.of(x));
    }

    /**
     * The way back from {@link #gatherRows}: row {@code rows.get(p)[i]} of the result [N, H] is row i of
     * {@code parts.get(p)}. Gradient: each part gets its rows.
     *
     * @param parts values of one type and width
     * @param rows where the rows of each part go; all together each of 0 to N - 1 once
     */
    public static Variable assemble(Tape tape, List<Variable> parts, List<int[]> rows) {
        Kernels kernels = tape.kernels();
        int count = rows.stream().mapToInt(r -> r.length).sum();
        INDArray y = tape.arena().allocate(parts.get(0).value().dataType(), count, parts.get(0).columns());
        Arrays.clear(y);
        for (int p = 0; p < parts.size(); p++) {
            kernels.gatherRowsBackward(parts.get(p).value(), rows.get(p), y);
        }
        return tape.record(y, (out, dy) -> gatherBack(tape, parts, rows, dy), parts);
    }

    /** Gives each part the rows of dy that it went to. */
    static void gatherBack(Tape tape, List<Variable> parts, List<int[]> rows, INDArray dy) {
        Kernels kernels = tape.kernels();
        for (int p = 0; p < rows.size(); p++) {
            int[] own = rows.get(p);
            parts.get(p).addGradient((dx, accumulate) -> {
                INDArray target = accumulate ? tape.arena().allocate(dx.dataType(), dx.shape()) : dx;
                kernels.gatherRows(dy, own, target);
                if (accumulate) {
                    kernels.add(dx, target, dx);
                    tape.free(target);
                }
            });
        }
    }

    /**
     * Rows of a trained embedding: table [V, C], result [N, C]. Gradient: rows are added back, except to the row of the
     * padding token, which is never trained, as PyTorch's {@code padding_idx} has it.
     *
     * @param padding the row that is not trained, if any
     * @param type type of the result
     */
    public static Variable trainedEmbedding(Tape tape, Variable table, int[] ids, OptionalInt padding, DataType type) {
        Kernels kernels = tape.kernels();
        INDArray y = tape.arena().allocate(type, ids.length, table.columns());
        kernels.gatherRows(table.value(), ids, y);
        return tape.record(y, (out, dy) -> table.addGradient((dTable, accumulate) -> {
            if (!accumulate) {
                Arrays.clear(dTable);
            }
            float[] kept = new float[padding.isPresent() ? Arrays.columns(dTable) : 0];
            long first = padding.orElse(0) * (long) kept.length;
            Arrays.read(dTable, first, kept, 0, kept.length);
            kernels.gatherRowsBackward(dy, ids, dTable);
            Arrays.write(dTable, first, kept, 0, kept.length);
        }), List.of(table));
    }

    /**
     * x with some rows replaced by those of a trained table: {@code y[i] = table[source[i]]} where {@code source[i]} is
     * not negative, else {@code x[i]}: x, y [N, H], table [M, H]. Gradient: rows are added back to where they came
     * from.
     *
     * @param untrained rows of the table that get no gradient
     */
    public static Variable replaceRows(Tape tape, Variable x, Variable table, int[] source, Set<Integer> untrained) {
        int[] replaced = IntStream.range(0, source.length).filter(i -> source[i] >= 0).toArray();
        if (replaced.length == 0) {
            return x;
        }
        INDArray y = tape.allocateLike(x.value());
        tape.kernels().scale(x.value(), 1f, y, false);
        copyRows(tape, table.value(), source, replaced, y);
        return tape.record(y, (out, dy) -> {
            int[] trained = IntStream.of(replaced).filter(i -> !untrained.contains(source[i])).toArray();
            table.addGradient((dTable, accumulate) -> {
                if (!accumulate) {
                    Arrays.clear(dTable);
                }
                addRows(tape, dy, source, trained, dTable);
            });
            x.addGradient((dx, accumulate) -> {
                INDArray kept = tape.allocateLike(dy);
                tape.kernels().scale(dy, 1f, kept, false);
                float[] zeros = new float[Arrays.columns(kept)];
                for (int row : replaced) {
                    Arrays.write(kept, (long) row * zeros.length, zeros, 0, zeros.length);
                }
                tape.kernels().scale(kept, 1f, dx, accumulate);
                tape.free(kept);
            });
        }, List.of(x, table));
    }

    private static void copyRows(Tape tape, INDArray table, int[] source, int[] rows, INDArray y) {
        INDArray taken = tape.arena().allocate(y.dataType(), rows.length, y.size(1));
        tape.kernels().gatherRows(table, IntStream.of(rows).map(i -> source[i]).toArray(), taken);
        float[] row = new float[Arrays.columns(y)];
        for (int i = 0; i < rows.length; i++) {
            Arrays.read(taken, (long) i * row.length, row, 0, row.length);
            Arrays.write(y, (long) rows[i] * row.length, row, 0, row.length);
        }
        tape.free(taken);
    }

    private static void addRows(Tape tape, INDArray dy, int[] source, int[] rows, INDArray dTable) {
        if (rows.length == 0) {
            return;
        }
        INDArray taken = tape.arena().allocate(dy.dataType(), rows.length, dy.size(1));
        tape.kernels().gatherRows(dy, rows, taken);
        tape.kernels().gatherRowsBackward(taken, IntStream.of(rows).map(i -> source[i]).toArray(), dTable);
        tape.free(taken);
    }

    /** a, then b: a [M, H], b [N, H], result [M + N, H] of b's type. Gradients: the parts. */
    public static Variable concat(Tape tape, Variable a, Variable b) {
        Kernels kernels = tape.kernels();
        int first = a.rows();
        INDArray y = tape.arena().allocate(b.value().dataType(), first + b.rows(), b.columns());
        kernels.scale(a.value(), 1f, Arrays.rowRange(y, 0, first), false);
        kernels.scale(b.value(), 1f, Arrays.rowRange(y, first, first + b.rows()), false);
        return tape.record(y, (out, dy) -> {
            a.addGradient((da, accumulate) -> kernels.scale(Arrays.rowRange(dy, 0, first), 1f, da, accumulate));
            b.addGradient(
                    (db, accumulate) -> kernels.scale(Arrays.rowRange(dy, first, Arrays.rows(dy)), 1f, db, accumulate));
        }, List.of(a, b));
    }
}
