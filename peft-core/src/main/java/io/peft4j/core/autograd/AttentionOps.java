package io.peft4j.core.autograd;

import io.peft4j.core.Internal;
import io.peft4j.core.kernel.AttentionExtras;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.kernel.RotaryTable;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Attention and position embedding on a tape. */
@Internal(shared = true)
public final class AttentionOps {
    private AttentionOps() {
    }

    /** Rotary position embedding in place over x [N, heads x D]; see {@link Kernels#rotary}. Gradient: the inverse. */
    public static Variable rotary(Tape tape, Variable x, int headSize, RotaryTable table, int[] positions) {
        Kernels kernels = tape.kernels();
        kernels.rotary(x.value(), headSize, table, positions, false);
        return tape.recordInPlace(x, (out, dy) -> x.addGradient((dx, accumulate) -> {
            if (accumulate) {
                throw new IllegalStateException("the input of an in-place operation has a second consumer");
            }
            kernels.scale(dy, 1f, dx, false);
            kernels.rotary(dx, headSize, table, positions, true);
        }), List.of(x));
    }

    /** Attention over the rows that the layout makes visible; see {@link Kernels#attention}. */
    public static Variable attention(Tape tape, Variable q, Variable k, Variable v, AttentionLayout layout,
            AttentionShape shape) {
        return attention(tape, q, k, v, layout, shape, AttentionExtras.NONE);
    }

    /**
     * As {@link #attention(Tape, Variable, Variable, Variable, AttentionLayout, AttentionShape)}, with sinks or a bias
     * in the softmax.
     */
    public static Variable attention(Tape tape, Variable q, Variable k, Variable v, AttentionLayout layout,
            AttentionShape shape, AttentionExtras extras) {
        Kernels kernels = tape.kernels();
        INDArray out = tape.allocateLike(q.value());
        INDArray lse = tape.allocateFloat(q.rows(), shape.heads());
        kernels.attention(q.value(), k.value(), v.value(), layout, shape, extras, out, lse);
        Variable result = tape.record(out, (output, dOut) -> {
            INDArray dq = tape.allocateLike(q.value());
            INDArray dk = tape.allocateLike(k.value());
            INDArray dv = tape.allocateLike(v.value());
            kernels.attentionBackward(dOut, q.value(), k.value(), v.value(), out, lse, layout, shape, extras, dq, dk,
                    dv);
            q.addTemporaryGradient(dq);
            k.addTemporaryGradient(dk);
            v.addTemporaryGradient(dv);
        }, List.of(q, k, v), lse);
        if (result.requiresGradient()) {
            // Its own gradient reads the output.
            result.markRead();
        }
        return result;
    }
}
