package io.peft4j.data.report;

import java.io.Serializable;
import java.util.List;
import java.util.Objects;

/**
 * Something that is wrong with a file, or worth knowing.
 *
 * @param code what it is
 * @param severity how bad it is
 * @param file the file
 * @param lines the lines that it is about, ascending, from 1; empty: the file as a whole
 * @param message what was found
 * @param texts what stands in the first of these lines: shortened, without personal data; empty, or an empty text,
 *     where that is not known
 */
public record Finding(FindingCode code, Severity severity, String file, List<Long> lines, String message,
        List<String> texts) implements Serializable {
    /** Copies the list. */
    public Finding {
        Objects.requireNonNull(code, "code");
        Objects.requireNonNull(severity, "severity");
        Objects.requireNonNull(file, "file");
        Objects.requireNonNull(message, "message");
        lines = List.copyOf(lines);
        texts = List.copyOf(texts);
    }
}
