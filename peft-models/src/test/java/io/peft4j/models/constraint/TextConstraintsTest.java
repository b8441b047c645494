package io.peft4j.models.constraint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.TextConstraint;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class TextConstraintsTest {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> TEXTS = List.of("", "a", "ab", "abc", "b", "\"a\"", "a\"b", "12", "-3.5", "a.b",
            "a\nb", "x y", "\t", "ä", "日本", "😀", "2026-11-27", "a-b", "[a]", "(a)", "a@b", "a&b~c#d<e>", "A_9", "\\",
            "/", "aaaa", "abab", "\u0041");

    private static boolean accepts(TextConstraint constraint, String text) {
        int state = constraint.start();
        for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
            state = constraint.step(state, b & 0xFF);
            if (state == TextConstraint.NONE) {
                return false;
            }
        }
        return constraint.mayEnd(state);
    }

    /** A text that random steps lead to; they end it where they may, most of the time. */
    private static String walk(TextConstraint constraint, Random random) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int state = constraint.start();
        while (!constraint.mayEnd(state) || constraint.mayGoOn(state) && random.nextInt(4) > 0) {
            int from = random.nextInt(256);
            // Brackets and quotes are tried first now and then, so that the walk comes to an end.
            int tried = random.nextBoolean() ? "\"}],:0".charAt(random.nextInt(6)) : from;
            for (int i = 0; constraint.step(state, tried) == TextConstraint.NONE; i++) {
                assertTrue(i < 256, "a state that leads nowhere after " + bytes.toString(StandardCharsets.UTF_8));
                tried = from + i & 0xFF;
            }
            state = constraint.step(state, tried);
            bytes.write(tried);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @ParameterizedTest
    @ValueSource(strings = {"a", "a|b", "[ab]+", "(ab)*", "(?:ab){1,2}", "a?b", ".*", ".", "[^a]", "\\d+",
        "-?\\d+(\\.\\d+)?",
        "\\w+", "\\s", "\\S+", "\"a\"", "[\"a-z]+", "a\\.b", "a.b", "a\\nb", "\\u00e4", "\\x41", "[\\w-]+", "[^\\s]+",
        "\\d{4}-\\d{2}-\\d{2}", "^abc$", "[a-z&~#@<>]+", "a@b", "\\[a\\]", "\\(a\\)", "[äö]|日.|😀", "a*?b",
        "\\\\", "\\/"})
    void regularExpressionsMatchAsJavasDo(String expression) {
        TextConstraint constraint = TextConstraints.regex(expression);
        for (String text : TEXTS) {
            assertEquals(Pattern.matches(expression, text), accepts(constraint, text), expression + " on " + text);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"a(?=b)", "(?<n>a)", "(a)\\1", "a\\b", "a^b", "a$b", "[\\D]", "(a", "a\\", "\\u12",
        "a{1001}{1001}"})
    void whatNoAutomatonFollowsIsRefused(String expression) {
        String message = assertThrows(ConfigurationException.class, () -> TextConstraints.regex(expression))
                .getMessage();
        assertTrue(message.contains(expression), message);
    }

    @Test
    void choicesAreTakenAsTheyAre() {
        TextConstraint constraint = TextConstraints.choice(List.of("ja", "nein", "weiß nicht", "jain"));
        assertTrue(List.of("ja", "nein", "weiß nicht", "jain").stream().allMatch(text -> accepts(constraint, text)));
        assertTrue(List.of("", "j", "neinn", "weiß").stream().noneMatch(text -> accepts(constraint, text)));
        assertThrows(ConfigurationException.class, () -> TextConstraints.choice(List.of()));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
        "{\"type\":\"string\"} | \"a\\n\\u00e4ß\" | \"a",
        "{\"type\":\"string\",\"maxLength\":2} | \"ab\" | \"abc\"",
        "{\"type\":\"string\",\"minLength\":2} | \"ab\" | \"a\"",
        "{\"type\":\"string\",\"pattern\":\"^[A-Z]{2}$\"} | \"AB\" | \"ABC\"",
        "{\"type\":\"string\",\"pattern\":\"[0-9]\"} | \"a1b\" | \"ab\"",
        "{\"type\":\"string\",\"format\":\"date\"} | \"2026-11-27\" | \"2026-13-27\"",
        "{\"type\":\"integer\"} | -12 | 1.5",
        "{\"type\":\"integer\",\"minimum\":3,\"maximum\":120} | 120 | 121",
        "{\"type\":\"integer\",\"minimum\":3,\"maximum\":120} | 3 | 2",
        "{\"type\":\"integer\",\"minimum\":3,\"maximum\":120} | 7 | 07",
        "{\"type\":\"number\"} | -1.5e3 | 01",
        "{\"type\":[\"boolean\",\"null\"]} | null | 0",
        "{\"enum\":[\"a\",1,null]} | 1 | 2",
        "{\"const\":{\"a\":1}} | {\"a\":1} | {\"a\":2}",
        "{\"anyOf\":[{\"type\":\"null\"},{\"type\":\"integer\"}]} | 5 | \"5\"",
        "{\"type\":\"array\",\"items\":{\"type\":\"integer\"}} | [1, 2,3] | [1,\"2\"]",
        "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":2,\"maxItems\":3} | [1,2] | [1]",
        "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":2,\"maxItems\":3} | [1,2,3] | [1,2,3,4]",
        "{\"prefixItems\":[{\"type\":\"integer\"},{\"type\":\"null\"}],\"items\":false} | [1,null] | [1]",
        "{\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{}},\"required\":[\"a\"]} | {\"a\": 1} | {\"b\":1}",
        "{\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{}},\"required\":[\"b\"]} | {\"a\":1,\"b\":[{}]} "
                + "| {\"a\":1}",
        "{\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{}}} | {} | {\"c\":1}",
        "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"null\"}} | {\"x\":null} | {\"x\":1}",
        "{\"type\":\"object\",\"additionalProperties\":false} | {} | {\"x\":1}",
        "{\"$ref\":\"#/$defs/n\",\"$defs\":{\"n\":{\"type\":\"null\"}}} | null | 1",
        "true | {\"a\":[1,{\"b\":null}]} | {a:1}"})
    void schemasAllowWhatIsValid(String schema, String valid, String invalid) {
        TextConstraint constraint = TextConstraints.jsonSchema(schema);
        assertTrue(accepts(constraint, valid), valid);
        assertTrue(!accepts(constraint, invalid), invalid);
    }

    @Test
    void everyWalkThroughASchemaIsJson() throws IOException {
        TextConstraint constraint = TextConstraints.jsonSchema("""
                {"type": "object", "properties": {
                  "name": {"type": "string"}, "age": {"type": "integer", "minimum": 0, "maximum": 130},
                  "tags": {"type": "array", "items": {"enum": ["new", "ü\\"b"]}, "maxItems": 3}, "more": {}},
                 "required": ["name", "age"], "additionalProperties": false}""");
        Random random = new Random(7);
        for (int i = 0; i < 300; i++) {
            String text = walk(constraint, random);
            var value = JSON.readTree(text);
            assertTrue(value.path("name").isTextual() && value.path("age").isInt()
                    && value.path("age").intValue() <= 130 && value.path("tags").size() <= 3, text);
        }
        for (int i = 0; i < 100; i++) {
            assertTrue(JSON.readTree(walk(TextConstraints.json(), random)).isObject());
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '\0', value = {
        "{\"type\":\"integer\",\"multipleOf\":3} | multipleOf",
        "{\"type\":\"strin\"} | nearest of 7 are 'string'",
        "{\"properties\":{\"a\":{\"$ref\":\"#\"}}} | contains itself",
        "{\"$ref\":\"#/$defs/x\"} | does not have",
        "{\"properties\":{\"ab\":{}},\"required\":[\"abc\"]} | nearest of 1 is 'ab'",
        "{\"type\":\"string\",\"format\":\"hostname\"} | hostname",
        "{\"allOf\":[{},{}]} | allOf",
        "{\"not\":{}} | 'not'",
        "{\"type\":\"integer\",\"minimum\":3} | maximum",
        "[1] | expected an object",
        "{ | not JSON"})
    void whatIsNotFollowedIsNamed(String schema, String message) {
        String told = assertThrows(ConfigurationException.class, () -> TextConstraints.jsonSchema(schema)).getMessage();
        assertTrue(told.contains(message), told);
    }
}
