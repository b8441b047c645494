package io.peft4j.data;

import io.peft4j.core.text.ChatMessage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads the messages and tools of a row in OpenAI's chat format; every complaint names file and line. */
final class MessageReader {
    private static final Set<String> ROLES = new LinkedHashSet<>(
            List.of("system", "developer", "user", "assistant", "tool", "function"));
    private static final Set<String> MESSAGE_KEYS = Set.of("role", "content", "name", "weight", "tool_calls",
            "tool_call_id", "function_call", "refusal", "reasoning_content");

    private final Set<String> unknownKeys = new LinkedHashSet<>();

    /** Keys of messages that the chat format does not have, seen so far. */
    Set<String> unknownKeys() {
        return unknownKeys;
    }

    /** The messages under a key of a row, at least one. */
    List<ChatMessage> messages(JsonLines.Row row, String key) {
        if (!(row.fields().get(key) instanceof List<?> list)) {
            throw row.wrong("has no list \"" + key + "\"");
        }
        if (list.isEmpty()) {
            throw row.wrong("\"" + key + "\" is empty");
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            messages.add(message(row, list.get(i), i));
        }
        return messages;
    }

    private ChatMessage message(JsonLines.Row row, Object value, int index) {
        String where = "message " + (index + 1);
        if (!(value instanceof Map<?, ?> map)) {
            throw row.wrong(where + " is not an object");
        }
        Map<String, Object> fields = new LinkedHashMap<>();
        map.forEach((k, v) -> fields.put((String) k, v));
        fields.keySet().stream().filter(k -> !MESSAGE_KEYS.contains(k)).forEach(unknownKeys::add);
        if (!(fields.get("role") instanceof String role)) {
            throw row.wrong(where + " has no \"role\"; the roles are " + ROLES);
        }
        if (!ROLES.contains(role)) {
            throw row.wrong(where + " has the role \"" + role + "\"; the roles are " + ROLES);
        }
        boolean calls = fields.get("tool_calls") != null || fields.get("function_call") != null;
        if (fields.get("content") == null && !calls) {
            throw row.wrong(where + " (" + role + ") has no \"content\"");
        }
        checkWeight(row, fields.get("weight"), role, where);
        try {
            return ChatMessage.fromMap(fields);
        } catch (IllegalArgumentException e) {
            throw row.wrong(where + ": " + e.getMessage());
        }
    }

    private static void checkWeight(JsonLines.Row row, Object weight, String role, String where) {
        if (weight == null) {
            return;
        }
        boolean valid = weight instanceof Integer number && (number == 0 || number == 1);
        if (!valid || !role.equals("assistant")) {
            throw row.wrong(where + " (" + role + ") has the weight " + weight
                    + "; only messages of the assistant have one, and it is 0 or 1");
        }
    }

    /** The tool definitions of a row; empty where it has none. */
    List<Map<String, Object>> tools(JsonLines.Row row) {
        Object value = row.fields().get("tools");
        if (value == null) {
            return List.of();
        }
        if (!(value instanceof List<?> list)) {
            throw row.wrong("\"tools\" is not a list");
        }
        List<Map<String, Object>> tools = new ArrayList<>();
        for (Object tool : list) {
            if (!(tool instanceof Map<?, ?> map)) {
                throw row.wrong("\"tools\" holds something that is not an object");
            }
            tools.add(JsonLines.object(map));
        }
        return tools;
    }
}
