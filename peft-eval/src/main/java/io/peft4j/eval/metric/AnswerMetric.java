package io.peft4j.eval.metric;

import java.util.List;

/**
 * A metric that gives each answer a score; that of a set is the mean.
 */
public interface AnswerMetric {
    /** Its name in results. */
    String name();

    /** Whether every score is 0 or 1. */
    boolean isBinary();

    /**
     * The score of an answer, from 0 to 1.
     *
     * @param prediction the answer
     * @param references right answers, at least one; the best counts
     */
    double score(String prediction, List<String> references);
}
