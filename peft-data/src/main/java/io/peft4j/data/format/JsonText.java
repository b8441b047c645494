package io.peft4j.data.format;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.DataException;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** Strict JSON: no key twice, nothing after the value. */
final class JsonText {
    static final ObjectMapper JSON = new ObjectMapper(JsonFactory.builder()
            .disable(JsonFactory.Feature.INTERN_FIELD_NAMES).build())
            .enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
    /** Parts of Jackson's messages that mean nothing to the reader: names of its classes, places in its buffers. */
    private static final Pattern NOISE = Pattern.compile(" \\([^(\\[]*\\[Source:.*\\]\\)|, from `[^`]*`"
            + "|: enable `[^`]*` to allow");

    private JsonText() {
    }

    static Map<String, Object> object(Path file, long line, String row) {
        try (JsonParser parser = JSON.createParser(row)) {
            Object value = JSON.readValue(parser, Object.class);
            JsonLocation end = parser.currentLocation();
            Map<String, Object> object = object(file, line, value);
            if (parser.nextToken() != null) {
                throw new DataException(file, line, end.getColumnNr(),
                        "more JSON follows the object; write one object a line", null);
            }
            return object;
        } catch (JsonProcessingException e) {
            String hint = row.stripTrailing().length() <= 2 ? "; an example must stand on one line" : "";
            throw wrong(file, line, hint, e);
        } catch (IOException e) {
            throw DataFiles.unreadable(file, e);
        }
    }

    /** The value of a JSON text; empty where it is none. */
    static Optional<Object> value(String text) {
        try {
            return Optional.ofNullable(JSON.readValue(text, Object.class));
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }

    /** A value as JSON on one line. */
    static String write(Object value) {
        try {
            return JSON.writeValueAsString(value);
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("not JSON-like: " + e.getMessage(), e);
        }
    }

    static Map<String, Object> object(Path file, long line, Object value) {
        if (!(value instanceof Map<?, ?> map)) {
            throw new DataException(file, line, "is not a JSON object" + (value instanceof List<?>
                    ? " but a list; write one object per line, without a list around them" : ""));
        }
        return DataRow.object(map);
    }

    static DataException wrong(Path file, long line, String hint, JsonProcessingException e) {
        JsonLocation at = e.getLocation();
        String message = e.getOriginalMessage().contains("(CTRL-CHAR, code ")
                ? "it contains a control character; is it a binary file?"
                : NOISE.matcher(e.getOriginalMessage()).replaceAll("");
        return new DataException(file, line, at == null ? 0 : at.getColumnNr(),
                "is not valid JSON: " + message + hint, e);
    }
}
