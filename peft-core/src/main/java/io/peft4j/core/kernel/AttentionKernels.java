package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Attention: a group of {@link Kernels}. */
@Internal(shared = true)
public interface AttentionKernels {
    /**
     * Softmax attention with grouped-query heads over the keys that the layout makes visible: q and out
     * [N, heads x D], k and v [M, key/value heads x D] with M at least {@link AttentionLayout#keyRows()}; lse
     * [N, heads] FLOAT receives the log of the sum of exponentials of each row's scores (the sink among them), for the
     * gradient; kernels that do not {@linkplain #readsLogSumExp() read it} leave it as it is. A score is
     * {@code scale * q . k}, then soft-capped ({@link AttentionShape#softCap}), plus the bias
     * ({@link AttentionExtras#bias}).
     */
    void attention(INDArray q, INDArray k, INDArray v, AttentionLayout layout, AttentionShape shape,
            AttentionExtras extras, INDArray out, INDArray lse);

    /**
     * As {@link #attention(INDArray, INDArray, INDArray, AttentionLayout, AttentionShape, AttentionExtras, INDArray,
     * INDArray)}, without extras.
     */
    default void attention(INDArray q, INDArray k, INDArray v, AttentionLayout layout, AttentionShape shape,
            INDArray out, INDArray lse) {
        attention(q, k, v, layout, shape, AttentionExtras.NONE, out, lse);
    }

    /**
     * Whether the gradient of attention reads the lse that {@link #attention} has written. Where it computes the
     * probabilities again from the scores it has no use for it.
     */
    default boolean readsLogSumExp() {
        return true;
    }

    /** Gradient of {@link #attention}; overwrites dq, dk and dv (all of their rows). Memory is linear in N. */
    void attentionBackward(INDArray dOut, INDArray q, INDArray k, INDArray v, INDArray out, INDArray lse,
            AttentionLayout layout, AttentionShape shape, AttentionExtras extras, INDArray dq, INDArray dk,
            INDArray dv);

    /**
     * As {@link #attentionBackward(INDArray, INDArray, INDArray, INDArray, INDArray, INDArray, AttentionLayout,
     * AttentionShape, AttentionExtras, INDArray, INDArray, INDArray)}, without extras.
     */
    default void attentionBackward(INDArray dOut, INDArray q, INDArray k, INDArray v, INDArray out, INDArray lse,
            AttentionLayout layout, AttentionShape shape, INDArray dq, INDArray dk, INDArray dv) {
        attentionBackward(dOut, q, k, v, out, lse, layout, shape, AttentionExtras.NONE, dq, dk, dv);
    }
}
