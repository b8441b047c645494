package io.peft4j.data.format;

import java.io.IOException;

/** A line, or a row of a table, that is longer than any model reads. */
final class LongLineException extends IOException {
    private static final long serialVersionUID = 1L;

    LongLineException(String message) {
        super(message);
    }
}
