package io.peft4j.data.example;

import io.peft4j.core.Internal;
import java.util.Collections;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * Where an example comes from, for messages.
 *
 * @param file the file, or a name for data that came from elsewhere
 * @param line the line, from 1; for data without lines the number of the example
 * @param lines the lines of the parts of its last message, by the places where they begin there; empty where all are of
 *     one line
 */
public record Origin(String file, long line, @Internal NavigableMap<Integer, Long> lines) {
    /** Of an example that was made in a program. */
    public static final Origin PROGRAM = new Origin("program", 1);

    /** Where general examples stand, which keep a model from forgetting, and are not what it is to learn. */
    public static final String GENERAL = "the built-in general.jsonl";

    /** Where they stand with the answers of the model that is trained. */
    public static final String ANSWERED = "the general questions";

    /** Copies the map. */
    public Origin {
        lines = lines.isEmpty() ? Collections.emptyNavigableMap()
                : Collections.unmodifiableNavigableMap(new TreeMap<>(lines));
    }

    /** A line of a file. */
    public Origin(String file, long line) {
        this(file, line, Collections.emptyNavigableMap());
    }

    /** Where a part of its last message is from, which begins at a place of it. */
    @Internal
    public Origin of(int part) {
        Map.Entry<Integer, Long> from = lines.floorEntry(part);
        return new Origin(file, from == null ? line : from.getValue());
    }

    /** Whether it is a general example, beside those that are to be learned. */
    public boolean isGeneral() {
        return file.equals(GENERAL) || file.equals(ANSWERED);
    }

    @Override
    public String toString() {
        return file + ", line " + line;
    }
}
