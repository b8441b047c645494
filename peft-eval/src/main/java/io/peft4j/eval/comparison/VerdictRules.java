package io.peft4j.eval.comparison;

import static io.peft4j.eval.comparison.VerdictWords.capitalized;
import static io.peft4j.eval.comparison.VerdictWords.difference;
import static io.peft4j.eval.comparison.VerdictWords.figures;
import static io.peft4j.eval.comparison.VerdictWords.points;
import static io.peft4j.eval.comparison.VerdictWords.score;
import static io.peft4j.eval.comparison.VerdictWords.wrong;

import io.peft4j.core.Internal;
import io.peft4j.core.error.Count;
import io.peft4j.eval.comparison.Verdict.Decision;
import io.peft4j.eval.comparison.Verdict.Untrained;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.commons.math3.distribution.NormalDistribution;

/**
 * From evidence to a verdict; whatever decides about a tuned model asks here. One metric, chosen before the answers are
 * seen, decides; in this order:
 * <ol>
 * <li>Held-out items that the model was trained or calibrated on: do not ship, the figures mean nothing.
 * <li>The metric is worse than chance explains (its p-value below alpha): do not ship.
 * <li>The guard set is worse than chance explains, by more than the accepted loss: do not ship.
 * <li>The metric is no better than chance explains: do not ship where a gain worth shipping is ruled out (the one-sided
 * upper bound lies below it, or the base surely answers nine tenths) or what needs no training surely answers more than
 * both, else more items are needed.
 * <li>It is better, but not than a prompt, which needs no training: that one instead where training adds nothing worth
 * having to it, else more items are needed. The most similar training row can answer nothing else, so that the tuned
 * model need not be better than it for certain: it answers more, and a loss is ruled out of the size that is accepted
 * on the guard set.
 * <li>The model writes answers, and no guard set was run, or its interval reaches beyond the accepted loss: harm is not
 * known.
 * <li>Ship.
 * </ol>
 * Where a model is not to be shipped and a prompt is better than the base, it is the prompt instead, unless the model
 * is surely better than the prompt.
 */
@Internal
public final class VerdictRules {
    private final ComparisonOptions options;
    private final RequiredItems needed;
    private final double alpha;

    /** Rules with the thresholds of these options. */
    public VerdictRules(ComparisonOptions options) {
        this.options = Objects.requireNonNull(options, "options");
        this.needed = new RequiredItems(options);
        this.alpha = options.power().alpha();
    }

    /** The verdict. */
    public Verdict decide(Evidence evidence) {
        MetricResult metric = evidence.metric();
        String figures = figures(metric);
        String measured = "Measured: " + figures + ".";
        if (evidence.leaked() > 0) {
            return no(evidence, String.format(Locale.ROOT, "%d of %d held-out items also occur in the "
                    + "training data%s, so the figures say nothing about new questions.", evidence.leaked(),
                    metric.items(), evidence.leak()), measured, "Remove them and evaluate again.");
        }
        if (evidence.calibrated() > 0) {
            return no(evidence, String.format(Locale.ROOT, "The probabilities were calibrated on %s of these, "
                    + "so the figures say nothing about new questions.", Count.of(evidence.calibrated(), "row")),
                    measured, "Evaluate on others.");
        }
        if (metric.isWorse(alpha)) {
            return refused(evidence, "The tuned model is worse: " + figures + ".");
        }
        Optional<MetricResult> forgotten = evidence.guard().filter(this::isHarmed);
        if (forgotten.isPresent()) {
            return refused(evidence, (metric.isBetter(alpha) ? "Better on the task, but it forgot too much."
                    : "It forgot too much."), "On the guard set of general ability " + figures(forgotten.get())
                            + ".",
                    "On the task " + figures + ".");
        }
        if (metric.isBetter(alpha)) {
            return better(evidence, figures);
        }
        if (!mayGain(metric)) {
            return refused(evidence, "No gain worth shipping: " + figures + ".", metric.isBaseNearlyPerfect()
                    ? "The base answers nearly everything already."
                    : "A gain of " + VerdictWords.gain(metric, options.worthwhile() * metric.unit())
                            + " or more is ruled out.");
        }
        Optional<Untrained> ahead = best(evidence, arm -> arm.gain().isBetter(alpha) && arm.tuned().isWorse(alpha));
        if (ahead.isPresent()) {
            return refused(evidence, "The tuned model is worse than that: " + figures(ahead.get().tuned()) + ".");
        }
        return undecided(evidence, metric, best(evidence, arm -> arm.gain().isBetter(alpha)).map(Untrained::name)
                .orElse(evidence.base()),
                Count.of(metric.items(), "item") + " cannot show a difference: "
                        + figures + ".");
    }

