package io.peft4j.models.decoder.internal;

import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.WeightedLayer;
import io.peft4j.core.weight.FrozenWeight;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A score for each expert: x [N, H], result [N, E]. As in Hugging Face Transformers it holds a parameter and is none of
 * the layers that {@code all-linear} means; {@code modules_to_save} may name it.
 */
final class Router implements WeightedLayer {
    private final WeightedLayer scores;

    /** A router with the given weight [E, H] and bias [E], if any. */
    Router(FrozenWeight weight, Optional<INDArray> bias) {
        this(new Linear(weight, bias));
    }

    private Router(WeightedLayer scores) {
        this.scores = scores;
    }

    @Override
    public Optional<FrozenWeight> matrix() {
        return scores.matrix();
    }

    @Override
    public Optional<INDArray> bias() {
        return scores.bias();
    }

    @Override
    public WeightedLayer with(INDArray weight, Optional<INDArray> bias) {
        return new Router(scores.with(weight, bias));
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        return scores.forward(context, x);
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Variable weight, Optional<Variable> bias) {
        return scores.forward(context, x, weight, bias);
    }
}
