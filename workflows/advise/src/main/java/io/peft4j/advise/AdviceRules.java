package io.peft4j.advise;

import io.peft4j.advise.Advice.AnswerMethod;
import io.peft4j.advise.FineTuningAdvisor.Asked;
import io.peft4j.core.error.Count;
import io.peft4j.data.ChatDataset;
import io.peft4j.eval.Evaluation;
import io.peft4j.eval.comparison.ComparisonOptions;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.report.TrainingStudy;
import io.peft4j.eval.statistics.Interval;
import io.peft4j.eval.task.EvaluationItem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * From evidence to advice: the verdict that an {@link Evaluation} of the base, the prompts and the largest training
 * ends with, and what a curve over trainings, the time that they had and the changes of the data add to it. Training
 * must beat the best prompt, not the base alone: a prompt costs nothing and follows data that change.
 */
final class AdviceRules {
    /** An error that falls more slowly with the number of examples does not fall. */
    private static final double FLAT = 0.05;
    /** It is not realistic to collect more than so many times the data on the word of a curve of three points. */
    private static final int FARTHEST = 20;
    /** The share of the time between two changes of the data that training and evaluation may take. */
    private static final double SHARE_OF_CHANGE = 0.5;

    private final ComparisonOptions options;
    private final List<AnswerMethod> ways;
    private final Optional<TrainingStudy.Curve> curve;
    private final Optional<Duration> changesEvery;
    private final List<String> reasons = new ArrayList<>();
    private final AnswerMethod prompt;
    private final AnswerMethod tuned;
    private final Verdict verdict;
    private final MetricResult difference;
    private final int items;

    /**
     * Evidence.
     *
     * @param ways the base as it is first, at least one training, the one on most examples last
     * @param points what each training reached
     * @param verdict on the last training
     * @param difference the best way without training against the last one
     * @param changesEvery how often the data change
     */
    AdviceRules(List<AnswerMethod> ways, List<TrainingStudy.Point> points, Verdict verdict, MetricResult difference,
            Optional<Duration> changesEvery, ComparisonOptions options) {
        this.options = options;
        this.ways = ways;
        this.changesEvery = changesEvery;
        this.prompt = untrained(ways);
        this.tuned = ways.get(ways.size() - 1);
        this.verdict = verdict;
        this.difference = difference;
        this.items = difference.items();
        this.curve = points.size() < 3 || ways.stream().anyMatch(AnswerMethod::isCutDown) ? Optional.empty()
                : TrainingStudy.of(difference.name(), points, List.of()).curve();
    }

    /** Evidence from answers. */
    static AdviceRules of(List<Asked> asked, List<EvaluationItem> items, ChatDataset examples,
            Optional<Duration> changesEvery, ComparisonOptions options) {
        List<AnswerMethod> ways = asked.stream().map(Asked::way).toList();
        Asked best = asked.get(ways.indexOf(untrained(ways)));
        Asked last = asked.get(asked.size() - 1);
        Evaluation evaluation = Evaluation.of(items).trainingData(examples);
        asked.stream().filter(one -> one.way().kind() == AnswerMethod.Kind.PROMPT && !one.way().isLookup())
                .forEach(one -> evaluation.answers(one.answers()));
        return new AdviceRules(ways, asked.stream().filter(one -> one.way().kind() == AnswerMethod.Kind.TRAINING)
                .map(one -> new TrainingStudy.Point(one.way().name(), one.examples(), one.way().score())).toList(),
                evaluation.answers(last.answers()).compare(options).verdict(), Evaluation.of(items)
                        .answers(best.answers()).answers(last.answers()).compare(options).decidingResult(),
                changesEvery, options);
    }

    /** The best of what needs no training. */
    static AnswerMethod untrained(List<AnswerMethod> ways) {
        return ways.stream().filter(way -> way.kind() == AnswerMethod.Kind.PROMPT)
                .max(Comparator.comparingDouble(AnswerMethod::score)).orElseThrow();
    }

    /** Decides; {@code further} are reasons that were met on the way. */
    Advice decide(String metric, int heldOut, List<String> further) {
        OptionalInt more = OptionalInt.empty();
        OptionalInt seconds = OptionalInt.empty();
        Advice.Kind kind = switch (verdict.decision()) {
            case SHIP, NOT_FINISHED, HARM_NOT_KNOWN -> changesTooOften() ? Advice.Kind.PROMPT : Advice.Kind.FINE_TUNE;
            case PROMPT_INSTEAD, DO_NOT_SHIP -> unlessCutDown(Advice.Kind.PROMPT);
            case NEED_MORE_ITEMS -> unlessCutDown(isHopeless() ? Advice.Kind.PROMPT : Advice.Kind.COLLECT_MORE);
        };
        reasons.add(compared(summary(kind)));
        if (kind == Advice.Kind.COLLECT_MORE) {
            more = needed();
        } else if (kind == Advice.Kind.MORE_TIME) {
            seconds = OptionalInt.of((int) Math.ceil(ways.stream()
                    .mapToDouble(way -> way.seconds() * (1 / way.share() - 1)).sum()));
        }
        describeGain(kind);
        describeChange();
        if (kind != Advice.Kind.MORE_TIME) {
            // What is said of a training that was cut down is no verdict on a whole one.
            reasons.add("Evaluated, this is \"" + verdict.words() + "\""
                    + (verdict.decision() == Verdict.Decision.HARM_NOT_KNOWN
                            ? ": no guard set is asked here, so evaluate the adapter that you train before you ship it"
                            : ""));
        }
        reasons.addAll(further);
        return new Advice(kind, verdict, more, seconds, ways, curve, reasons, metric, items, heldOut);
    }

