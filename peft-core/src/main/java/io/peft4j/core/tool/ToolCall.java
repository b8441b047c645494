package io.peft4j.core.tool;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A call of a tool.
 *
 * @param name of the function
 * @param arguments an object
 */
public record ToolCall(String name, ObjectNode arguments) {
    private static final ObjectMapper JSON = new ObjectMapper()
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    /**
     * A call in OpenAI's form, {@code {"function": {"name", "arguments"}}} or the inner object alone, with arguments as
     * a text or an object.
     *
     * @throws IllegalArgumentException when it is none
     */
    public static ToolCall of(Object value) {
        JsonNode node = JSON.valueToTree(value);
        JsonNode function = node.has("function") ? node.get("function") : node;
        JsonNode arguments = function.path("arguments");
        try {
            JsonNode parsed = arguments.isTextual() ? JSON.readTree(arguments.asText()) : arguments;
            if (function.path("name").isTextual() && parsed instanceof ObjectNode object) {
                return new ToolCall(function.get("name").asText(), object);
            }
        } catch (JsonProcessingException e) {
            // As one without arguments.
        }
        throw new IllegalArgumentException("a call needs the name of a function and arguments as a JSON object; got "
                + node);
    }

    /** The arguments as the text of a JSON object. */
    public String json() {
        return arguments.toString();
    }

    /** {@code {"type": "function", "function": {"name", "arguments"}}}, with arguments as an object. */
    public Map<String, Object> function() {
        ObjectNode call = JSON.createObjectNode().put("type", "function");
        call.putObject("function").put("name", name).set("arguments", arguments);
        return JSON.convertValue(call, new TypeReference<>() {
        });
    }

    /** The arguments as chat templates take them. */
    Map<String, Object> values() {
        return JSON.convertValue(arguments, new TypeReference<>() {
        });
    }

    /** Whether function and arguments are the same; 1 and 1.0 are, and so are objects in another order. */
    public boolean sameAs(ToolCall other) {
        return name.equals(other.name) && equal(arguments, other.arguments);
    }

    /** Whether two values are the same as JSON: numbers by their value, objects in any order. */
    public static boolean equal(JsonNode a, JsonNode b) {
        if (a.isNumber() && b.isNumber()) {
            return a.decimalValue().compareTo(b.decimalValue()) == 0;
        }
        boolean same = a.getNodeType() == b.getNodeType() && a.size() == b.size();
        if (a.isObject()) {
            for (Iterator<Map.Entry<String, JsonNode>> fields = a.fields(); same && fields.hasNext();) {
                Map.Entry<String, JsonNode> field = fields.next();
                same = b.has(field.getKey()) && equal(field.getValue(), b.get(field.getKey()));
            }
            return same;
        }
        if (a.isArray()) {
            for (int i = 0; same && i < a.size(); i++) {
                same = equal(a.get(i), b.get(i));
            }
            return same;
        }
        return a.equals(b);
    }

    /** {@code search(city="Oslo", days=3)}. */
    @Override
    public String toString() {
        List<String> given = new ArrayList<>();
        arguments.fields().forEachRemaining(field -> given.add(field.getKey() + "=" + field.getValue()));
        return name + given.stream().collect(Collectors.joining(", ", "(", ")"));
    }
}
