package io.peft4j.core.autograd;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.kernel.Kernels;
import java.util.List;
import java.util.function.Consumer;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What a mixture of experts is made of on a tape: the probabilities of a router, the elements of them that are chosen,
 * and the sum of what the experts gave. Which experts are chosen is decided outside
 * ({@link io.peft4j.core.nn.Routing}); it has no gradient.
 */
@Internal(shared = true)
public final class RoutingOps {
    private RoutingOps() {
    }

    /**
     * The softmax of each row: x, result [N, E]; see {@link Kernels#softmax}. Its gradient reads
     * the result.
     */
    public static Variable softmax(Tape tape, Variable x) {
        Kernels kernels = tape.kernels();
        INDArray y = tape.allocateLike(x.value());
        Consumer<INDArray> forward = result -> kernels.softmax(x.value(), result);
        forward.accept(y);
        Variable result = tape.recordRecomputable(y, forward,
                (out, dy) -> x
                        .addGradient((dx, accumulate) -> kernels.softmaxBackward(dy, out.value(), dx, accumulate)),
                List.of(x));
        if (result.requiresGradient()) {
            result.markRead();
        }
        return result;
    }

    /**
     * Single elements: element i of the result is element {@code indices[i]} of x, both counted row by row. Gradient:
     * added back to where they came from.
     *
     * @param columns columns of the result, which has {@code indices.length / columns} rows
     */
    public static Variable elements(Tape tape, Variable x, int[] indices, int columns) {
        Kernels kernels = tape.kernels();
        INDArray y = tape.arena().allocate(x.value().dataType(), indices.length / columns, columns);
        Consumer<INDArray> forward = result -> kernels.gatherRows(column(x.value()), indices, column(result));
        forward.accept(y);
        return tape.recordRecomputable(y, forward, (out, dy) -> x.addGradient((dx, accumulate) -> {
            if (!accumulate) {
                Arrays.clear(dx);
            }
            kernels.gatherRowsBackward(column(dy), indices, column(dx));
        }), List.of(x));
    }

    private static INDArray column(INDArray array) {
        return array.reshape('c', array.length(), 1);
    }

    /**
     * The sum of rows that go to the same place: row i of {@code parts.get(p)} is added to row {@code rows.get(p)[i]}
     * of the result [N, H]; rows to which none goes are 0. Gradient: each part gets its rows.
     *
     * @param parts values of one type and width, at least one
     * @param count N
     */
    public static Variable scatterAdd(Tape tape, List<Variable> parts, List<int[]> rows, int count) {
        Kernels kernels = tape.kernels();
        INDArray y = tape.arena().allocate(parts.get(0).value().dataType(), count, parts.get(0).columns());
        Arrays.clear(y);
        for (int p = 0; p < parts.size(); p++) {
            kernels.gatherRowsBackward(parts.get(p).value(), rows.get(p), y);
        }
        return tape.record(y, (out, dy) -> RowOps.gatherBack(tape, parts, rows, dy), parts);
    }
}
