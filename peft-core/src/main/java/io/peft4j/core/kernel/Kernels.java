package io.peft4j.core.kernel;

import io.peft4j.core.weight.FrozenWeight;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * The coarse operations that a model is made of, each forward with its gradient beside it.
 *
 * <p>Arrays are contiguous, c order, FLOAT or BFLOAT16; results are rounded to the type of the array they are written
 * to, sums are kept in f32 at least. Every operation accepts any mix of the two types unless it says otherwise. Results
 * go into arrays that the caller gives; an implementation keeps its scratch memory and compiled primitives between
 * calls. {@code accumulate} adds to what the result array holds, otherwise its old contents are not read. A result may
 * share memory with another argument only where an operation says so, and then only as a whole. Shapes are checked
 * ({@link KernelChecks}): a mismatch is an {@link IllegalArgumentException}.
 *
 * <p>The same arguments give the same bits, call after call. Letters: N rows (tokens of a packed batch), I and O input
 * and output features, D head size, V vocabulary.
 *
 * <p>{@link NaiveKernels} is the plain truth that all others are tested against. An implementation is used by one
 * thread at a time and runs its own worker threads; the engine ({@code io.peft4j.core.engine.Engine}) hands it from one
 * computation to the next. {@link KernelSelection} finds the fastest one.
 */
public interface Kernels extends AutoCloseable {
    /** The key in {@link #identity} of what the processor has. */
    String PROCESSOR = "processor";

    /** A short name for logs, for instance {@code naive}. */
    String name();

    /**
     * What must be the same for equal arguments to give the same bits in another process, by name: {@code kernels}, and
     * whatever else an implementation chooses or is told, the number of threads only where it matters. What
     * {@value #PROCESSOR} names is not for a user to choose. A training that is resumed compares it.
     */
    Map<String, String> identity();

    /** How products of BFLOAT16 matrices compare here with those of FLOAT ones; slower unless overridden. */
    default BFloat16Speed bfloat16Speed() {
        return BFloat16Speed.SLOWER;
    }

    /**
     * Kernels for passes of generation, of few rows each and without gradients, over the threads and the scratch memory
     * of these; closing either closes both. Where products of few rows are faster with a frozen weight in another
     * layout, they keep such copies, within a budget and whatever passes come between, until the weight is out of reach
     * or {@linkplain #forget forgotten}; so the values of a weight must not change. Results may differ by rounding from
     * those of these kernels, and are the same bits whether a copy is kept or not.
     */
    default Kernels forGeneration() {
        return this;
    }

    /** Gives back what is kept of a weight: for its owner, before its memory is freed. It may be used again after. */
    default void forget(FrozenWeight weight) {
        // Most implementations read weights as they are.
    }

    // ---- matrix products

    /** {@code y = x W^T}: x [N, I], w [O, I], y [N, O]. */
    void linear(INDArray x, FrozenWeight w, INDArray y, boolean accumulate);

    /** Gradient of {@link #linear} for x: {@code dx = dy W}: dy [N, O], dx [N, I]. */
    void linearBackward(INDArray dy, FrozenWeight w, INDArray dx, boolean accumulate);

    /**
     * {@code c = alpha * op(a) op(b)} (added to c where {@code accumulate}); op transposes where asked. op(a) [M, K],
     * op(b) [K, L], c [M, L].
     */
    void matmul(INDArray a, boolean transposeA, INDArray b, boolean transposeB, INDArray c, float alpha,
            boolean accumulate);

    /**
     * The low-rank update of LoRA (<a href="https://arxiv.org/abs/2106.09685">2106.09685</a>): {@code h = x a^T},
     * {@code y += scale * h b^T}: x [N, I], a [r, I], b [O, r], y [N, O]; h [N, r] FLOAT is kept for the gradient.
     */
    default void lowRank(INDArray x, INDArray a, INDArray b, float scale, INDArray h, INDArray y) {
        KernelChecks.lowRank(x, a, b, h, y);
        matmul(x, false, a, true, h, 1f, false);
        matmul(h, false, b, true, y, scale, true);
    }

    /**
     * Gradient of {@link #lowRank} for x, a and b. With {@code dh = scale * dy b}: {@code dx = dh a},
     * {@code da += dh^T x}, {@code db += scale * dy^T h}: da and db FLOAT; dh [N, r] FLOAT is overwritten.
     *
     * @param accumulate whether dx is added to
     */
    default void lowRankBackward(INDArray dy, INDArray x, INDArray a, INDArray b, float scale, INDArray h, INDArray dh,
            INDArray dx, boolean accumulate, INDArray da, INDArray db) {
        KernelChecks.lowRankBackward(dy, x, a, b, h, dh, dx, da, db);
        matmul(dy, true, h, false, db, scale, true);
        matmul(dy, false, b, false, dh, scale, false);
        matmul(dh, true, x, false, da, 1f, true);
        matmul(dh, false, a, false, dx, 1f, accumulate);
    }

