package io.peft4j.eval.metric;

import java.util.List;

/**
 * A metric of a whole set of answers that is computed from counts: those of single answers are added up, and the score
 * is made of the sums. It is not the mean of the answers' scores.
 */
public interface CorpusMetric extends CountMetric {
    /** How it was computed, in sacreBLEU's form, for instance {@code nrefs:1|case:mixed|...}. */
    String signature(int references);

    /**
     * The counts of one answer.
     *
     * @param prediction the answer
     * @param references right answers, at least one
     */
    double[] statistics(String prediction, List<String> references);

    @Override
    default double scale() {
        return 100;
    }

    /** The score of a set of answers, from 0 to 100. */
    default double corpus(List<String> predictions, List<List<String>> references) {
        if (predictions.size() != references.size() || predictions.isEmpty()) {
            throw new IllegalArgumentException(predictions.size() + " predictions for " + references.size()
                    + " references; the numbers must be equal and at least 1");
        }
        double[] sums = statistics(predictions.get(0), references.get(0));
        for (int i = 1; i < predictions.size(); i++) {
            double[] more = statistics(predictions.get(i), references.get(i));
            for (int j = 0; j < sums.length; j++) {
                sums[j] += more[j];
            }
        }
        return score(sums);
    }

    /** The score of one answer alone, from 0 to 100. */
    double sentence(String prediction, List<String> references);
}
