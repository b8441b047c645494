package io.peft4j.core.autograd;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.Kernels;
import java.util.List;
import java.util.function.Consumer;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Choosing, joining and exchanging columns on a tape. */
@Internal(shared = true)
public final class ColumnOps {
    private ColumnOps() {
    }

    /**
     * Columns {@code from} to {@code to}, the last excluded, as of fused projections: x [N, I], result [N, to - from].
     * Gradient: goes back to these columns.
     */
    public static Variable slice(Tape tape, Variable x, int from, int to) {
        return slice(tape, x, 1, from, to);
    }

    /**
     * As {@link #slice(Tape, Variable, int, int)} in each of several groups of columns: x [N, groups x W], result [N,
     * groups x (to - from)].
     *
     * @param groups parts of equal width W that a row is made of
     */
    public static Variable slice(Tape tape, Variable x, int groups, int from, int to) {
        Kernels kernels = tape.kernels();
        INDArray y = tape.arena().allocate(x.value().dataType(), x.rows(), (long) groups * (to - from));
        Consumer<INDArray> forward = result -> kernels.copyColumns(split(x.value(), groups), from,
                split(result, groups), 0, to - from, false);
        forward.accept(y);
        return tape.recordRecomputable(y, forward, (out, dy) -> x.addGradient((dx, accumulate) -> {
            if (!accumulate) {
                Arrays.clear(dx);
            }
            kernels.copyColumns(split(dy, groups), 0, split(dx, groups), from, to - from, accumulate);
        }), List.of(x));
    }

    /** The groups of columns as rows of their own. */
    private static INDArray split(INDArray x, int groups) {
        return groups == 1 ? x : Arrays.reshaped(x, x.size(0) * groups, x.size(1) / groups);
    }

    /** The columns of a, then those of b: a [N, I], b [N, O], result [N, I + O] of a's type. Gradients: the parts. */
    public static Variable concat(Tape tape, Variable a, Variable b) {
        return concat(tape, a, b, 1);
    }

    /**
     * As {@link #concat(Tape, Variable, Variable)} in each of several groups of columns: a [N, groups x I], b [N,
     * groups x O], result [N, groups x (I + O)] of a's type.
     */
    public static Variable concat(Tape tape, Variable a, Variable b, int groups) {
        Kernels kernels = tape.kernels();
        int first = a.columns() / groups;
        int second = b.columns() / groups;
        INDArray y = tape.arena().allocate(a.value().dataType(), a.rows(), (long) groups * (first + second));
        kernels.copyColumns(split(a.value(), groups), 0, split(y, groups), 0, first, false);
        kernels.copyColumns(split(b.value(), groups), 0, split(y, groups), first, second, false);
        return tape.record(y, (out, dy) -> {
            a.addGradient((da, accumulate) -> kernels.copyColumns(split(dy, groups), 0, split(da, groups), 0, first,
                    accumulate));
            b.addGradient((db, accumulate) -> kernels.copyColumns(split(dy, groups), first, split(db, groups), 0,
                    second, accumulate));
        }, List.of(a, b));
    }

    /** The columns of x several times side by side: x [N, I], result [N, times x I]. Gradient: the sum. */
    public static Variable repeat(Tape tape, Variable x, int times) {
        Kernels kernels = tape.kernels();
        int width = x.columns();
        INDArray y = tape.arena().allocate(x.value().dataType(), x.rows(), (long) times * width);
        for (int i = 0; i < times; i++) {
            kernels.copyColumns(x.value(), 0, y, i * width, width, false);
        }
        return tape.record(y, (out, dy) -> x.addGradient((dx, accumulate) -> {
            for (int i = 0; i < times; i++) {
                kernels.copyColumns(dy, i * width, dx, 0, width, accumulate || i > 0);
            }
        }), List.of(x));
    }

    /**
     * x with some columns replaced: {@code y[:, columns[j]] = z[:, j]}, x, y [N, V], z [N, k]. Gradients: z gets its
     * columns, x all others.
     *
     * @param columns numbers of columns of x, each once
     */
    public static Variable replaceColumns(Tape tape, Variable x, Variable z, int[] columns) {
        INDArray y = tape.allocateLike(x.value());
        tape.kernels().scale(x.value(), 1f, y, false);
        exchange(y, Arrays.toFloats(z.value()), columns);
        return tape.record(y, (out, dy) -> {
            z.addGradient((dz, accumulate) -> {
                float[] values = accumulate ? Arrays.toFloats(dz) : new float[Math.toIntExact(dz.length())];
                addColumns(dy, columns, values);
                Arrays.write(dz, 0, values, 0, values.length);
            });
            x.addGradient((dx, accumulate) -> {
                INDArray kept = tape.allocateLike(dy);
                tape.kernels().scale(dy, 1f, kept, false);
                exchange(kept, new float[Arrays.rows(dy) * columns.length], columns);
                tape.kernels().scale(kept, 1f, dx, accumulate);
                tape.free(kept);
            });
        }, List.of(x, z));
    }

    private static void addColumns(INDArray y, int[] columns, float[] sums) {
        int width = Arrays.columns(y);
        float[] one = new float[1];
        for (int i = 0; i < sums.length; i++) {
            Arrays.read(y, (long) (i / columns.length) * width + columns[i % columns.length], one, 0, 1);
            sums[i] += one[0];
        }
    }

    private static void exchange(INDArray y, float[] values, int[] columns) {
        int width = Arrays.columns(y);
        for (int i = 0; i < values.length; i++) {
            Arrays.write(y, (long) (i / columns.length) * width + columns[i % columns.length], values, i, 1);
        }
    }
}
