package io.peft4j.data.report;

import io.peft4j.data.report.FindingCode.Severity;
import java.io.Serializable;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Something that is wrong with a file, or worth knowing.
 *
 * @param code what it is
 * @param severity how bad it is
 * @param file the file
 * @param lines the lines that it is about, ascending, from 1; empty: the file as a whole
 * @param message what was found
 * @param places the pages or sheets of the first of these lines, as {@code page 3}; empty where they have none
 * @param texts the content of the first of these lines: shortened, without personal data; empty, or an empty text,
 *     where that is not known
 */
public record Finding(FindingCode code, Severity severity, String file, List<Long> lines, String message,
        List<String> places, List<String> texts) implements Serializable {
    /** Copies the list. */
    public Finding {
        Objects.requireNonNull(code, "code");
        Objects.requireNonNull(severity, "severity");
        Objects.requireNonNull(file, "file");
        Objects.requireNonNull(message, "message");
        lines = List.copyOf(lines);
        places = List.copyOf(places);
        texts = List.copyOf(texts);
    }

    /**
     * The lines for people, each with its place where it has one: {@code 3 (page 2),5 (page 4)}.
     *
     * @param most as many are told
     */
    public String where(int most) {
        return IntStream.range(0, Math.min(most, lines.size())).mapToObj(i -> lines.get(i)
                + (i < places.size() && !places.get(i).isEmpty() ? " (" + places.get(i) + ")" : ""))
                .collect(Collectors.joining(","));
    }
}
