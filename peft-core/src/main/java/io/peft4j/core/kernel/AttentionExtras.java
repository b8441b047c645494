package io.peft4j.core.kernel;

import io.peft4j.core.Internal;
import java.util.Objects;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * What some architectures put into the softmax of attention besides the scores of queries and keys. Both are frozen:
 * they have no gradient.
 *
 * @param sinks one more logit for each head [heads] FLOAT, as gpt-oss has it: it takes a share of the probability and
 *     has no value
 * @param bias added to the (soft-capped) scores by relative position, as T5 has it: [heads, 2 S + 1] FLOAT, where
 *     column {@code S + j - i} is for key j and query i, numbers in the order in which a segment's keys are seen;
 *     distances beyond S count as S. Not for cross attention
 */
@Internal(shared = true)
public record AttentionExtras(Optional<INDArray> sinks, Optional<INDArray> bias) {
    /** Nothing of this, as most architectures. */
    public static final AttentionExtras NONE = new AttentionExtras(Optional.empty(), Optional.empty());

    /** Checks that nothing is null. */
    public AttentionExtras {
        Objects.requireNonNull(sinks, "sinks");
        Objects.requireNonNull(bias, "bias");
    }

    /** With sinks alone. */
    public static AttentionExtras sinks(INDArray sinks) {
        return new AttentionExtras(Optional.of(sinks), Optional.empty());
    }

    /** With a bias alone. */
    public static AttentionExtras bias(INDArray bias) {
        return new AttentionExtras(Optional.empty(), Optional.of(bias));
    }
}
