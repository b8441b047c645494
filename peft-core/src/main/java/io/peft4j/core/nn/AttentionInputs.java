package io.peft4j.core.nn;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionExtras;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionShape;
import java.util.Objects;

/**
 * What an attention layer computes its result from.
 *
 * @param layer number of the layer, for the key/value cache
 * @param shape heads and sizes
 * @param layout which keys each query sees
 * @param queries [N, heads x D], positions applied
 * @param keys [M, key/value heads x D], positions applied
 * @param values [M, key/value heads x D]
 * @param extras sinks or a bias in the softmax
 */
@Internal(shared = true)
public record AttentionInputs(int layer, AttentionShape shape, AttentionLayout layout, Variable queries, Variable keys,
        Variable values, AttentionExtras extras) {
    /** Checks that nothing is null. */
    public AttentionInputs {
        Objects.requireNonNull(shape, "shape");
        Objects.requireNonNull(layout, "layout");
        Objects.requireNonNull(queries, "queries");
        Objects.requireNonNull(keys, "keys");
        Objects.requireNonNull(values, "values");
        Objects.requireNonNull(extras, "extras");
    }

    /** Inputs without extras. */
    public AttentionInputs(int layer, AttentionShape shape, AttentionLayout layout, Variable queries, Variable keys,
            Variable values) {
        this(layer, shape, layout, queries, keys, values, AttentionExtras.NONE);
    }

    /** The same with other keys and values. */
    public AttentionInputs with(Variable otherKeys, Variable otherValues) {
        return new AttentionInputs(layer, shape, layout, queries, otherKeys, otherValues, extras);
    }
}
