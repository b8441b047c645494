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
 * A frozen RMS norm (<a href="https://arxiv.org/abs/1910.07467">1910.07467</a>),
 * {@code y = x / sqrt(mean(x^2) + epsilon) * (offset + weight)}: x, y [N, H], weight [H]; or, of queries and keys, over
 * each head separately: x, y [N, heads x D], weight [D].
 */
@Internal(shared = true)
public final class RmsNorm implements WeightedLayer {
    private final INDArray weight;
    private final float epsilon;
    private final float offset;

    /** A norm with the given FLOAT weight [H]. */
    public RmsNorm(INDArray weight, float epsilon) {
        this(weight, epsilon, 0);
    }

    /**
     * A norm with the given FLOAT weight [H].
     *
     * @param offset added to the weight where it is used: 1 where a checkpoint holds the distance from 1, as Gemma's
     */
    public RmsNorm(INDArray weight, float epsilon, float offset) {
        this.weight = Objects.requireNonNull(weight, "weight");
        this.epsilon = epsilon;
        this.offset = offset;
    }

    /** The weight [H], as the checkpoint holds it. */
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

    @Override
    public WeightedLayer with(INDArray otherWeight, Optional<INDArray> bias) {
        return new RmsNorm(otherWeight, epsilon, offset);
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        return forward(context, x, context.tape().constant(weight), Optional.empty());
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Variable otherWeight, Optional<Variable> bias) {
        Tape tape = context.tape();
        return NormOps.rmsNorm(tape, x, ElementwiseOps.shifted(tape, otherWeight, offset), epsilon);
    }
}
