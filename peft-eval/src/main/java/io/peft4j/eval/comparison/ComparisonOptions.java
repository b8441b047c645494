package io.peft4j.eval.comparison;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.eval.statistics.Bootstrap;
import io.peft4j.eval.statistics.Power;
import java.util.Locale;
import java.util.Objects;

/**
 * How two models are compared and when one is called better.
 *
 * @param bootstrap the intervals; its seed and number of draws also serve the permutation tests
 * @param scoreTest the test of scores
 * @param power alpha of all decisions, and the power that numbers of items are computed for
 * @param worthwhile the smallest gain that is worth shipping, as a share of the metric's scale; default 0.05
 * @param guardTolerance the loss on the guard set that is accepted, as a share of its items; default 0.05
 */
public record ComparisonOptions(Bootstrap bootstrap, ScoreTest scoreTest, Power power, double worthwhile,
        double guardTolerance) {
    /** Tests of scores. */
    public enum ScoreTest {
        /** The mean difference against random signs: tests what is reported. */
        PERMUTATION,
        /** Wilcoxon's signed ranks: less moved by single large differences. */
        WILCOXON
    }

    /** Checks the ranges. */
    public ComparisonOptions {
        Objects.requireNonNull(bootstrap, "bootstrap");
        Objects.requireNonNull(scoreTest, "scoreTest");
        Objects.requireNonNull(power, "power");
        if (!(worthwhile > 0 && worthwhile < 1) || !(guardTolerance >= 0 && guardTolerance < 1)) {
            throw new ConfigurationException("the worthwhile gain (" + worthwhile + ") must be between 0 and 1, the "
                    + "tolerance of the guard set (" + guardTolerance + ") 0 or more and below 1");
        }
    }

    /** 95 % intervals, 10,000 draws, seed 0, permutation tests, 80 % power, 5 points worth shipping. */
    public static ComparisonOptions defaults() {
        return new ComparisonOptions(Bootstrap.defaults(), ScoreTest.PERMUTATION, Power.defaults(), 0.05, 0.05);
    }

    /** The same with other draws. */
    public ComparisonOptions withSeed(long seed) {
        return new ComparisonOptions(bootstrap.withSeed(seed), scoreTest, power, worthwhile, guardTolerance);
    }

    /** The same with another number of draws. */
    public ComparisonOptions withResamples(int resamples) {
        return new ComparisonOptions(bootstrap.withResamples(resamples), scoreTest, power, worthwhile,
                guardTolerance);
    }

    /** The same with another test of scores. */
    public ComparisonOptions withScoreTest(ScoreTest test) {
        return new ComparisonOptions(bootstrap, test, power, worthwhile, guardTolerance);
    }

    /** The same with another gain that is worth shipping. */
    public ComparisonOptions withWorthwhile(double gain) {
        return new ComparisonOptions(bootstrap, scoreTest, power, gain, guardTolerance);
    }

    /** The same with another loss on the guard set that is accepted. */
    public ComparisonOptions withGuardTolerance(double loss) {
        return new ComparisonOptions(bootstrap, scoreTest, power, worthwhile, loss);
    }

    /** The options in one line, for reports. */
    public String describe() {
        return String.format(Locale.ROOT, "%.0f %% intervals, Tango's for yes/no, else BCa and sign flips of "
                + "%,d draws, seed %d; alpha %.2f after Holm, power %.0f %%; worth shipping: %.0f points; accepted "
                + "loss on the guard set: %.0f points",
                100 * bootstrap.level(), bootstrap.resamples(), bootstrap.seed(), power.alpha(), 100 * power.power(),
                100 * worthwhile, 100 * guardTolerance);
    }
}
