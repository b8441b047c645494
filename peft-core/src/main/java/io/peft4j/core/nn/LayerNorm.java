package io.peft4j.core.nn;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.NormOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import java.util.Objects;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen layer norm (<a href="https://arxiv.org/abs/1607.06450">1607.06450</a>),
 * {@code y = (x - mean(x)) / sqrt(variance(x) + epsilon) * (offset + weight) + bias} for each row: x, y [N, H], weight,
 * bias [H].
 */
@Internal(shared = true)
public final class LayerNorm implements WeightedLayer {
    private final INDArray weight;
    private final Optional<INDArray> bias;
    private final float epsilon;
    private final float offset;

    /** A norm with the given FLOAT weight [H] and FLOAT bias [H], if any. */
    public LayerNorm(INDArray weight, Optional<INDArray> bias, float epsilon) {
        this(weight, bias, epsilon, 0);
    }

    /**
     * A norm with the given FLOAT weight [H] and FLOAT bias [H], if any.
     *
     * @param offset added to the weight where it is used: 1 where a checkpoint holds the distance from 1, as Nemotron's
     */
    public LayerNorm(INDArray weight, Optional<INDArray> bias, float epsilon, float offset) {
        this.weight = Objects.requireNonNull(weight, "weight");
        this.bias = Objects.requireNonNull(bias, "bias");
        this.epsilon = epsilon;
        this.offset = offset;
        if (bias.isPresent() && bias.get().length() != weight.length()) {
            throw new IllegalArgumentException("a bias of " + bias.get().length() + " elements for a norm of "
                    + weight.length());
        }
    }

    /** The weight [H]. */
    public INDArray weight() {
        return weight;
    }

    /** Added to the weight where it is used. */
    public float offset() {
        return offset;
    }

    @Override
    public Optional<INDArray> vector() {
        return Optional.of(weight);
    }

    /** The bias [H]. */
    @Override
    public Optional<INDArray> bias() {
        return bias;
    }

    @Override
    public WeightedLayer with(INDArray otherWeight, Optional<INDArray> otherBias) {
        return new LayerNorm(otherWeight, otherBias, epsilon, offset);
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        Tape tape = context.tape();
        return forward(context, x, tape.constant(weight), bias.map(tape::constant));
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Variable otherWeight, Optional<Variable> otherBias) {
        Tape tape = context.tape();
        return NormOps.layerNorm(tape, x, ElementwiseOps.shifted(tape, otherWeight, offset), otherBias, epsilon);
    }
}
