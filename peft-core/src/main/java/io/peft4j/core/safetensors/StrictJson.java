package io.peft4j.core.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadFeature;
import io.peft4j.core.error.FileFormatException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Reads the JSON of a header or an index token by token, so that nothing is built that was not asked for. Strict UTF-8,
 * duplicate keys are an error, whatever goes wrong is a {@link FileFormatException}.
 */
final class StrictJson implements AutoCloseable {
    private static final JsonFactory FACTORY = JsonFactory.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();

    /** More dimensions than any array library has. */
    private static final int MAX_COUNTS = 64;

    private final Path file;
    private final String what;
    private final JsonParser parser;

    /**
     * Starts reading.
     *
     * @param what what is read, for messages: {@code "the header"}
     * @param bytes the JSON text
     */
    StrictJson(Path file, String what, byte[] bytes) {
        this.file = file;
        this.what = what;
        try {
            // A decoder that is made this way reports what is not UTF-8; decoding as a stream keeps a large header
            // cheap.
            this.parser = FACTORY.createParser(
                    new InputStreamReader(new ByteArrayInputStream(bytes), StandardCharsets.UTF_8.newDecoder()));
        } catch (IOException e) {
            throw notJson(e);
        }
    }

    /** What reads the value of one key. */
    interface Member {
        void read(String key);
    }

    /** Reads an object; the current or next token is its brace. */
    void object(String where, Member member) {
        members(next(), where, member);
    }

    private void members(JsonToken first, String where, Member member) {
        requireToken(JsonToken.START_OBJECT, first, where, "an object");
        while (next() != JsonToken.END_OBJECT) {
            member.read(name());
        }
    }

    /** Reads an object of strings. */
    Map<String, String> strings(String where) {
        Map<String, String> result = new LinkedHashMap<>();
        object(where, key -> result.put(key, string("'" + key + "' of " + where)));
        return result;
    }

    /** Reads an object of strings, or null as one without any: so MLX writes that there are none. */
    Map<String, String> stringsOrNull(String where) {
        Map<String, String> result = new LinkedHashMap<>();
        if (next() != JsonToken.VALUE_NULL) {
            members(parser.currentToken(), where, key -> result.put(key, string("'" + key + "' of " + where)));
        }
        return result;
    }

    String string(String where) {
        expect(JsonToken.VALUE_STRING, where, "a string");
        return text();
    }

    /** Reads an array of integers from 0 to the largest {@code long}. */
    long[] counts(String where) {
        expect(JsonToken.START_ARRAY, where, "an array");
        long[] values = new long[MAX_COUNTS];
        int n = 0;
        while (next() != JsonToken.END_ARRAY) {
            if (n == MAX_COUNTS) {
                throw new FileFormatException(file, where + " has more than " + MAX_COUNTS + " numbers");
            }
            values[n++] = count(where);
        }
        return Arrays.copyOf(values, n);
    }

    /** Reads whatever comes next as text, containers as an empty string. */
    String anything() {
        next();
        String text = text();
        skip();
        return parser.currentToken().isScalarValue() ? text : "";
    }

    /** Skips the value of a key. */
    void ignore() {
        next();
        skip();
    }

    /** Checks that nothing but white space is left. */
    void end() {
        if (next() != null) {
            throw wrong("continues after its end");
        }
    }

    @Override
    public void close() {
        try {
            parser.close();
        } catch (IOException e) {
            throw wrong("cannot be closed: " + e.getMessage());
        }
    }

    private FileFormatException wrong(String message) {
        return new FileFormatException(file, what + " " + message);
    }

    private long count(String where) {
        try {
            if (parser.currentToken() == JsonToken.VALUE_NUMBER_INT
                    && parser.getNumberType() != JsonParser.NumberType.BIG_INTEGER && parser.getLongValue() >= 0) {
                return parser.getLongValue();
            }
            String found = parser.getText();
            throw new FileFormatException(file, where + " holds " + shorten(found)
                    + " where an integer from 0 to 9223372036854775807 is expected");
        } catch (IOException e) {
            throw notJson(e);
        }
    }

    private void expect(JsonToken token, String where, String kind) {
        requireToken(token, next(), where, kind);
    }

    private void requireToken(JsonToken token, JsonToken found, String where, String kind) {
        if (found != token) {
            throw new FileFormatException(file, where + " is not " + kind
                    + (found == null ? "; the text ends there" : " but " + shorten(text())));
        }
    }

    private JsonToken next() {
        try {
            return parser.nextToken();
        } catch (IOException e) {
            throw notJson(e);
        }
    }

    private String name() {
        try {
            return parser.currentName();
        } catch (IOException e) {
            throw notJson(e);
        }
    }

    private String text() {
        try {
            return parser.getText();
        } catch (IOException e) {
            throw notJson(e);
        }
    }

    private void skip() {
        try {
            parser.skipChildren();
        } catch (IOException e) {
            throw notJson(e);
        }
    }

    private FileFormatException notJson(IOException e) {
        if (e instanceof CharacterCodingException) {
            return new FileFormatException(file, what + " is not UTF-8", e);
        }
        String reason = e instanceof JsonProcessingException json ? json.getOriginalMessage() : e.getMessage();
        return new FileFormatException(file, what + " is not valid JSON: " + shorten(reason), e);
    }

    private static String shorten(String text) {
        return text.length() <= 200 ? text : text.substring(0, 200) + "...";
    }
}
