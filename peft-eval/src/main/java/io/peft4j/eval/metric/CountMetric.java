package io.peft4j.eval.metric;

/**
 * A score of a whole set of items that is computed from counts: those of single items are added up, and the score is
 * made of the sums.
 */
public interface CountMetric {
    /** Its name in results. */
    String name();

    /** The score of sums of counts, from 0 to {@link #scale}. */
    double score(double[] sums);

    /** The largest score. */
    double scale();
}
