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
import io.peft4j.eval.statistics.Bootstrap;
import io.peft4j.eval.task.Classification;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

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
}
