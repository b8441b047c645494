package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Operations that read sequences in their order: a group of {@link Kernels}. */
@Internal
public interface SequenceKernels {
    /**
     * What a scan reads; see {@link SequenceKernels#scan}.
     *
     * @param queries [N, key heads x Dk]
     * @param keys [N, key heads x Dk]
     * @param values [N, value heads x Dv]
     * @param decay g [N, value heads], FLOAT: a state is multiplied by exp(g); at most 0
     * @param rate beta [N, value heads], FLOAT, of the gated delta rule; empty: values are added as they are
     */
    record ScanInputs(INDArray queries, INDArray keys, INDArray values, INDArray decay, Optional<INDArray> rate) {
    }

    /**
     * Short causal convolution, each column separately:
     * {@code y[t][c] = bias[c] + sum over j of weight[c][K - 1 - j] * x[t - j][c]} with x[t - j] the row j rows before
     * row t in its sequence, zero before its beginning; x, y [N, C], weight FLOAT [C, K], bias FLOAT [C].
     *
     * @param states the last K - 1 rows of x, oldest first, [K - 1, C]
     */
    void convolution(INDArray x, INDArray weight, Optional<INDArray> bias, RowOrder order, PieceStates states,
            INDArray y);

    /** Gradient of {@link #convolution} for x; sequences begin with the batch. */
    void convolutionBackward(INDArray dy, INDArray weight, RowOrder order, INDArray dx, boolean accumulate);

    /**
     * Linear attention with a state that decays. Each head of values has a state S [Dk, Dv], zero at the beginning of a
     * sequence, and for each row t in its order
     * {@code S = exp(g[t]) S + k[t] u[t]^T}, {@code y[t] = S^T q[t]}, where {@code u[t] = v[t]}, or with a rate the
     * gated delta rule (<a href="https://arxiv.org/abs/2412.06464">2412.06464</a>):
     * {@code u[t] = beta[t] (v[t] - exp(g[t]) S^T k[t])} with the S of the row before. Queries are not scaled.
     *
     * @param states S of all heads, [value heads x Dk, Dv]
     * @param y [N, value heads x Dv]
     */
    void scan(ScanShape shape, ScanInputs inputs, RowOrder order, PieceStates states, INDArray y);

    /**
     * Gradient of {@link #scan}; overwrites all of the results. Sequences begin with the batch.
     *
     * @param gradients where the gradients of all inputs go, of their shapes; one for the rate if there is one
     */
    void scanBackward(INDArray dy, ScanShape shape, ScanInputs inputs, RowOrder order, ScanInputs gradients);
}
