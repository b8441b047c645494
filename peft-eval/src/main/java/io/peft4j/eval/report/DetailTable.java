package io.peft4j.eval.report;

import io.peft4j.eval.comparison.MetricResult;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.judge.JudgeReport;
import io.peft4j.eval.study.TrainingStudy;
import io.peft4j.eval.task.ArmDetails;
import io.peft4j.eval.task.Classification;
import io.peft4j.eval.task.Consistency;
import io.peft4j.eval.task.NextEdition;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A table of further measurements, the same for every form of the report.
 *
 * @param title what it shows
 * @param note how to read it
 * @param header the columns
 * @param rows as many cells each
 */
record DetailTable(String title, String note, List<String> header, List<List<String>> rows) {
    private static final int LARGEST_CONFUSION = 12;

    /** All tables that a report has something for. */
    static List<DetailTable> of(ComparisonReport report) {
        List<DetailTable> tables = new ArrayList<>();
        report.edition().ifPresent(edition -> tables.add(edition(report, edition)));
        tables.add(arms(report));
        report.arms().forEach(arm -> arm.details().classes().ifPresent(classes -> {
            if (classes.labels().size() <= LARGEST_CONFUSION) {
                tables.add(confusion(arm.name(), classes));
            }
        }));
        report.opinions().forEach(opinion -> tables.add(opinion(opinion)));
        return tables;
    }

    /** What the tuned model is compared with that needs no training. */
    static Optional<DetailTable> untrained(Verdict verdict) {
        List<List<String>> rows = verdict.untrained().stream().map(way -> {
            MetricResult metric = way.tuned();
            return List.of(way.name(), way.description(), NumberFormats.score(metric, metric.base()),
                    NumberFormats.score(metric, metric.tuned()), NumberFormats.points(metric, metric.difference()),
                    NumberFormats.interval(metric));
        }).toList();
        return rows.isEmpty() ? Optional.empty() : Optional.of(new DetailTable("What needs no training",
                "The tuned model must beat each of these in \"" + NumberFormats.name(verdict.untrained().get(0).tuned())
                        + "\" to be worth its training.",
                List.of("arm", "what it is", "score", "tuned", "difference", "95 % interval"), rows));
    }

    /** What each arm knows of two editions. */
    private static DetailTable edition(ComparisonReport report, NextEdition tuned) {
        List<List<String>> rows = report.arms().stream().map(arm -> {
            NextEdition edition = NextEdition.of(report.items(), arm.answers()).orElseThrow();
            return List.of(arm.name(), of(edition.learned(), edition.changed()), of(edition.stillFormer(), edition
                    .changed()), of(edition.kept(), edition.unchanged()), of(edition.addedRight(), edition.added()));
        }).toList();
        return new DetailTable("The next edition", String.join(" ", tuned.advice()), List.of("arm",
                "changed: new answer", "changed: still the former", "unchanged: right", "not in the former: right"),
                rows);
    }

    private static String of(List<Integer> some, List<Integer> all) {
        return all.isEmpty() ? "-" : some.size() + " of " + all.size();
    }

    private static DetailTable arms(ComparisonReport report) {
        List<Map<String, String>> cells = report.arms().stream().map(arm -> cells(arm.details())).toList();
        List<String> columns = cells.stream().flatMap(row -> row.keySet().stream()).distinct().toList();
        List<String> header = new ArrayList<>(List.of("arm"));
        header.addAll(columns);
        List<List<String>> rows = IntStream.range(0, cells.size()).mapToObj(i -> {
            List<String> row = new ArrayList<>(List.of(report.arms().get(i).name()));
            columns.forEach(column -> row.add(cells.get(i).getOrDefault(column, "-")));
            return row;
        }).toList();
        return new DetailTable("Behaviour of each arm", "Consistent: other wordings of a question, or several draws, "
                + "get the same answer. Cut: at the limit of new tokens. Loss and perplexity are of the references. "
                + "ECE: how far the confidence in choices is from their accuracy.", header, rows);
    }

