package io.peft4j.eval.report;

import static io.peft4j.report.support.Html.tag;

import io.peft4j.core.error.Count;
import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.NumberFormats;
import io.peft4j.eval.comparison.ReportDocument;
import io.peft4j.eval.judge.JudgeReport;
import io.peft4j.eval.report.TrainingStudy.Curve;
import io.peft4j.eval.statistics.Interval;
import io.peft4j.eval.task.AnswerScoring;
import io.peft4j.eval.task.ArmDetails;
import io.peft4j.eval.task.Classification;
import io.peft4j.eval.task.Consistency;
import io.peft4j.eval.task.EvaluationItem;
import io.peft4j.eval.task.NextEdition;
import io.peft4j.report.support.BarPlot;
import io.peft4j.report.support.Blocks;
import io.peft4j.report.support.CurvePlot;
import io.peft4j.report.support.Html;
import io.peft4j.report.support.Status;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** What a comparison of answers says, section by section. */
final class ComparisonDocument {
    private static final int MOST_ANSWERS = 300;
    private static final int MOST_IN_TEXT = 20;
    private static final int MOST_EXAMPLES = 3;
    private static final int CURVE_STEPS = 60;
    private static final int LARGEST_CONFUSION = 12;

    private final ComparisonReport report;
    private final boolean[] baseRight;
    private final boolean[] tunedRight;
    private final ReportDocument out;

    private ComparisonDocument(ComparisonReport report) {
        this.report = report;
        AnswerScoring scoring = new AnswerScoring(report.items());
        this.baseRight = scoring.right(report.base().answers());
        this.tunedRight = scoring.right(report.tuned().answers());
        Losses losses = Losses.of(report);
        Status tone = losses.clear() ? Status.BAD : Status.OPEN;
        // Folded, so that it leaves the first screen to the answers, and names what is first in it.
        Html worse = losses.isEmpty() ? Html.all() : tag("details", tag("summary", Blocks.toned(tone, Losses.HEADING),
                " (" + losses.sentences().size() + "): " + losses.sentences().get(0)),
                Blocks.points(tone, Losses.HEADING, losses.sentences()));
        this.out = new ReportDocument(report.verdict(), bars(report.metric(), report.decidingShares()), worse);
        if (!losses.isEmpty()) {
            out.words("\n**" + Losses.HEADING + "**\n\n" + points(losses.sentences()));
        }
    }

    static ReportDocument of(ComparisonReport report) {
        return new ComparisonDocument(report).document();
    }

