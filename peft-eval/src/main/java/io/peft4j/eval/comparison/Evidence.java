package io.peft4j.eval.comparison;

import io.peft4j.core.Internal;
import io.peft4j.core.option.With;
import io.peft4j.eval.comparison.Verdict.Untrained;
import java.util.List;
import java.util.Optional;

/**
 * What a verdict follows from.
 *
 * @param base name of the arm that is the base
 * @param tuned name of the arm that is the tuned model
 * @param metric the metric that decides, chosen before the answers were seen; base against tuned
 * @param others all other metrics, which are mentioned where they got worse
 * @param untrained what can be had without training
 * @param guard the share of right answers on the guard set, where it was run
 * @param leaked number of held-out items that also stand in the training data, where that was checked
 * @param leak in which words they stand there, as the end of a sentence; may be empty
 * @param calibrated number of held-out items that probabilities were fitted to
 * @param writes whether the model writes answers, so that it could lose general ability; one with a head does not
 */
@Internal
@With
public record Evidence(String base, String tuned, MetricResult metric, List<MetricResult> others,
        List<Untrained> untrained, Optional<MetricResult> guard, int leaked, String leak,
        int calibrated, boolean writes) implements EvidenceWith {
    /** Copies the lists. */
    public Evidence {
        EvidenceWith.check(base, tuned, metric, others, untrained, guard, leak);
        others = List.copyOf(others);
        untrained = List.copyOf(untrained);
    }

    /** A metric alone, of arms that are called base and tuned. */
    public static Evidence of(MetricResult metric) {
        return new Evidence("base", "tuned", metric, List.of(), List.of(), Optional.empty(), 0, "", 0, true);
    }

    /** Metrics of models with a head. */
    public static Evidence ofHead(MetricResult metric, List<MetricResult> others, int calibrated) {
        return new Evidence("base", "tuned", metric, others, List.of(), Optional.empty(), 0, "", calibrated, false);
    }

    /** The same with leaked items, and in which words they stand in the training data. */
    public Evidence withLeaked(int items, String words) {
        return new Evidence(base, tuned, metric, others, untrained, guard, items, words, calibrated, writes);
    }
}
