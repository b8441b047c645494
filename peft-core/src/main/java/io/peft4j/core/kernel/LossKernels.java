package io.peft4j.core.kernel;

import org.nd4j.linalg.api.ndarray.INDArray;

/** The loss over logits: a group of {@link Kernels}. */
public interface LossKernels {
    /**
     * Negative log-likelihood of each row's target: logits [N, V];
     * {@code nll[i] = logsumexp(logits[i]) - logits[i][targets[i]]}.
     */
    void crossEntropy(INDArray logits, int[] targets, float[] nll);

    /**
     * Gradient of the weighted sum of {@link #crossEntropy}, written over the logits:
     * {@code weights[i] * (softmax(logits[i]) - onehot(targets[i]))}.
     */
    void crossEntropyBackward(INDArray logits, int[] targets, float[] weights);

    /** {@link #crossEntropy} and then {@link #crossEntropyBackward} of the same logits, which may share work. */
    default void crossEntropyGradient(INDArray logits, int[] targets, float[] weights, float[] nll) {
        crossEntropy(logits, targets, nll);
        crossEntropyBackward(logits, targets, weights);
    }
}
