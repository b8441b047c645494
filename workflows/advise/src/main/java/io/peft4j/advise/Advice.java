package io.peft4j.advise;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.advise.Advice.AnswerMethod;
import io.peft4j.core.error.Count;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.report.TrainingStudy;
import io.peft4j.eval.statistics.Interval;
import io.peft4j.report.support.Blocks;
import io.peft4j.report.support.CurvePlot;
import io.peft4j.report.support.Html;
import io.peft4j.report.support.IntervalPlot;
import io.peft4j.report.support.Page;
import io.peft4j.report.support.Status;
import io.peft4j.report.support.Table;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.stream.IntStream;

/**
 * What to do, and the evidence.
 *
 * @param kind what to do
 * @param verdict what {@code evaluate} says of the base, of what needs no training and of the largest training; of
 *     answers it is never to ship, since no guard set is asked here; it says nothing where more time is the advice
 * @param more about how many further examples to train on to collect, where that is the advice and the curve says it;
 *     else the verdict says how many held-out items
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

    /** The advice in words, as {@code prompt instead} or {@code collect more (about 120 held-out items)}. */
    public String headline() {
        return switch (kind) {
            case FINE_TUNE -> "fine-tune";
            case PROMPT -> verdict.arm().equals(Verdict.LOOKUP) ? "look up instead" : "prompt instead";
            case COLLECT_MORE -> "collect more (about " + (more.isPresent() ? Count.of(more.getAsInt(), "training row")
                    : Count.of(verdict.itemsNeeded(), "held-out item")) + ")";
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
            putEnds(each, way.interval());
            each.put("seconds", way.seconds()).put("share", way.share())
                    .put("seconds_per_answer", way.secondsAnAnswer());
            way.cost().ifPresent(cost -> each.put("cost", cost));
        }
        ObjectNode gain = node.putObject("gain_of_100_more");
        curve.ifPresent(found -> putEnds(gain.put("examples", found.examples()).put("gain", found.gain()),
                gainInterval().orElseThrow()));
        ArrayNode why = node.putArray("reasons");
        reasons.forEach(why::add);
        return node.put("metric", metric).put("items", heldOut).put("items_asked", items);
    }

    private static void putEnds(ObjectNode node, Interval interval) {
        if (interval.saysNothing(1)) {
            node.putNull("low").putNull("high").put("interval", Interval.TOO_FEW);
        } else {
            node.put("low", interval.low()).put("high", interval.high());
        }
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

    private static final class AdvicePage {
        private static final int CURVE_STEPS = 60;
        private static final double LEVEL = 0.95;

        private final Advice advice;

        AdvicePage(Advice advice) {
            this.advice = advice;
        }

        String html() {
            Status tone = switch (advice.kind()) {
                case FINE_TUNE -> Status.GOOD;
                case PROMPT -> Status.PLAIN;
                case COLLECT_MORE, MORE_TIME -> Status.OPEN;
            };
            String head = advice.headline();
            List<String> reasons = advice.reasons();
            Page page = Page.titled("Advice: " + head).add(Blocks.banner(tone,
                    head.substring(0, 1).toUpperCase(Locale.ROOT) + head.substring(1), reasons.get(0),
                    reasons.size() == 1 ? Html.all() : Blocks.points(Status.PLAIN, "Also",
                            reasons.subList(1, reasons.size()))),
                    ways());
            if (!advice.ways().get(0).scores().isEmpty()) {
                page.add(differences());
            }
            advice.curve().ifPresent(curve -> page.add(curve(curve)));
            return page.html();
        }

        private Html ways() {
            boolean priced = advice.ways().stream().anyMatch(way -> way.cost().isPresent());
            List<String> header = new ArrayList<>(List.of("way", "score", "95 % interval", "time", "an answer"));
            if (priced) {
                header.add("cost");
            }
            Table table = Table.of(header).texts(0);
            for (AnswerMethod way : advice.ways()) {
                List<Object> row = new ArrayList<>(List.of(Html.all(way.name(), Html.tag("small", way.description())),
                        percent(way.score()), way.interval().words(1, AdvicePage::percent),
                        String.format(Locale.ROOT, "%.1f s", way.seconds()),
                        String.format(Locale.ROOT, "%.2f s", way.secondsAnAnswer())));
                if (priced) {
                    row.add(way.cost().isEmpty() ? "-" : String.format(Locale.ROOT, "%.4g", way.cost().getAsDouble()));
                }
                table.row(row.toArray());
            }
            return Blocks.card(
                    "What was tried, on " + (advice.items() == advice.heldOut() ? "" : advice.items() + " of ")
                            + Count.of(advice.heldOut(), "held-out item"),
                    Blocks.note("Metric: " + advice.metric() + ". The time is that of preparing a way and of answering "
                            + "all items."),
                    table.html());
        }

        private Html differences() {
            AnswerMethod base = advice.ways().get(0);
            IntervalPlot plot = IntervalPlot.titled("Differences from the base with intervals");
            advice.ways().stream().skip(1).forEach(way -> {
                Interval interval = Scoring.difference(base.scores(), way.scores());
                if (!interval.saysNothing(2)) {
                    plot.row(way.name(), 100 * interval.low(), 100 * (way.score() - base.score()),
                            100 * interval.high());
                }
            });
            return Blocks.card("Against the base as it is",
                    Blocks.note("Points of 100, with 95 % intervals of the paired "
                            + "difference."),
                    plot.html());
        }

        private Html curve(TrainingStudy.Curve curve) {
            Interval gain = advice.gainInterval().orElseThrow();
            int last = curve.examples() + TrainingStudy.MORE;
            int first = Math.max(1, curve.examples() / 4);
            CurvePlot plot = CurvePlot.of("Learning curve", "training examples", IntStream.rangeClosed(0, CURVE_STEPS)
                    .mapToDouble(i -> first + (double) (last - first) * i / CURVE_STEPS).mapToObj(examples -> {
                        var here = curve.fit().at(examples, LEVEL);
                        return new CurvePlot.Point(examples, here.score(), here.interval().low(),
                                here.interval().high());
                    }).toList()).values(0, 1, AdvicePage::percent);
            return Blocks.card("What more examples are likely to bring", Blocks.note(String.format(Locale.ROOT,
                    "The error falls as a power of the number of examples. %d more: %+.0f points %s.",
                    TrainingStudy.MORE, 100 * curve.gain(), gain.words(1, end -> String.format(Locale.ROOT, "%+.0f",
                            100 * end)))),
                    plot.foreseen(last, curve.more().score(), TrainingStudy.MORE + " more examples").html());
        }

        private static String percent(double share) {
            return String.format(Locale.ROOT, "%.0f %%", 100 * share);
        }
    }

    /**
     * One way to get answers, and what it reached on the held-out items.
     *
     * @param name its name, for instance {@code few-shot}
     * @param description how it is asked, or what it was trained on
     * @param kind prompt or training
     * @param scores the score of each item, from 0 to 1; empty of a model with a head, whose rows are scored together
     * @param score their mean
     * @param interval 95 % interval of the mean
     * @param seconds time to prepare it (to train, to choose a prompt) and to answer the items
     * @param share of a training, the share of a whole one that there was time for; 1 where nothing was left out
     * @param secondsAnAnswer time of one answer
     * @param cost of {@code seconds} at the price of the machine, where that is known
     */
    public record AnswerMethod(String name, String description, Kind kind, List<Double> scores, double score,
            Interval interval,
            double seconds, double share, double secondsAnAnswer, OptionalDouble cost) {
        /** Whether something is trained. */
        public enum Kind {
            /** What needs no training: the base model, as it is or with a prompt, or the most similar training row. */
            PROMPT,
            /** A model that was trained. */
            TRAINING
        }

        /** Copies the list. */
        public AnswerMethod {
            Objects.requireNonNull(name, "name");
            Objects.requireNonNull(description, "description");
            Objects.requireNonNull(kind, "kind");
            scores = List.copyOf(scores);
        }

        /** Whether it answers as the most similar training row does. */
        boolean isLookup() {
            return name.equals(Verdict.LOOKUP);
        }

        /** The same of a training that was cut down to a share. */
        AnswerMethod ofShare(double part) {
            return new AnswerMethod(name, description, kind, scores, score, interval, seconds, part, secondsAnAnswer,
                    cost);
        }

        /** Whether a training was cut down for time: such a one may win, and never lose. */
        public boolean isCutDown() {
            return share < 1;
        }
    }
}
