package io.peft4j.eval.head;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.task.TextClassifier;
import io.peft4j.core.task.TextEncoder;
import io.peft4j.data.task.LabelledText;
import io.peft4j.data.task.RowKind;
import io.peft4j.eval.report.TaskReport.RowAnswer;
import io.peft4j.eval.statistics.Bootstrap;
import io.peft4j.eval.task.Classification;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToDoubleBiFunction;
import java.util.stream.IntStream;
import org.apache.commons.math3.stat.correlation.PearsonsCorrelation;
import org.apache.commons.math3.stat.correlation.SpearmansCorrelation;

/**
 * Classes of texts: accuracy (of several labels that all are right, scikit-learn's {@code accuracy_score}), F1 of each
 * class, macro and micro F1, Matthews' correlation. Of numbers see {@link NumberFindings}. The constant base says the
 * most frequent label of every row.
 */
@Internal
public final class TextEvaluation implements RowEvaluation<LabelledText> {
    @Override
    public Task.Type task() {
        return Task.Type.SEQ_CLS;
    }

    @Override
    public RowKind<LabelledText> kind() {
        return RowKind.TEXTS;
    }

    @Override
    public Class<LabelledText> row() {
        return LabelledText.class;
    }

    @Override
    public String text(LabelledText row) {
        return row.second().map(second -> row.text() + " | " + second).orElse(row.text());
    }

    @Override
    public Findings evaluate(Compared models, List<LabelledText> rows, List<LabelledText> training) {
        Task task = models.tuned().network().task();
        return task.problem() == Task.Problem.REGRESSION
                ? NumberFindings.of(models, rows, training, this) : classes(task, models, rows, training);
    }

    private Findings classes(Task task, Compared models, List<LabelledText> rows, List<LabelledText> training) {
        List<Set<String>> expected = expected(task, rows);
        List<Set<String>> tuned = said(models.tuned(), rows);
        List<Set<String>> base;
        String baseline;
        if (models.base().isPresent()) {
            base = said(models.base().get(), rows);
            baseline = "is the base model with its own head";
        } else {
            Set<String> most = Rows.mostFrequent(training.isEmpty() ? expected : expected(task, training));
            base = rows.stream().map(row -> most).toList();
            baseline = "gives every row the most frequent label of the " + Rows.source(training) + ", "
                    + (most.isEmpty() ? "none" : String.join(", ", most));
        }
        boolean one = task.problem() == Task.Problem.SINGLE_LABEL;
        PairedMeasures measures = compared(models, expected, base, tuned);
        Optional<Findings.Untrained> lookup = Optional.of(training).filter(known -> !known.isEmpty()).map(known -> {
            List<Set<String>> labels = expected(task, known);
            List<Set<String>> found = IntStream.of(Rows.nearest(this, rows, known)).mapToObj(labels::get).toList();
            return Findings.Untrained.lookup(compared(models, expected, base, found),
                    compared(models, expected, found, tuned));
        });
        Optional<Classification> baseConfusion = Optional.empty();
        Optional<Classification> tunedConfusion = Optional.empty();
        if (one) {
            Classification confusedBase = confusion(task, expected, base);
            Classification confusedTuned = confusion(task, expected, tuned);
            measures.number("mcc", confusedBase.matthewsCorrelation(), confusedTuned.matthewsCorrelation());
            baseConfusion = Optional.of(confusedBase);
            tunedConfusion = Optional.of(confusedTuned);
        }
        Bootstrap bootstrap = models.options().bootstrap();
        return new Findings(one ? "accuracy" : "micro_f1", baseline, measures,
                new Findings.Classes(ClassCounts.ofSets(task.labels(), expected, base).scores(bootstrap),
                        baseConfusion),
                new Findings.Classes(ClassCounts.ofSets(task.labels(), expected, tuned).scores(bootstrap),
                        tunedConfusion),
                Rows.answers(equal(expected, base), equal(expected, tuned), i -> new String[] {text(rows.get(i)),
                    words(expected.get(i)), words(base.get(i)), words(tuned.get(i))}),
                lookup);
    }

