package io.peft4j.data.augment;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.option.Option;
import io.peft4j.core.option.With;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * Which texts are taken as negatives of an anchor; scores are cosines. The nearest may be answers that were not marked:
 * {@code skipped}, {@code maxScore} and the margins keep them away.
 *
 * @param count the most negatives of an anchor
 * @param skipped how many of the nearest are left out
 * @param last the rank from which on none is looked at; default: so that enough remain
 * @param maxScore the highest score of a negative
 * @param minScore its lowest
 * @param margin how far its score is below that of the positive at least; of several positives the farthest counts
 * @param relativeMargin the same, as a share of the positive's score
 * @param drawn whether they are drawn from all remaining texts, not the nearest of them
 * @param seed of that
 */
@With
public record NegativeOptions(int count, int skipped, OptionalInt last,
        @Option(range = "[-1,1]", called = "max score") OptionalDouble maxScore,
        @Option(range = "[-1,1]", called = "min score") OptionalDouble minScore, @Option OptionalDouble margin,
        @Option(called = "relative margin") OptionalDouble relativeMargin, boolean drawn,
        long seed) implements NegativeOptionsWith {
    /** Checks ranks and scores. */
    public NegativeOptions {
        if (count < 1 || skipped < 0) {
            throw new ConfigurationException(
                    "at least 1 negative is looked for behind at least 0 that are skipped, got "
                            + count + " and " + skipped);
        }
        NegativeOptionsWith.check(last, maxScore, minScore, margin, relativeMargin);
        if (last.isPresent() && (long) skipped + count > last.getAsInt()) {
            throw new ConfigurationException(count + " negatives behind " + skipped + " that are skipped are more than "
                    + "the first " + last.getAsInt() + " texts");
        }
        if (minScore.orElse(-1) > maxScore.orElse(1)) {
            throw new ConfigurationException("min score must be at most the highest, " + maxScore.getAsDouble()
                    + ", got " + minScore.getAsDouble());
        }
    }

    /** The three nearest, whatever their score. */
    public static NegativeOptions defaults() {
        OptionalDouble none = OptionalDouble.empty();
        return new NegativeOptions(3, 0, OptionalInt.empty(), none, none, none, none, false, 0);
    }

    /** The same with negatives that are drawn. */
    public NegativeOptions drawn(long newSeed) {
        return withDrawn(true).withSeed(newSeed);
    }

    /** How many of the nearest texts are looked at, where an anchor has at most so many positives. */
    int lastRank(int positives) {
        boolean refuses = margin.isPresent() || relativeMargin.isPresent() || maxScore.isPresent();
        return last.orElse((int) Math.min(Integer.MAX_VALUE / 2, skipped + (refuses ? 10L : 1L) * count + positives));
    }

    /** Whether a text may be a negative, by its score and that of the positive. */
    boolean takes(double score, double positive) {
        return !(score > maxScore.orElse(Double.POSITIVE_INFINITY))
                && !(score < minScore.orElse(Double.NEGATIVE_INFINITY))
                && !(margin.isPresent() && score + margin.getAsDouble() > positive)
                && !(relativeMargin.isPresent()
                        && score > positive - Math.abs(positive) * relativeMargin.getAsDouble());
    }
}
