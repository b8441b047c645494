package io.peft4j.data;

import io.peft4j.core.text.ChatMessage;
import java.util.ArrayList;
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
    private static final int MOST_UNKNOWN_KEYS = 20;

    private final Set<String> unknownKeys = new LinkedHashSet<>();

    /** Keys of messages that the chat format does not have, the first of all rows so far. */
    Set<String> unknownKeys() {
        return unknownKeys;
    }

    /** The messages under a key of a row, at least one. */
    List<ChatMessage> messages(JsonLines.Row row, String key) {
        if (!(row.fields().get(key) instanceof List<?> list)) {
            throw row.wrong("has no list \"" + key + "\"; it looks like {\"" + key
                    + "\": [{\"role\": \"user\", \"content\": \"...\"}, ...]}");
        }
        if (list.isEmpty()) {
            throw row.wrong("\"" + key + "\" is empty");
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            messages.add(message(row, list.get(i), "message " + (i + 1)));
        }
        return messages;
    }

    private ChatMessage message(JsonLines.Row row, Object value, String number) {
        if (!(value instanceof Map<?, ?> map)) {
            throw row.wrong(number + " is not an object");
        }
        Map<String, Object> fields = JsonLines.object(map);
        if (!(fields.get("role") instanceof String role)) {
            throw row.wrong(number + " has no \"role\"; the roles are " + ROLES);
        }
        if (!ROLES.contains(role)) {
            throw row.wrong(number + " has the role \"" + role + "\"; the roles are " + ROLES);
        }
        fields.keySet().stream().filter(key -> !MESSAGE_KEYS.contains(key))
                .limit(MOST_UNKNOWN_KEYS - unknownKeys.size()).forEach(unknownKeys::add);
        String where = number + " (" + role + ")";
        checkWeight(row, fields.get("weight"), role, where);
        ChatMessage message = withTextContent(row, fields, where);
        if (fields.get("content") == null && !hasCalls(message)) {
            throw row.wrong(where + " has no \"content\"");
        }
        return message;
    }

    /** Whether the message calls tools, and so needs no content. */
    static boolean hasCalls(ChatMessage message) {
        Object calls = message.extra().get("tool_calls");
        return calls instanceof List<?> list ? !list.isEmpty()
                : calls != null || message.extra().get("function_call") != null;
    }

    private static void checkWeight(JsonLines.Row row, Object weight, String role, String where) {
        if (weight == null) {
            return;
        }
        boolean valid = weight instanceof Number number && (number.doubleValue() == 0 || number.doubleValue() == 1);
        if (!valid || !role.equals("assistant")) {
            throw row.wrong(where + " has the weight " + weight
                    + "; only messages of the assistant have one, and it is 0 or 1");
        }
    }

    /** A content that is a list of texts becomes one text, since most chat templates read nothing else. */
    private static ChatMessage withTextContent(JsonLines.Row row, Map<String, Object> fields, String where) {
        ChatMessage message;
        try {
            message = ChatMessage.fromMap(fields);
        } catch (IllegalArgumentException e) {
            throw row.wrong(where + ": " + e.getMessage());
        }
        if (fields.get("content") instanceof List<?> parts) {
            parts.forEach(part -> requireText(row, part, where));
            message = message.withContent(message.content());
        }
        requireWholeCharacters(row, message.content(), where);
        return message;
    }

    private static void requireText(JsonLines.Row row, Object part, String where) {
        boolean text = part instanceof String || part instanceof Map<?, ?> map && map.get("text") instanceof String;
        if (!text) {
            Object type = part instanceof Map<?, ?> map ? map.get("type") : part;
            throw row.wrong(where + " holds a part of type \"" + type + "\"; models here read texts only");
        }
    }

    /** JSON can spell half of a surrogate pair, which is no character and has no UTF-8 form. */
    private static void requireWholeCharacters(JsonLines.Row row, String text, String where) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                if (!Character.isSupplementaryCodePoint(text.codePointAt(i))) {
                    throw row.wrong(where + String.format(" holds \\u%04x, half of a character", (int) text.charAt(i)));
                }
                i++;
            }
        }
    }

    /** The tool definitions of a row; empty where it has none. */
    List<Map<String, Object>> tools(JsonLines.Row row) {
        if (row.fields().get("functions") != null) {
            throw row.wrong("has \"functions\", an old form that no chat template reads; write them as \"tools\": "
                    + "[{\"type\": \"function\", \"function\": {...}}, ...]");
        }
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
