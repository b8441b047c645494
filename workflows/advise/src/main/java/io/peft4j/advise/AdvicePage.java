package io.peft4j.advise;

import io.peft4j.core.error.Count;
import io.peft4j.eval.report.TrainingStudy;
import io.peft4j.eval.statistics.Interval;
import io.peft4j.report.support.Blocks;
import io.peft4j.report.support.CurvePlot;
import io.peft4j.report.support.Html;
import io.peft4j.report.support.IntervalPlot;
import io.peft4j.report.support.Page;
import io.peft4j.report.support.Table;
import io.peft4j.report.support.Tone;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/** An advice as one HTML page. */
final class AdvicePage {
    private static final int CURVE_STEPS = 60;
    private static final double LEVEL = 0.95;

    private final Advice advice;

    AdvicePage(Advice advice) {
        this.advice = advice;
    }

    String html() {
        Tone tone = switch (advice.kind()) {
            case FINE_TUNE -> Tone.GOOD;
            case PROMPT -> Tone.PLAIN;
            case COLLECT_MORE, MORE_TIME -> Tone.OPEN;
        };
        String head = advice.headline();
        List<String> reasons = advice.reasons();
        Page page = Page.titled("Advice: " + head).add(Blocks.banner(tone,
                head.substring(0, 1).toUpperCase(Locale.ROOT) + head.substring(1), reasons.get(0),
                reasons.size() == 1 ? Html.all() : Blocks.points(Tone.PLAIN, "Also",
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
        return Blocks.card("What was tried, on " + (advice.items() == advice.heldOut() ? "" : advice.items() + " of ")
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
            plot.row(way.name(), 100 * interval.low(), 100 * (way.score() - base.score()), 100 * interval.high());
        });
        return Blocks.card("Against the base as it is", Blocks.note("Points of 100, with 95 % intervals of the paired "
                + "difference."), plot.html());
    }

    private Html curve(TrainingStudy.Curve curve) {
        Interval gain = advice.gainInterval().orElseThrow();
        int last = curve.examples() + TrainingStudy.MORE;
        int first = Math.max(1, curve.examples() / 4);
        CurvePlot plot = CurvePlot.of("Learning curve", "training examples", IntStream.rangeClosed(0, CURVE_STEPS)
                .mapToDouble(i -> first + (double) (last - first) * i / CURVE_STEPS).mapToObj(examples -> {
                    var here = curve.fit().at(examples, LEVEL);
                    return new CurvePlot.Point(examples, here.score(), here.interval().low(), here.interval().high());
                }).toList()).values(0, 1, AdvicePage::percent);
        return Blocks.card("What more examples are likely to bring", Blocks.note(String.format(Locale.ROOT,
                "The error falls as a power of the number of examples. %d more: %+.0f points [%+.0f, %+.0f].",
                TrainingStudy.MORE, 100 * curve.gain(), 100 * gain.low(), 100 * gain.high())),
                plot.foreseen(last, curve.more().score(), TrainingStudy.MORE + " more examples").html());
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.0f %%", 100 * share);
    }
}
