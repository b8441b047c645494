package io.peft4j.eval.task;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.tool.ToolCall;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.regex.Pattern;

/**
 * Whether answers keep to a form: JSON by a schema, a regular expression, a length.
 *
 * <p>Of JSON Schema the keywords {@code type, enum, const, required, properties, additionalProperties} (true or false),
 * {@code items, minItems, maxItems, minLength, maxLength, pattern, minimum, maximum} are checked; a schema with others
 * that constrain is refused rather than half checked.
 */
public final class FormatCheck {
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
    private static final List<String> KEYWORDS = List.of("type", "enum", "const", "required", "properties",
            "additionalProperties", "items", "minItems", "maxItems", "minLength", "maxLength", "pattern", "minimum",
            "maximum", "title", "description", "$schema", "$id", "default", "examples");

    private final Predicate<String> form;

    private FormatCheck(Predicate<String> form) {
        this.form = form;
    }

    /**
     * JSON that fits a schema.
     *
     * @throws ConfigurationException when the schema is not a JSON object, or has keywords that are not checked
     */
    public static FormatCheck jsonSchema(String schema) {
        JsonNode parsed;
        try {
            parsed = JSON.readTree(schema);
        } catch (JsonProcessingException e) {
            throw new ConfigurationException("the schema is not JSON: " + e.getOriginalMessage(), e);
        }
        requireKnown(parsed);
        return new FormatCheck(answer -> {
            try {
                JsonNode value = JSON.readTree(answer);
                return value != null && !value.isMissingNode() && fits(value, parsed);
            } catch (JsonProcessingException e) {
                return false;
            }
        });
    }

    /**
     * Which fields of a JSON object an answer has with equal values, in the order of the reference: none of them where
     * the answer is no JSON object; an empty map where the reference is none.
     */
    public static Map<String, Boolean> fields(String answer, String reference) {
        JsonNode right = object(reference);
        JsonNode given = object(answer);
        Map<String, Boolean> equal = new LinkedHashMap<>();
        for (Iterator<Map.Entry<String, JsonNode>> fields = right.fields(); fields.hasNext();) {
            Map.Entry<String, JsonNode> field = fields.next();
            equal.put(field.getKey(), given.has(field.getKey())
                    && ToolCall.equal(field.getValue(), given.get(field.getKey())));
        }
        return equal;
    }

    private static JsonNode object(String text) {
        try {
            JsonNode value = JSON.readTree(text);
            return value == null ? MissingNode.getInstance() : value;
        } catch (JsonProcessingException e) {
            return MissingNode.getInstance();
        }
    }

    /** The whole answer, white space around it left out, matches a regular expression. */
    public static FormatCheck regex(String expression) {
        Pattern pattern = Pattern.compile(expression, Pattern.DOTALL);
        return new FormatCheck(answer -> pattern.matcher(answer.strip()).matches());
    }

    /** The answer has so many words. */
    public static FormatCheck words(int least, int most) {
        return new FormatCheck(answer -> {
            int words = answer.isBlank() ? 0 : answer.strip().split("\\s+").length;
            return words >= least && words <= most;
        });
    }

    /** Whether an answer keeps to the form. */
    public boolean accepts(String answer) {
        return form.test(answer);
    }

    /** The share of answers that keep to the form. */
    public double rate(List<String> answers) {
        return answers.stream().filter(form).count() / (double) Math.max(1, answers.size());
    }

    private static void requireKnown(JsonNode schema) {
        if (!schema.isObject()) {
            throw new ConfigurationException("a schema must be a JSON object; got " + schema);
        }
        schema.fieldNames().forEachRemaining(key -> {
            if (!KEYWORDS.contains(key)) {
                throw new ConfigurationException("the schema keyword \"" + key + "\" is not supported; supported are "
                        + KEYWORDS);
            }
        });
        schema.path("properties").forEach(FormatCheck::requireKnown);
        if (schema.has("items")) {
            requireKnown(schema.get("items"));
        }
        if (schema.has("additionalProperties") && !schema.get("additionalProperties").isBoolean()) {
            throw new ConfigurationException("\"additionalProperties\" must be true or false");
        }
    }

    private static boolean fits(JsonNode value, JsonNode schema) {
        return fitsType(value, schema.get("type")) && fitsValues(value, schema)
                && (!value.isObject() || fitsObject(value, schema)) && (!value.isArray() || fitsArray(value, schema))
                && (!value.isTextual() || fitsText(value.asText(), schema))
                && (!value.isNumber() || value.asDouble() >= schema.path("minimum").asDouble(Double.NEGATIVE_INFINITY)
                        && value.asDouble() <= schema.path("maximum").asDouble(Double.POSITIVE_INFINITY));
    }

    private static boolean fitsType(JsonNode value, JsonNode type) {
        if (type == null) {
            return true;
        }
        if (type.isArray()) {
            for (JsonNode one : type) {
                if (fitsType(value, one)) {
                    return true;
                }
            }
            return false;
        }
        return switch (type.asText()) {
            case "object" -> value.isObject();
            case "array" -> value.isArray();
            case "string" -> value.isTextual();
            case "number" -> value.isNumber();
            case "integer" -> value.isNumber() && value.asDouble() == Math.rint(value.asDouble());
            case "boolean" -> value.isBoolean();
            case "null" -> value.isNull();
            default -> throw new ConfigurationException("unsupported schema type \"" + type.asText() + "\"");
        };
    }

    private static boolean fitsValues(JsonNode value, JsonNode schema) {
        boolean listed = !schema.has("enum");
        for (JsonNode one : schema.path("enum")) {
            listed |= one.equals(value);
        }
        return listed && (!schema.has("const") || schema.get("const").equals(value));
    }

    private static boolean fitsObject(JsonNode value, JsonNode schema) {
        for (JsonNode key : schema.path("required")) {
            if (!value.has(key.asText())) {
                return false;
            }
        }
        JsonNode properties = schema.path("properties");
        for (Iterator<Map.Entry<String, JsonNode>> fields = value.fields(); fields.hasNext();) {
            Map.Entry<String, JsonNode> field = fields.next();
            if (properties.has(field.getKey()) ? !fits(field.getValue(), properties.get(field.getKey()))
                    : !schema.path("additionalProperties").asBoolean(true)) {
                return false;
            }
        }
        return true;
    }

    private static boolean fitsArray(JsonNode value, JsonNode schema) {
        boolean size = value.size() >= schema.path("minItems").asInt(0)
                && value.size() <= schema.path("maxItems").asInt(Integer.MAX_VALUE);
        for (JsonNode item : value) {
            size &= !schema.has("items") || fits(item, schema.get("items"));
        }
        return size;
    }

    private static boolean fitsText(String text, JsonNode schema) {
        int length = text.codePointCount(0, text.length());
        return length >= schema.path("minLength").asInt(0)
                && length <= schema.path("maxLength").asInt(Integer.MAX_VALUE)
                && (!schema.has("pattern") || Pattern.compile(schema.get("pattern").asText()).matcher(text).find());
    }
}
