package io.peft4j.core.nn;

import io.peft4j.core.autograd.NormOps;
import io.peft4j.core.autograd.Variable;
import java.util.Objects;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen RMS norm (<a href="https://arxiv.org/abs/1910.07467">1910.07467</a>),
 * {@code y = x / sqrt(mean(x^2) + epsilon) * weight}: x, y [N, H], weight [H].
 */
public final class RmsNorm implements Layer {
    private final INDArray weight;
    private final float epsilon;

    /** A norm with the given FLOAT weight [H]. */
    public RmsNorm(INDArray weight, float epsilon) {
        this.weight = Objects.requireNonNull(weight, "weight");
        this.epsilon = epsilon;
    }

    /** The weight [H]. */
    public INDArray weight() {
        return weight;
    }

    /** Added to the mean of squares. */
    public float epsilon() {
        return epsilon;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        return NormOps.rmsNorm(context.tape(), x, context.tape().constant(weight), epsilon);
    }
}