    private static PairedMeasures compared(Compared models, List<Set<String>> expected, List<Set<String>> first,
            List<Set<String>> second) {
        Task task = models.tuned().network().task();
        PairedMeasures measures = new PairedMeasures(models.options());
        List<double[]> ofFirst = ClassCounts.ofSets(task.labels(), expected, first).items();
        List<double[]> ofSecond = ClassCounts.ofSets(task.labels(), expected, second).items();
        measures.yesNo("accuracy", equal(expected, first), equal(expected, second));
        measures.counts(ClassCounts.macro("macro_f1"), ofFirst, ofSecond);
        if (task.problem() != Task.Problem.SINGLE_LABEL) {
            // Micro F1 of rows with one label each is their accuracy.
            measures.counts(ClassCounts.micro("micro_f1"), ofFirst, ofSecond);
        }
        return measures;
    }

    private static List<Set<String>> expected(Task task, List<LabelledText> rows) {
        List<Set<String>> expected = new ArrayList<>();
        for (int i = 0; i < rows.size(); i++) {
            Set<String> labels = new LinkedHashSet<>();
            for (String label : right(task, rows.get(i))) {
                labels.add(Rows.label(task, label, i));
            }
            if (task.problem() == Task.Problem.SINGLE_LABEL && labels.size() != 1) {
                throw new ConfigurationException("row " + (i + 1) + " has the labels " + rows.get(i).labels()
                        + "; the model gives each text one of " + task.labels());
            }
            expected.add(labels);
        }
        return expected;
    }

    private static List<String> right(Task task, LabelledText row) {
        if (task.problem() != Task.Problem.MULTI_LABEL || task.labels().size() != 1) {
            return row.right();
        }
        return row.probability(task.labels().get(0)) >= 0.5 ? task.labels() : List.of();
    }

    private static List<Set<String>> said(Model model, List<LabelledText> rows) {
        TextClassifier classifier = new TextClassifier(model);
        return classifier.logitsOf(sequences(model, rows)).stream()
                .<Set<String>>map(logits -> new LinkedHashSet<>(classifier.classification(logits).labels())).toList();
    }

    static List<TokenSequence> sequences(Model model, List<LabelledText> rows) {
        TextEncoder encoder = TextEncoder.of(model);
        return rows.stream().map(row -> row.second().map(second -> encoder.pair(row.text(), second))
                .orElseGet(() -> encoder.text(row.text()))).toList();
    }

    private static Classification confusion(Task task, List<Set<String>> expected, List<Set<String>> said) {
        return Classification.ofLabels(task.labels(), expected.stream().map(TextEvaluation::words).toList(),
                said.stream().map(TextEvaluation::words).toList());
    }

    private static String words(Set<String> labels) {
        return String.join(", ", labels);
    }

    private static boolean[] equal(List<Set<String>> expected, List<Set<String>> said) {
        boolean[] right = new boolean[expected.size()];
        for (int i = 0; i < right.length; i++) {
            right[i] = expected.get(i).equals(said.get(i));
        }
        return right;
    }

    /**
     * Numbers for texts: the coefficient of determination {@code r2 = 1 - sum (y - x)^2 / sum (y - mean of y)^2}, which
     * decides since it is a mean over rows, the mean squared error, and Pearson's and Spearman's correlation, 0 where a
     * model says the same number of every row. Of several numbers a row, the mean over them. The constant base says the
     * mean.
     */
    static final class NumberFindings {
        private static final int FARTHEST = 20;
        private static final int CLOSEST = 3;

        private NumberFindings() {
        }

        static Findings of(RowEvaluation.Compared models, List<LabelledText> rows, List<LabelledText> training,
                TextEvaluation texts) {
            int width = models.tuned().network().task().labels().size();
            double[][] expected = numbers(rows, width);
            double[][] tuned = said(models.tuned(), rows);
            double[] means = new double[width];
            double[][] known = training.isEmpty() ? expected : numbers(training, width);
            for (double[] row : known) {
                Arrays.setAll(means, k -> means[k] + row[k] / known.length);
            }
            double[][] base = models.base().map(model -> said(model, rows))
                    .orElseGet(() -> rows.stream().map(row -> means).toArray(double[][]::new));
            PairedMeasures measures = new PairedMeasures(models.options());
            measure(measures, expected, base, tuned);
            Optional<Findings.Untrained> lookup = Optional.of(training).filter(rowsOf -> !rowsOf.isEmpty())
                    .map(rowsOf -> {
                        double[][] found = IntStream.of(Rows.nearest(texts, rows, rowsOf)).mapToObj(i -> known[i])
                                .toArray(double[][]::new);
                        PairedMeasures gain = new PairedMeasures(models.options());
                        PairedMeasures over = new PairedMeasures(models.options());
                        measure(gain, expected, base, found);
                        measure(over, expected, found, tuned);
                        return Findings.Untrained.lookup(gain, over);
                    });
            double[] errors = squares(expected, tuned);
            List<Integer> byError = IntStream.range(0, errors.length).boxed()
                    .sorted(Comparator.comparingDouble(i -> errors[i])).toList();
            int closest = Math.min(CLOSEST, errors.length / 2);
            int farthest = Math.max(closest, errors.length - FARTHEST);
            List<RowAnswer> answers = IntStream.concat(IntStream.range(0, closest), IntStream.range(farthest,
                    errors.length).map(at -> errors.length - 1 + farthest - at)).mapToObj(at -> {
                        int i = byError.get(at);
                        return new RowAnswer(i + 1, texts.text(rows.get(i)), words(expected[i]), words(base[i]),
                                words(tuned[i]), false, at < closest);
                    }).toList();
            return new Findings("r2", models.base().isPresent() ? "is the base model with its own head"
                    : "predicts the mean of the " + Rows.source(training) + ", " + words(means) + ", for every "
                            + "row",
                    measures,
                    Findings.Classes.NONE, Findings.Classes.NONE, answers, lookup);
        }

