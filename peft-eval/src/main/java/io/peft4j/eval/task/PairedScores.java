package io.peft4j.eval.task;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import java.util.List;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * What something outside of the answers' texts says of a base and another arm, item by item: a judge, the similarity of
 * embeddings, the likelihood of given choices. Items that lack one of the two scores are left out of the comparison.
 *
 * @param name the metric
 * @param yesNo whether scores are 0 or 1
 * @param base the base model's scores, from 0 to 1
 * @param arm the other arm's scores, from 0 to 1
 */
@Internal
public record PairedScores(String name, boolean yesNo, List<OptionalDouble> base, List<OptionalDouble> arm) {
    /** Copies the lists, which must be of one length. */
    public PairedScores {
        Objects.requireNonNull(name, "name");
        base = List.copyOf(base);
        arm = List.copyOf(arm);
        if (base.size() != arm.size()) {
            throw new ConfigurationException(name + ": " + base.size() + " scores of the base and " + arm.size()
                    + " of the other arm");
        }
    }

    /** The places of the items that have both scores. */
    public int[] known() {
        return IntStream.range(0, base.size()).filter(i -> base.get(i).isPresent() && arm.get(i).isPresent())
                .toArray();
    }
}
