package io.peft4j.core.tool;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.PeftException;
import java.io.IOException;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.math.BigInteger;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A place in the text of an answer, moved by what is read from it. Where the text ends too early it stops with
 * {@link #MORE}, where it is no call with a {@link Stop} that says why.
 */
final class Cursor {
    /** The text may be the beginning of what is read. */
    static final Stop MORE = new Stop("the call is not complete");

    private static final ObjectMapper JSON = JsonMapper.builder(new JsonFactory())
            .enable(JsonReadFeature.ALLOW_UNESCAPED_CONTROL_CHARS, JsonReadFeature.ALLOW_TRAILING_COMMA,
                    JsonReadFeature.ALLOW_BACKSLASH_ESCAPING_ANY_CHARACTER)
            .build();
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;
    private static final Pattern NUMBER = Pattern.compile("[-+]?(\\d[\\d_]*)?\\.?\\d*([eE][-+]?\\d+)?");
    private static final Pattern WORD = Pattern.compile("\\w+");
    private static final int DEEPEST = 200;

    final String text;
    int at;
    private final boolean complete;

    /** Ends the reading of a call. */
    static final class Stop extends PeftException {
        private static final long serialVersionUID = 1L;

        Stop(String reason) {
            super(reason);
        }

        /** It is never printed. */
        @Override
        public Throwable fillInStackTrace() {
            return this;
        }
    }

    /** @param complete whether nothing comes behind the text */
    Cursor(String text, int at, boolean complete) {
        this.text = text;
        this.at = at;
        this.complete = complete;
    }

    /** Whether the text ends here and nothing comes. */
    boolean atEnd() {
        if (at >= text.length() && !complete) {
            throw MORE;
        }
        return at >= text.length();
    }

    char peek() {
        if (at >= text.length()) {
            throw MORE;
        }
        return text.charAt(at);
    }

    boolean sees(char value) {
        return peek() == value;
    }

    void space() {
        while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
            at++;
        }
    }

    /** Goes behind a literal if it is here. */
    boolean skip(String literal) {
        if (text.startsWith(literal, at)) {
            at += literal.length();
            return true;
        }
        if (!complete && text.length() - at < literal.length() && literal.startsWith(text.substring(at))) {
            throw MORE;
        }
        return false;
    }

    void expect(String literal) {
        if (!skip(literal)) {
            peek();
            throw new Stop("'" + literal.strip() + "' is missing");
        }
    }

    /** The text up to the first of some literals, where the cursor is then. */
    String until(String... ends) {
        int first = -1;
        for (String end : ends) {
            int found = text.indexOf(end, at);
            first = found >= 0 && (first < 0 || found < first) ? found : first;
        }
        if (first < 0) {
            throw MORE;
        }
        String passed = text.substring(at, first);
        at = first;
        return passed;
    }

    /** What a pattern matches here; nothing where it does not. */
    String match(Pattern pattern) {
        Matcher matcher = pattern.matcher(text).region(at, text.length());
        if (!matcher.lookingAt()) {
            return "";
        }
        at = matcher.end();
        if (at == text.length() && !complete) {
            throw MORE;
        }
        return matcher.group();
    }

    /** A value in JSON, behind which the cursor is then. */
    JsonNode json() {
        peek();
        try (JsonParser parser = JSON.createParser(new StringReader(text.substring(at)))) {
            try {
                JsonNode value = JSON.readTree(parser);
                at += (int) parser.currentLocation().getCharOffset();
                return value;
            } catch (JsonProcessingException e) {
                if (at + parser.currentLocation().getCharOffset() >= text.length()) {
                    throw MORE;
                }
                throw new Stop("it is no valid JSON: " + e.getOriginalMessage());
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The whole text as one value of JSON or Python. */
    JsonNode whole() {
        JsonNode value;
        try {
            value = json();
        } catch (Stop e) {
            at = 0;
            value = python(0);
        }
        space();
        if (at < text.length()) {
            throw new Stop("something follows the value");
        }
        return value;
    }

    /** A literal of Python or JSON: strings, numbers, True, False, None, lists, tuples, sets and dictionaries. */
    JsonNode python(int depth) {
        space();
        char first = peek();
        if (depth > DEEPEST) {
            throw new Stop("values are nested too deeply");
        }
        if (first == '"' || first == '\'') {
            StringBuilder all = new StringBuilder();
            for (; at < text.length() && (text.charAt(at) == '"' || text.charAt(at) == '\''); space()) {
                all.append(quoted());
            }
            return NODES.textNode(all.toString());
        }
        if (first == '[' || first == '(') {
            at++;
            ArrayNode list = NODES.arrayNode();
            for (String end = first == '[' ? "]" : ")"; !closes(end);) {
                list.add(python(depth + 1));
                comma(end);
            }
            return list;
        }
        if (first == '{') {
            at++;
            return braces(depth);
        }
        if (Character.isDigit(first) || first == '-' || first == '+' || first == '.') {
            return number();
        }
        String word = match(WORD);
        return switch (word) {
            case "True", "true" -> NODES.booleanNode(true);
            case "False", "false" -> NODES.booleanNode(false);
            case "None", "null" -> NODES.nullNode();
            default -> throw new Stop("'" + (word.isEmpty() ? String.valueOf(first) : word) + "' is no value");
        };
    }

    private boolean closes(String end) {
        space();
        return skip(end);
    }

    /** Goes behind a comma, or to what ends a list. */
    void comma(String end) {
        space();
        if (!skip(",") && !sees(end.charAt(0))) {
            throw new Stop("',' or '" + end + "' is missing");
        }
    }

    private JsonNode braces(int depth) {
        ObjectNode fields = NODES.objectNode();
        ArrayNode items = NODES.arrayNode();
        while (!closes("}")) {
            JsonNode key = python(depth + 1);
            space();
            if (skip(":")) {
                fields.set(key.asText(), python(depth + 1));
            } else {
                items.add(key);
            }
            comma("}");
        }
        return items.isEmpty() ? fields : items;
    }

    private JsonNode number() {
        String digits = match(NUMBER).replace("_", "");
        try {
            if (digits.matches("[-+]?\\d+")) {
                BigInteger value = new BigInteger(digits);
                return value.bitLength() < Integer.SIZE ? NODES.numberNode(value.intValue())
                        : value.bitLength() < Long.SIZE ? NODES.numberNode(value.longValue()) : NODES.numberNode(value);
            }
            double value = Double.parseDouble(digits);
            if (Double.isFinite(value)) {
                return NODES.numberNode(value);
            }
        } catch (NumberFormatException e) {
            // As one that is none.
        }
        throw new Stop("'" + digits + "' is no number");
    }

    /** A string in quotes with Python's escapes. */
    private String quoted() {
        String quote = String.valueOf(text.charAt(at));
        quote = text.startsWith(quote.repeat(3), at) ? quote.repeat(3) : quote;
        at += quote.length();
        StringBuilder value = new StringBuilder();
        while (!text.startsWith(quote, at)) {
            char next = peek();
            at++;
            if (next == '\\') {
                escape(value);
            } else {
                value.append(next);
            }
        }
        at += quote.length();
        return value.toString();
    }

    private void escape(StringBuilder value) {
        char kind = peek();
        at++;
        int digits = kind == 'x' ? 2 : kind == 'u' ? 4 : kind == 'U' ? 8 : 0;
        if (digits > 0) {
            if (at + digits > text.length()) {
                throw MORE;
            }
            try {
                int code = Integer.parseInt(text.substring(at, at + digits), 16);
                value.append(digits == 4 ? String.valueOf((char) code) : Character.toString(code));
            } catch (IllegalArgumentException e) {
                throw new Stop("'\\" + kind + text.substring(at, at + digits) + "' is no character");
            }
            at += digits;
            return;
        }
        switch (kind) {
            case 'n' -> value.append('\n');
            case 't' -> value.append('\t');
            case 'r' -> value.append('\r');
            case 'b' -> value.append('\b');
            case 'f' -> value.append('\f');
            case '0' -> value.append('\0');
            case '\n' -> {
                // The line continues.
            }
            case '\\', '\'', '"', '/' -> value.append(kind);
            default -> value.append('\\').append(kind);
        }
    }

    /** A string whose quotes are not escaped inside: it ends where a pattern continues behind a quote. */
    String looselyQuoted(Pattern behind) {
        char quote = peek();
        for (int end = text.indexOf(quote, at + 1); end >= 0; end = text.indexOf(quote, end + 1)) {
            if (behind.matcher(text).region(end + 1, text.length()).lookingAt()) {
                String value = text.substring(at + 1, end);
                at = end + 1;
                return value;
            }
        }
        throw MORE;
    }
}
