package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import io.peft4j.core.weight.FrozenWeight;
import java.util.Map;

/**
 * The coarse operations that a model is made of, each forward with its gradient beside it, in groups that an
 * implementation fills one by one.
 *
 * <p>Arrays are contiguous, c order, FLOAT or BFLOAT16; results are rounded to the type of the array they are written
 * to, sums are kept in f32 at least. Every operation accepts any mix of the two types unless it says otherwise. Results
 * go into arrays that the caller gives; an implementation keeps its scratch memory and compiled primitives between
 * calls. {@code accumulate} adds to what the result array holds, otherwise its old contents are not read. A result may
 * share memory with another argument only where an operation says so, and then only as a whole. Arguments that do not
 * fit are an {@link IllegalArgumentException} before any memory is touched ({@link CheckedKernels}).
 *
 * <p>The same arguments give the same bits, call after call. Letters: N rows (tokens of a packed batch), I and O input
 * and output features, D head size, V vocabulary.
 *
 * <p>An implementation is used by one thread at a time and runs its own worker threads; the engine
 * ({@code io.peft4j.core.engine.Engine}) hands it from one computation to the next. {@link KernelSelection} finds the
 * fastest one. All are tested against plain loops ({@code NaiveKernels} among the tests).
 */
@Internal(shared = true)
public interface Kernels
        extends
            MatrixKernels,
            RowKernels,
            ElementwiseKernels,
            ActivationKernels,
            ScalingKernels,
            NormKernels,
            LayerNormKernels,
            RotaryKernels,
            AttentionKernels,
            SequenceKernels,
            LossKernels,
            UpdateKernels,
            AutoCloseable {
    /** How products of matrices that are kept in BFLOAT16 compare with those of FLOAT ones on a processor. */
    enum BFloat16Speed {
        /** Slower: BFLOAT16 saves memory and costs time. */
        SLOWER,
        /** As fast: what is stored in BFLOAT16 is widened on its way into f32 products, and takes half the memory. */
        SAME,
        /** Faster: the processor multiplies BFLOAT16 as it is, at a higher rate than FLOAT. */
        FASTER
    }

    /** The key in {@link #identity} of what the processor has. */
    String PROCESSOR = "processor";

    /**
     * The key in {@link #identity} of how products of bf16 are computed where that is timed. The system property
     * {@code peft4j.onednn.bf16} asks for a way, so that a run can be repeated where another one is the faster.
     */
    String BF16_PRODUCTS = "bf16_products";

    /** A short name for logs, for instance {@code naive}. */
    String name();

    /**
     * What must be the same for equal arguments to give the same bits in another process, by name: {@code kernels}, and
     * whatever else an implementation chooses or takes as a setting, the number of threads only where it matters. What
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
     *
     * @param rows the rows of a step while all sequences of the batch run: steps of the fewer ones that are left meet
     *     the same copies
     */
    default Kernels forGeneration(int rows) {
        return this;
    }

    /** Gives back what is kept of a weight: for its owner, before its memory is freed. It may be used again after. */
    default void forget(FrozenWeight weight) {
        // Most implementations read weights as they are.
    }

    /** Frees scratch memory, compiled primitives and worker threads. */
    @Override
    void close();
}
