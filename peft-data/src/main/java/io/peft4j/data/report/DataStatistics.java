package io.peft4j.data.report;

import java.util.List;
import java.util.Map;

/**
 * What a data set looks like.
 *
 * @param format the format of the first file
 * @param roles how often each role speaks
 * @param turns how many examples have so many messages
 * @param labels how often each class occurs, the most frequent first; empty where there are none
 * @param topics the most frequent words of topic in questions, with the number of examples
 * @param unit what lengths are counted in: {@code tokens} of the model, or {@code words}
 * @param lengths quantiles of the examples' lengths: min, median, mean, p90, p99, max
 * @param binWidth the width of a bin of the histogram
 * @param bins how many examples are so long
 * @param tokens tokens in all, 0 without a model
 * @param supervisedTokens supervised tokens in all
 * @param previews some examples as the model sees them, what is learned between double brackets
 */
public record DataStatistics(String format, Map<String, Long> roles, Map<Integer, Long> turns,
        Map<String, Long> labels, Map<String, Long> topics, String unit, Map<String, Double> lengths, int binWidth,
        List<Integer> bins, long tokens, long supervisedTokens, List<Preview> previews) {
    /**
     * An example as the model sees it.
     *
     * @param line its line
     * @param text the rendered text, what is learned between {@code [[} and {@code ]]}
     */
    public record Preview(long line, String text) {
    }

    /** The share of the tokens that are learned, 0 without a model. */
    public double supervisedShare() {
        return tokens == 0 ? 0 : (double) supervisedTokens / tokens;
    }
}
