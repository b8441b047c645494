package io.peft4j.eval.task;

import io.peft4j.core.Internal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Texts as vectors of their words, weighted by how rare a word is among all texts (tf-idf with
 * {@code idf = ln((1 + n) / (1 + df)) + 1}), compared by the cosine.
 */
@Internal
public final class WordVectors {
    private final Map<String, List<Weight>> weights = new HashMap<>();
    private final Map<String, Integer> textsWith = new HashMap<>();
    private final int size;

    /** What a word weighs in a text. */
    private record Weight(int text, double value) {
    }

    /** The vectors of these texts, which are also what rarity is counted in. */
    public WordVectors(List<String> texts) {
        size = texts.size();
        List<List<String>> words = texts.stream().map(WordVectors::words).toList();
        words.forEach(each -> each.stream().distinct().forEach(word -> textsWith.merge(word, 1, Integer::sum)));
        for (int i = 0; i < size; i++) {
            int text = i;
            vector(words.get(i)).forEach((word, value) -> weights.computeIfAbsent(word, w -> new ArrayList<>())
                    .add(new Weight(text, value)));
        }
    }

    /** The words of a text: runs of letters and digits, in lower case. */
    public static List<String> words(String text) {
        List<String> words = new ArrayList<>();
        for (String word : text.toLowerCase(Locale.ROOT).split("[^\\p{L}\\p{N}]+")) {
            if (!word.isEmpty()) {
                words.add(word);
            }
        }
        return words;
    }

    private Map<String, Double> vector(List<String> words) {
        Map<String, Double> vector = new HashMap<>();
        words.forEach(word -> vector.merge(word, 1.0, Double::sum));
        vector.replaceAll((word, count) -> count
                * (Math.log((1.0 + size) / (1.0 + textsWith.getOrDefault(word, 0))) + 1));
        double norm = Math.sqrt(vector.values().stream().mapToDouble(v -> v * v).sum());
        vector.replaceAll((word, value) -> value / norm);
        return vector;
    }

    /** How similar a text is to each of the texts, from 0 to 1. */
    public double[] similarities(String text) {
        double[] sums = new double[size];
        vector(words(text)).forEach((word, value) -> weights.getOrDefault(word, List.of())
                .forEach(weight -> sums[weight.text()] += value * weight.value()));
        return sums;
    }

    /** The place of the most similar text; of equal ones the first. */
    public int nearest(String text) {
        double[] similarities = similarities(text);
        return IntStream.range(0, size).reduce(0, (best, i) -> similarities[i] > similarities[best] ? i : best);
    }

    /** The places of the {@code count} most similar texts, the most similar first; of equal ones the earlier first. */
    public int[] nearest(String text, int count) {
        double[] similarities = similarities(text);
        return IntStream.range(0, similarities.length).boxed()
                .sorted((i, j) -> Double.compare(similarities[j], similarities[i])).limit(count)
                .mapToInt(Integer::intValue).toArray();
    }
}
