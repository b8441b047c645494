package io.peft4j.core.kernel.support;

import static io.peft4j.core.kernel.support.KernelChecks.apart;
import static io.peft4j.core.kernel.support.KernelChecks.floatVector;
import static io.peft4j.core.kernel.support.KernelChecks.floats;
import static io.peft4j.core.kernel.support.KernelChecks.indices;
import static io.peft4j.core.kernel.support.KernelChecks.matrix;
import static io.peft4j.core.kernel.support.KernelChecks.shape;

import io.peft4j.core.kernel.AttentionExtras;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.kernel.RotaryTable;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The checks of attention and rotary embedding that {@link CheckedKernels} makes. */
final class AttentionChecks {
    private AttentionChecks() {
    }

    static void rotary(INDArray x, int headSize, RotaryTable table, int[] positions) {
        matrix("rotary", "x", x, positions.length, -1);
        if (headSize <= 0 || x.size(1) % headSize != 0 || 2L * table.half() > headSize) {
            throw new IllegalArgumentException("rotary: x " + shape(x) + " is not made of heads of size " + headSize
                    + ", or they are smaller than the " + 2 * table.half() + " elements that the table rotates");
        }
        indices("rotary", "positions", positions, table.positions());
    }

    static void attention(INDArray q, INDArray k, INDArray v, AttentionLayout layout, AttentionShape shape,
            AttentionExtras extras, INDArray out, INDArray lse) {
        inputs("attention", q, k, v, layout, shape, extras);
        matrix("attention", "out", out, layout.queryRows(), shape.queryColumns());
        matrix("attention", "lse", lse, layout.queryRows(), shape.heads());
        floats("attention", "lse", lse);
        apart("attention", out, q);
        apart("attention", out, k);
        apart("attention", out, v);
    }

    static void attentionBackward(INDArray dOut, INDArray q, INDArray k, INDArray v, INDArray out, INDArray lse,
            AttentionLayout layout, AttentionShape shape, AttentionExtras extras, INDArray dq, INDArray dk,
            INDArray dv) {
        String operation = "attentionBackward";
        inputs(operation, q, k, v, layout, shape, extras);
        matrix(operation, "dOut", dOut, layout.queryRows(), shape.queryColumns());
        matrix(operation, "out", out, layout.queryRows(), shape.queryColumns());
        matrix(operation, "lse", lse, layout.queryRows(), shape.heads());
        floats(operation, "lse", lse);
        matrix(operation, "dq", dq, q.size(0), q.size(1));
        matrix(operation, "dk", dk, k.size(0), k.size(1));
        matrix(operation, "dv", dv, v.size(0), v.size(1));
        for (INDArray result : new INDArray[] {dq, dk, dv}) {
            for (INDArray input : new INDArray[] {dOut, q, k, v, out}) {
                apart(operation, result, input);
            }
        }
        apart(operation, dq, dk);
        apart(operation, dq, dv);
        apart(operation, dk, dv);
    }

    private static void inputs(String operation, INDArray q, INDArray k, INDArray v, AttentionLayout layout,
            AttentionShape shape, AttentionExtras extras) {
        matrix(operation, "q", q, layout.queryRows(), shape.queryColumns());
        matrix(operation, "k", k, -1, shape.keyColumns());
        matrix(operation, "v", v, k.size(0), shape.keyColumns());
        if (k.size(0) < layout.keyRows()) {
            throw new IllegalArgumentException(operation + ": the layout reads " + layout.keyRows()
                    + " key rows, k has " + k.size(0));
        }
        extras.sinks().ifPresent(sinks -> floatVector(operation, "sinks", sinks, shape.heads()));
        extras.bias().ifPresent(bias -> {
            matrix(operation, "bias", bias, shape.heads(), -1);
            floats(operation, "bias", bias);
            if (bias.size(1) % 2 == 0) {
                throw new IllegalArgumentException(operation + ": bias must have 2 S + 1 columns, got " + shape(bias));
            }
            if (layout.segments().stream().anyMatch(s -> s.sight() == AttentionLayout.Sight.CROSS)) {
                throw new IllegalArgumentException(operation + ": there is no bias by relative position between the "
                        + "rows of cross attention");
            }
        });
    }
}
