package io.peft4j.data.near;

import io.peft4j.data.near.LabelCheck.Said;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Rows whose label all others speak against: each label is predicted from the other rows by naive Bayes on the words of
 * the texts, their neighbours and parts. As in Northcutt et al. 2021 (Confident Learning), a label is doubted where
 * another is at least as probable as rows that have it make it on average. Where texts do not tell labels, or nearly
 * each has its own, none is.
 */
final class LabelPredictions {
    /** Of more rows the first are compared. */
    static final int MOST_ROWS = 10_000;
    /** Rows times labels: the time that predictions take grows with it. */
    private static final int MOST_PREDICTED = 500 * MOST_ROWS;
    private static final int LONGEST_TEXT = 1000;
    private static final int FEWEST_ROWS = 20;
    /** Labels that fewer rows have are neither doubted nor proposed. */
    private static final int FEWEST_OF_LABEL = 4;
    /** Of what guessing the most frequent label gets wrong, the share that predictions must get right. */
    private static final double PREDICTABLE = 0.6;
    /** How probable a label is at most that is doubted. */
    private static final double DOUBTED = 0.05;
    private static final double SMOOTHING = 0.5;
    private static final Pattern GAPS = Pattern.compile("[^\\p{L}\\p{M}\\p{N}]+");
    /** The lengths of parts of words. */
    private static final int[] PARTS = {4, 5};
    /** As many rows are named that have the label which is probable. */
    private static final int NAMED = 3;
    /** They are looked for among as many. */
    private static final int COMPARED = 1000;

    /** The likeliest label of a row, and how probable it and the row's own label are. */
    private record Predicted(long likeliest, double probability, double own) {
    }

    private final List<Said> rows;
    private final Map<Long, Integer> labels = new HashMap<>();
    private final Map<Integer, Map<Long, Integer>> uses = new HashMap<>();

    LabelPredictions(List<Said> rows) {
        this.rows = rows.stream().limit(MOST_ROWS).toList();
        this.rows.forEach(row -> {
            labels.merge(row.right(), 1, Integer::sum);
            IntStream.of(row.features()).forEach(one -> uses.computeIfAbsent(one, f -> new HashMap<>())
                    .merge(row.right(), 1, Integer::sum));
        });
    }

    /** Hashes of the words of a text, of neighbouring ones and of parts of words, in ascending order. */
    static int[] features(long context, String text) {
        String[] words = GAPS.split(text.substring(0, Math.min(LONGEST_TEXT, text.length())));
        Stream<String> pairs = IntStream.range(1, words.length).mapToObj(i -> words[i - 1] + " " + words[i]);
        Stream<String> parts = Stream.of(words).map(word -> "^" + word + "$")
                .flatMap(word -> IntStream.of(PARTS).boxed()
                        .flatMap(length -> IntStream.rangeClosed(0, word.length() - length).mapToObj(
                                from -> word.substring(from, from + length))));
        return Stream.of(Stream.of(words), pairs, parts).flatMap(some -> some)
                .mapToInt(one -> (int) Hashing.and(context,
                        Hashing.of(one)))
                .distinct().sorted().toArray();
    }

    /** Tells of each such row, and the most similar rows that have the label which is probable. */
    void each(BiConsumer<Said, List<Said>> told) {
        if (rows.size() < FEWEST_ROWS || labels.size() < 2 || rows.size() * labels.size() > MOST_PREDICTED) {
            return;
        }
        List<Predicted> predicted = rows.stream().parallel().map(this::predicted).toList();
        Map<Long, Double> usual = new HashMap<>();
        int right = 0;
        for (int i = 0; i < rows.size(); i++) {
            long label = rows.get(i).right();
            usual.merge(label, predicted.get(i).own() / labels.get(label), Double::sum);
            right += predicted.get(i).likeliest() == label ? 1 : 0;
        }
        int guessed = Collections.max(labels.values());
        for (int i = 0; right - guessed >= PREDICTABLE * (rows.size() - guessed) && i < rows.size(); i++) {
            Predicted other = predicted.get(i);
            int rare = Math.min(labels.get(other.likeliest()), labels.get(rows.get(i).right()));
            if (rare >= FEWEST_OF_LABEL && other.probability() >= Math.max(0.5, usual.get(other.likeliest()))
                    && other.own() <= DOUBTED) {
                told.accept(rows.get(i), similar(rows.get(i), other.likeliest()));
            }
        }
    }

    /** How probable labels are by the rows but this one. */
    private Predicted predicted(Said row) {
        Map<Long, Double> evidence = new HashMap<>();
        int known = 0;
        double sum = 0;
        for (int feature : row.features()) {
            Map<Long, Integer> with = uses.get(feature);
            int others = with.values().stream().mapToInt(count -> count).sum() - 1;
            known += others > 0 ? 1 : 0;
            sum += Math.log(SMOOTHING / (others + SMOOTHING));
            with.forEach(
                    (label, count) -> evidence.merge(label, Math.log1p((count - own(row, label)) / prior(row, label)
                            / SMOOTHING), Double::sum));
        }
        double shared = sum;
        // Features that overlap are no independent evidence.
        double scale = Math.sqrt(Math.max(1, known));
        Map<Long, Double> logits = new HashMap<>();
        labels.keySet().forEach(label -> logits.put(label, Math.log(prior(row, label))
                + (shared + evidence.getOrDefault(label, 0.0)) / scale));
        double most = Collections.max(logits.values());
        double all = logits.values().stream().mapToDouble(value -> Math.exp(value - most)).sum();
        long likeliest = Collections.max(logits.entrySet(), Map.Entry.comparingByValue()).getKey();
        return new Predicted(likeliest, 1 / all, Math.exp(logits.get(row.right()) - most) / all);
    }

    private double prior(Said row, long label) {
        return Math.max(1e-9, (double) (labels.get(label) - own(row, label)) / (rows.size() - 1));
    }

    private static int own(Said row, long label) {
        return row.right() == label ? 1 : 0;
    }

    private List<Said> similar(Said row, long label) {
        return rows.stream().filter(other -> other.right() == label).limit(COMPARED).map(other -> Map.entry(other,
                IntStream.of(row.features()).filter(one -> Arrays.binarySearch(other.features(), one) >= 0).count()
                        / Math.sqrt(other.features().length)))
                .sorted(Map.Entry.<Said, Double>comparingByValue().reversed()).limit(NAMED).map(Map.Entry::getKey)
                .toList();
    }
}
