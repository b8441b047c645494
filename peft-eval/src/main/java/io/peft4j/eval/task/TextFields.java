package io.peft4j.eval.task;

import io.peft4j.core.error.DataException;
import java.nio.file.Path;
import java.util.List;

/** Reads fields that are a text or a list of texts. */
final class TextFields {
    private TextFields() {
    }

    /**
     * The texts, at least one.
     *
     * @param blankAllowed whether a text may be blank
     * @throws DataException when the value is something else
     */
    static List<String> required(Path file, long line, String key, Object value, boolean blankAllowed) {
        List<?> list = value instanceof List<?> many ? many : value == null ? List.of() : List.of(value);
        for (Object each : list) {
            if (!(each instanceof String)) {
                throw new DataException(file, line, "\"" + key + "\" holds " + describe(each)
                        + "; it must be a string or a list of strings");
            }
        }
        List<String> texts = list.stream().map(String.class::cast).toList();
        if (texts.isEmpty() || !blankAllowed && texts.stream().anyMatch(String::isBlank)) {
            throw new DataException(file, line, "\"" + key + "\" is " + (texts.isEmpty() ? "empty or null" : "blank")
                    + "; it must be a string or a list of strings" + (blankAllowed ? "" : ", none of them blank"));
        }
        return texts;
    }

    private static String describe(Object value) {
        String kind = value instanceof Number ? "number" : value instanceof Boolean ? "value"
                : value instanceof List ? "list" : "object";
        return value == null ? "null" : "the " + kind + " " + value;
    }
}