    /** Significantly worse by more than is accepted, or surely so. */
    private boolean isHarmed(MetricResult guard) {
        double accepted = options.guardTolerance();
        return guard.isWorse(alpha) && -guard.difference() > accepted || guard.interval().high() < -accepted;
    }

    /**
     * The verdict with what the model invents about what no row answers; where it surely invents more than the base, by
     * more than the loss that is accepted on the guard set, that comes second.
     *
     * @param nearUnknown the share of answers that are not invented
     */
    public Verdict inventing(Verdict verdict, MetricResult nearUnknown) {
        List<String> sentences = new ArrayList<>(verdict.sentences());
        sentences.add(String.format(Locale.ROOT,
                "Questions that no row answers: invents %d of %d, the base %d of %2$d.",
                wrong(nearUnknown, nearUnknown.tuned()), nearUnknown.items(), wrong(nearUnknown, nearUnknown.base())));
        if (isHarmed(nearUnknown)) {
            sentences.add(1, "It invents more than the base about what no row answers (answers without an invention: "
                    + difference(nearUnknown) + "); add rows that say that it is not known (data augment).");
        }
        return verdict.withSentences(sentences).withNearUnknown(nearUnknown);
    }

    private Verdict better(Evidence evidence, String figures) {
        Optional<Untrained> rival = best(evidence, arm -> !beats(arm));
        if (rival.isPresent()) {
            return againstUntrained(evidence, rival.get(), figures);
        }
        String[] beaten = Stream.concat(
                Stream.of(best(evidence, arm -> !arm.isLookup()), best(evidence, Untrained::isLookup))
                        .flatMap(Optional::stream).map(arm -> arm.tuned().isBetter(alpha) ? "It is better than "
                                + arm.description() + ", which needs no training: " + difference(arm.tuned()) + "."
                                : capitalized(VerdictWords.reaches(arm)) + ": " + difference(arm.tuned())
                                        + ", so that a loss of " + points(options.guardTolerance()) + " is ruled out."),
                Stream.of(worse(evidence))).toArray(String[]::new);
        return unlessHarmful(evidence, figures, beaten);
    }

    private boolean beats(Untrained arm) {
        MetricResult tuned = arm.tuned();
        return tuned.isBetter(alpha) || arm.isLookup() && mayGain(tuned) && tuned.gain() > 0
                && tuned.gainInterval().low() >= -options.guardTolerance() * tuned.unit();
    }

    /** What a model that is better on the task is worth: it ships where more than the accepted loss is ruled out. */
    private Verdict unlessHarmful(Evidence evidence, String figures, String... besides) {
        Optional<MetricResult> guard = evidence.guard();
        if (!evidence.writes()) {
            return ship(evidence, figures, besides);
        }
        if (guard.isEmpty()) {
            int fewest = needed.fewestGuarding();
            return new Verdict(Decision.HARM_NOT_KNOWN, evidence.base(), 0, fewest,
                    Verdict.and(Verdict.and(List.of("Better on the task, but the loss of general ability is unknown, "
                            + "since no guard set was asked.", "On the task " + figures + "."), besides),
                            "A guard set of at least " + fewest + " items is needed."),
                    evidence.untrained());
        }
        String kept = String.format(Locale.ROOT, "Guard set of general ability: %s, where a loss of %s is accepted.",
                figures(guard.get()), points(options.guardTolerance()));
        if (guard.get().interval().low() < -options.guardTolerance()) {
            int more = needed.toBound(guard.get());
            return new Verdict(Decision.HARM_NOT_KNOWN, evidence.base(), 0, more,
                    Verdict.and(Verdict.and(List.of("Better on the task, but a loss of general ability is not ruled "
                            + "out.", kept, "On the task " + figures + "."), besides), String.format(Locale.ROOT,
                                    "Add about %,d guard items, or train with less change.", more)),
                    evidence.untrained());
        }
        return ship(evidence, figures, Verdict.and(List.of(besides), kept).toArray(String[]::new));
    }

