package io.peft4j.models.decoder;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.WeightedLayer;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.models.architecture.ModelTensor;
import io.peft4j.models.architecture.ModelTensors;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A score for each expert: x [N, H], result [N, E]. As in Hugging Face Transformers it holds a parameter and is none of
 * the layers that {@code all-linear} means; {@code modules_to_save} may name it.
 */
final class Router implements WeightedLayer, ModelTensors {
    static final String CORRECTION = "e_score_correction_bias";

    private final WeightedLayer scores;
    private final Optional<INDArray> correction;

    /**
     * A router.
     *
     * @param weight [E, H]
     * @param bias [E], if any
     * @param correction added to the probabilities where experts are chosen [E], if any
     */
    Router(FrozenWeight weight, Optional<INDArray> bias, Optional<INDArray> correction) {
        this(new Linear(weight, bias), correction);
    }

    private Router(WeightedLayer scores, Optional<INDArray> correction) {
        this.scores = scores;
        this.correction = correction;
    }

    /** Added to the probabilities where experts are chosen [E]. */
    Optional<INDArray> correction() {
        return correction;
    }

    @Override
    public List<ModelTensor> tensors(String path) {
        return correction.map(values -> {
            int count = Math.toIntExact(values.length());
            return List.of(new ModelTensor(path + "." + CORRECTION, new long[] {count},
                    (row, target) -> Arrays.read(values, 0, target, 0, count)));
        }).orElse(List.of());
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
        return new Router(scores.with(weight, bias), correction);
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
