package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The loss over logits: a group of {@link Kernels}. */
@Internal(shared = true)
public interface LossKernels {
    /**
     * Negative log-likelihood of each row's target: logits [N, V];
     * {@code nll[i] = logsumexp(logits[i]) - logits[i][targets[i]]}.
     *
     * @param hits is filled with whether no other logit of a row is larger than that of its target
     */
    void crossEntropy(INDArray logits, int[] targets, float[] nll, boolean[] hits);

    /** As {@link #crossEntropy(INDArray, int[], float[], boolean[])}, without the hits. */
    default void crossEntropy(INDArray logits, int[] targets, float[] nll) {
        crossEntropy(logits, targets, nll, new boolean[targets.length]);
    }

    /**
     * Gradient of the weighted sum of {@link #crossEntropy}, written over the logits:
     * {@code weights[i] * (softmax(logits[i]) - onehot(targets[i]))}.
     */
    void crossEntropyBackward(INDArray logits, int[] targets, float[] weights);

    /** {@link #crossEntropy} and then {@link #crossEntropyBackward} of the same logits, which may share work. */
    default void crossEntropyGradient(INDArray logits, int[] targets, float[] weights, float[] nll, boolean[] hits) {
        crossEntropy(logits, targets, nll, hits);
        crossEntropyBackward(logits, targets, weights);
    }
}
