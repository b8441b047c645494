package io.peft4j.eval.metric;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleBiFunction;

/** The metrics of answers against reference texts. */
public final class TextMetrics {
    private static final Rouge ROUGE = new Rouge();

    private TextMetrics() {
    }

    /** {@code exact_match, token_f1, rouge1, rouge2, rougeL, rougeLsum}: those that score each answer, from 0 to 1. */
    public static List<AnswerMetric> answerMetrics() {
        return List.of(new Best("exact_match", true, (answer, text) -> SquadScores.exactMatch(answer, text) ? 1 : 0),
                new Best("token_f1", false, SquadScores::f1),
                new Best("rouge1", false, (answer, text) -> ROUGE.ngram(1, answer, text).f1()),
                new Best("rouge2", false, (answer, text) -> ROUGE.ngram(2, answer, text).f1()),
                new Best("rougeL", false, (answer, text) -> ROUGE.longestCommon(answer, text).f1()),
                new Best("rougeLsum", false, (answer, text) -> ROUGE.summary(answer, text).f1()));
    }

    /** {@code bleu, chrf}: those that score a whole set, from 0 to 100. */
    public static List<CorpusMetric> corpusMetrics() {
        return List.of(new Bleu(), new Chrf());
    }

    /** The best score over the references. */
    private record Best(String name, boolean isBinary, ToDoubleBiFunction<String, String> one)
            implements
                AnswerMetric {
        @Override
        public double score(String prediction, List<String> references) {
            return references.stream().mapToDouble(reference -> one.applyAsDouble(prediction, reference)).max()
                    .orElseThrow(() -> new IllegalArgumentException(name + " needs at least one reference"));
        }
    }

    /**
     * chrF2 (Popović 2015) equal to sacreBLEU with its defaults: character n-grams up to 6 without white space, case
     * kept, no words. With P and R the mean precision and recall over the orders that both texts have, {@code chrF =
     * 100 (1 + b^2) P R / (b^2 P + R)}, b = 2. Of many references the best counts.
     */
    private static final class Chrf implements CorpusMetric {
        private static final int ORDER = 6;
        private static final double BETA_SQUARED = 4;
        private static final String VERSION = "2.6.0";

        @Override
        public String name() {
            return "chrf";
        }

        @Override
        public String signature(int references) {
            return "nrefs:" + references + "|case:mixed|eff:yes|nc:6|nw:0|space:no|version:" + VERSION;
        }

        /** For each order the n-grams of the answer, those of the best reference, and those that both have. */
        @Override
        public double[] statistics(String prediction, List<String> references) {
            double[] best = null;
            double bestScore = -1;
            int[] answer = characters(prediction);
            for (String reference : references) {
                double[] counts = counts(answer, characters(reference));
                double score = score(counts);
                if (score > bestScore) {
                    best = counts;
                    bestScore = score;
                }
            }
            if (best == null) {
                throw new IllegalArgumentException("chrF needs at least one reference");
            }
            return best;
        }

        private static double[] counts(int[] answer, int[] reference) {
            double[] counts = new double[3 * ORDER];
            for (int n = 1; n <= ORDER; n++) {
                Map<String, Integer> expected = ngrams(reference, n);
                int at = 3 * (n - 1);
                counts[at] = expected.isEmpty() ? 0 : Math.max(0, answer.length - n + 1);
                counts[at + 1] = Math.max(0, reference.length - n + 1);
                counts[at + 2] = Ngrams.common(ngrams(answer, n), expected);
            }
            return counts;
        }

        private static Map<String, Integer> ngrams(int[] characters, int order) {
            Map<String, Integer> counts = new HashMap<>();
            for (int i = 0; i + order <= characters.length; i++) {
                counts.merge(new String(characters, i, order), 1, Integer::sum);
            }
            return counts;
        }

        private static int[] characters(String text) {
            return text.codePoints().filter(c -> !PythonText.isSpace(c)).toArray();
        }

        @Override
        public double score(double[] sums) {
            double precision = 0;
            double recall = 0;
            int orders = 0;
            for (int at = 0; at < sums.length; at += 3) {
                if (sums[at] > 0 && sums[at + 1] > 0) {
                    precision += sums[at + 2] / sums[at];
                    recall += sums[at + 2] / sums[at + 1];
                    orders++;
                }
            }
            if (precision + recall == 0) {
                return 0;
            }
            precision /= orders;
            recall /= orders;
            return 100 * (1 + BETA_SQUARED) * precision * recall / (BETA_SQUARED * precision + recall);
        }

        @Override
        public double sentence(String prediction, List<String> references) {
            return score(statistics(prediction, references));
        }
    }
}
