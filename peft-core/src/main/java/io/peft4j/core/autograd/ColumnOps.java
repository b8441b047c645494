package io.peft4j.core.autograd;

import io.peft4j.core.array.Arrays;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Exchanging columns on a tape. */
public final class ColumnOps {
    private ColumnOps() {
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