    /**
     * {@link #linear} and {@link #lowRank} of its result: {@code h = x a^T}, {@code y = x W^T + scale * h b^T}. Kernels
     * that compute both at once read and write y once less.
     */
    default void linearWithLowRank(INDArray x, FrozenWeight w, INDArray a, INDArray b, float scale, INDArray h,
            INDArray y) {
        linear(x, w, y, false);
        lowRank(x, a, b, scale, h, y);
    }

    /**
     * Gradient of {@link #linearWithLowRank} for x, a and b: {@link #linearBackward}, and {@link #lowRankBackward}
     * added to it.
     *
     * @param accumulate whether dx is added to
     */
    default void linearWithLowRankBackward(INDArray dy, FrozenWeight w, INDArray x, INDArray a, INDArray b,
            float scale, INDArray h, INDArray dh, INDArray dx, boolean accumulate, INDArray da, INDArray db) {
        linearBackward(dy, w, dx, accumulate);
        lowRankBackward(dy, x, a, b, scale, h, dh, dx, true, da, db);
    }

    /**
     * {@link #lowRank} with different matrices for different rows of x and y; rows that no part names stay as they are.
     *
     * @param parts with ascending rows that do not overlap
     */
    default void lowRankByRows(INDArray x, List<LowRankPart> parts, INDArray y) {
        KernelChecks.lowRankByRows(x, parts, y);
        for (LowRankPart part : parts) {
            lowRank(part.of(x), part.a(), part.b(), part.scale(), part.h(), part.of(y));
        }
    }

    /**
     * Gradient of {@link #lowRankByRows}: {@link #lowRankBackward} of each part, where dx is added to.
     *
     * @param gradients one for each part
     */
    default void lowRankByRowsBackward(INDArray dy, INDArray x, List<LowRankPart> parts,
            List<LowRankPart.Gradient> gradients, INDArray dx) {
        KernelChecks.lowRankByRowsBackward(dy, x, parts, gradients, dx);
        for (int i = 0; i < parts.size(); i++) {
            LowRankPart part = parts.get(i);
            LowRankPart.Gradient gradient = gradients.get(i);
            lowRankBackward(part.of(dy), part.of(x), part.a(), part.b(), part.scale(), part.h(), gradient.dh(),
                    part.of(dx), true, gradient.da(), gradient.db());
        }
    }

    // ---- rows

    /** {@code y[i] = y[i] + bias}: y [N, O], bias [O]. */
    void addBias(INDArray y, INDArray bias);

    /** Gradient of {@link #addBias} for the bias: {@code db = sum over rows of dy}. */
    void addBiasBackward(INDArray dy, INDArray db, boolean accumulate);

    /** Embedding: {@code y[i] = table[ids[i]]}: table [V, H], y [N, H]. */
    void gather(FrozenWeight table, int[] ids, INDArray y);

    /** {@code y[i] = x[rows[i]]}: x [M, H], y [N, H]; a row may be taken more than once. */
    void gatherRows(INDArray x, int[] rows, INDArray y);

    /** Gradient of {@link #gatherRows}: {@code dx[rows[i]] += dy[i]}; other rows of dx are left as they are. */
    void gatherRowsBackward(INDArray dy, int[] rows, INDArray dx);

    // ---- elementwise, arrays of equal length

    /** {@code y = a + b}; y may be a or b. */
    void add(INDArray a, INDArray b, INDArray y);

    /** {@code y = a * b}; y may be a or b. */
    void multiply(INDArray a, INDArray b, INDArray y, boolean accumulate);

    /** {@code y = alpha * x}; with another type of y it is a conversion; y may be x. */
    void scale(INDArray x, float alpha, INDArray y, boolean accumulate);

    /** SwiGLU (<a href="https://arxiv.org/abs/2002.05202">2002.05202</a>): {@code y = silu(gate) * up}. */
    void siluMultiply(INDArray gate, INDArray up, INDArray y);

    /** Gradient of {@link #siluMultiply}; overwrites dGate and dUp, which may be gate and up themselves. */
    void siluMultiplyBackward(INDArray dy, INDArray gate, INDArray up, INDArray dGate, INDArray dUp);

