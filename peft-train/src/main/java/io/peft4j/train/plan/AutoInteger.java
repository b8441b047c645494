package io.peft4j.train.plan;

import io.peft4j.core.error.ConfigurationException;
import java.util.OptionalInt;

/**
 * An integer, or {@code auto} where rules are to choose it.
 *
 * @param value the integer; empty for {@code auto}
 */
public record AutoInteger(OptionalInt value) {
    /**
     * The value of a word.
     *
     * @throws ConfigurationException when it is neither
     */
    public static AutoInteger of(String word) {
        try {
            return new AutoInteger(word.equalsIgnoreCase(AutoNumber.AUTO) ? OptionalInt.empty()
                    : OptionalInt.of(Integer.parseInt(word)));
        } catch (NumberFormatException e) {
            throw new ConfigurationException("'" + word + (word.matches("\\d+") ? "' is more than "
                    + Integer.MAX_VALUE : "' is not an integer, nor " + AutoNumber.AUTO));
        }
    }
}
