package io.peft4j.models.generation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.TextConstraint;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Schemas and patterns that grow without end where they are followed to their end: they are followed as far as a text
 * goes, or refused, and never take more than their memory. {@code -Dpeft4j.constraints=50000} tries as many.
 */
class ConstraintBombsTest {
    private static final int FEW = 200;
    private static final int MANY = Integer.getInteger("peft4j.constraints", 5000);
    private static final long MOST_BYTES = 65L << 20;
    private static final int STEPS = 400;
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final String[] ATOMS = {"a", "b", ".", "\\w", "[^x]", "\\d", "[a-f]", "é", "(a|b)", "x"};
    private static final String[] TIMES = {"*", "+", "?", "{3}", "{0,9}", "{2,}", "{999999999}", "{0,100000}",
        "{1,2000}"};

    @Tag("full")
    @Test
    void randomSchemasAndPatternsAreFollowedOrRefused() {
        areFollowedOrRefused(FEW, new SplittableRandom(34));
    }

    @Test
    @Tag("full")
    void manyMoreAreToo() {
        areFollowedOrRefused(MANY, new SplittableRandom(35));
    }

    /** Half of them are bombs. */
    private static void areFollowedOrRefused(int count, SplittableRandom random) {
        int followed = 0;
        for (int i = 0; i < count; i++) {
            boolean bomb = i % 2 == 1;
            String pattern = pattern(random, bomb ? 6 : 3, bomb);
            String schema = schema(random, bomb ? 6 : 2, bomb).toString();
            followed += isFollowed(i % 4 < 2 ? pattern : schema, i % 4 >= 2, random) ? 1 : 0;
        }
        assertTrue(followed > count / 2, followed + " of " + count);
    }

    /** Whether it was followed to the end of a random text; else it was refused with a reason. */
    private static boolean isFollowed(String text, boolean schema, SplittableRandom random) {
        try {
            TextConstraint constraint = schema ? TextConstraints.jsonSchema(text) : TextConstraints.regex(text);
            try {
                walk(constraint, random);
            } finally {
                assertTrue(constraint.bytes() < MOST_BYTES, constraint.bytes() + " bytes for " + text);
            }
            return true;
        } catch (ConfigurationException e) {
            assertTrue(e.getMessage().length() > 20, e.getMessage());
            return false;
        }
    }

    /** As tokens do, looks from each state at many others, and continues with one of them. */
    private static void walk(TextConstraint constraint, SplittableRandom random) {
        int state = constraint.start();
        for (int step = 0; step < STEPS && state != TextConstraint.NONE; step++) {
            int chosen = TextConstraint.NONE;
            for (int value = 0; value < 256; value++) {
                int next = constraint.step(state, value);
                chosen = next != TextConstraint.NONE && random.nextInt(4) == 0 || chosen == TextConstraint.NONE ? next
                        : chosen;
            }
            state = chosen;
        }
    }

    private static String pattern(SplittableRandom random, int depth, boolean bomb) {
        StringBuilder pattern = new StringBuilder();
        for (int parts = 1 + random.nextInt(bomb ? 4 : 3); parts > 0; parts--) {
            boolean group = depth > 0 && random.nextInt(2) == 0;
            pattern.append(group ? "(" + pattern(random, depth - 1, bomb)
                    + (random.nextBoolean() ? "|" + pattern(random, depth - 1, bomb) : "") + ")"
                    : ATOMS[random.nextInt(ATOMS.length)]);
            pattern.append(random.nextInt(bomb ? 1 : 3) == 0 ? TIMES[random.nextInt(bomb ? TIMES.length : 5)] : "");
        }
        return pattern.toString();
    }

    private static JsonNode schema(SplittableRandom random, int depth, boolean bomb) {
        ObjectNode schema = JSON.objectNode();
        switch (random.nextInt(depth > 0 ? 8 : 4)) {
            case 0 -> schema.put("type", "integer");
            case 1 -> schema.put("type", "string").put("maxLength", bomb ? random.nextInt(1_000_000_000) : 20);
            case 2 -> schema.put("type", "string").put("pattern", pattern(random, bomb ? 4 : 1, bomb));
            case 3 -> schema.put(random.nextBoolean() ? "description" : "title", "anything");
            case 4 -> schema.put("type", "array").put("minItems", bomb ? random.nextInt(100_000) : 1).set("items",
                    schema(random, depth - 1, bomb));
            case 5 -> schema.put("$ref", "#");
            case 6 -> {
                ArrayNode any = schema.putArray("anyOf");
                for (int i = bomb ? 8 : 2; i > 0; i--) {
                    any.add(schema(random, depth - 2, bomb));
                }
            }
            default -> {
                ObjectNode properties = schema.put("type", "object").putObject("properties");
                for (int i = bomb ? 12 : 3; i > 0; i--) {
                    properties.set("p" + i, schema(random, depth - 2, bomb));
                }
            }
        }
        return schema;
    }

    @Test
    void whatIsTooLargeIsNamed() {
        TextConstraint constraint = TextConstraints.regex("x(.{0,900}(a|b).{0,900}){1,900}y");
        String message = assertThrows(ConfigurationException.class, () -> constraint.allows("x" + "ab".repeat(3000)))
                .getMessage();
        assertTrue(message.contains("is too complex: ") && message.contains("{0,900}"), message);
    }

    /** What would take gigabytes as a whole takes next to nothing until a text comes there. */
    @ParameterizedTest
    @ValueSource(strings = {"{'type':'string','minLength':1000000000}", "{'type':'string','maxLength':100000}",
        "{'type':'array','minItems':1000000000}"})
    void countsCostNothingBeforeTheyAreReached(String schema) {
        TextConstraint constraint = TextConstraints.jsonSchema(schema.replace('\'', '"'));
        assertTrue(constraint.bytes() < 200_000, constraint.bytes() + " bytes");
    }

    @Test
    void aHundredOptionalPropertiesTakeLittle() {
        ObjectNode schema = JSON.objectNode().put("type", "object");
        ObjectNode properties = schema.putObject("properties");
        for (int i = 0; i < 100; i++) {
            properties.putObject("property" + i).put("type", "string");
        }
        TextConstraint constraint = TextConstraints.jsonSchema(schema.toString());
        assertTrue(constraint.allows("{\"property3\": \"a\", \"property99\": \"b\"}"));
        assertTrue(constraint.bytes() < 2_000_000, constraint.bytes() + " bytes");
    }

    /** A schema that is small itself is not made large by what stands for any value. */
    @Test
    void manyValuesWithoutASchemaShareOne() {
        ObjectNode schema = JSON.objectNode().put("type", "object");
        ObjectNode properties = schema.putObject("properties");
        for (int i = 0; i < 5000; i++) {
            properties.putObject("p" + i);
        }
        TextConstraint constraint = TextConstraints.jsonSchema(schema.toString());
        assertTrue(constraint.allows("{\"p7\": {\"x\": [1, {}]}}"));
        assertEquals(TextConstraint.NONE, constraint.step(constraint.start(), 'x'));
        assertTrue(constraint.bytes() < MOST_BYTES, constraint.bytes() + " bytes");
    }
}
