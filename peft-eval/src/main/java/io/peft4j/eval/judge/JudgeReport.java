package io.peft4j.eval.judge;

import io.peft4j.core.Internal;
import java.util.List;
import java.util.Objects;

/**
 * What became of the questions to a judge or an embedding model: nothing is dropped in silence.
 *
 * @param name who was asked
 * @param counts one for each kind of question
 * @param troubles what went wrong, each message once, the first of them
 */
@Internal(shared = true)
public record JudgeReport(String name, List<Count> counts, List<String> troubles) {
    private static final int MOST_TROUBLES = 5;

    /**
     * How often an opinion was asked for.
     *
     * @param metric the metric that it makes
     * @param given opinions that were given
     * @param failed could not be asked: no connection, an error of the server
     * @param unparsable answered, but not in the form asked for
     * @param inconsistent of those given: which position an answer stood at decided; counts as no preference
     */
    public record Count(String metric, int given, int failed, int unparsable, int inconsistent) {
    }

    /** Copies the lists; of the troubles the first few that differ are kept. */
    public JudgeReport {
        Objects.requireNonNull(name, "name");
        counts = List.copyOf(counts);
        troubles = troubles.stream().distinct().limit(MOST_TROUBLES).toList();
    }

    /** Whether an opinion that was asked for is missing. */
    public boolean isIncomplete() {
        return counts.stream().anyMatch(count -> count.failed() + count.unparsable() > 0);
    }

    /** {@code judge gpt: judge_score 88 given, 0 failed, 2 unparsable; ...}. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder(name);
        for (Count count : counts) {
            text.append("; ").append(count.metric()).append(": ").append(count.given()).append(" given, ")
                    .append(count.failed()).append(" failed, ").append(count.unparsable()).append(" unparsable");
            if (count.inconsistent() > 0) {
                text.append(", ").append(count.inconsistent()).append(" decided by position and counted as ties");
            }
        }
        return text.toString();
    }
}
