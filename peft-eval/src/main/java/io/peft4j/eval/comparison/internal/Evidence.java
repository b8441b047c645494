package io.peft4j.eval.comparison.internal;

import io.peft4j.eval.comparison.MetricResult;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * What a verdict follows from.
 *
 * @param base name of the arm that is the base
 * @param tuned name of the arm that is the tuned model
 * @param metric the metric that decides, chosen before the answers were seen; base against tuned
 * @param others all other metrics, which are mentioned where they got worse
 * @param prompts what can be had without training
 * @param guard the share of right answers on the guard set, where it was run
 * @param leaked number of held-out items that also stand in the training data, where that was checked
 * @param calibrated number of held-out items that probabilities were fitted to
 * @param writes whether the model writes answers, so that it could lose general ability; one with a head does not
 */
public record Evidence(String base, String tuned, MetricResult metric, List<MetricResult> others,
        List<Prompted> prompts, Optional<MetricResult> guard, int leaked, int calibrated,
        boolean writes) {
    /**
     * An arm that is the base model with another prompt.
     *
     * @param name the arm
     * @param gain the metric that decides, base against this arm
     * @param tuned the metric that decides, this arm against tuned
     */
    public record Prompted(String name, MetricResult gain, MetricResult tuned) {
    }

    /** Copies the lists. */
    public Evidence {
        Objects.requireNonNull(base, "base");
        Objects.requireNonNull(tuned, "tuned");
        Objects.requireNonNull(metric, "metric");
        others = List.copyOf(others);
        prompts = List.copyOf(prompts);
        Objects.requireNonNull(guard, "guard");
    }

    /** A metric alone, of arms that are called base and tuned. */
    public static Evidence of(MetricResult metric) {
        return new Evidence("base", "tuned", metric, List.of(), List.of(), Optional.empty(), 0, 0, true);
    }

    /** Metrics of models with a head. */
    public static Evidence ofHead(MetricResult metric, List<MetricResult> others, int leaked, int calibrated) {
        return new Evidence("base", "tuned", metric, others, List.of(), Optional.empty(), leaked, calibrated, false);
    }

    /** The same with a guard set. */
    public Evidence withGuard(MetricResult overall) {
        return new Evidence(base, tuned, metric, others, prompts, Optional.of(overall), leaked, calibrated, writes);
    }

    /** The same with another number of leaked items. */
    public Evidence withLeaked(int items) {
        return new Evidence(base, tuned, metric, others, prompts, guard, items, calibrated, writes);
    }

    /** The same with another arm that needs no training. */
    public Evidence withPrompt(Prompted arm) {
        List<Prompted> all = new ArrayList<>(prompts);
        all.add(arm);
        return new Evidence(base, tuned, metric, others, all, guard, leaked, calibrated, writes);
    }
}
