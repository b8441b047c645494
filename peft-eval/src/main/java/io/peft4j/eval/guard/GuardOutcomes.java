package io.peft4j.eval.guard;

import java.util.List;
import java.util.stream.IntStream;

/**
 * One model's outcomes on the guard set, item by item.
 *
 * @param answers what it answered freely
 * @param generated whether that answer is right
 * @param chosen the probability of the right choice among those given, which says more of an item than whether it is
 *     the likeliest
 */
public record GuardOutcomes(List<String> answers, boolean[] generated, double[] chosen) {
    /** Copies the list. */
    public GuardOutcomes {
        answers = List.copyOf(answers);
    }

    /** Outcomes of a model that is sure of its choices. */
    public GuardOutcomes(List<String> answers, boolean[] generated, boolean[] chosen) {
        this(answers, generated, values(chosen));
    }

    private static double[] values(boolean... right) {
        return IntStream.range(0, right.length).mapToDouble(i -> right[i] ? 1 : 0).toArray();
    }

    /** The share of the two forms that are right, item by item. */
    double[] shares() {
        return IntStream.range(0, generated.length)
                .mapToDouble(i -> ((generated[i] ? 1 : 0) + chosen[i]) / 2).toArray();
    }
}
