package io.peft4j.models.decoder;

import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import java.util.Optional;

/**
 * Keys and values [N, key/value heads x D] of all rows of a pass, to which several layers attend. They are computed
 * outside of the block of their layer, so that they stay for the others, and all their gradients meet.
 */
record SharedKeys(Variable keys, Variable values) {
    private static final String KEYS = "keys.";
    private static final String VALUES = "values.";

    /** Those of layer {@code layer}, where the pass has them. */
    static Optional<SharedKeys> in(ForwardContext context, int layer) {
        return context.given(KEYS + layer).flatMap(keys -> context.given(VALUES + layer)
                .map(values -> new SharedKeys(keys, values)));
    }

    /** The same pass, which has these as those of layer {@code layer}. */
    ForwardContext given(ForwardContext context, int layer) {
        return context.giving(KEYS + layer, keys).giving(VALUES + layer, values);
    }
}
