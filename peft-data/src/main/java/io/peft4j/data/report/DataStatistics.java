package io.peft4j.data.report;

import com.fasterxml.jackson.annotation.JsonProperty;
import io.peft4j.data.ChatEncoder;
import java.io.Serializable;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a data set looks like.
 *
 * @param format the format of the first file
 * @param roles how often each role speaks
 * @param turns number of examples by their number of messages
 * @param labels how often each class occurs, the most frequent first; empty where there are none
 * @param topics the most frequent words of topic in questions, with the number of examples
 * @param unit what lengths are counted in: {@code tokens} of the model, or {@code words}
 * @param lengths quantiles of the examples' lengths: min, median, mean, p90, p99, max
 * @param binWidth the width of a bin of the histogram
 * @param bins number of examples in each bin
 * @param tokens tokens in all, 0 without a model
 * @param supervisedTokens supervised tokens in all
 * @param previews some examples as the model sees them
 */
public record DataStatistics(String format, Map<String, Long> roles, Map<Integer, Long> turns,
        Map<String, Long> labels, Map<String, Long> topics, String unit, Map<String, Double> lengths, int binWidth,
        List<Integer> bins, long tokens, long supervisedTokens, List<Preview> previews) {
    /**
     * An example as the model sees it.
     *
     * @param line its line
     * @param pieces the rendered text in pieces that are learned or not
     */
    public record Preview(long line, List<ChatEncoder.Piece> pieces) implements Serializable {
        /** Copies the list. */
        public Preview {
            pieces = List.copyOf(pieces);
        }

        /** The rendered text, what is learned between {@code [[} and {@code ]]}. */
        @JsonProperty
        public String text() {
            return pieces.stream().map(piece -> piece.learned() ? "[[" + piece.text() + "]]" : piece.text())
                    .collect(Collectors.joining());
        }
    }

    /** The share of the tokens that are learned, 0 without a model. */
    public double supervisedShare() {
        return tokens == 0 ? 0 : (double) supervisedTokens / tokens;
    }
}
