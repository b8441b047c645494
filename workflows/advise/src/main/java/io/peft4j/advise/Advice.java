package io.peft4j.advise;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.Count;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.report.TrainingStudy;
import io.peft4j.eval.statistics.Interval;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What to do, and the evidence.
 *
 * @param kind what to do
 * @param verdict what {@code evaluate} says of the base, of what needs no training and of the largest training; of
 *     answers it is never to ship, since no guard set is asked here; it says nothing where more time is the advice
 * @param more about how many further examples to collect, where that is the advice and the curve says it
 * @param moreSeconds how much more time the trainings need, where they were cut down and that is the advice
 * @param ways what was tried, the base as it is first
 * @param curve the learning curve of the trainings; empty where there were fewer than three sizes
 * @param reasons why, sentences; the first decided
 * @param metric the metric of the scores
 * @param items number of held-out items that were asked
 * @param heldOut number of held-out items that there are
 */
public record Advice(Kind kind, Verdict verdict, OptionalInt more, OptionalInt moreSeconds, List<AnswerMethod> ways,
        Optional<TrainingStudy.Curve> curve, List<String> reasons, String metric, int items, int heldOut) {
    /** The kinds of advice. */
    public enum Kind {
        /** Training beats the best prompt. */
        FINE_TUNE("fine-tune"),
        /** A prompt does as well, or training is not worth it. */
        PROMPT("prompt"),
        /** These data cannot tell, or are too few. */
        COLLECT_MORE("collect more"),
        /** The trainings were cut down for time and did not beat the best prompt: that says nothing of whole ones. */
        MORE_TIME("more time");

        private final String words;

        Kind(String words) {
            this.words = words;
        }

        /** As in JSON. */
        @Override
        public String toString() {
            return words;
        }
    }

    /** Copies the lists. */
    public Advice {
        Objects.requireNonNull(kind, "kind");
        Objects.requireNonNull(verdict, "verdict");
        Objects.requireNonNull(more, "more");
        Objects.requireNonNull(moreSeconds, "moreSeconds");
        ways = List.copyOf(ways);
        Objects.requireNonNull(curve, "curve");
        reasons = List.copyOf(reasons);
        Objects.requireNonNull(metric, "metric");
    }

    /** The advice in words, as {@code prompt instead} or {@code collect more (about 120)}. */
    public String headline() {
        return switch (kind) {
            case FINE_TUNE -> "fine-tune";
            case PROMPT -> verdict.arm().equals(Verdict.LOOKUP) ? "look up instead" : "prompt instead";
            case COLLECT_MORE -> more.isEmpty() ? "collect more" : "collect more (about "
                    + Count.of(more.getAsInt(), "example") + ")";
            case MORE_TIME -> moreSeconds.isEmpty() ? "not known: give the trainings more time" : String.format(
                    Locale.ROOT, "not known: give it about %,d s more", moreSeconds.getAsInt());
        };
    }

    /**
     * Where the gain of 100 more examples is likely to lie: the interval of the curve, wider by that of the largest
     * training's score, which the curve takes as exact, and no higher than a score can rise.
     */
    public Optional<Interval> gainInterval() {
        return curve.map(found -> gainInterval(found, ways.get(ways.size() - 1)));
    }

    static Interval gainInterval(TrainingStudy.Curve curve, AnswerMethod largest) {
        double low = curve.gainInterval().low() - (largest.score() - largest.interval().low());
        double high = curve.gainInterval().high() + largest.interval().high() - largest.score();
        double most = Math.max(curve.gain(), 1 - largest.score());
        return new Interval(Math.max(-1, low), Math.min(most, Math.max(low, high)), curve.gainInterval().level());
    }

    /** {@code {"advice", "ways", "gain_of_100_more", "reasons", ...}}. */
    public ObjectNode toJson() {
        ObjectNode node = new ObjectMapper().createObjectNode().put("advice", kind.toString());
        more.ifPresent(count -> node.put("more_examples", count));
        moreSeconds.ifPresent(seconds -> node.put("more_seconds", seconds));
        if (kind != Kind.MORE_TIME) {
            node.set("verdict", verdict.toJson());
        }
        ArrayNode list = node.putArray("ways");
        for (AnswerMethod way : ways) {
            ObjectNode each = list.addObject().put("name", way.name()).put("description", way.description())
                    .put("kind", way.kind().name().toLowerCase(Locale.ROOT)).put("score", way.score());
            if (way.interval().saysNothing(1)) {
                each.putNull("low").putNull("high").put("interval", Interval.TOO_FEW);
            } else {
                each.put("low", way.interval().low()).put("high", way.interval().high());
            }
            each.put("seconds", way.seconds()).put("share", way.share())
                    .put("seconds_per_answer", way.secondsAnAnswer());
            way.cost().ifPresent(cost -> each.put("cost", cost));
        }
        ObjectNode gain = node.putObject("gain_of_100_more");
        curve.ifPresent(found -> gain.put("examples", found.examples()).put("gain", found.gain())
                .put("low", gainInterval().orElseThrow().low()).put("high", gainInterval().orElseThrow().high()));
        ArrayNode why = node.putArray("reasons");
        reasons.forEach(why::add);
        return node.put("metric", metric).put("items", heldOut).put("items_asked", items);
    }

    /** One HTML page that needs nothing else. */
    public String html() {
        return new AdvicePage(this).html();
    }

    /**
     * Writes the page.
     *
     * @throws java.io.UncheckedIOException when the file cannot be written
     */
    public void writeHtml(Path file) {
        AtomicFiles.writeString(file, html());
    }
}
