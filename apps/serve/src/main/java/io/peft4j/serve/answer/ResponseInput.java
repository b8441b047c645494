package io.peft4j.serve.answer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.Json;
import io.peft4j.serve.http.RequestFields;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Makes the messages of a chat of what {@code /v1/responses} has in {@code instructions} and {@code input}. */
final class ResponseInput {
    private static final Set<String> ROLES = Set.of("system", "developer", "user", "assistant");
    private static final Set<String> TEXTS = Set.of("input_text", "output_text");

    private final List<JsonNode> messages = new ArrayList<>();
    private final Set<String> calls = new HashSet<>();

    private ResponseInput() {
    }

    /**
     * The messages.
     *
     * @param instructions what stands before all others, as the system's
     * @param input a text of the user, or items
     */
    static List<JsonNode> messages(Optional<String> instructions, JsonNode input) {
        ResponseInput all = new ResponseInput();
        instructions.ifPresent(text -> all.messages.add(message("system", text)));
        RequestFields.require(input.isTextual() || input.isArray(), "input", "a string or an array of items", input);
        if (input.isTextual()) {
            all.messages.add(message("user", input.textValue()));
        }
        for (int i = 0; i < input.size(); i++) {
            all.add(input.get(i), "input[" + i + "]");
        }
        return all.messages;
    }

    private static ObjectNode message(String role, String content) {
        return Json.object().put("role", role).put("content", content);
    }

    private void add(JsonNode item, String name) {
        RequestFields.require(item.isObject(), name, "an object", item);
        String type = item.path("type").asText(item.has("role") ? "message" : "");
        switch (type) {
            case "message" -> messages.add(message(item, name));
            case "function_call" -> addCall(item, name);
            case "function_call_output" -> addOutput(item, name);
            case "reasoning" -> {
                // Of another model: none of those here gives such items, and no template shows them.
            }
            case "item_reference" -> throw unsupported(name, "responses are not kept; send the item itself");
            default -> throw unsupported(name, "items may be of type message, function_call, function_call_output and "
                    + "reasoning");
        }
    }

    private static ApiException unsupported(String name, String why) {
        return ApiException.of(400, "invalid_request_error", "unsupported_content", name + ".type", "'" + name
                + ".type' is not supported: " + why);
    }

    private static ObjectNode message(JsonNode item, String name) {
        String role = item.path("role").asText();
        if (!ROLES.contains(role)) {
            throw ApiException.invalid(name + ".role", "'" + name + ".role' must be one of system, developer, user and "
                    + "assistant");
        }
        return message(role, text(item.path("content"), name + ".content"));
    }

    /** A text, or the text of parts. */
    private static String text(JsonNode content, String name) {
        RequestFields.require(content.isTextual() || content.isArray(), name, "a string or an array of parts", content);
        StringBuilder text = new StringBuilder(content.isTextual() ? content.textValue() : "");
        for (int i = 0; i < content.size(); i++) {
            String place = name + "[" + i + "]";
            RequestFields.require(content.get(i).isObject(), place, "an object", content.get(i));
            String type = content.get(i).path("type").asText();
            String key = TEXTS.contains(type) ? "text" : "refusal";
            if (key.equals("refusal") && !type.equals("refusal")) {
                throw unsupported(place, "this model reads text, in parts of type input_text, output_text and refusal");
            }
            JsonNode value = content.get(i).path(key);
            RequestFields.require(value.isTextual(), place + "." + key, "a string", value);
            text.append(value.textValue());
        }
        return text.toString();
    }

    private static String required(JsonNode item, String key, String name) {
        RequestFields.require(item.path(key).isTextual(), name + "." + key, "a string", item.path(key));
        return item.path(key).textValue();
    }

    /** Calls stand in the message of the assistant before them, as in a chat. */
    private void addCall(JsonNode item, String name) {
        String id = required(item, "call_id", name);
        calls.add(id);
        ObjectNode call = Json.object().put("id", id).put("type", "function");
        call.putObject("function").put("name", required(item, "name", name))
                .put("arguments", required(item, "arguments", name));
        JsonNode last = messages.isEmpty() ? Json.object() : messages.get(messages.size() - 1);
        if (!last.path("role").asText().equals("assistant")) {
            messages.add(Json.object().put("role", "assistant").putNull("content"));
        }
        ObjectNode assistant = (ObjectNode) messages.get(messages.size() - 1);
        ArrayNode made = assistant.has("tool_calls") ? (ArrayNode) assistant.get("tool_calls")
                : assistant.putArray("tool_calls");
        made.add(call);
    }

    private void addOutput(JsonNode item, String name) {
        String id = required(item, "call_id", name);
        if (!calls.contains(id)) {
            throw ApiException.invalid(name + ".call_id", "'" + name + ".call_id' is that of no function_call before "
                    + "it; responses are not kept, so send the call, too");
        }
        messages.add(message("tool", text(item.path("output"), name + ".output")).put("tool_call_id", id));
    }
}