        /** For each row its numbers. */
        static void measure(PairedMeasures measures, double[][] expected, double[][] base, double[][] tuned) {
            measures.values("r2", explained(expected, base), explained(expected, tuned));
            measures.means("mse", squares(expected, base), squares(expected, tuned));
            measures.number("pearson", mean(expected, base, new PearsonsCorrelation()::correlation),
                    mean(expected, tuned, new PearsonsCorrelation()::correlation));
            measures.number("spearman", mean(expected, base, new SpearmansCorrelation()::correlation),
                    mean(expected, tuned, new SpearmansCorrelation()::correlation));
        }

        private static double[][] numbers(List<LabelledText> rows, int width) {
            return IntStream.range(0, rows.size()).mapToObj(i -> {
                try {
                    return io.peft4j.core.array.Arrays.doubles(rows.get(i).numbers(width));
                } catch (ConfigurationException e) {
                    throw new ConfigurationException("row " + (i + 1) + ": " + e.getMessage(), e);
                }
            }).toArray(double[][]::new);
        }

        private static double[][] said(Model model, List<LabelledText> rows) {
            return new TextClassifier(model).logitsOf(TextEvaluation.sequences(model, rows)).stream()
                    .map(io.peft4j.core.array.Arrays::doubles).toArray(double[][]::new);
        }

        private static double[] squares(double[][] expected, double[][] said) {
            double[] squares = new double[expected.length];
            Arrays.setAll(squares, i -> IntStream.range(0, said[i].length)
                    .mapToDouble(k -> Math.pow(expected[i][k] - said[i][k], 2)).average().orElseThrow());
            return squares;
        }

        /** For each row its part of r2; a mean over the numbers of a row, each by its own spread. */
        private static double[] explained(double[][] expected, double[][] said) {
            int width = expected[0].length;
            double[] spreads = new double[width];
            for (int k = 0; k < width; k++) {
                double[] column = column(expected, k);
                double mean = Arrays.stream(column).average().orElseThrow();
                spreads[k] = Arrays.stream(column).map(y -> (y - mean) * (y - mean)).average().orElseThrow();
                if (spreads[k] == 0) {
                    throw new ConfigurationException("all held-out rows have the number " + column[0]
                            + ", so no model can be evaluated on them; use rows with different numbers");
                }
            }
            double[] explained = new double[expected.length];
            Arrays.setAll(explained, i -> 1 - IntStream.range(0, width)
                    .mapToDouble(k -> Math.pow(expected[i][k] - said[i][k], 2) / spreads[k]).average().orElseThrow());
            return explained;
        }

        private static double mean(double[][] expected, double[][] said,
                ToDoubleBiFunction<double[], double[]> correlation) {
            return IntStream.range(0, expected[0].length).mapToDouble(k -> {
                double[] column = column(said, k);
                boolean constant = Arrays.stream(column).allMatch(value -> value == column[0]);
                return constant ? 0 : correlation.applyAsDouble(column(expected, k), column);
            }).average().orElseThrow();
        }

        private static double[] column(double[][] rows, int k) {
            return Arrays.stream(rows).mapToDouble(row -> row[k]).toArray();
        }

        private static String words(double[] numbers) {
            return String.join(", ", Arrays.stream(numbers).mapToObj(value -> String.format(Locale.ROOT, "%.3g", value))
                    .toList());
        }
    }
}
