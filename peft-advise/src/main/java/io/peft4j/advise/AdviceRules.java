package io.peft4j.advise;

import io.peft4j.core.error.Count;
import io.peft4j.eval.statistics.Interval;
import io.peft4j.eval.statistics.Power;
import io.peft4j.eval.statistics.Spread;
import io.peft4j.eval.study.TrainingStudy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * From evidence to advice. Training must beat the best prompt, not the base alone: a prompt costs nothing and follows
 * data that change. What decides is the paired difference of the largest training and the best prompt with its 95 %
 * interval, and {@value #WORTHWHILE} of score is the least that is worth a training.
 */
final class AdviceRules {
    static final double WORTHWHILE = 0.05;
    /** A prompt that is surely so good leaves nothing to gain. */
    private static final double GOOD = 0.9;
    /** An error that falls more slowly with the number of examples does not fall. */
    private static final double FLAT = 0.05;
    /** Nobody collects more than so many times what there is on the word of a curve of three points. */
    private static final int FARTHEST = 20;
    /** The share of the time between two changes of the data that training and evaluation may take. */
    private static final double SHARE_OF_CHANGE = 0.5;

    private final List<Way> ways;
    private final Optional<TrainingStudy.Curve> curve;
    private final Optional<Duration> changesEvery;
    private final List<String> reasons = new ArrayList<>();
    private final Way prompt;
    private final Way tuned;
    private final Interval difference;
    private final double gain;

    /**
     * Evidence.
     *
     * @param ways the base as it is first, at least one training, the one on most examples last
     * @param curve of the trainings
     * @param changesEvery how often the data change
     */
    AdviceRules(List<Way> ways, Optional<TrainingStudy.Curve> curve, Optional<Duration> changesEvery) {
        this.ways = ways;
        this.curve = curve;
        this.changesEvery = changesEvery;
        this.prompt = ways.stream().filter(way -> way.kind() == Way.Kind.PROMPT)
                .max(Comparator.comparingDouble(Way::score)).orElseThrow();
        this.tuned = ways.get(ways.size() - 1);
        this.difference = Scoring.difference(prompt.scores(), tuned.scores());
        this.gain = tuned.score() - prompt.score();
    }

    /** Decides; {@code further} are reasons that were met on the way. */
    Advice decide(String metric, List<String> further) {
        OptionalInt more = OptionalInt.empty();
        Advice.Kind kind;
        if (difference.low() > 0 && gain >= WORTHWHILE) {
            kind = changesTooOften() ? Advice.Kind.PROMPT : Advice.Kind.FINE_TUNE;
            reasons.add(compared("The training beats the best prompt"));
        } else if (difference.high() < WORTHWHILE || prompt.interval().low() >= GOOD) {
            kind = Advice.Kind.PROMPT;
            reasons.add(compared(prompt.interval().low() >= GOOD ? "A prompt answers nearly everything already"
                    : "Training adds nothing that is worth it to the best prompt"));
        } else if (gain <= 0 && isFlat()) {
            kind = Advice.Kind.PROMPT;
            reasons.add(compared("Training does not help, and its score does not rise with the number of examples: "
                    + "what they teach does not carry over to other questions, so look at the data first"));
        } else {
            kind = Advice.Kind.COLLECT_MORE;
            more = needed();
            reasons.add(compared("These data cannot tell yet whether training beats the best prompt"));
        }
        describeGain(kind);
        describeChange();
        reasons.addAll(further);
        return new Advice(kind, more, ways, curve, reasons, metric, tuned.scores().size());
    }

    private String compared(String sentence) {
        return String.format(Locale.ROOT, "%s: %.0f %% with %s against %.0f %% with %s, difference %+.0f points "
                + "[%+.0f, %+.0f] on %s", sentence, 100 * tuned.score(), tuned.name(),
                100 * prompt.score(), prompt.name(), 100 * gain, 100 * difference.low(), 100 * difference.high(),
                Count.of(tuned.scores().size(), "held-out item"));
    }

    private boolean isFlat() {
        return curve.map(found -> found.exponent() < FLAT).orElse(false);
    }

    /** Examples until the curve is worthwhile above the prompt, or items until the gain that is seen is certain. */
    private OptionalInt needed() {
        if (gain >= WORTHWHILE) {
            double deviation = Spread.of(IntStream.range(0, tuned.scores().size())
                    .mapToDouble(i -> tuned.scores().get(i) - prompt.scores().get(i)).toArray()).standardDeviation();
            int items = Power.defaults().itemsNeeded(deviation, gain) - tuned.scores().size();
            if (items > 0) {
                reasons.add(String.format(Locale.ROOT, "About %d more held-out items would make a gain of %.0f points "
                        + "certain", items, 100 * gain));
            }
            return items > 0 ? OptionalInt.of(items) : OptionalInt.empty();
        }
        if (curve.isEmpty() || isFlat()) {
            return OptionalInt.empty();
        }
        int have = curve.get().examples();
        for (int more = 10; more <= FARTHEST * have; more += Math.max(10, more / 10)) {
            if (curve.get().fit().at(have + more, 0.95).score() >= prompt.score() + WORTHWHILE) {
                reasons.add(String.format(Locale.ROOT, "By the learning curve about %s %s training %.0f "
                        + "points above the best prompt", Count.of(more, "more example"),
                        more == 1 ? "brings" : "bring", 100 * WORTHWHILE));
                return OptionalInt.of(more);
            }
        }
        reasons.add(String.format(Locale.ROOT, "By the learning curve even %d more examples would not do",
                FARTHEST * have));
        return OptionalInt.empty();
    }

    private void describeGain(Advice.Kind kind) {
        curve.ifPresent(found -> {
            Interval interval = Advice.gainInterval(found, tuned);
            reasons.add(String.format(Locale.ROOT, "%d more examples are likely to change the training's score by "
                    + "%+.0f points [%+.0f, %+.0f]", TrainingStudy.MORE, 100 * found.gain(), 100 * interval.low(),
                    100 * interval.high()));
        });
        if (kind == Advice.Kind.FINE_TUNE && prompt.score() > ways.get(0).score() + WORTHWHILE) {
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
                reasons.add("There is time to train anew after each change: " + sentence);
            }
        });
    }
}
