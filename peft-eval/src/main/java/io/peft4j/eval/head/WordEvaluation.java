package io.peft4j.eval.head;

import io.peft4j.core.Internal;
import io.peft4j.core.model.Task;
import io.peft4j.core.task.TokenTagger;
import io.peft4j.core.task.TokenTagger.EntitySpan;
import io.peft4j.data.task.LabelledWords;
import io.peft4j.data.task.RowKind;
import io.peft4j.eval.comparison.Verdict;
import io.peft4j.eval.metric.CountMetric;
import io.peft4j.eval.statistics.Bootstrap;
import io.peft4j.eval.task.Classification;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Labels of words. Of labels in IOB form ({@code B-PER}, {@code I-PER}, {@code O}) precision, recall and F1 of whole
 * entities, as seqeval counts them; of others the accuracy of words and F1 of each label. The constant base says the
 * most frequent label of every word.
 */
@Internal
public final class WordEvaluation implements RowEvaluation<LabelledWords> {
    private static final String IOB = "O|[BIES]-.+";
    private static final CountMetric ACCURACY = ClassCounts.share("accuracy", true);

    @Override
    public Task.Type task() {
        return Task.Type.TOKEN_CLS;
    }

    @Override
    public RowKind<LabelledWords> kind() {
        return RowKind.WORDS;
    }

    @Override
    public Class<LabelledWords> row() {
        return LabelledWords.class;
    }

    @Override
    public String text(LabelledWords row) {
        return String.join(" ", row.words());
    }

    @Override
    public Findings evaluate(Compared models, List<LabelledWords> rows, List<LabelledWords> training) {
        Task task = models.tuned().network().task();
        List<List<String>> texts = rows.stream().map(LabelledWords::words).toList();
        List<List<String>> words = labelled(rows, texts);
        List<List<String>> expected = expected(task, rows);
        List<List<String>> tuned = labelled(rows, new TokenTagger(models.tuned()).tagAll(texts));
        String most = Rows.mostFrequent((training.isEmpty() ? expected : expected(task, training)).stream()
                .flatMap(List::stream).toList());
        List<List<String>> base = models.base().map(model -> labelled(rows, new TokenTagger(model).tagAll(texts)))
                .orElseGet(() -> words.stream().map(each -> Collections.nCopies(each.size(), most)).toList());
        boolean entities = Stream.concat(task.labels().stream(), expected.stream().flatMap(List::stream))
                .allMatch(label -> label.matches(IOB));
        List<List<String>> known = dictionary(task, training, words, most);
        List<String> classes = entities ? Stream.of(expected, tuned, base, known).flatMap(List::stream)
                .flatMap(labels -> EntitySpan.of(labels).stream()).map(EntitySpan::type).distinct().sorted().toList()
                : task.labels();
        ClassCounts ofBase = counts(entities, classes, expected, base);
        ClassCounts ofTuned = counts(entities, classes, expected, tuned);
        boolean found = entities && !classes.isEmpty();
        PairedMeasures measures = compared(models, found, classes, expected, base, tuned);
        if (found) {
            measures.shown(ClassCounts.share("entity_precision", false), ofBase.items(), ofTuned.items());
            measures.shown(ClassCounts.share("entity_recall", true), ofBase.items(), ofTuned.items());
            measures.shown(ACCURACY, places(expected, base), places(expected, tuned));
        }
        measures.shown(ClassCounts.macro("macro_f1"), ofBase.items(), ofTuned.items());
        Bootstrap bootstrap = models.options().bootstrap();
        return new Findings(found ? "entity_f1" : "accuracy", models.base().isPresent()
                ? "is the base model with its own head" : "gives every word the most frequent label of the "
                        + Rows.source(training) + ", " + most,
                measures,
                new Findings.Classes(ofBase.scores(bootstrap), confusion(task, expected, base)),
                new Findings.Classes(ofTuned.scores(bootstrap), confusion(task, expected, tuned)),
                Rows.answers(equal(expected, base), equal(expected, tuned), i -> new String[] {text(rows.get(i)),
                    said(entities, words.get(i), expected.get(i)), said(entities, words.get(i), base.get(i)),
                    said(entities, words.get(i), tuned.get(i))}),
                training.isEmpty() ? Optional.empty()
                        : Optional.of(new Findings.Untrained(Verdict.LOOKUP, "each word's most frequent label in the "
                                + "training rows", compared(models, found, classes, expected, base, known),
                                compared(models, found, classes, expected, known, tuned))));
    }

