package io.peft4j.data.format;

import io.peft4j.core.Internal;
import java.util.Objects;

/**
 * What is wrong with a row.
 *
 * @param code a word for programs, such as {@code missing_content}
 * @param fatal whether the row cannot be used
 * @param column the column in its line, from 1; 0 where it is not known
 * @param message what is wrong and what to do, without the place
 * @param last whether no row behind it can be read
 */
@Internal(shared = true)
public record RowFault(String code, boolean fatal, long column, String message, boolean last) {
    /** Checks that nothing is missing. */
    public RowFault {
        Objects.requireNonNull(code, "code");
        Objects.requireNonNull(message, "message");
    }

    /** A fault behind which other rows are read. */
    public RowFault(String code, boolean fatal, long column, String message) {
        this(code, fatal, column, message, false);
    }
}
