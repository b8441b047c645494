package io.peft4j.core.nn;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import java.util.Objects;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen linear layer, {@code y = x W^T + b}: x [N, I], W [O, I], b [O], y [N, O].
 */
public final class Linear implements WeightedLayer {
    private final FrozenWeight weight;
    private final Optional<INDArray> bias;
    private final boolean storedTransposed;

    /** A layer with a bias [O], FLOAT, or without. */
    @Internal
    public Linear(FrozenWeight weight, Optional<INDArray> bias) {
        this(weight, bias, false);
    }

    /**
     * As {@link #Linear(FrozenWeight, Optional)}.
     *
     * @param storedTransposed whether checkpoints hold W as [I, O]
     */
    @Internal
    public Linear(FrozenWeight weight, Optional<INDArray> bias, boolean storedTransposed) {
        this.storedTransposed = storedTransposed;
        this.weight = Objects.requireNonNull(weight, "weight");
        this.bias = Objects.requireNonNull(bias, "bias");
        if (bias.isPresent() && bias.get().length() != weight.rows()) {
            throw new IllegalArgumentException("a bias of " + bias.get().length() + " elements for " + weight.rows()
                    + " output features");
        }
    }

    /** W. */
    @Internal
    public FrozenWeight weight() {
        return weight;
    }

    @Internal
    @Override
    public Optional<FrozenWeight> matrix() {
        return Optional.of(weight);
    }

    /** b. */
    @Override
    public Optional<INDArray> bias() {
        return bias;
    }

    /** I, the number of input features. */
    public int inFeatures() {
        return weight.columns();
    }

    /** O, the number of output features. */
    public int outFeatures() {
        return weight.rows();
    }

    @Override
    public boolean isStoredTransposed() {
        return storedTransposed;
    }

    @Override
    public WeightedLayer with(INDArray otherWeight, Optional<INDArray> otherBias) {
        return new Linear(new DenseWeight(otherWeight), otherBias, storedTransposed);
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Variable otherWeight, Optional<Variable> otherBias) {
        Variable y = MatrixOps.matmulTransposed(context.tape(), x, otherWeight);
        return otherBias.isPresent() ? MatrixOps.addBias(context.tape(), y, otherBias.get()) : y;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        return biased(context.tape(), MatrixOps.linear(context.tape(), x, weight));
    }

    /**
     * The layer with a low-rank update of its weight, {@code y = x W^T + scale * (x A^T) B^T + b}; see
     * {@link MatrixOps#linearWithLowRank}.
     */
    public Variable forwardWithLowRank(ForwardContext context, Variable x, Variable a, Variable b, float scale) {
        return biased(context.tape(), MatrixOps.linearWithLowRank(context.tape(), x, weight, a, b, scale));
    }

    private Variable biased(Tape tape, Variable y) {
        return bias.isPresent() ? MatrixOps.addBias(tape, y, tape.constant(bias.get())) : y;
    }

    @Override
    public String toString() {
        return "Linear " + weight + (bias.isPresent() ? " with bias" : "");
    }
}
