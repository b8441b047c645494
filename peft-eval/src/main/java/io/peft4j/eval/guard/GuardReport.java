package io.peft4j.eval.guard;

import io.peft4j.core.error.Count;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.PairedOutcomes;
import io.peft4j.eval.guard.GuardSet.GuardItem;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * What a tuned model has kept of general abilities.
 *
 * @param items number of items that were asked
 * @param total number of items of the set
 * @param overall what a verdict counts: the share of right outcomes over both forms of the items whose kinds no general
 *     row has, or of all where there are none such, named {@code guard}; half of it the mean probability of the right
 *     choices, half the share of right ones among the free answers
 * @param practised the same of the items whose kinds trainings may practise; empty where all items count
 * @param parts the same for each form and each category
 * @param base the base model's outcomes
 * @param tuned the tuned model's outcomes
 */
public record GuardReport(int items, int total, MetricResult overall, Optional<MetricResult> practised,
        List<MetricResult> parts, GuardOutcomes base, GuardOutcomes tuned) {
    /** Copies the list. */
    public GuardReport {
        Objects.requireNonNull(overall, "overall");
        Objects.requireNonNull(practised, "practised");
        parts = List.copyOf(parts);
        Objects.requireNonNull(base, "base");
        Objects.requireNonNull(tuned, "tuned");
    }

    /** Compares the outcomes of two models on the same set. */
    public static GuardReport of(List<GuardItem> items, GuardOutcomes base, GuardOutcomes tuned,
            ComparisonOptions options) {
        int[] counted = GuardSet.counted(items);
        // One score an item, of its two forms: the forms of one item are not independent of each other.
        MetricResult overall = new PairedOutcomes(options)
                .values("guard", base.shares(items, counted), tuned.shares(items, counted))
                .results().get(0);
        int[] others = IntStream.range(0, items.size()).filter(i -> Arrays.binarySearch(counted, i) < 0).toArray();
        Optional<MetricResult> practised = others.length == 0 ? Optional.empty()
                : Optional.of(new PairedOutcomes(options).values("guard_practised", base.shares(items, others),
                        tuned.shares(items, others)).results().get(0));
        PairedOutcomes parts = new PairedOutcomes(options);
        boolean[][] free = {free(items, base), free(items, tuned)};
        if (free[0].length > 0) {
            parts.yesNo("generation", free[0], free[1]);
        }
        double[][] chosen = {chosen(items, base), chosen(items, tuned)};
        if (chosen[0].length > 0) {
            parts.scores("choice", chosen[0], chosen[1]);
        }
        Map<String, int[]> places = new LinkedHashMap<>();
        items.stream().map(GuardItem::category).distinct().forEach(category -> places.put(category,
                IntStream.range(0, items.size())
                        .filter(i -> items.get(i).category().equals(category)).toArray()));
        places.forEach((category, some) -> parts.values(category, base.shares(items, some),
                tuned.shares(items, some)));
        return new GuardReport(items.size(), items.size(), overall, practised, parts.results(), base, tuned);
    }

    /** The same of a set of more items, of which only these were asked, since they decided. */
    GuardReport of(int newTotal) {
        return new GuardReport(items, newTotal, overall, practised, parts, base, tuned);
    }

    /** "639 items", or "decided after 205 of 639 items". */
    public String extent() {
        return (items < total ? "decided after " + items + " of " : "") + Count.of(total, "item");
    }

    /** The free answers of the items that ask for one. */
    private static boolean[] free(List<GuardItem> items, GuardOutcomes outcomes) {
        int[] places = IntStream.range(0, items.size()).filter(i -> items.get(i).isAsked()).toArray();
        boolean[] free = new boolean[places.length];
        for (int i = 0; i < free.length; i++) {
            free[i] = outcomes.generated()[places[i]];
        }
        return free;
    }

    /** The choices of the items that have some. */
    private static double[] chosen(List<GuardItem> items, GuardOutcomes outcomes) {
        return IntStream.range(0, items.size()).filter(i -> !items.get(i).choices().isEmpty()).mapToDouble(
                i -> outcomes.chosen()[i]).toArray();
    }

    @Override
    public String toString() {
        return extent() + ", " + overall;
    }

    /**
     * One model's outcomes on the guard set, item by item.
     *
     * @param answers what it answered freely; empty where it was not asked
     * @param generated whether that answer is right
     * @param chosen the probability of the right choice among those given, which says more of an item than whether it
     * is the likeliest; of an item without choices whether its free answer is right
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

        /**
         * What each of some items counts: their mean is half that of the choices and half that of the free answers,
         * which as a rule are fewer.
         */
        double[] shares(List<GuardItem> items, int... places) {
            long asked = IntStream.of(places).filter(i -> items.get(i).isAsked()).count();
            double weight = asked == 0 ? 0 : (double) places.length / asked;
            return IntStream.of(places).mapToDouble(i -> share(chosen[i], items.get(i).isAsked() && generated[i],
                    weight)).toArray();
        }

        /**
         * What an item counts.
         *
         * @param weight of a free answer: how many items there are for each that is asked; 0 where none is
         */
        static double share(double chosen, boolean right, double weight) {
            return weight == 0 ? chosen : (chosen + (right ? weight : 0)) / 2;
        }
    }
}
