package io.peft4j.data;

import io.peft4j.core.error.ConfigurationException;

/**
 * How a data set is split.
 *
 * @param test share of the examples that is held out, above 0 and below 1
 * @param seed seed of the choice; default 0
 */
public record SplitOptions(double test, long seed) {
    /** Checks the share. */
    public SplitOptions {
        if (!(test > 0 && test < 1)) {
            throw new ConfigurationException("the share of held-out examples is " + test
                    + "; it must be above 0 and below 1");
        }
    }

    /**
     * A split by two ratios, for instance 0.9 and 0.1.
     *
     * @throws ConfigurationException when they do not sum to 1
     */
    public static SplitOptions ratios(double train, double test) {
        if (Math.abs(train + test - 1) > 1e-9) {
            throw new ConfigurationException("the ratios " + train + " and " + test + " do not sum to 1");
        }
        return new SplitOptions(test, 0);
    }

    /** The same with another seed. */
    public SplitOptions seed(long newSeed) {
        return new SplitOptions(test, newSeed);
    }
}
