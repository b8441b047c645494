package io.peft4j.core.tool;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.node.TextNode;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A tool that a model may call.
 *
 * @param name of the function
 * @param parameters the JSON schema of its arguments; an object without fields where it says nothing of them
 */
public record Tool(String name, JsonNode parameters) {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int DEEPEST = 50;

    /** Tools in OpenAI's form, {@code {"type": "function", "function": {...}}} or the function alone. */
    public static List<Tool> of(Collection<?> definitions) {
        return definitions.stream().map(each -> {
            JsonNode node = JSON.valueToTree(each);
            JsonNode function = node.path("function").isObject() ? node.get("function") : node;
            JsonNode parameters = function.path("parameters");
            return new Tool(function.path("name").asText(), parameters.isObject() ? parameters
                    : JSON.createObjectNode());
        }).toList();
    }

    /** What is wrong with the arguments of a call: a required one is missing, or one has another type. */
    Optional<String> fault(ObjectNode arguments) {
        return fault(arguments, parameters, "", 0);
    }

    private Optional<String> fault(JsonNode value, JsonNode schema, String place, int depth) {
        Set<String> types = types(schema, depth);
        if (!types.isEmpty() && types.stream().noneMatch(type -> isOf(value, type))) {
            return Optional.of("argument '" + place + "' is " + value + ", which is not of type "
                    + String.join(" or ", types));
        }
        JsonNode choices = schema.path("enum");
        if (choices.isArray() && !contains(choices, value)) {
            return Optional.of("argument '" + place + "' is " + value + "; allowed are " + choices);
        }
        if (value.isObject() && depth < DEEPEST) {
            for (JsonNode required : schema.path("required")) {
                if (!value.has(required.asText())) {
                    return Optional.of("the argument '" + join(place, required.asText()) + "' is missing");
                }
            }
            for (Iterator<Map.Entry<String, JsonNode>> fields = value.fields(); fields.hasNext();) {
                Map.Entry<String, JsonNode> field = fields.next();
                Optional<String> fault = fault(field.getValue(), schema.path("properties").path(field.getKey()),
                        join(place, field.getKey()), depth + 1);
                if (fault.isPresent()) {
                    return fault;
                }
            }
        }
        return Optional.empty();
    }

    private static boolean contains(JsonNode choices, JsonNode value) {
        for (JsonNode choice : choices) {
            if (ToolCall.equal(choice, value)) {
                return true;
            }
        }
        return false;
    }

    private static String join(String place, String key) {
        return place.isEmpty() ? key : place + "." + key;
    }

    private static boolean isOf(JsonNode value, String type) {
        return switch (type) {
            case "string" -> value.isTextual();
            case "integer" -> value.isNumber() && value.decimalValue().stripTrailingZeros().scale() <= 0;
            case "number" -> value.isNumber();
            case "boolean" -> value.isBoolean();
            case "array" -> value.isArray();
            case "object" -> value.isObject();
            case "null" -> value.isNull();
            default -> true;
        };
    }

    /** The types that a schema allows; none where it does not say. */
    private static Set<String> types(JsonNode schema, int depth) {
        Set<String> types = new LinkedHashSet<>();
        JsonNode type = schema.path("type");
        if (type.isTextual()) {
            types.add(known(type.asText()));
        }
        type.forEach(each -> types.add(known(each.asText())));
        for (String choice : List.of("anyOf", "oneOf")) {
            for (JsonNode each : schema.path(choice)) {
                Set<String> inner = depth < DEEPEST ? types(each, depth + 1) : Set.of();
                if (inner.isEmpty()) {
                    return Set.of();
                }
                types.addAll(inner);
            }
        }
        if (schema.path("nullable").asBoolean()) {
            types.add("null");
        }
        return types;
    }

    /** Types as other languages name them are common in definitions of tools. */
    private static String known(String type) {
        return switch (type.toLowerCase(Locale.ROOT)) {
            case "str", "text" -> "string";
            case "int", "int32", "int64", "long" -> "integer";
            case "float", "double" -> "number";
            case "bool" -> "boolean";
            case "dict", "map" -> "object";
            case "list", "tuple" -> "array";
            default -> type.toLowerCase(Locale.ROOT);
        };
    }

    /**
     * A value of which a form has the text alone, of the type that the schema says.
     *
     * @param guess whether a text that is JSON is taken as such where the schema says nothing
     */
    JsonNode typed(String key, String text, boolean guess) {
        Set<String> types = types(parameters.path("properties").path(key), 0);
        boolean any = types.isEmpty();
        if (any && !guess || types.equals(Set.of("string"))) {
            return TextNode.valueOf(text);
        }
        String value = text.strip();
        Optional<JsonNode> parsed = Optional.empty();
        try {
            parsed = Optional.ofNullable(new Cursor(value, 0, true).whole());
        } catch (Cursor.Stop e) {
            // A text.
        }
        if (parsed.isEmpty() && (types.contains("boolean") || types.contains("null"))) {
            parsed = Optional.of(value.toLowerCase(Locale.ROOT))
                    .filter(Set.of("true", "false", "null", "none")::contains)
                    .map(word -> word.equals("none") ? "null" : word).map(Tool::read);
        }
        return parsed.filter(each -> any || types.stream().anyMatch(type -> !type.equals("string") && isOf(each, type)))
                .filter(each -> !any || !each.isTextual()).orElse(TextNode.valueOf(text));
    }

    /** A string that a form wrote for a value of another type. */
    JsonNode typed(String key, JsonNode value) {
        return value.isTextual() ? typed(key, value.asText(), false) : value;
    }

    private static JsonNode read(String json) {
        try {
            return JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException(json, e);
        }
    }
}