    private ReportDocument document() {
        out.block(ReportDocument.sideBySide(heading("Right answers", true), clearest(true), heading("Failures", false),
                clearest(false)));
        out.section("Base against tuned, " + Count.of(report.items().size(), "item"), "Difference in points of 100 "
                + "with its 95 % interval. \"" + NumberFormats.name(report.metric()) + "\" decides.")
                .metrics("metric", "tuned", report.metrics());
        report.otherArms().forEach((name, results) -> out.section("Base against " + name, "")
                .metrics("metric", name, results));
        arms();
        out.untrained(report.verdict());
        report.guard().ifPresent(guard -> {
            List<MetricResult> parts = new ArrayList<>(List.of(guard.overall()));
            guard.practised().ifPresent(parts::add);
            parts.addAll(guard.parts());
            out.section("Guard set of general ability, " + guard.extent(), "What the training has "
                    + "cost. Each item is answered freely and chosen by likelihood. Kinds of questions that general "
                    + "rows practise do not count.").metrics("part", "tuned", parts);
        });
        report.study().ifPresent(this::study);
        report.edition().ifPresent(this::edition);
        behaviour();
        report.arms().forEach(arm -> arm.details().classes()
                .filter(classes -> classes.labels().size() <= LARGEST_CONFUSION)
                .ifPresent(classes -> confusion(arm.name(), classes)));
        report.opinions().forEach(this::opinion);
        failures();
        answers();
        return measured();
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

    private String heading(String what, boolean wanted) {
        long count = IntStream.range(0, tunedRight.length).filter(i -> tunedRight[i] == wanted).count();
        return what + ": " + count + " of " + tunedRight.length;
    }

    /** The clearest first: those where the base was the other way round, then those quickest to read. */
    private List<Html> clearest(boolean wanted) {
        return IntStream.range(0, tunedRight.length).filter(i -> tunedRight[i] == wanted).boxed()
                .sorted(Comparator.<Integer>comparingInt(i -> baseRight[i] == wanted ? 1 : 0)
                        .thenComparingInt(i -> report.items().get(i).question().length()
                                + report.tuned().answers().get(i).length()))
                .limit(MOST_EXAMPLES).map(this::answer).toList();
    }

    private void arms() {
        List<String> header = new ArrayList<>(List.of("arm"));
        report.base().scores().keySet().forEach(key -> header.add(NumberFormats.name(key)));
        header.addAll(List.of("time", "what it is"));
        out.section("Who answered", "").table(header, report.arms().stream().map(arm -> {
            List<String> row = new ArrayList<>(List.of(arm.name()));
            arm.scores().forEach((key, value) -> row.add(report.metric(key)
                    .map(metric -> NumberFormats.score(metric, value)).orElse("")));
            row.add(arm.seconds() == 0 ? "-" : String.format(Locale.ROOT, "%.1f s", arm.seconds()));
            row.add(arm.description());
            return row;
        }).toList());
    }

    private void study(TrainingStudy study) {
        List<List<String>> rows = new ArrayList<>();
        study.points().forEach(point -> rows.add(List.of(point.name(), Integer.toString(point.examples()),
                percent(point.score()))));
        study.seeds().forEach(point -> rows.add(List.of(point.name() + " (seed)",
                point.examples() == 0 ? "-" : Integer.toString(point.examples()), percent(point.score()))));
        out.section("Trainings of other sizes and seeds", String.join(" ", sentences(study)));
        study.curve().ifPresent(curve -> out.picture(plot(study, curve)));
        out.table(List.of("training", "examples", NumberFormats.name(study.metric())), rows);
    }

    /** What each arm knows of two editions. */
    private void edition(NextEdition tuned) {
        out.section("The next edition", String.join(" ", tuned.advice())).table(List.of("arm",
                "changed: new answer", "changed: still the former", "unchanged: right", "not in the former: right"),
                report.arms().stream().map(arm -> {
                    NextEdition edition = NextEdition.of(report.items(), arm.answers()).orElseThrow();
                    return List.of(arm.name(), of(edition.learned(), edition.changed()), of(edition.stillFormer(),
                            edition.changed()), of(edition.kept(), edition.unchanged()),
                            of(edition.addedRight(), edition.added()));
                }).toList());
    }

    private static String of(List<Integer> some, List<Integer> all) {
        return all.isEmpty() ? "-" : some.size() + " of " + all.size();
    }

    private void behaviour() {
        List<Map<String, String>> cells = report.arms().stream().map(arm -> cells(arm.details())).toList();
        List<String> columns = cells.stream().flatMap(row -> row.keySet().stream()).distinct().toList();
        List<String> header = new ArrayList<>(List.of("arm"));
        header.addAll(columns);
        out.section("Behaviour of each arm", "Consistent: other wordings of a question, or several draws, "
                + "get the same answer. Cut: at the limit of new tokens. Loss and perplexity are of the references. "
                + "ECE: how far the confidence in choices is from their accuracy.")
                .table(header, IntStream.range(0, cells.size()).mapToObj(i -> {
                    List<String> row = new ArrayList<>(List.of(report.arms().get(i).name()));
                    columns.forEach(column -> row.add(cells.get(i).getOrDefault(column, "-")));
                    return row;
                }).toList());
    }

    private static Map<String, String> cells(ArmDetails details) {
        Map<String, String> cells = new LinkedHashMap<>();
        cells.put("refuses", percent(details.refusalRate()));
        details.model().cut().ifPresent(cut -> cells.put("answers cut", Integer.toString(cut)));
        details.wordings().ifPresent(wordings -> cells.put("wordings consistent", consistent(wordings)));
        details.model().draws().ifPresent(draws -> cells.put("draws consistent", consistent(draws)));
        details.model().likelihood().ifPresent(p -> {
            cells.put("loss per token", number(p.loss()));
            cells.put("perplexity per token", number(p.perToken()));
            cells.put("per byte", number(p.perByte()));
            cells.put("loss per example", number(p.perExample()));
        });
        details.model().choices().ifPresent(choices -> {
            cells.put("acc", percent(choices.accuracy()));
            cells.put("acc per character", percent(choices.normalizedAccuracy()));
            cells.put("ECE", number(choices.calibrationError()));
        });
        details.classes().ifPresent(classes -> {
            cells.put("class accuracy", percent(classes.accuracy()));
            cells.put("macro F1", number(classes.macroF1()));
            cells.put("MCC", number(classes.matthewsCorrelation()));
        });
        details.model().labelAuc().ifPresent(auc -> cells.put("ROC AUC", number(auc)));
        return cells;
    }

    private static String consistent(Consistency consistency) {
        return consistency.consistent() + " of " + consistency.groups();
    }

    private void confusion(String arm, Classification classes) {
        out.section("Classes that " + arm + " names", "Rows are expected classes, columns predicted ones.")
                .table(header(classes), rows(classes, classes.labels().size() - 1));
    }

    static List<String> header(Classification classes) {
        return Stream.concat(Stream.of("expected"), classes.labels().stream()).toList();
    }

    /** The first rows of a confusion matrix. */
    static List<List<String>> rows(Classification classes, int count) {
        return IntStream.range(0, count).mapToObj(i -> Stream.concat(Stream.of(classes.labels().get(i)),
                classes.confusion().get(i).stream().map(String::valueOf)).toList()).toList();
    }

    private void opinion(JudgeReport opinion) {
        out.section("Ratings by " + opinion.name(), opinion.troubles().isEmpty()
                ? "All replies had the requested format."
                : "Items without a rating are left out of its metrics. Errors: "
                        + String.join("; ", opinion.troubles()))
                .table(List.of("metric", "given", "failed", "unparsable", "decided by position"),
                        opinion.counts().stream().map(count -> List.of(NumberFormats.name(count.metric()),
                                Integer.toString(count.given()), Integer.toString(count.failed()),
                                Integer.toString(count.unparsable()), Integer.toString(count.inconsistent())))
                                .toList());
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

    /** What a study says, in plain words. */
    static List<String> sentences(TrainingStudy study) {
        List<String> sentences = new ArrayList<>();
        study.curve().filter(curve -> !curve.gainInterval().saysNothing(1)).ifPresent(curve -> sentences.add(
                String.format(Locale.ROOT, "%d more examples than %d are likely "
                        + "to bring %+.1f points of \"%s\", 95 %% of such trainings between %+.1f and %+.1f (from %d "
                        + "trainings).", TrainingStudy.MORE, curve.examples(), 100 * curve.gain(),
                        NumberFormats.name(study.metric()),
                        100 * curve.gainInterval().low(), 100 * curve.gainInterval().high(), study.points().size())));
        study.spread().ifPresent(spread -> sentences.add(String.format(Locale.ROOT, "Over %d seeds: mean %.1f %%, "
                + "standard deviation %.1f points, from %.1f to %.1f %%%s.", spread.count(), 100 * spread.mean(),
                100 * spread.standardDeviation(), 100 * spread.min(), 100 * spread.max(),
                spread.interval(0.95).saysNothing(1) ? "" : "; 95 % interval of the mean " + spread.interval(0.95)
                        .words(1, value -> String.format(Locale.ROOT, "%.1f", 100 * value)))));
        return sentences;
    }

    private void failures() {
        FailureReport failures = report.failures();
        out.section("Where the tuned model fails", "").paragraph(failures.wrong().size() + " of "
                + report.items().size() + " items are wrong; right before: " + failures.regressions().size() + ".");
        report.leakage().ifPresent(leakage -> out.paragraph(leakage.toString()));
        if (failures.groups().isEmpty()) {
            failures.collectNext(report.items()).forEach(out::paragraph);
        } else {
            out.table(List.of("in common", "such as", "wrong", "of", "words", "similar to training", "collect about"),
                    failures.groups().stream().map(group -> List.of(group.common(), group.items().stream().limit(
                            MOST_EXAMPLES).map(i -> report.items().get(i).question()).collect(Collectors.joining(
                                    " / ")),
                            Integer.toString(group.items().size()), Integer.toString(group.itemsLikeThese()),
                            String.format(Locale.ROOT, "%.0f", group.meanWords()),
                            Double.isNaN(group.trainingSimilarity()) ? "-"
                                    : String.format(Locale.ROOT, "%.2f", group.trainingSimilarity()),
                            Count.of(group.examplesToCollect(), "example"))).toList());
        }
        failures.wrong().stream().limit(MOST_IN_TEXT).forEach(i -> {
            EvaluationItem item = report.items().get(i);
            out.words("\n**" + ReportDocument.escape(item.question()) + "**" + (failures.regressions().contains(i)
                    ? " (right before)" : "") + "\n\n- expected: " + ReportDocument.escape(item.expected()) + " ("
                    + item.judgedBy() + ")\n" + points(Stream.concat(Stream.of("base: " + item.shown(report.base()
                            .answers().get(i)), "tuned: " + item.shown(report.tuned().answers().get(i))),
                            failures.check(i).stream()).toList()));
        });
    }

    private static String points(List<String> sentences) {
        return sentences.stream().map(text -> "- " + ReportDocument.escape(text) + "\n").collect(Collectors.joining());
    }

    private void answers() {
        List<Integer> order = report.itemsByInterest();
        String first = order.size() > MOST_ANSWERS ? " The first " + MOST_ANSWERS + " of " + order.size() + "." : "";
        out.block(Blocks.card("Answers side by side", Blocks.note("What was right before and is wrong now comes first, "
                + "then what is wrong, then what is right. Words that only one answer has are marked." + first),
                order.stream().limit(MOST_ANSWERS).map(this::answer).toList()));
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
        report.failures().check(i).ifPresent(check -> said.put("Doubt", Html.all(check)));
        return ReportDocument.example(question, said);
    }

    private static Html said(boolean right, String text, String other) {
        Html words = Blocks.toned(right ? Status.GOOD : Status.BAD);
        WordDiff.compared(text, other).forEach(word -> words.add(word.common() ? word.text() : tag("mark", word.text()),
                " "));
        return words;
    }

    private ReportDocument measured() {
        Map<String, String> facts = new LinkedHashMap<>(report.facts());
        report.signatures().forEach((key, value) -> facts.put(NumberFormats.name(key), value));
        facts.put("smallest gain that these items show with 80 % power", NumberFormats.points(report.decidingResult(),
                report.decidingResult().detectable()) + " points of " + NumberFormats.name(report.metric()));
        return out.section("How it was measured", "").facts(facts);
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }

    private static String number(double value) {
        return NumberFormats.number("%.3f", value);
    }

    /**
     * What got worse beside the metric that decides: other metrics, the guard set and its parts, items that were right
     * before. It is right below the verdict, so that it is read before shipping.
     *
     * @param sentences one for each loss
     * @param clear whether the whole interval of one lies below zero
     */
    private record Losses(List<String> sentences, boolean clear) {
        static final String HEADING = "What got worse";

        static Losses of(ComparisonReport report) {
            List<String> sentences = new ArrayList<>();
            List<MetricResult> worse = new ArrayList<>();
            report.metrics().stream().filter(metric -> metric != report.decidingResult()).filter(Losses::isLower)
                    .forEach(metric -> add(NumberFormats.name(metric.name()), metric, sentences, worse));
            report.guard().ifPresent(guard -> {
                Stream.of(guard.overall()).filter(Losses::isLower)
                        .forEach(metric -> add("The guard set of general ability", metric, sentences, worse));
                guard.parts().stream().filter(part -> part.interval().high() < 0)
                        .forEach(part -> add("The guard set's part \"" + NumberFormats.name(part.name()) + "\"", part,
                                sentences,
                                worse));
            });
            int lost = report.failures().regressions().size();
            if (lost > 0) {
                sentences.add(lost + " of " + report.items().size() + (lost == 1 ? " items was right before and is"
                        : " items were right before and are") + " wrong now.");
            }
            return new Losses(List.copyOf(sentences),
                    worse.stream().anyMatch(metric -> metric.gainInterval().high() < 0));
        }

        private static boolean isLower(MetricResult metric) {
            return metric.gain() < 0;
        }

        private static void add(String name, MetricResult metric, List<String> sentences, List<MetricResult> worse) {
            worse.add(metric);
            sentences.add(name + ": " + NumberFormats.score(metric, metric.tuned()) + " against "
                    + NumberFormats.score(metric, metric.base()) + ", "
                    + NumberFormats.points(metric, metric.difference())
                    + " points " + NumberFormats.interval(metric) + ", p (Holm) " + NumberFormats.p(metric.pAdjusted())
                    + ".");
        }

        boolean isEmpty() {
            return sentences.isEmpty();
        }
    }
}
