package io.peft4j.eval.report;

import static io.peft4j.report.support.Html.tag;

import io.peft4j.core.error.support.Count;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.internal.VerdictTone;
import io.peft4j.eval.failure.FailureReport.FailureGroup;
import io.peft4j.eval.guard.GuardReport;
import io.peft4j.eval.statistics.Interval;
import io.peft4j.eval.study.TrainingStudy;
import io.peft4j.eval.study.TrainingStudy.Curve;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.support.AnswerScoring;
import io.peft4j.report.support.BarPlot;
import io.peft4j.report.support.Blocks;
import io.peft4j.report.support.CurvePlot;
import io.peft4j.report.support.Html;
import io.peft4j.report.support.IntervalPlot;
import io.peft4j.report.support.Page;
import io.peft4j.report.support.Table;
import io.peft4j.report.support.Tone;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/** A report as one HTML page. */
final class HtmlReport {
    private static final int MOST_ANSWERS = 300;
    private static final int MOST_EXAMPLES = 3;
    private static final int CURVE_STEPS = 60;

    private final ComparisonReport report;
    private final boolean[] baseRight;
    private final boolean[] tunedRight;

    HtmlReport(ComparisonReport report) {
        this.report = report;
        AnswerScoring scoring = new AnswerScoring(report.items());
        this.baseRight = scoring.right(report.base().answers());
        this.tunedRight = scoring.right(report.tuned().answers());
    }

    String page() {
        Page page = Page.titled(report.verdict().words() + ": base against tuned")
                .add(verdict(), examples(), metrics(), arms());
        DetailTable.untrained(report.verdict()).ifPresent(table -> page.add(card(table, Html.all())));
        report.guard().ifPresent(guard -> page.add(guard(guard)));
        report.study().ifPresent(study -> page.add(card(DetailTable.trainings(study),
                study.curve().map(curve -> plot(study, curve)).orElse(Html.all()))));
        DetailTable.of(report).forEach(table -> page.add(card(table, Html.all())));
        return page.add(failures(), answers(), measured()).html();
    }

    private Html verdict() {
        Losses losses = Losses.of(report);
        // Folded, so that it leaves the first screen to the answers, and names what is first in it.
        Html worse = losses.isEmpty() ? Html.all() : tag("details", tag("summary", Blocks.toned(losses.clear()
                ? Tone.BAD : Tone.OPEN, Losses.HEADING), " (" + losses.sentences().size() + "): "
                        + losses.sentences().get(0)),
                Blocks.points(losses.clear() ? Tone.BAD : Tone.OPEN, Losses.HEADING, losses.sentences()));
        return Blocks.banner(VerdictTone.of(report.verdict()), report.verdict().words(),
                report.verdict().sentence(), bars(report.metric(), report.decidingShares()), worse);
    }

    /** The arms' shares of a metric, the last one's marked. */
    static Html bars(String metric, Map<String, TaskArm.Score> shares) {
        if (shares.isEmpty()) {
            return Html.all();
        }
        String title = NumberFormats.name(metric) + ", each with its 95 % interval";
        BarPlot bars = BarPlot.titled(title);
        int left = shares.size();
        for (Map.Entry<String, TaskArm.Score> arm : shares.entrySet()) {
            TaskArm.Score share = arm.getValue();
            bars.share(arm.getKey(), share.interval().map(Interval::low).orElse(share.value()), share.value(),
                    share.interval().map(Interval::high).orElse(share.value()), --left == 0);
        }
        return Html.all(Blocks.note(title), bars.html());
    }

    /** What was answered, before anything is said of how it was tested. */
    private Html examples() {
        return tag("section", Blocks.sides(examples("Right answers", tunedRight, true, baseRight),
                examples("Failures", tunedRight, false, baseRight))).css("card");
    }

