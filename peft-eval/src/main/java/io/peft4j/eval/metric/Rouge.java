package io.peft4j.eval.metric;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * ROUGE (Lin 2004) equal to the Python package rouge-score with its default tokenizer: lower case, runs of
 * {@code [a-z0-9]} are tokens, all else parts them. With the stemmer, tokens of more than 3 characters are cut by
 * Porter's algorithm in NLTK's form.
 *
 * <p>ROUGE-N counts common n-grams, ROUGE-L takes the longest common subsequence, ROUGE-Lsum the union of these over
 * the lines of both texts. Memory is linear in the shorter text, but for Lsum, which traces its subsequences back:
 * there it is the product of two lines' tokens in bits.
 */
final class Rouge {
    private final boolean stem;

    /**
     * Precision, recall and their harmonic mean, each from 0 to 1.
     *
     * @param precision share of the prediction
     * @param recall share of the reference
     * @param f1 {@code 2 P R / (P + R)}, 0 where both are 0: what is reported as ROUGE
     */
    public record Score(double precision, double recall, double f1) {
        private static final Score ZERO = new Score(0, 0, 0);

        static Score of(double precision, double recall) {
            return new Score(precision, recall,
                    precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0);
        }
    }

    /** Without the stemmer, as rouge-score by default. */
    public Rouge() {
        this(false);
    }

    /**
     * With or without the stemmer.
     *
     * @param stem whether words are cut to their stems first
     */
    public Rouge(boolean stem) {
        this.stem = stem;
    }

    /**
     * ROUGE-N.
     *
     * @param order N, at least 1
     */
    public Score ngram(int order, String prediction, String reference) {
        if (order < 1) {
            throw new IllegalArgumentException("ROUGE-N needs N of at least 1; got " + order);
        }
        Map<List<String>, Integer> predicted = Ngrams.count(tokens(prediction), order);
        Map<List<String>, Integer> expected = Ngrams.count(tokens(reference), order);
        double common = Ngrams.common(predicted, expected);
        return Score.of(common / Math.max(Ngrams.total(predicted), 1), common / Math.max(Ngrams.total(expected), 1));
    }

    /** ROUGE-L of the whole texts. */
    public Score longestCommon(String prediction, String reference) {
        List<String> predicted = tokens(prediction);
        List<String> expected = tokens(reference);
        if (predicted.isEmpty() || expected.isEmpty()) {
            return Score.ZERO;
        }
        double length = commonLength(expected, predicted);
        return Score.of(length / predicted.size(), length / expected.size());
    }

    /** ROUGE-Lsum: the lines of both texts are their sentences. */
    public Score summary(String prediction, String reference) {
        List<List<String>> predicted = lines(prediction);
        List<List<String>> expected = lines(reference);
        int predictedTokens = predicted.stream().mapToInt(List::size).sum();
        int expectedTokens = expected.stream().mapToInt(List::size).sum();
        if (predictedTokens == 0 || expectedTokens == 0) {
            return Score.ZERO;
        }
        Map<String, Integer> left = new HashMap<>();
        predicted.forEach(line -> line.forEach(token -> left.merge(token, 1, Integer::sum)));
        Map<String, Integer> leftExpected = new HashMap<>();
        expected.forEach(line -> line.forEach(token -> leftExpected.merge(token, 1, Integer::sum)));
        int hits = 0;
        for (List<String> line : expected) {
            BitSet union = new BitSet();
            predicted.forEach(other -> union.or(commonPlaces(line, other)));
            for (int place = union.nextSetBit(0); place >= 0; place = union.nextSetBit(place + 1)) {
                String token = line.get(place);
                // A token counts once for each time that it occurs on both sides.
                if (left.getOrDefault(token, 0) > 0 && leftExpected.get(token) > 0) {
                    left.merge(token, -1, Integer::sum);
                    leftExpected.merge(token, -1, Integer::sum);
                    hits++;
                }
            }
        }
        return Score.of((double) hits / predictedTokens, (double) hits / expectedTokens);
    }

    private List<List<String>> lines(String text) {
        List<List<String>> lines = new ArrayList<>();
        for (String line : text.split("\n", -1)) {
            if (!line.isEmpty()) {
                lines.add(tokens(line));
            }
        }
        return lines;
    }

    List<String> tokens(String text) {
        List<String> tokens = new ArrayList<>();
        StringBuilder token = new StringBuilder();
        String lower = text.toLowerCase(Locale.ROOT) + " ";
        for (int i = 0; i < lower.length(); i++) {
            char c = lower.charAt(i);
            if (c >= 'a' && c <= 'z' || c >= '0' && c <= '9') {
                token.append(c);
            } else if (!token.isEmpty()) {
                String word = token.toString();
                tokens.add(stem && word.length() > 3 ? PorterStemmer.stem(word) : word);
                token.setLength(0);
            }
        }
        return tokens;
    }

    /** The length of the longest common subsequence, by two rows of its table. */
    private static int commonLength(List<String> reference, List<String> candidate) {
        int[] row = new int[candidate.size() + 1];
        for (String token : reference) {
            int diagonal = 0;
            for (int j = 1; j < row.length; j++) {
                int above = row[j];
                row[j] = token.equals(candidate.get(j - 1)) ? diagonal + 1 : Math.max(above, row[j - 1]);
                diagonal = above;
            }
        }
        return row[candidate.size()];
    }

    /** The places in the reference of one longest common subsequence: of those there are, the one of rouge-score. */
    private static BitSet commonPlaces(List<String> reference, List<String> candidate) {
        int columns = candidate.size() + 1;
        // Whether the table's left neighbour is larger than the one above: tracing back needs no more.
        BitSet left = new BitSet();
        int[] row = new int[columns];
        for (int i = 1; i <= reference.size(); i++) {
            int diagonal = 0;
            for (int j = 1; j < columns; j++) {
                int above = row[j];
                if (row[j - 1] > above) {
                    left.set((i - 1) * (columns - 1) + j - 1);
                }
                row[j] = reference.get(i - 1).equals(candidate.get(j - 1)) ? diagonal + 1 : Math.max(above, row[j - 1]);
                diagonal = above;
            }
        }
        BitSet places = new BitSet();
        int i = reference.size();
        int j = candidate.size();
        while (i > 0 && j > 0) {
            if (reference.get(i - 1).equals(candidate.get(j - 1))) {
                places.set(--i);
                j--;
            } else if (left.get((i - 1) * (columns - 1) + j - 1)) {
                j--;
            } else {
                i--;
            }
        }
        return places;
    }
}
