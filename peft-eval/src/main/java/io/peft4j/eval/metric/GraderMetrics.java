package io.peft4j.eval.metric;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleBiFunction;

/**
 * How near a text is to a reference by the metrics that OpenAI's graders name, each from 0 to 1 and equal to a
 * reference implementation: {@code fuzzy_match} to rapidfuzz's {@code fuzz.ratio}, {@code bleu} to sacreBLEU's sentence
 * score, {@code gleu} to NLTK's, {@code meteor} to NLTK's with Porter's stems and without WordNet, {@code rouge_1} to
 * {@code rouge_5} and {@code rouge_l} to rouge-score's F1 without a stemmer. GLEU and METEOR take the words between
 * white space.
 */
public final class GraderMetrics {
    private static final int MOST_ROUGE = 5;
    private static final int MOST_GLEU = 4;
    private static final Rouge ROUGE = new Rouge();

    private GraderMetrics() {
    }

    /** All of them by their names, of a text and a reference. */
    public static Map<String, ToDoubleBiFunction<String, String>> all() {
        Map<String, ToDoubleBiFunction<String, String>> all = new LinkedHashMap<>();
        all.put("fuzzy_match", GraderMetrics::fuzzyMatch);
        all.put("bleu", (text, reference) -> new Bleu().sentence(text, List.of(reference)) / 100);
        all.put("gleu", GraderMetrics::gleu);
        all.put("meteor", GraderMetrics::meteor);
        for (int n = 1; n <= MOST_ROUGE; n++) {
            int order = n;
            all.put("rouge_" + n, (text, reference) -> ROUGE.ngram(order, text, reference).f1());
        }
        all.put("rouge_l", (text, reference) -> ROUGE.longestCommon(text, reference).f1());
        return all;
    }

    /** Twice the characters of the longest common subsequence, of all characters; 1 for two empty texts. */
    static double fuzzyMatch(String text, String reference) {
        int[] a = text.codePoints().toArray();
        int[] b = reference.codePoints().toArray();
        int[] row = new int[b.length + 1];
        for (int character : a) {
            int diagonal = 0;
            for (int j = 1; j < row.length; j++) {
                int above = row[j];
                row[j] = character == b[j - 1] ? diagonal + 1 : Math.max(above, row[j - 1]);
                diagonal = above;
            }
        }
        return a.length + b.length == 0 ? 1 : 2.0 * row[b.length] / (a.length + b.length);
    }

    /** Common n-grams of up to 4 words, of the n-grams of the text that has more (Wu et al. 2016). */
    static double gleu(String text, String reference) {
        List<String> words = PythonText.split(text);
        List<String> expected = PythonText.split(reference);
        long common = 0;
        long some = 0;
        long others = 0;
        for (int n = 1; n <= MOST_GLEU; n++) {
            Map<List<String>, Integer> counts = Ngrams.count(words, n);
            Map<List<String>, Integer> counted = Ngrams.count(expected, n);
            common += Ngrams.common(counts, counted);
            some += Ngrams.total(counts);
            others += Ngrams.total(counted);
        }
        return Math.max(some, others) == 0 ? 0 : (double) common / Math.max(some, others);
    }

    /**
     * METEOR (Banerjee and Lavie 2005): {@code F (1 - 0.5 (chunks / matches)^3)}, {@code F = P R / (0.9 P + 0.1 R)},
     * over words that are equal in lower case or have one stem.
     */
    static double meteor(String text, String reference) {
        List<String> words = PythonText.split(text.toLowerCase(Locale.ROOT));
        List<String> expected = PythonText.split(reference.toLowerCase(Locale.ROOT));
        int[] places = new int[words.size()];
        java.util.Arrays.fill(places, -1);
        boolean[] taken = new boolean[expected.size()];
        match(words, expected, places, taken);
        match(words.stream().map(PorterStemmer::stem).toList(), expected.stream().map(PorterStemmer::stem).toList(),
                places, taken);
        List<int[]> matches = new ArrayList<>();
        for (int i = 0; i < places.length; i++) {
            if (places[i] >= 0) {
                matches.add(new int[] {i, places[i]});
            }
        }
        if (matches.isEmpty()) {
            return 0;
        }
        int chunks = 1;
        for (int i = 1; i < matches.size(); i++) {
            boolean follows = matches.get(i)[0] == matches.get(i - 1)[0] + 1
                    && matches.get(i)[1] == matches.get(i - 1)[1] + 1;
            chunks += follows ? 0 : 1;
        }
        double precision = (double) matches.size() / words.size();
        double recall = (double) matches.size() / expected.size();
        double mean = precision * recall / (0.9 * precision + 0.1 * recall);
        return (1 - 0.5 * Math.pow((double) chunks / matches.size(), 3)) * mean;
    }

    /** Pairs words that have no partner yet, from the end, as NLTK does. */
    private static void match(List<String> words, List<String> expected, int[] places, boolean... taken) {
        for (int i = words.size() - 1; i >= 0; i--) {
            for (int j = expected.size() - 1; j >= 0 && places[i] < 0; j--) {
                if (!taken[j] && words.get(i).equals(expected.get(j))) {
                    places[i] = j;
                    taken[j] = true;
                }
            }
        }
    }
}
