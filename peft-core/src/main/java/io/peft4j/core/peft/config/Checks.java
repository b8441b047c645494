package io.peft4j.core.peft.config;

import io.peft4j.core.error.ConfigurationException;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the constructors of configurations check; keys are those of {@code adapter_config.json}. */
public final class Checks {
    private static final int MOST_RANK = 65_536;

    private Checks() {
    }

    /** Refuses with a message, unless a condition holds. */
    public static void require(boolean ok, String message) {
        if (!ok) {
            throw new ConfigurationException(message);
        }
    }

    /** Refuses an integer below {@code least}. */
    public static void atLeast(int least, String key, long value) {
        require(value >= least, key + " is " + value + "; it must be an integer of at least " + least);
    }

    /** Refuses a rank below 1, or above {@value #MOST_RANK}. */
    public static void rank(String key, int value) {
        require(value >= 1 && value <= MOST_RANK, key + " is " + value + "; it must be an integer from 1 to "
                + MOST_RANK);
    }

    /** Refuses what is not a number. */
    public static void finite(String key, double value) {
        require(Double.isFinite(value), key + " is " + value + "; it must be a number");
    }

    /** Refuses what is not a probability of dropout. */
    public static void probability(String key, double value) {
        require(value >= 0 && value < 1, key + " is " + value + "; it must be at least 0 and below 1");
    }

    /** A copy in the same order, which counts where several expressions match one path. */
    public static <T> Map<String, T> ordered(Map<String, T> values) {
        return Collections.unmodifiableMap(new LinkedHashMap<>(values));
    }

    /** As {@link #ordered}; refuses a value below 1. */
    public static Map<String, Integer> positive(String key, Map<String, Integer> values) {
        values.forEach((name, value) -> require(value > 0, key + ": the value of '" + name + "' is " + value
                + "; it must be at least 1"));
        return ordered(values);
    }
}