    /** A training that there was no time for cannot lose; only if there is nothing to gain need it not be known. */
    private Advice.Kind unlessCutDown(Advice.Kind kind) {
        return tuned.isCutDown() && prompt.interval().low() < MetricResult.NEARLY_ALL ? Advice.Kind.MORE_TIME : kind;
    }

    private boolean isHopeless() {
        return difference.difference() <= 0 && isFlat();
    }

    private String summary(Advice.Kind kind) {
        return switch (kind) {
            case FINE_TUNE -> "The training beats " + rival();
            case MORE_TIME -> String.format(Locale.ROOT, "The largest training was cut down to %.0f %% for time and "
                    + "does not beat %s, which says nothing of a whole one", 100 * tuned.share(), rival());
            case COLLECT_MORE -> "These data cannot tell yet whether training beats " + rival();
            case PROMPT -> prompt.interval().low() >= MetricResult.NEARLY_ALL
                    ? capitalized(rival()) + " answers nearly everything already"
                    : verdict.decision() == Verdict.Decision.NEED_MORE_ITEMS && tuned.score() < MetricResult.NEARLY_ALL
                            ? "Training does not help, and its score does not rise with the number of examples: what "
                                    + "they teach does not carry over to other questions, so look at the data first"
                            : changesTooOften() && difference.isBetter(options.power().alpha())
                                    ? "The training beats " + rival()
                                    : "Training adds nothing that is worth it to " + rival();
        };
    }

    /** What is to be beaten. */
    private String rival() {
        return prompt.isLookup() ? prompt.description() : prompt.scores().isEmpty() ? "what needs no training"
                : "the best prompt";
    }

    private static String capitalized(String text) {
        return text.substring(0, 1).toUpperCase(Locale.ROOT) + text.substring(1);
    }

    private String compared(String sentence) {
        return String.format(Locale.ROOT, "%s: %.0f %% with %s against %.0f %% with %s, difference %+.0f points "
                + "%s on %s", sentence, 100 * tuned.score(), tuned.name(),
                100 * prompt.score(), prompt.name(), 100 * difference.difference(),
                difference.interval().words(difference.range(),
                        value -> String.format(Locale.ROOT, "%+.0f", 100 * value)),
                Count.of(items, "held-out item"));
    }

    private boolean isFlat() {
        return curve.map(found -> found.exponent() < FLAT).orElse(false);
    }

    /** Examples until the curve is worthwhile above the prompt; none where held-out items are what is missing. */
    private OptionalInt needed() {
        boolean gains = difference.difference() >= options.worthwhile();
        if (gains || curve.isEmpty() || isFlat() || Advice.gainInterval(curve.get(), tuned).saysNothing(1)) {
            reasons.add(String.format(Locale.ROOT, "About %s would make a gain of %.0f points certain", Count.of(
                    verdict.itemsNeeded(), "more held-out item"),
                    100 * (gains ? difference.difference()
                            : options.worthwhile())));
            return OptionalInt.empty();
        }
        int have = curve.get().examples();
        for (int more = 10; more <= FARTHEST * have; more += Math.max(10, more / 10)) {
            if (curve.get().fit().at(have + more, 0.95).score() >= prompt.score() + options.worthwhile()) {
                reasons.add(String.format(Locale.ROOT, "By the learning curve about %s bring training %.0f points "
                        + "above %s", Count.of(more, "more example"), 100 * options.worthwhile(), rival()));
                return OptionalInt.of(more);
            }
        }
        reasons.add(String.format(Locale.ROOT, "By the learning curve even %d more examples would not do",
                FARTHEST * have));
        return OptionalInt.empty();
    }

    private void describeGain(Advice.Kind kind) {
        curve.filter(found -> !Advice.gainInterval(found, tuned).saysNothing(1)).ifPresent(found -> {
            Interval interval = Advice.gainInterval(found, tuned);
            reasons.add(String.format(Locale.ROOT, "%d more examples are likely to change the training's score by "
                    + "%+.0f points [%+.0f, %+.0f]", TrainingStudy.MORE, 100 * found.gain(), 100 * interval.low(),
                    100 * interval.high()));
        });
        if (kind == Advice.Kind.FINE_TUNE && prompt.score() > ways.get(0).score() + options.worthwhile()) {
            reasons.add(String.format(Locale.ROOT, "Until it is trained, %s serves: %.0f %% against %.0f %% as it is",
                    prompt.name(), 100 * prompt.score(), 100 * ways.get(0).score()));
        }
    }

    private boolean changesTooOften() {
        return changesEvery.filter(time -> tuned.seconds() > SHARE_OF_CHANGE * time.toNanos() / 1e9).isPresent();
    }

    private void describeChange() {
        changesEvery.ifPresent(time -> {
            String sentence = String.format(Locale.ROOT, "training and evaluation take %.0f s, and the data change "
                    + "every %.0f s", tuned.seconds(), time.toNanos() / 1e9);
            if (changesTooOften()) {
                reasons.add(0, "The data change too often to be worth a training: " + sentence + ". Put what changes "
                        + "into the prompt");
            } else {
                reasons.add("There is time to train again after each change: " + sentence);
            }
        });
    }
}
