package io.peft4j.eval.guard;

import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.internal.PairedOutcomes;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * What a tuned model has kept of general abilities.
 *
 * @param items number of items
 * @param overall share of right outcomes over all items and both forms, named {@code guard}; one score an item, half
 *     of it the free answer, half the probability of the right choice
 * @param parts the same for each form and each category
 * @param base the base model's outcomes
 * @param tuned the tuned model's outcomes
 */
public record GuardReport(int items, MetricResult overall, List<MetricResult> parts, GuardOutcomes base,
        GuardOutcomes tuned) {
    /** Copies the list. */
    public GuardReport {
        Objects.requireNonNull(overall, "overall");
        parts = List.copyOf(parts);
        Objects.requireNonNull(base, "base");
        Objects.requireNonNull(tuned, "tuned");
    }

    /** Compares the outcomes of two models on the same set. */
    public static GuardReport of(List<GuardItem> items, GuardOutcomes base, GuardOutcomes tuned,
            ComparisonOptions options) {
        // One score an item, of its two forms: the forms of one item are not independent of each other.
        MetricResult overall = new PairedOutcomes(options).scores("guard", base.shares(), tuned.shares()).results()
                .get(0);
        PairedOutcomes parts = new PairedOutcomes(options);
        parts.yesNo("generation", base.generated(), tuned.generated());
        parts.scores("choice", base.chosen(), tuned.chosen());
        Map<String, int[]> places = new LinkedHashMap<>();
        items.stream().map(GuardItem::category).distinct().forEach(category -> places.put(category,
                IntStream.range(0, items.size())
                        .filter(i -> items.get(i).category().equals(category)).toArray()));
        places.forEach((category, some) -> parts.scores(category, some(base, some), some(tuned, some)));
        return new GuardReport(items.size(), overall, parts.results(), base, tuned);
    }

    private static double[] some(GuardOutcomes outcomes, int[] places) {
        double[] shares = outcomes.shares();
        return IntStream.of(places).mapToDouble(i -> shares[i]).toArray();
    }

    @Override
    public String toString() {
        return items + " items, " + overall;
    }

    /**
     * One model's outcomes on the guard set, item by item.
     *
     * @param answers what it answered freely
     * @param generated whether that answer is right
     * @param chosen the probability of the right choice among those given, which says more of an item than whether it
     * is the likeliest
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
}
