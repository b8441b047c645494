package io.peft4j.cli;

import java.util.OptionalInt;
import picocli.CommandLine.TypeConversionException;

/**
 * An integer, or {@code auto} where rules are to choose it.
 *
 * @param value the integer; empty for {@code auto}
 */
record AutoInteger(OptionalInt value) {
    /** The value of a word on the command line. */
    static AutoInteger of(String word) {
        try {
            return new AutoInteger(word.equalsIgnoreCase(AutoNumber.AUTO) ? OptionalInt.empty()
                    : OptionalInt.of(Integer.parseInt(word)));
        } catch (NumberFormatException e) {
            throw new TypeConversionException("'" + word + (word.matches("\\d+") ? "' is more than "
                    + Integer.MAX_VALUE : "' is not an integer, nor " + AutoNumber.AUTO));
        }
    }
}