    /** The clearest first: those where the other model was the other way round, then those quickest to read. */
    private Html examples(String heading, boolean[] right, boolean wanted, boolean[] other) {
        List<Integer> all = IntStream.range(0, right.length).filter(i -> right[i] == wanted).boxed()
                .sorted(Comparator.<Integer>comparingInt(i -> other[i] == wanted ? 1 : 0)
                        .thenComparingInt(i -> report.items().get(i).question().length()
                                + report.tuned().answers().get(i).length()))
                .toList();
        return column(heading + ": " + all.size() + " of " + right.length, all.stream().limit(MOST_EXAMPLES)
                .map(this::answer).toList());
    }

    /** Answers below each other, one of the columns that stand side by side. */
    static Html column(String heading, List<Html> answers) {
        return tag("div", tag("h2", heading)).add(answers).css("brief");
    }

    /** A question and what was said, in the order of the map. */
    static Html example(Object question, Map<String, ?> said) {
        return Html.all(tag("article", tag("h3", question), Blocks.facts(said)).css("example"), "\n");
    }

    private Html metrics() {
        Html card = Blocks.card("Base against tuned, " + Count.of(report.items().size(), "item"),
                Blocks.note(
                        "Difference in points of 100 with its 95 % interval. \"" + NumberFormats.name(report.metric())
                                + "\" decides."),
                plot("Differences with intervals", report.metrics()),
                table(report.metrics(), "metric", "tuned"));
        report.otherArms().forEach((name, results) -> card.add(tag("h3", "Base against " + name),
                table(results, "metric", name)));
        return card;
    }

    static Html plot(String title, List<MetricResult> results) {
        IntervalPlot plot = IntervalPlot.titled(title);
        results.stream().filter(metric -> !metric.isInNats()).forEach(metric -> {
            double points = 100 / metric.scale();
            // To the right is better, also of metrics that are to be low.
            plot.row(NumberFormats.name(metric), points * metric.gainInterval().low(), points * metric.gain(),
                    points * metric.gainInterval().high());
        });
        return plot.html();
    }

    static Html table(List<MetricResult> results, String what, String arm) {
        Table table = Table.of(what, "base", arm, "difference", "95 % interval", "p", "p (Holm)", "effect", "test",
                "n");
        results.forEach(metric -> table.row(NumberFormats.name(metric),
                NumberFormats.score(metric, metric.base()),
                NumberFormats.score(metric, metric.tuned()), NumberFormats.points(metric, metric.difference()),
                NumberFormats.interval(metric), NumberFormats.p(metric.pValue()), NumberFormats.p(metric.pAdjusted()),
                String.format(Locale.ROOT, "%.2f", metric.effectSize()), NumberFormats.name(metric.test()),
                metric.items()));
        return table.html();
    }

    private Html arms() {
        List<String> header = new ArrayList<>(List.of("arm"));
        report.base().scores().keySet().forEach(key -> header.add(NumberFormats.name(key)));
        header.add("time");
        Table table = Table.of(header);
        for (ArmResult arm : report.arms()) {
            List<Object> row = new ArrayList<>(List.of(Html.all(arm.name(), tag("small", arm.description()))));
            arm.scores().forEach((key, value) -> row.add(report.metric(key)
                    .map(metric -> NumberFormats.score(metric, value)).orElse("")));
            row.add(arm.seconds() == 0 ? "-" : String.format(Locale.ROOT, "%.1f s", arm.seconds()));
            table.row(row.toArray());
        }
        return Blocks.card("Who answered", table.html());
    }

    private static Html guard(GuardReport guard) {
        List<MetricResult> parts = new ArrayList<>(List.of(guard.overall()));
        parts.addAll(guard.parts());
        return Blocks.card("Guard set of general ability, " + Count.of(guard.items(), "item"),
                Blocks.note("What the training has cost. Each item is answered freely and chosen by likelihood."),
                plot("Guard set, differences with intervals", parts), table(parts, "part", "tuned"));
    }

