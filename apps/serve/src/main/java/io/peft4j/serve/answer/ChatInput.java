package io.peft4j.serve.answer;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.PeftException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.models.generation.ToolUse;
import io.peft4j.serve.http.ApiException;
import io.peft4j.serve.http.RequestFields;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Makes a prompt of the messages and tools of a chat. */
final class ChatInput {
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {
    };
    private static final Set<String> ROLES = Set.of("system", "developer", "user", "assistant", "tool", "function");

    private final String field;
    private final ChatTemplate template;
    private final Tokenizer tokenizer;

    /** @param field the field of the request that has the messages, for errors */
    ChatInput(String field, ChatTemplate template, Tokenizer tokenizer) {
        this.field = field;
        this.template = template;
        this.tokenizer = tokenizer;
    }

    /**
     * The text of a chat, up to the header of the answer.
     *
     * @param tools as the request has them
     * @param variables further variables of the template
     */
    String text(List<JsonNode> messages, List<JsonNode> tools, Map<String, Object> variables) {
        if (messages.isEmpty()) {
            throw ApiException.invalid(field, "'" + field + "' must have at least one message");
        }
        List<ChatMessage> chat = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) {
            chat.add(message(messages.get(i), field + "[" + i + "]"));
        }
        List<Map<String, Object>> maps = tools.stream().map(tool -> MAPPER.convertValue(tool, OBJECT)).toList();
        return rendered(chat, maps, variables);
    }

    /**
     * The tokens of such a text.
     *
     * @param most the most tokens that the model reads
     * @param look runs before each piece of a long text; may throw to give up
     */
    int[] tokens(String text, int most, Runnable look) {
        return PromptTokens.of(field, text, most, tokenizer::encode, look);
    }

    private String rendered(List<ChatMessage> chat, List<Map<String, Object>> tools, Map<String, Object> variables) {
        try {
            return template.render(chat, true, tools, variables);
        } catch (PeftException e) {
            throw ApiException.invalid(field, e.getMessage());
        }
    }

    private ChatMessage message(JsonNode value, String name) {
        RequestFields.require(value.isObject(), name, "an object", value);
        String role = value.path("role").asText();
        if (!ROLES.contains(role)) {
            throw ApiException.invalid(name + ".role", "'" + name + ".role' must be one of system, developer, user, "
                    + "assistant, tool and function");
        }
        JsonNode content = value.path("content");
        if (content.isNull() || content.isMissingNode()) {
            requireOther(value, role, name + ".content");
        } else {
            RequestFields.require(content.isTextual() || content.isArray(), name + ".content",
                    "a string or an array of parts", content);
        }
        requireCalls(value.path("tool_calls"), name + ".tool_calls");
        Map<String, Object> map = MAPPER.convertValue(value, OBJECT);
        // Templates that know no developer put him in the place of the system, as OpenAI does for older models.
        map.put("role", role.equals("developer") && !template.source().contains("developer") ? "system" : role);
        if (content.isArray()) {
            map.put("content", text(content, name + ".content"));
        } else if (content.isMissingNode()) {
            // Clients leave it out of calls, and many templates fail without it.
            map.put("content", "");
        }
        map.computeIfPresent("tool_calls", (key, calls) -> calls instanceof List<?> list
                ? list.stream().map(ChatInput::withArguments).toList() : calls);
        return ChatMessage.fromMap(map);
    }

    /** Only what an assistant called or refused, and what a function gave, is without content. */
    private static void requireOther(JsonNode message, String role, String name) {
        boolean other = role.equals("function") || role.equals("assistant") && (message.hasNonNull("tool_calls")
                || message.hasNonNull("function_call") || message.hasNonNull("refusal"));
        if (!other) {
            throw ApiException.of(400, "invalid_request_error", "missing_required_parameter", name,
                    "Missing required parameter: '" + name + "'.");
        }
    }

    private static void requireCalls(JsonNode calls, String name) {
        RequestFields.require(calls.isArray() || calls.isNull() || calls.isMissingNode(), name, "an array", calls);
        for (int i = 0; i < calls.size(); i++) {
            JsonNode function = calls.get(i).path("function");
            RequestFields.require(function.isObject(), name + "[" + i + "].function", "an object", function);
            RequestFields.require(function.path("name").isTextual(), name + "[" + i + "].function.name", "a string",
                    function.path("name"));
        }
    }

    /** The text of parts, which each holds under the name of its type. */
    private static String text(JsonNode parts, String name) {
        StringBuilder text = new StringBuilder();
        for (int i = 0; i < parts.size(); i++) {
            String place = name + "[" + i + "]";
            RequestFields.require(parts.get(i).isObject(), place, "an object", parts.get(i));
            String type = parts.get(i).path("type").asText();
            if (!type.equals("text") && !type.equals("refusal")) {
                throw ApiException.of(400, "invalid_request_error", "unsupported_content", place + ".type",
                        "this model reads text; parts of type '" + type + "' are not supported");
            }
            JsonNode value = parts.get(i).path(type);
            RequestFields.require(value.isTextual(), place + "." + type, "a string", value);
            text.append(value.textValue());
        }
        return text.toString();
    }

    /** Templates take arguments as an object; clients send them as text. */
    private static Object withArguments(Object call) {
        if (!(call instanceof Map<?, ?> map) || !(map.get("function") instanceof Map<?, ?> function)
                || !(function.get("arguments") instanceof String text)) {
            return call;
        }
        Map<Object, Object> changed = new LinkedHashMap<>(function);
        changed.put("arguments", ToolUse.arguments(text));
        Map<Object, Object> result = new LinkedHashMap<>(map);
        result.put("function", changed);
        return result;
    }

    static String toolName(JsonNode tool, int index) {
        String name = tool.path("function").path("name").asText();
        if (!tool.path("type").asText().equals("function") || name.isEmpty()) {
            throw ApiException.invalid("tools[" + index + "]", "'tools[" + index + "]' must be {\"type\": "
                    + "\"function\", \"function\": {\"name\": ...}}");
        }
        JsonNode parameters = tool.path("function").path("parameters");
        RequestFields.require(parameters.isObject() || parameters.isNull() || parameters.isMissingNode(),
                "tools[" + index
                        + "].function.parameters",
                "an object", parameters);
        return name;
    }

    /** Plain Java values of an object. */
    static Map<String, Object> map(ObjectNode object) {
        return MAPPER.convertValue(object, OBJECT);
    }
}
