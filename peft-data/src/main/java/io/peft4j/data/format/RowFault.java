package io.peft4j.data.format;

import java.util.Objects;

/**
 * What is wrong with a row.
 *
 * @param code a word for programs, such as {@code missing_content}
 * @param fatal whether the row cannot be used
 * @param column the column in its line, from 1; 0 where it is not known
 * @param message what is wrong and what to do, without the place
 */
public record RowFault(String code, boolean fatal, long column, String message) {
    /** Checks that nothing is missing. */
    public RowFault {
        Objects.requireNonNull(code, "code");
        Objects.requireNonNull(message, "message");
    }

    /** A fault that makes the row useless. */
    public static RowFault fatal(String code, String message) {
        return new RowFault(code, true, 0, message);
    }

    /** Something odd about a row that can be used. */
    public static RowFault odd(String code, String message) {
        return new RowFault(code, false, 0, message);
    }
}