    private static Html plot(TrainingStudy study, Curve curve) {
        int first = study.points().get(0).examples();
        int last = curve.examples() + TrainingStudy.MORE;
        CurvePlot plot = CurvePlot.of("Learning curve", "training examples", IntStream.rangeClosed(0, CURVE_STEPS)
                .mapToDouble(i -> first + (double) (last - first) * i / CURVE_STEPS).mapToObj(examples -> {
                    var here = curve.fit().at(examples, 0.95);
                    return new CurvePlot.Point(examples, here.score(), here.interval().low(), here.interval().high());
                }).toList()).values(0, 1, value -> String.format(Locale.ROOT, "%.0f %%", 100 * value));
        study.points().forEach(point -> plot.measured(point.examples(), point.score(), point.name()));
        return plot.foreseen(last, curve.more().score(), TrainingStudy.MORE + " more examples").html();
    }

    private static Html card(DetailTable details, Html plot) {
        Table table = Table.of(details.header());
        details.rows().forEach(row -> table.row(row.toArray()));
        return Blocks.card(details.title(), Blocks.note(details.note()), plot, table.html());
    }

    private Html failures() {
        Html card = Blocks.card("Where the tuned model fails", tag("p", report.failures().wrong().size() + " of "
                + report.items().size() + " items are wrong; right before: " + report.failures().regressions().size()
                + "."));
        report.leakage().ifPresent(leakage -> card.add(tag("p", leakage.toString())));
        if (report.failures().groups().isEmpty()) {
            report.failures().collectNext(report.items()).forEach(text -> card.add(tag("p", text)));
            return card;
        }
        Table table = Table.of("in common", "wrong", "of", "words", "similar to training", "collect about");
        for (FailureGroup group : report.failures().groups()) {
            table.row(Html.all(group.common(),
                    tag("small", report.items().get(group.items().get(0)).question())),
                    group.items().size(), group.itemsLikeThese(), String.format(Locale.ROOT, "%.0f",
                            group.meanWords()),
                    Double.isNaN(group.trainingSimilarity()) ? "-"
                            : String.format(Locale.ROOT, "%.2f", group.trainingSimilarity()),
                    Count.of(group.examplesToCollect(), "example"));
        }
        return card.add(table.html());
    }

    private Html answers() {
        List<Integer> order = report.itemsByInterest();
        String first = order.size() > MOST_ANSWERS ? " The first " + MOST_ANSWERS + " of " + order.size() + "." : "";
        return Blocks.card("Answers side by side", Blocks.note("What was right before and is wrong now comes first, "
                + "then what is wrong, then what is right. Words that only one answer has are marked." + first),
                order.stream().limit(MOST_ANSWERS).map(this::answer).toList());
    }

    private Html answer(int i) {
        EvaluationItem item = report.items().get(i);
        String base = item.shown(report.base().answers().get(i));
        String tuned = item.shown(report.tuned().answers().get(i));
        Html question = Html.all(item.question());
        if (report.failures().regressions().contains(i)) {
            question.add(" ", tag("em", "right before"));
        }
        Map<String, Html> said = new LinkedHashMap<>();
        said.put("Expected",
                Html.all(item.expected() + " (" + item.judgedBy() + ")",
                        item.further().former().filter(former -> item.isChanged())
                                .map(former -> "; in the former edition: " + former.expected())));
        said.put("Base: " + (baseRight[i] ? "right" : "wrong"), said(baseRight[i], base, tuned));
        said.put("Tuned: " + (tunedRight[i] ? "right" : "wrong"), said(tunedRight[i], tuned, base));
        return example(question, said);
    }

    private static Html said(boolean right, String text, String other) {
        Html words = Blocks.toned(right ? Tone.GOOD : Tone.BAD);
        WordDiff.compared(text, other).forEach(word -> words.add(word.common() ? word.text() : tag("mark", word.text()),
                " "));
        return words;
    }

    private Html measured() {
        Map<String, String> facts = new LinkedHashMap<>(report.facts());
        report.signatures().forEach((key, value) -> facts.put(NumberFormats.name(key), value));
        facts.put("smallest gain that these items show with 80 % power", NumberFormats.points(report.decidingResult(),
                report.decidingResult().detectable()) + " points of " + NumberFormats.name(report.metric()));
        return Blocks.card("How it was measured", Blocks.facts(facts));
    }
}
