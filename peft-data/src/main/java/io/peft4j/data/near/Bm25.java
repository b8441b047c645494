package io.peft4j.data.near;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Finds texts by words, as search engines do (Okapi BM25 with k1 = 1.2, b = 0.75): the score of a text is the sum over
 * the question's words of {@code idf f (k1 + 1) / (f + k1 (1 - b + b L / mean L))}, f how often the text has the word,
 * L its number of words, {@code idf = ln(1 + (n - df + 0.5) / (df + 0.5))}.
 */
final class Bm25 {
    private static final double K1 = 1.2;
    private static final double B = 0.75;

    private final List<Map<String, Integer>> counts = new ArrayList<>();
    private final int[] lengths;
    private final double meanLength;
    private final Map<String, Integer> textsWith = new HashMap<>();

    Bm25(List<String> texts) {
        lengths = new int[texts.size()];
        for (int i = 0; i < lengths.length; i++) {
            Map<String, Integer> count = new HashMap<>();
            List<String> words = words(texts.get(i));
            words.forEach(word -> count.merge(word, 1, Integer::sum));
            count.keySet().forEach(word -> textsWith.merge(word, 1, Integer::sum));
            counts.add(count);
            lengths[i] = words.size();
        }
        meanLength = Math.max(1, Arrays.stream(lengths).average().orElse(1));
    }

    private static List<String> words(String text) {
        return Arrays.stream(text.toLowerCase(Locale.ROOT).split("[^\\p{L}\\p{N}]+")).filter(w -> !w.isEmpty())
                .toList();
    }

    /** The places of the best texts, the best first; texts without any of the question's words are not among them. */
    int[] best(String question, int most) {
        double[] scores = new double[counts.size()];
        for (String word : words(question).stream().distinct().toList()) {
            int with = textsWith.getOrDefault(word, 0);
            double idf = Math.log(1 + (counts.size() - with + 0.5) / (with + 0.5));
            for (int i = 0; i < scores.length && with > 0; i++) {
                double f = counts.get(i).getOrDefault(word, 0);
                scores[i] += idf * f * (K1 + 1) / (f + K1 * (1 - B + B * lengths[i] / meanLength));
            }
        }
        return IntStream.range(0, scores.length).filter(i -> scores[i] > 0).boxed()
                .sorted((i, j) -> Double.compare(scores[j], scores[i])).limit(most).mapToInt(Integer::intValue)
                .toArray();
    }
}