    private static Map<String, String> cells(ArmDetails details) {
        Map<String, String> cells = new LinkedHashMap<>();
        cells.put("refuses", percent(details.refusalRate()));
        details.cut().ifPresent(cut -> cells.put("answers cut", Integer.toString(cut)));
        details.wordings().ifPresent(wordings -> cells.put("wordings consistent", consistent(wordings)));
        details.draws().ifPresent(draws -> cells.put("draws consistent", consistent(draws)));
        details.likelihood().ifPresent(p -> {
            cells.put("loss per token", number(p.loss()));
            cells.put("perplexity per token", number(p.perToken()));
            cells.put("per byte", number(p.perByte()));
            cells.put("loss per example", number(p.perExample()));
        });
        details.choices().ifPresent(choices -> {
            cells.put("acc", percent(choices.accuracy()));
            cells.put("acc per character", percent(choices.normalizedAccuracy()));
            cells.put("ECE", number(choices.calibrationError()));
        });
        details.classes().ifPresent(classes -> {
            cells.put("class accuracy", percent(classes.accuracy()));
            cells.put("macro F1", number(classes.macroF1()));
            cells.put("MCC", number(classes.matthewsCorrelation()));
        });
        details.labelAuc().ifPresent(auc -> cells.put("ROC AUC", number(auc)));
        return cells;
    }

    private static String consistent(Consistency consistency) {
        return consistency.consistent() + " of " + consistency.groups();
    }

    private static DetailTable confusion(String arm, Classification classes) {
        List<String> header = new ArrayList<>(List.of("expected"));
        header.addAll(classes.labels());
        int last = classes.labels().size() - 1;
        List<List<String>> rows = new ArrayList<>();
        for (int i = 0; i < last; i++) {
            List<String> row = new ArrayList<>(List.of(classes.labels().get(i)));
            for (int j = 0; j <= last; j++) {
                row.add(Integer.toString(classes.count(i, j)));
            }
            rows.add(row);
        }
        return new DetailTable("Classes that " + arm + " names", "Rows are expected classes, columns predicted ones.",
                header, rows);
    }

    private static DetailTable opinion(JudgeReport opinion) {
        List<List<String>> rows = opinion.counts().stream().map(count -> List.of(NumberFormats.name(count.metric()),
                Integer.toString(count.given()), Integer.toString(count.failed()),
                Integer.toString(count.unparsable()), Integer.toString(count.inconsistent()))).toList();
        return new DetailTable("Ratings by " + opinion.name(), opinion.troubles().isEmpty()
                ? "All replies had the requested format."
                : "Items without a rating are left out of its metrics. Errors: "
                        + String.join("; ", opinion.troubles()),
                List.of("metric", "given", "failed", "unparsable", "decided by position"), rows);
    }

    /** The trainings of a study. */
    static DetailTable trainings(TrainingStudy study) {
        List<List<String>> rows = new ArrayList<>();
        study.points().forEach(point -> rows.add(List.of(point.name(), Integer.toString(point.examples()),
                percent(point.score()))));
        study.seeds().forEach(point -> rows.add(List.of(point.name() + " (seed)",
                point.examples() == 0 ? "-" : Integer.toString(point.examples()), percent(point.score()))));
        return new DetailTable("Trainings of other sizes and seeds", String.join(" ", sentences(study)),
                List.of("training", "examples", NumberFormats.name(study.metric())), rows);
    }

    /** What a study says, in plain words. */
    static List<String> sentences(TrainingStudy study) {
        List<String> sentences = new ArrayList<>();
        study.curve().ifPresent(curve -> sentences.add(String.format(Locale.ROOT, "%d more examples than %d are likely "
                + "to bring %+.1f points of \"%s\", 95 %% of such trainings between %+.1f and %+.1f (from %d "
                + "trainings).", TrainingStudy.MORE, curve.examples(), 100 * curve.gain(),
                NumberFormats.name(study.metric()),
                100 * curve.gainInterval().low(), 100 * curve.gainInterval().high(), study.points().size())));
        study.spread().ifPresent(spread -> sentences.add(String.format(Locale.ROOT, "Over %d seeds: mean %.1f %%, "
                + "standard deviation %.1f points, from %.1f to %.1f %%; 95 %% interval of the mean [%.1f, %.1f].",
                spread.count(), 100 * spread.mean(), 100 * spread.standardDeviation(), 100 * spread.min(),
                100 * spread.max(), 100 * spread.interval(0.95).low(), 100 * spread.interval(0.95).high())));
        return sentences;
    }

    private static String percent(double share) {
        return String.format(Locale.ROOT, "%.1f %%", 100 * share);
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.3f", value);
    }
}
