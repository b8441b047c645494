package io.peft4j.serve.job;

import io.peft4j.core.error.ConfigurationException;

/**
 * How much is asked after a job to see whether its model is better than the base. It takes about the time of {@code 3
 * items + 2 guardItems} answers.
 *
 * @param items held-out examples that are asked, at most; 0 for no verdict; default 24
 * @param guardItems questions on what may have been forgotten, at most; 0 for none, so that no verdict is to ship;
 *     default 150, all of the built-in guard set: fewer can hardly rule out a loss
 * @param maxNewTokens the longest answer; default 48
 */
public record VerdictOptions(int items, int guardItems, int maxNewTokens) {
    /** No verdict. */
    public static final VerdictOptions NONE = new VerdictOptions(0, 0, 1);

    /** Checks the ranges. */
    public VerdictOptions {
        if (items < 0 || guardItems < 0 || maxNewTokens < 1) {
            throw new ConfigurationException("a verdict asks 0 or more items (" + items + ") and guard items ("
                    + guardItems + "), for answers of at least 1 token (" + maxNewTokens + ")");
        }
    }

    /** The defaults. */
    public static VerdictOptions defaults() {
        return new VerdictOptions(24, 150, 48);
    }
}
