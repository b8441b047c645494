package io.peft4j.train;

/**
 * How long the rest of a training takes, from the tokens that are left and the speed since the first update, which is
 * slower than the others: it allocates and compiles. Evaluations in between count as part of the speed.
 */
final class RemainingTime {
    private long totalTokens;
    private long tokens;
    private long firstTokens;
    private double firstEnd = -1;

    /** A training of so many tokens in all. */
    public RemainingTime(long totalTokens) {
        this.totalTokens = totalTokens;
    }

    /** So many tokens of those that were foreseen do not come. */
    void spare(long fewer) {
        totalTokens -= fewer;
    }

    /**
     * Tells of an update and estimates.
     *
     * @param updateTokens tokens of the update
     * @param updateSeconds time it took
     * @param now time at its end, in seconds from any origin
     * @return seconds left
     */
    public double secondsLeft(long updateTokens, double updateSeconds, double now) {
        tokens += updateTokens;
        double secondsPerToken;
        if (firstEnd < 0) {
            firstEnd = now;
            firstTokens = tokens;
            secondsPerToken = updateSeconds / tokens;
        } else {
            secondsPerToken = (now - firstEnd) / (tokens - firstTokens);
        }
        return Math.max(0, totalTokens - tokens) * secondsPerToken;
    }
}