    private static Verdict ship(Evidence evidence, String figures, String... besides) {
        return new Verdict(Decision.SHIP, evidence.tuned(), 0, 0, Verdict.and(List.of("Take " + evidence.tuned() + ": "
                + figures + "."), besides), evidence.untrained());
    }

    /**
     * The verdict on preferences between given answers.
     *
     * @param evidence its metric is by how much likelier better answers are than worse ones, in nats
     * @param preferred the share of pairs whose better answer is the likelier one
     */
    public Verdict ofPreferences(Evidence evidence, MetricResult preferred) {
        MetricResult margin = evidence.metric();
        String found = VerdictWords.preferences(margin, preferred);
        if (margin.isWorse(alpha) || preferred.isWorse(alpha)) {
            return no(evidence, "The tuned model is worse: " + found + ".");
        }
        Optional<MetricResult> forgotten = evidence.guard().filter(this::isHarmed);
        if (forgotten.isPresent()) {
            return no(evidence, "It forgot too much.", "On the guard set of general ability "
                    + figures(forgotten.get()) + ".", capitalized(found) + ".");
        }
        if (margin.isBetter(alpha)) {
            return unlessHarmful(evidence, found);
        }
        if (margin.difference() == 0) {
            return no(evidence, "The models do not differ: " + found + ".");
        }
        int more = needed.toShow(margin, Math.abs(margin.difference()));
        return new Verdict(Decision.NEED_MORE_ITEMS, evidence.base(), more, 0,
                List.of(Count.of(margin.items(), "pair") + " cannot show a difference: " + found + ".",
                        String.format(Locale.ROOT, "About %,d more pairs would show such a change with %.0f %% power.",
                                more, 100 * options.power().power())),
                evidence.untrained());
    }

    private Verdict againstUntrained(Evidence evidence, Untrained rival, String figures) {
        String compared = String.format(Locale.ROOT, "%s, %s %s, %s.",
                capitalized(VerdictWords.reaches(rival)), evidence.tuned(),
                score(rival.tuned(), rival.tuned().tuned()), difference(rival.tuned()));
        String base = "Against the base: " + figures + ".";
        if (mayGain(rival.tuned())) {
            return undecided(evidence, rival.tuned(), rival.name(), Count.of(rival.tuned().items(), "item")
                    + " cannot show whether training beats what needs none; use " + rival.description()
                    + " until then.", compared, base);
        }
        return new Verdict(Decision.PROMPT_INSTEAD, rival.name(), 0, 0, List.of("Do not train, use "
                + rival.description() + ": training adds no worthwhile gain.", compared, base), evidence.untrained());
    }

    /** The best of those that need no training and are as asked for. */
    private static Optional<Untrained> best(Evidence evidence, Predicate<Untrained> chosen) {
        return evidence.untrained().stream().filter(chosen).max(Comparator.comparingDouble(arm -> arm.gain().gain()));
    }

    private Verdict refused(Evidence evidence, String... why) {
        Optional<Untrained> best = best(evidence, arm -> arm.gain().isBetter(alpha));
        if (best.isEmpty()) {
            return no(evidence, why);
        }
        Untrained arm = best.get();
        // What answers surely fewer questions than the model is for the time until a training forgets less.
        return arm.tuned().isBetter(alpha)
                ? new Verdict(Decision.DO_NOT_SHIP, arm.name(), 0, 0, Verdict.and(List.of(why),
                        "Until a training forgets less, use " + arm.description() + ": " + figures(arm.gain()) + "."),
                        evidence.untrained())
                : new Verdict(Decision.PROMPT_INSTEAD, arm.name(), 0, 0, Verdict.and(List.of("Do not train, use "
                        + arm.description() + ": " + figures(arm.gain()) + "."), why), evidence.untrained());
    }

    private static Verdict no(Evidence evidence, String... why) {
        return new Verdict(Decision.DO_NOT_SHIP, evidence.base(), 0, 0, List.of(why), evidence.untrained());
    }

    /** @param metric whose gain is not certain, over the base or a prompt */
    private Verdict undecided(Evidence evidence, MetricResult metric, String arm, String... why) {
        double gain = Math.max(metric.gain(), options.worthwhile() * metric.unit());
        int more = needed.toShow(metric, gain);
        return new Verdict(Decision.NEED_MORE_ITEMS, arm, more, 0, Verdict.and(List.of(why), String.format(Locale.ROOT,
                "About %,d more items would show a gain of %s with %.0f %% power.", more,
                VerdictWords.gain(metric, gain), 100 * options.power().power())), evidence.untrained());
    }

