package io.peft4j.models.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
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
        "a)", "*a", "a{", "a{2,1}", "a{9999999999}", "[a", "[b-a]", "[^\\x00-\\uFFFF]\\q"})
    void whatNoAutomatonFollowsIsRefused(String expression) {
        String message = assertThrows(ConfigurationException.class, () -> TextConstraints.regex(expression))
                .getMessage();
        assertTrue(message.contains(expression), message);
    }

    @Test
    void randomExpressionsMatchAsJavasDo() {
        Random random = new Random(11);
        for (int i = 0; i < 400; i++) {
            String expression = expression(random, 3);
            TextConstraint constraint = TextConstraints.regex(expression);
            Pattern pattern = Pattern.compile(expression);
            for (int j = 0; j < 40; j++) {
                String text = random.ints(random.nextInt(9), 0, 4).mapToObj("aböc"::charAt).map(String::valueOf)
                        .collect(Collectors.joining());
                assertEquals(pattern.matcher(text).matches(), constraint.allows(text), expression + " on " + text);
            }
        }
    }

    private static String expression(Random random, int depth) {
        if (depth == 0) {
            return List.of("a", "b", "ö", "[ab]", "[^a]", "[b-ö]").get(random.nextInt(6));
        }
        String first = expression(random, depth - 1);
        return switch (random.nextInt(8)) {
            case 0 -> "(" + first + ")*";
            case 1 -> "(" + first + ")+";
            case 2 -> "(" + first + ")?";
            case 3 -> "(" + first + "){" + random.nextInt(3) + "," + (2 + random.nextInt(3)) + "}";
            case 4 -> "(" + first + "|" + expression(random, depth - 1) + ")";
            case 5 -> "(|" + first + ")";
            default -> first + expression(random, depth - 1);
        };
    }

    /** What an automaton could not be made of before its first use: too many states, or one in the other. */
    @ParameterizedTest
    @ValueSource(strings = {"a{1001}{1001}", "([a-z]{0,300} ?){0,300}!", "[A-Z][a-z ,A-Z]{5,60} [0-9]{1,3} days[.]",
        "(a?){1000000}", "((a*)*)*b", ".*[ab].{200}"})
    void largeExpressionsAreFollowedAsFarAsATextGoes(String expression) {
        TextConstraint constraint = TextConstraints.regex(expression);
        int state = constraint.start();
        for (int i = 0; i < 60 && state != TextConstraint.NONE; i++) {
            assertTrue(constraint.mayGoOn(state) || constraint.mayEnd(state));
            state = constraint.step(state, expression.startsWith("[A") && i == 0 ? 'A' : 'a');
        }
        assertTrue(state != TextConstraint.NONE, expression);
    }

    @Test
    void deepAndWideExpressionsAreFollowedOrRefused() {
        String words = IntStream.range(0, 9_000).mapToObj(i -> "word" + i).collect(Collectors.joining("|"));
        assertTrue(TextConstraints.regex(words).allows("word8999"));
        assertTrue(TextConstraints.regex("(".repeat(400) + "a" + "*)".repeat(400)).allows("aaa"));
        String message = assertThrows(ConfigurationException.class,
                () -> TextConstraints.regex("(".repeat(100_000) + "a" + ")*".repeat(100_000))).getMessage();
        assertTrue(message.contains("more than 500 deep"), message.substring(message.length() - 100));
        TextConstraint wild = TextConstraints.regex("(.{0,1000}.{0,1000}){0,1000}.{0,1000}!");
        assertTrue(assertThrows(ConfigurationException.class, () -> wild.allows("a".repeat(5_000))).getMessage()
                .contains("too complex"));
    }

    @Test
    void largeSchemasAreFollowed() {
        String optional = IntStream.range(0, 100).mapToObj(i -> "\"p" + i + "\":{\"type\":\"string\"}")
                .collect(Collectors.joining(",", "{\"properties\":{", "}}"));
        assertTrue(TextConstraints.jsonSchema(optional).allows("{\"p0\":\"\",\"p57\":\"x\",\"p99\":\"\"}"));
        assertFalse(TextConstraints.jsonSchema(optional).allows("{\"p57\":\"x\",\"p0\":\"\"}"));
        TextConstraint longest = TextConstraints.jsonSchema("{\"type\":\"string\",\"maxLength\":20000}");
        assertTrue(longest.allows("\"" + "a".repeat(20_000) + "\""));
        assertFalse(longest.allows("\"" + "a".repeat(20_001) + "\""));
        assertTrue(TextConstraints.jsonSchema("{\"type\":\"string\",\"minLength\":1000000000}").step(0, '"') > 0);
        String doubling = IntStream.range(0, 30).mapToObj(i -> "\"d" + i + "\":{\"type\":\"array\",\"prefixItems\":["
                + "{\"$ref\":\"#/$defs/d" + (i + 1) + "\"},{\"$ref\":\"#/$defs/d" + (i + 1) + "\"}],\"items\":false}")
                .collect(Collectors.joining(",", "{\"$ref\":\"#/$defs/d0\",\"$defs\":{",
                        ",\"d30\":{\"type\":\"null\"}}}"));
        TextConstraint doubled = TextConstraints.jsonSchema(doubling);
        int state = doubled.start();
        for (char c : ("[".repeat(30) + "null,null],[null").toCharArray()) {
            state = doubled.step(state, c);
        }
        assertTrue(state != TextConstraint.NONE);
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
        "{\"properties\":{\"a\":{\"$ref\":\"#\"}}} | {\"a\":{\"a\":{\"a\":{}}}} | {\"a\":{\"a\":1}}",
        "true | {\"a\":[1,{\"b\":null}]} | {a:1}"})
    void schemasAllowWhatIsValid(String schema, String valid, String invalid) {
        TextConstraint constraint = TextConstraints.jsonSchema(schema);
        assertTrue(accepts(constraint, valid), valid);
        assertTrue(!accepts(constraint, invalid), invalid);
    }

    @Test
    @Tag("full")
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
        "{\"$ref\":\"#\"} | contains itself",
        "{\"properties\":{\"a\":{\"$ref\":\"#\"}},\"required\":[\"a\"]} | contains itself",
        "{\"$ref\":\"#/$defs/x\"} | does not have",
        "{\"properties\":{\"ab\":{}},\"required\":[\"abc\"]} | there is only 'ab'",
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