    /**
     * Inverted dropout: {@code y = x * keep / (1 - p)}. Which elements are kept depends on {@code seed} and the
     * element's index alone (see {@link DropoutMask}), so the gradient is the same operation on dy. y may be x unless
     * accumulating.
     */
    void dropout(INDArray x, float p, long seed, INDArray y, boolean accumulate);

    // ---- scaling of rows and columns: methods beside the frozen weights need it, no model does

    /** {@code y[i][j] = x[i][j] * v[j]}: x, y [N, O], v of O elements; y may be x unless accumulating. */
    default void scaleColumns(INDArray x, INDArray v, INDArray y, boolean accumulate) {
        ScalingLoops.scaleColumns(x, v, y, accumulate);
    }

    /** {@code y[i][j] = x[i][j] * v[i]}: x, y [N, O], v of N elements; y may be x unless accumulating. */
    default void scaleRows(INDArray x, INDArray v, INDArray y, boolean accumulate) {
        ScalingLoops.scaleRows(x, v, y, accumulate);
    }

    /** {@code v[j] = sum over i of a[i][j] * b[i][j]}: the gradient of {@link #scaleColumns} for v. */
    default void columnDots(INDArray a, INDArray b, INDArray v, boolean accumulate) {
        ScalingLoops.columnDots(a, b, v, accumulate);
    }

    /** {@code v[i] = sum over j of a[i][j] * b[i][j]}: the gradient of {@link #scaleRows} for v. */
    default void rowDots(INDArray a, INDArray b, INDArray v, boolean accumulate) {
        ScalingLoops.rowDots(a, b, v, accumulate);
    }

    // ---- normalization

    /**
     * RMS norm (<a href="https://arxiv.org/abs/1910.07467">1910.07467</a>):
     * {@code y = x * rstd * weight}, {@code rstd = 1 / sqrt(mean(x^2) + epsilon)}: x, y [N, H], weight [H] FLOAT,
     * rstd [N] FLOAT, kept for the gradient.
     */
    void rmsNorm(INDArray x, INDArray weight, float epsilon, INDArray y, INDArray rstd);

    /** Gradient of {@link #rmsNorm} for x. */
    void rmsNormBackward(INDArray dy, INDArray x, INDArray weight, INDArray rstd, INDArray dx, boolean accumulate);

    /** Gradient of {@link #rmsNorm} for the weight: {@code dw += sum over rows of dy * x * rstd}: dw [H] FLOAT. */
    void rmsNormWeightBackward(INDArray dy, INDArray x, INDArray rstd, INDArray dw);

    // ---- attention

    /**
     * Rotary position embedding in place, Hugging Face's half-split form: of each head of row i the pair (j, j + half)
     * is rotated by the angle of {@code positions[i]}: x [N, heads x D], half = {@link RotaryTable#half()}. Usually
     * half is D/2; where it is less, the elements of a head from 2 half on stay as they are (partial rotary embedding).
     * {@code inverse} rotates back: that is the gradient.
     */
    void rotary(INDArray x, int headSize, RotaryTable table, int[] positions, boolean inverse);

    /**
     * Softmax attention with grouped-query heads over the keys that the layout makes visible: q and out
     * [N, heads x D], k and v [M, key/value heads x D] with M at least {@link AttentionLayout#keyRows()}; lse
     * [N, heads] FLOAT receives the log of the sum of exponentials of each row's scaled scores, for the gradient;
     * kernels that do not {@linkplain #readsLogSumExp() read it} leave it as it is.
     */
    void attention(INDArray q, INDArray k, INDArray v, AttentionLayout layout, AttentionShape shape,
            INDArray out, INDArray lse);

    /**
     * Whether the gradient of attention reads the lse that {@link #attention} has written. Where it computes the
     * probabilities again from the scores it has no use for it.
     */
    default boolean readsLogSumExp() {
        return true;
    }

    /** Gradient of {@link #attention}; overwrites dq, dk and dv (all of their rows). Memory is linear in N. */
    void attentionBackward(INDArray dOut, INDArray q, INDArray k, INDArray v, INDArray out, INDArray lse,
            AttentionLayout layout, AttentionShape shape, INDArray dq, INDArray dk, INDArray dv);

    // ---- loss and update

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

    /** Sum of squares of the elements, accumulated in double, for clipping. */
    double sumOfSquares(INDArray x);

    /** One AdamW update of a FLOAT parameter in place, with its FLOAT gradient and moments. */
    void adamW(INDArray parameter, INDArray gradient, INDArray firstMoment, INDArray secondMoment, AdamWStep step);

    /** Frees scratch memory, compiled primitives and worker threads. */
    @Override
    void close();
}