    /** Whether a gain worth having is not ruled out, and there is room for one. */
    private boolean mayGain(MetricResult metric) {
        return !metric.isBaseNearlyPerfect() && upperBound(metric) >= options.worthwhile() * metric.unit();
    }

    /** The one-sided bound, from the two-sided interval: its upper half shrunk by the ratio of the quantiles. */
    private double upperBound(MetricResult metric) {
        NormalDistribution normal = new NormalDistribution(null, 0, 1);
        double ratio = normal.inverseCumulativeProbability(1 - alpha)
                / normal.inverseCumulativeProbability(0.5 + metric.interval().level() / 2);
        return metric.gain() + ratio * (metric.gainInterval().high() - metric.gain());
    }

    private String worse(Evidence evidence) {
        String all = evidence.others().stream().filter(other -> other.isWorse(alpha)).map(VerdictWords::figures)
                .collect(Collectors.joining("; "));
        return all.isEmpty() ? "" : "Worse: " + all + ".";
    }

    /**
     * How many more items a decision needs: always a number with which the tests can decide. It is the number at which
     * the paired t-test has the options' power, but at least as many as an exact test needs to reach alpha (with k
     * items that all change the same way its p-value is 2 / 2^k), and at least half as many again as were not enough.
     */
    static final class RequiredItems {
        private static final int MOST = 1_000_000;
        /**
         * Nearer to the accepted loss than this share of it no realistic number of items can tell.
         */
        private static final double NEAR = 0.2;
        /** The smallest loss that numbers of guard items are computed for. */
        private static final double SMALLEST_LOSS = 0.005;

        private final ComparisonOptions options;

        /** Numbers for these thresholds. */
        public RequiredItems(ComparisonOptions options) {
            this.options = Objects.requireNonNull(options, "options");
        }

        /**
         * The fewest items that all change the same way with which an exact test (McNemar's, of signs, of ranks) says
         * that they do: 6 at 5 %.
         */
        public int fewest() {
            int items = 1;
            while (Math.pow(2, 1 - items) >= options.power().alpha()) {
                items++;
            }
            return items;
        }

        /**
         * How many more items are needed to show a gain.
         *
         * @param gain above 0, in the metric's own scale
         */
        public int toShow(MetricResult metric, double gain) {
            double least = fewest() / Math.min(1, Math.max(changing(metric), gain / metric.unit()));
            return more(metric, Math.max(options.power().itemsNeeded(deviation(metric), gain), (int) Math.ceil(least)));
        }

        /** The share of items that change, where items are right or wrong; of scores all may. */
        private static double changing(MetricResult metric) {
            int n = metric.items();
            double squares = metric.standardDeviation() * metric.standardDeviation() * (n - 1)
                    + n * metric.difference() * metric.difference();
            return metric.test().equals("mcnemar_exact") ? squares / n : 1;
        }

        /**
         * How many more guard items are needed to know whether the loss is larger than the accepted one, if it is the
         * one that is seen.
         */
        public int toBound(MetricResult guard) {
            double accepted = Math.max(SMALLEST_LOSS, options.guardTolerance());
            double gap = Math.max(Math.abs(guard.difference() + accepted), NEAR * accepted);
            return more(guard, Math.max(options.power().itemsNeeded(deviation(guard), gap), fewestGuarding()));
        }

        /** The fewest guard items that can rule out more than the accepted loss: where no answer changes at all. */
        public int fewestGuarding() {
            double accepted = Math.max(SMALLEST_LOSS, options.guardTolerance());
            int items = 1;
            while (options.bootstrap().ofDifferences(new double[items]).low() < -accepted) {
                items++;
            }
            return items;
        }

        /** Few items may show no spread at all; no set of answers is that uniform. */
        private static double deviation(MetricResult metric) {
            return Math.max(metric.standardDeviation(), metric.interval().deviation(metric.items()));
        }

        private static int more(MetricResult metric, int total) {
            // An estimate below the number that was not enough would be absurd.
            return rounded(Math.max(Math.min(MOST, total) - metric.items(), Math.max(1, metric.items() / 2)));
        }

        private static int rounded(int items) {
            int unit = items < 50 ? 5 : items < 500 ? 10 : items < 5000 ? 100 : 1000;
            return (items + unit - 1) / unit * unit;
        }
    }
}
