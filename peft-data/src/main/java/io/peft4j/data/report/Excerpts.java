package io.peft4j.data.report;

import io.peft4j.core.Internal;
import io.peft4j.data.clean.PiiDetector;
import io.peft4j.data.near.Examples;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * The content of a row, for people who read a report: a line for each message or field, shortened. Personal data is
 * replaced by its kind, because a report is read by more people than the data is.
 */
@Internal(shared = true)
public final class Excerpts {
    static final int MOST_ROWS = 3;
    private static final int MOST_PARTS = 6;
    private static final int MOST_CHARACTERS = 160;
    /** Further characters are not looked at: some patterns take time that grows with the length. */
    private static final int LOOKED_AT = 4000;

    private final PiiDetector detector;

    Excerpts(PiiDetector detector) {
        this.detector = detector;
    }

    /** A text without personal data. */
    String redacted(String text) {
        return detector.redact(text);
    }

    /** What an example has that others do not, unless it is a part of personal data. */
    String without(String part, String whole) {
        String open = detector.redact(whole);
        return open.equals(whole) || open.contains(part) ? part : "[personal data]";
    }

    /** Of the fields of a row, in one line. */
    public static String of(Map<String, Object> fields) {
        List<String> parts = new ArrayList<>();
        fields.forEach((key, value) -> new Excerpts(PiiDetector.standard()).addField(key, value, parts));
        return String.join(" | ", parts);
    }

    /** Of a row that is being read; nothing where no field of it can be read. */
    List<String> of(RowScan row) {
        List<String> parts = new ArrayList<>();
        row.parts().forEach(part -> add(part.role(), part.text(), parts));
        if (row.example().isEmpty()) {
            row.fields().forEach((key, value) -> addField(key, value, parts));
        }
        return parts.isEmpty() ? List.of() : List.of(String.join("\n", parts));
    }

    /** Of examples, the first of them. */
    List<String> of(List<Integer> numbers, Examples examples) {
        return numbers.stream().limit(MOST_ROWS).map(number -> {
            List<String> parts = new ArrayList<>();
            add("question", examples.question(number), parts);
            add("answer", examples.answer(number), parts);
            return String.join("\n", parts);
        }).toList();
    }

    private void addField(String key, Object value, List<String> parts) {
        if (value instanceof List<?> list) {
            list.forEach(item -> addField(key, item, parts));
        } else if (value instanceof Map<?, ?> message && message.get("content") instanceof String content) {
            add(message.get("role") instanceof String role ? role : "message", content, parts);
        } else {
            add(key, String.valueOf(value), parts);
        }
    }

    private void add(String name, String text, List<String> parts) {
        if (parts.size() == MOST_PARTS) {
            parts.add("...");
        } else if (parts.size() < MOST_PARTS && !text.isBlank()) {
            parts.add(name + ": " + shortened(detector.redact(start(text, LOOKED_AT)).replaceAll("\\s+", " ").strip()));
        }
    }

    private static String shortened(String text) {
        return text.length() <= MOST_CHARACTERS ? text : start(text, MOST_CHARACTERS - 3) + "...";
    }

    /** At most so many characters from the beginning, and never half of one. */
    private static String start(String text, int most) {
        if (text.length() <= most) {
            return text;
        }
        return text.substring(0, Character.isHighSurrogate(text.charAt(most - 1)) ? most - 1 : most);
    }
}
