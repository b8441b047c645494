package io.peft4j.eval.head;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Task;
import io.peft4j.eval.report.TaskReport.RowAnswer;
import io.peft4j.eval.task.WordVectors;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;

/** What evaluations of rows have in common. */
final class Rows {
    private Rows() {
    }

    /** The name of a label that is given by name or by number. */
    static String label(Task task, String label, int row) {
        try {
            return task.labels().get(task.label(label));
        } catch (ConfigurationException e) {
            throw new ConfigurationException("row " + (row + 1) + ": " + e.getMessage(), e);
        }
    }

    /** The most frequent value, of several the first by name. */
    static <T> T mostFrequent(List<T> values) {
        Map<T, Integer> counts = new LinkedHashMap<>();
        values.forEach(value -> counts.merge(value, 1, Integer::sum));
        return counts.entrySet().stream().max(Map.Entry.<T, Integer>comparingByValue()
                .thenComparing(entry -> entry.getKey().toString(), Comparator.reverseOrder())).orElseThrow().getKey();
    }

    /** The places of the training rows that are most similar to each row, by the words of their texts. */
    static <E> int[] nearest(RowEvaluation<E> by, List<E> rows, List<E> training) {
        WordVectors vectors = new WordVectors(training.stream().map(by::text).toList());
        return rows.stream().mapToInt(row -> vectors.nearest(by.text(row))).toArray();
    }

    /** Which rows a constant answer was taken from. */
    static String source(List<?> training) {
        return training.isEmpty() ? "held-out rows" : "training rows";
    }

    /** What was said of the rows: their text, what is right, and what base and tuned model say. */
    static List<RowAnswer> answers(boolean[] base, boolean[] tuned, IntFunction<String[]> row) {
        return answers(base, tuned, row, i -> i);
    }

    /** The same of items that stand in rows. */
    static List<RowAnswer> answers(boolean[] base, boolean[] tuned, IntFunction<String[]> row, IntUnaryOperator rowOf) {
        return IntStream.range(0, tuned.length).mapToObj(i -> {
            String[] texts = row.apply(i);
            return new RowAnswer(rowOf.applyAsInt(i) + 1, texts[0], texts[1], texts[2], texts[3], base[i], tuned[i]);
        }).toList();
    }
}
