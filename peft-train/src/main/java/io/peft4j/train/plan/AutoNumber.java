package io.peft4j.train.plan;

import io.peft4j.core.error.ConfigurationException;
import java.util.OptionalDouble;

/**
 * A number, or {@code auto} where rules are to choose it.
 *
 * @param value the number; empty for {@code auto}
 */
public record AutoNumber(OptionalDouble value) {
    /** The word that leaves a choice to rules. */
    public static final String AUTO = "auto";

    /**
     * The value of a word.
     *
     * @throws ConfigurationException when it is neither
     */
    public static AutoNumber of(String word) {
        try {
            return new AutoNumber(word.equalsIgnoreCase(AUTO) ? OptionalDouble.empty()
                    : OptionalDouble.of(Double.parseDouble(word)));
        } catch (NumberFormatException e) {
            throw new ConfigurationException("'" + word + "' is not a number, nor " + AUTO);
        }
    }
}
