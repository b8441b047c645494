package io.peft4j.eval.guard;

import java.util.List;
import java.util.stream.IntStream;

/**
 * One model's outcomes on the guard set, item by item.
 *
 * @param answers what it answered freely
 * @param generated whether that answer is right
 * @param chosen whether the right choice is the likeliest, by the mean over its characters
 */
public record GuardOutcomes(List<String> answers, boolean[] generated, boolean[] chosen) {
    /** Copies the list. */
    public GuardOutcomes {
        answers = List.copyOf(answers);
    }

    /** The share of the two forms that are right, item by item. */
    double[] shares() {
        return IntStream.range(0, generated.length)
                .mapToDouble(i -> ((generated[i] ? 1 : 0) + (chosen[i] ? 1 : 0)) / 2.0).toArray();
    }
}