    private static PairedMeasures compared(Compared models, boolean entities, List<String> classes,
            List<List<String>> expected, List<List<String>> first, List<List<String>> second) {
        PairedMeasures measures = new PairedMeasures(models.options());
        if (entities) {
            measures.counts(ClassCounts.micro("entity_f1"), counts(true, classes, expected, first).items(),
                    counts(true, classes, expected, second).items());
        } else {
            measures.counts(ACCURACY, places(expected, first), places(expected, second));
        }
        return measures;
    }

    /** For each word its most frequent label in the training rows; of others the most frequent one of all. */
    private static List<List<String>> dictionary(Task task, List<LabelledWords> training, List<List<String>> words,
            String most) {
        List<List<String>> labels = expected(task, training);
        Map<String, List<String>> known = new HashMap<>();
        for (int i = 0; i < labels.size(); i++) {
            List<String> of = training.get(i).labelled(training.get(i).words());
            for (int j = 0; j < of.size(); j++) {
                known.computeIfAbsent(of.get(j), word -> new ArrayList<>()).add(labels.get(i).get(j));
            }
        }
        Map<String, String> usual = new HashMap<>();
        known.forEach((word, all) -> usual.put(word, Rows.mostFrequent(all)));
        return words.stream().map(row -> row.stream().map(word -> usual.getOrDefault(word, most)).toList()).toList();
    }

    /** The values of the words that have a label; the others are not evaluated. */
    private static List<List<String>> labelled(List<LabelledWords> rows, List<List<String>> values) {
        return IntStream.range(0, rows.size()).mapToObj(i -> rows.get(i).labelled(values.get(i))).toList();
    }

    private static List<List<String>> expected(Task task, List<LabelledWords> rows) {
        return IntStream.range(0, rows.size()).mapToObj(i -> rows.get(i).labelled(rows.get(i).labels()).stream()
                .map(label -> Rows.label(task, label, i)).toList()).toList();
    }

    private static ClassCounts counts(boolean entities, List<String> classes, List<List<String>> expected,
            List<List<String>> said) {
        return entities ? ClassCounts.ofEntities(classes, expected, said)
                : ClassCounts.ofPlaces(classes, expected, said);
    }

    /** For each text how many words are right, and twice how many there are. */
    private static List<double[]> places(List<List<String>> expected, List<List<String>> said) {
        List<double[]> counts = new ArrayList<>();
        for (int i = 0; i < expected.size(); i++) {
            List<String> right = expected.get(i);
            List<String> given = said.get(i);
            counts.add(new double[] {IntStream.range(0, right.size()).filter(j -> right.get(j).equals(given.get(j)))
                    .count(),
                right.size(), right.size()});
        }
        return counts;
    }

    private static Optional<Classification> confusion(Task task, List<List<String>> expected,
            List<List<String>> said) {
        return Optional.of(Classification.ofLabels(task.labels(), expected.stream().flatMap(List::stream).toList(),
                said.stream().flatMap(List::stream).toList()));
    }

    private static boolean[] equal(List<List<String>> expected, List<List<String>> said) {
        boolean[] right = new boolean[expected.size()];
        for (int i = 0; i < right.length; i++) {
            right[i] = expected.get(i).equals(said.get(i));
        }
        return right;
    }

    /** Entities with their words, or all labels. */
    private static String said(boolean entities, List<String> words, List<String> labels) {
        if (!entities) {
            return String.join(" ", labels);
        }
        List<String> found = EntitySpan.of(labels).stream().map(span -> span.type() + ": "
                + String.join(" ", words.subList(span.first(), span.end()))).toList();
        return found.isEmpty() ? "no entity" : String.join("; ", found);
    }
}
