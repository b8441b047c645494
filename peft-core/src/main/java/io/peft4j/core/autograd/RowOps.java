package io.peft4j.core.autograd;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Choosing rows on a tape. */
public final class RowOps {
    private RowOps() {
    }

    /** Rows of a frozen embedding: table [V, H], result [N, H]. */
    public static Variable embedding(Tape tape, FrozenWeight table, int[] ids) {
        INDArray y = tape.allocate(ids.length, table.columns());
        tape.kernels().gather(table, ids, y);
        return tape.record(y, (out, dy) -> { }, List.of());
    }

    /** {@code y[i] = x[rows[i]]}: x [M, H], y [N, H]. Gradient: rows are added back. */
    public static Variable gatherRows(Tape tape, Variable x, int[] rows) {
        Kernels kernels = tape.kernels();
        INDArray y = tape.arena().allocate(x.value().dataType(), rows.length, x.columns());
        kernels.gatherRows(x.value(), rows, y);
        return tape.record(y, (out, dy) -> x.addGradient((dx, accumulate) -> {
            if (!accumulate) {
                Arrays.clear(dx);
            }
            kernels.gatherRowsBackward(dy, rows, dx);
        }), List.of(x));
    }
}
