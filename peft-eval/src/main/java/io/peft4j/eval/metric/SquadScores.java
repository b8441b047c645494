package io.peft4j.eval.metric;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Exact match and token F1 by the rules of SQuAD (Rajpurkar et al. 2016 and 2018): texts are compared in lower case,
 * without ASCII punctuation, without the articles {@code a}, {@code an} and {@code the}, and with single spaces.
 *
 * <p>F1 is {@code 2 P R / (P + R)} with {@code P} the share of the prediction's tokens that occur in the reference,
 * counted with multiplicity, and {@code R} the share of the reference's. Where one side has no token left, F1 is 1 if
 * both have none, else 0, as in the script of SQuAD 2.0.
 */
public final class SquadScores {
    private static final String PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";
    private static final Set<String> ARTICLES = Set.of("a", "an", "the");

    private SquadScores() {
    }

    /** Whether the normalized texts are equal. */
    public static boolean exactMatch(String prediction, String reference) {
        return normalize(prediction).equals(normalize(reference));
    }

    /** F1 of the normalized texts' tokens, from 0 to 1. */
    public static double f1(String prediction, String reference) {
        List<String> predicted = PythonText.split(normalize(prediction));
        List<String> expected = PythonText.split(normalize(reference));
        if (predicted.isEmpty() || expected.isEmpty()) {
            return predicted.equals(expected) ? 1 : 0;
        }
        Map<String, Integer> left = new HashMap<>();
        expected.forEach(token -> left.merge(token, 1, Integer::sum));
        int same = 0;
        for (String token : predicted) {
            Integer count = left.get(token);
            if (count != null && count > 0) {
                left.put(token, count - 1);
                same++;
            }
        }
        if (same == 0) {
            return 0;
        }
        double precision = (double) same / predicted.size();
        double recall = (double) same / expected.size();
        return 2 * precision * recall / (precision + recall);
    }

    /** The text as it is compared. */
    public static String normalize(String text) {
        StringBuilder plain = new StringBuilder();
        text.toLowerCase(Locale.ROOT).chars().filter(c -> PUNCTUATION.indexOf(c) < 0)
                .forEach(c -> plain.append((char) c));
        return String.join(" ", PythonText.split(withoutArticles(plain.toString())));
    }

    /** Articles are whole runs of word characters: {@code \b(a|an|the)\b}. */
    private static String withoutArticles(String text) {
        StringBuilder kept = new StringBuilder();
        List<Integer> word = new ArrayList<>();
        int[] points = text.codePoints().toArray();
        for (int i = 0; i <= points.length; i++) {
            if (i < points.length && PythonText.isWord(points[i])) {
                word.add(points[i]);
                continue;
            }
            StringBuilder run = new StringBuilder();
            word.forEach(run::appendCodePoint);
            word.clear();
            kept.append(ARTICLES.contains(run.toString()) ? " " : run);
            if (i < points.length) {
                kept.appendCodePoint(points[i]);
            }
        }
        return kept.toString();
    }
}
