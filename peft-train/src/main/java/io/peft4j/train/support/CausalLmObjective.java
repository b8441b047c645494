package io.peft4j.train.support;

import io.peft4j.core.model.Model;
import io.peft4j.core.model.Pass;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.train.internal.pass.FrozenStates;
import io.peft4j.train.internal.pass.ObjectivePasses;
import java.util.OptionalInt;

/**
 * Next-token prediction: the negative log-likelihood of the supervised tokens.
 *
 * <p>Each call is a {@link Pass} with the layers that are active then. Answers that the model gives meanwhile go first,
 * between two operations.
 */
public final class CausalLmObjective implements AutoCloseable {
    private final ObjectivePasses passes;

    /** The objective for {@code model} with the layers that are active in it at each call. */
    public CausalLmObjective(Model model) {
        this(model, false);
    }

    /**
     * As {@link #CausalLmObjective(Model)}.
     *
     * @param recompute whether every decoder layer runs a second time rather than keep what its gradients need; if not,
     *     those of a long batch do so which begin when 1.7 times the size of the model's weights, and 256 MB, are kept
     *     already
     */
    public CausalLmObjective(Model model, boolean recompute) {
        this(model, recompute, FrozenStates.none());
    }

    /**
     * As {@link #CausalLmObjective(Model, boolean)}.
     *
     * @param states closed with the objective
     */
    public CausalLmObjective(Model model, boolean recompute, FrozenStates states) {
        this(model, ObjectivePasses.keptBytes(model, recompute), OptionalInt.empty(), states);
    }

    /**
     * As {@link #CausalLmObjective(Model, boolean, FrozenStates)}.
     *
     * @param keptBytes about as much is kept for the gradients, see {@link ForwardContext#recomputingAbove}
     * @param chunkRows the most rows of logits at a time, where not as many as a pass takes
     */
    public CausalLmObjective(Model model, long keptBytes, OptionalInt chunkRows, FrozenStates states) {
        this.passes = new ObjectivePasses(model, keptBytes, chunkRows, states);
    }

    /**
     * The weighted sum of the negative log-likelihoods, with gradients of {@code sum / normalizer} added to the
     * trainable parameters. A batch without supervised tokens gives 0 and no gradients.
     *
     * @param batch the sequences
     * @param normalizer what the sum is divided by: the sum of weights of the whole optimizer step
     * @param dropoutSeed seed of this pass's dropout
     */
    public double backward(PackedBatch batch, double normalizer, long dropoutSeed) {
        if (batch.targets().count() == 0) {
            return 0;
        }
        return passes.training(batch, dropoutSeed, pass -> pass.backward(normalizer));
    }

    /** The weighted sum of the negative log-likelihoods, as {@link #backward} gives it, with dropout off. */
    public double loss(PackedBatch batch) {
        return batch.targets().weightedSum(tokenNegativeLogLikelihoods(batch));
    }

    /**
     * The negative log-likelihood of each sequence's supervised tokens, weights not applied.
     *
     * @return one sum for each sequence of the batch, in their order
     */
    public double[] negativeLogLikelihoods(PackedBatch batch) {
        return passes.evaluation(batch, Pass::sequenceNegativeLogLikelihoods);
    }

    /** The negative log-likelihood of each supervised token, in the order of the batch's targets. */
    public float[] tokenNegativeLogLikelihoods(PackedBatch batch) {
        if (batch.targets().count() == 0) {
            return new float[0];
        }
        return passes.evaluation(batch, Pass::negativeLogLikelihoods);
    }

    /** The most native memory that a pass has needed for temporaries. */
    public long peakBytes() {
        return passes.peakBytes();
    }

    /** Frees the temporaries' memory. */
    @Override
    public void close() {
        passes.close();
    }
}
