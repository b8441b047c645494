package io.peft4j.lora.init;

import io.peft4j.core.Internal;
import io.peft4j.core.array.SingularValues;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.WeightedLayer;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.weight.FrozenWeight;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;

/**
 * What a place of the model is to get.
 *
 * @param slot the place
 * @param rank r
 * @param alpha alpha
 * @param scaling s
 * @param start what makes the first values of A and B together; empty if each is drawn on its own
 */
@Internal
public record LoraTarget(Slot slot, int rank, double alpha, double scaling, Optional<Supplier<LoraStart>> start) {
    /** Whether the layer is linear. */
    public boolean isLinear() {
        return slot.layer() instanceof Linear;
    }

    Linear linear() {
        return (Linear) slot.layer();
    }

    private FrozenWeight stored() {
        return ((WeightedLayer) slot.layer()).matrix().orElseThrow();
    }

    /** Rows of the weight: outputs of a linear layer, the width of an embedding. */
    int out() {
        return isLinear() ? stored().rows() : stored().columns();
    }

    /** Columns of the weight: inputs of a linear layer, the vocabulary of an embedding. */
    int in() {
        return isLinear() ? stored().columns() : stored().rows();
    }

    /** The weight [out, in], of an embedding its table transposed, in row order. */
    double[] weight() {
        double[] values = Decompositions.values(stored());
        return isLinear() ? values : Decompositions.transpose(values, in(), out());
    }

    /** With first values. */
    LoraTarget startingWith(Supplier<LoraStart> values) {
        return new LoraTarget(slot, rank, alpha, scaling, Optional.of(values));
    }

    /** All with first values, which are made when the layer is; those at embeddings are drawn. */
    static List<LoraTarget> each(List<LoraTarget> targets, Function<LoraTarget, LoraStart> start) {
        return targets.stream().map(target -> target.isLinear() ? target.startingWith(() -> start.apply(target))
                : target).toList();
    }

    /** Refuses a rank that is larger than the weight has. */
    void requireRank(LoraInit init, int needed) {
        Checks.require(needed <= Math.min(in(), out()), "init_lora_weights " + init.json()
                + " cannot reach rank " + rank + " from the weight of " + out() + " x " + in() + " at " + slot.path()
                + (needed > rank ? ", as it needs twice the rank (" + rank + ") of singular vectors" : "")
                + "; choose a smaller rank");
    }

    /** Refuses what is not scaled up. */
    void requirePositive(LoraInit init) {
        Checks.require(scaling > 0, "init_lora_weights " + init.json() + " needs an alpha above 0");
    }

    /** The largest singular values of a matrix [out, in]. */
    SingularValues decompose(LoraInit init, double[] matrix, int count) {
        try {
            return SingularValues.of(matrix, out(), in(), count);
        } catch (ArithmeticException e) {
            throw new ConfigurationException("init_lora_weights " + init.json() + " found no singular values at "
                    + slot.path() + ": " + e.getMessage(), e);
        }
    }
}
