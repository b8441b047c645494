package io.peft4j.eval.comparison;

import io.peft4j.core.option.Option;
import io.peft4j.core.option.With;
import io.peft4j.eval.statistics.Bootstrap;
import io.peft4j.eval.statistics.Power;
import java.util.Locale;

/**
 * How two models are compared and when one is called better.
 *
 * @param bootstrap the intervals; its seed and number of draws also serve the permutation tests
 * @param scoreTest the test of scores
 * @param power alpha of all decisions, and the power that numbers of items are computed for
 * @param worthwhile the smallest gain that is worth shipping, as a share of the metric's scale; default 0.05
 * @param guardTolerance the loss on the guard set that is accepted, as a share of its items; default 0.05
 */
@With
public record ComparisonOptions(Bootstrap bootstrap, ScoreTest scoreTest, Power power,
        @Option(range = "(0,1)", called = "the worthwhile gain") double worthwhile,
        @Option(range = "[0,1)", called = "the tolerance of the guard set") double guardTolerance)
        implements
            ComparisonOptionsWith {
    /** Tests of scores. */
    public enum ScoreTest {
        /** The mean difference against random signs: tests what is reported. */
        PERMUTATION,
        /** Wilcoxon's signed ranks: less moved by single large differences. */
        WILCOXON
    }

    /** Checks the ranges. */
    public ComparisonOptions {
        ComparisonOptionsWith.check(bootstrap, scoreTest, power, worthwhile, guardTolerance);
    }

    /** 95 % intervals, 10,000 draws, seed 0, permutation tests, 80 % power, 5 points worth shipping. */
    public static ComparisonOptions defaults() {
        return new ComparisonOptions(Bootstrap.defaults(), ScoreTest.PERMUTATION, Power.defaults(), 0.05, 0.05);
    }

    /** The same with other draws. */
    public ComparisonOptions withSeed(long seed) {
        return withBootstrap(bootstrap.withSeed(seed));
    }

    /** The same with another number of draws. */
    public ComparisonOptions withResamples(int resamples) {
        return withBootstrap(bootstrap.withResamples(resamples));
    }

    /** The options in one line, for reports. */
    public String describe() {
        return String.format(Locale.ROOT, "%.0f %% intervals, Tango's for yes/no, else BCa and sign flips of "
                + "%,d draws, seed %d; alpha %.2f for the metric that decides and, after Holm, for the others; power "
                + "%.0f %%; worth shipping: %.0f points; accepted loss on the guard set: %.0f points",
                100 * bootstrap.level(), bootstrap.resamples(), bootstrap.seed(), power.alpha(), 100 * power.power(),
                100 * worthwhile, 100 * guardTolerance);
    }
}
