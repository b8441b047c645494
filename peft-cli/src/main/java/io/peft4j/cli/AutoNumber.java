package io.peft4j.cli;

import java.util.OptionalDouble;
import picocli.CommandLine.TypeConversionException;

/**
 * A number, or {@code auto} where rules are to choose it.
 *
 * @param value the number; empty for {@code auto}
 */
record AutoNumber(OptionalDouble value) {
    /** The word on the command line. */
    static final String AUTO = "auto";

    /** The value of a word on the command line. */
    static AutoNumber of(String word) {
        try {
            return new AutoNumber(word.equalsIgnoreCase(AUTO) ? OptionalDouble.empty()
                    : OptionalDouble.of(Double.parseDouble(word)));
        } catch (NumberFormatException e) {
            throw new TypeConversionException("'" + word + "' is not a number, nor " + AUTO);
        }
    }
}
