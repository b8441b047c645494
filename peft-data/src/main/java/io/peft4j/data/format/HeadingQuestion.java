package io.peft4j.data.format;

import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The heading of a section as a question, where it is one. */
final class HeadingQuestion {
    private static final Pattern NUMBER = Pattern.compile("^(?:\\d+(?:\\.\\d+)*[.)]?|[A-Z]\\.|\u00a7\\s*\\d+"
            + "|[Qq](?:\\d+)?[:.)])\\s+");
    private static final Pattern HOW_TO = Pattern.compile("(?i)^how to (\\p{L}.+)$");

    private HeadingQuestion() {
    }

    /** {@code How do I report it?} is one, without the number before it; {@code How to report it} becomes one. */
    static Optional<String> of(String title) {
        String text = NUMBER.matcher(title.strip()).replaceFirst("").strip();
        if (text.length() > 1 && (text.endsWith("?") || text.endsWith("\uff1f"))) {
            return Optional.of(text);
        }
        Matcher howTo = HOW_TO.matcher(text);
        return howTo.matches() ? Optional.of("How do I " + howTo.group(1) + "?") : Optional.empty();
    }
}
