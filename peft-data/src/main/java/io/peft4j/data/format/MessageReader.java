package io.peft4j.data.format;

import io.peft4j.core.text.ChatMessage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Reads the messages and tools of a row in OpenAI's chat format, the old form with {@code functions} included. What is
 * wrong is reported with a code; the rest of the row is still read.
 */
public final class MessageReader {
    /** The roles of the chat format. */
    public static final Set<String> ROLES = new LinkedHashSet<>(
            List.of("system", "developer", "user", "assistant", "tool", "function"));
    private static final Set<String> MESSAGE_KEYS = Set.of("role", "content", "name", "weight", "tool_calls",
            "tool_call_id", "function_call", "refusal", "reasoning_content", "audio", "annotations");
    private static final int MOST_UNKNOWN_KEYS = 20;

    private final Set<String> unknownKeys = new LinkedHashSet<>();

    /** Keys of messages that the chat format does not have, the first of all rows so far. */
    public Set<String> unknownKeys() {
        return unknownKeys;
    }

    /**
     * The messages under a key of a row, at least one.
     *
     * @throws io.peft4j.core.error.DataException when there are none, or one is wrong: with file and line
     */
    public List<ChatMessage> messages(JsonLines.Row row, String key) {
        return messages(row, key, Faults.failing(row)).orElseThrow();
    }

    /** The messages under a key of a row; empty when one has a fatal fault, of which {@code faults} was told. */
    public Optional<List<ChatMessage>> messages(JsonLines.Row row, String key, Faults faults) {
        if (!(row.fields().get(key) instanceof List<?> list)) {
            String form = "; it looks like {\"" + key + "\": [{\"role\": \"user\", \"content\": \"...\"}, ...]}";
            boolean strange = !row.fields().isEmpty() && !row.fields().containsKey(key);
            faults.add(RowFault.fatal("missing_messages", "has no list \"" + key + "\""
                    + (strange ? row.advice(ColumnNames.FORMS) : form)));
            return Optional.empty();
        }
        if (list.isEmpty()) {
            faults.add(RowFault.fatal("missing_messages", "\"" + key + "\" is empty"));
            return Optional.empty();
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            message(list.get(i), "message " + (i + 1), faults).ifPresent(messages::add);
        }
        return messages.size() == list.size() ? Optional.of(messages) : Optional.empty();
    }

    private Optional<ChatMessage> message(Object value, String number, Faults faults) {
        if (!(value instanceof Map<?, ?> map)) {
            faults.add(RowFault.fatal("message_missing_key", number + " is not an object"));
            return Optional.empty();
        }
        Map<String, Object> fields = JsonLines.object(map);
        boolean[] wrong = new boolean[1];
        Faults counting = fault -> {
            wrong[0] |= fault.fatal();
            faults.add(fault);
        };
        String where = number + checkRole(fields, number, counting);
        checkKeys(fields, where, counting);
        checkWeight(fields, where, counting);
        oldCallToNew(fields);
        Optional<ChatMessage> message = withTextContent(fields, where, counting);
        return wrong[0] ? Optional.empty() : message;
    }

    /** The role in brackets, for messages. */
    private static String checkRole(Map<String, Object> fields, String number, Faults faults) {
        if (!(fields.get("role") instanceof String role)) {
            faults.add(RowFault.fatal("message_missing_key", number + " has no \"role\"; the roles are " + ROLES));
            return "";
        }
        if (!ROLES.contains(role)) {
            faults.add(RowFault.fatal("unrecognized_role",
                    number + " has the role \"" + role + "\"; the roles are " + ROLES));
        }
        return " (" + role + ")";
    }

    private void checkKeys(Map<String, Object> fields, String where, Faults faults) {
        List<String> unknown = fields.keySet().stream().filter(key -> !MESSAGE_KEYS.contains(key)).toList();
        if (!unknown.isEmpty()) {
            unknown.stream().limit(MOST_UNKNOWN_KEYS - unknownKeys.size()).forEach(unknownKeys::add);
            faults.add(RowFault.odd("message_unrecognized_key", where + " has keys that the chat format does not have: "
                    + unknown + "; only the chat template sees them"));
        }
    }

    private static void checkWeight(Map<String, Object> fields, String where, Faults faults) {
        Object weight = fields.get("weight");
        boolean valid = weight instanceof Number number && (number.doubleValue() == 0 || number.doubleValue() == 1);
        if (weight != null && (!valid || !"assistant".equals(fields.get("role")))) {
            faults.add(RowFault.fatal("bad_weight", where + " has the weight " + weight
                    + "; only assistant messages may have a weight, which is 0 or 1"));
        }
    }

    /** {@code function_call} became {@code tool_calls}, which is what chat templates read. */
    private static void oldCallToNew(Map<String, Object> fields) {
        if (fields.get("function_call") instanceof Map<?, ?> call && fields.get("tool_calls") == null) {
            Map<String, Object> tool = new LinkedHashMap<>();
            tool.put("type", "function");
            tool.put("function", call);
            fields.remove("function_call");
            fields.put("tool_calls", List.of(tool));
        }
    }

    /** A content that is a list of texts becomes one text, since most chat templates read nothing else. */
    private static Optional<ChatMessage> withTextContent(Map<String, Object> fields, String where, Faults faults) {
        if (!(fields.get("role") instanceof String)) {
            fields.put("role", "");
        }
        ChatMessage message;
        try {
            message = ChatMessage.fromMap(fields);
        } catch (IllegalArgumentException e) {
            faults.add(RowFault.fatal("missing_content", where + ": " + e.getMessage()));
            return Optional.empty();
        }
        if (fields.get("content") instanceof List<?> parts) {
            parts.forEach(part -> requireText(part, where, faults));
            message = message.withContent(message.content());
        }
        requireWholeCharacters(message.content(), where, faults);
        if (fields.get("content") == null && !message.hasToolCalls()) {
            if (!fields.containsKey("content")) {
                faults.add(RowFault.fatal("message_missing_key", where + " has no \"content\""));
            }
            faults.add(RowFault.fatal("missing_content", where + " has no \"content\""));
        } else if (message.content().isBlank() && !message.hasToolCalls() && !message.role().equals("assistant")) {
            faults.add(RowFault.odd("missing_content", where + " has an empty \"content\""));
        }
        return Optional.of(message);
    }

    private static void requireText(Object part, String where, Faults faults) {
        boolean text = part instanceof String || part instanceof Map<?, ?> map && map.get("text") instanceof String;
        if (!text) {
            Object type = part instanceof Map<?, ?> map ? map.get("type") : part;
            faults.add(RowFault.fatal("missing_content",
                    where + " has a part of type \"" + type + "\"; only text is supported"));
        }
    }

    /** JSON can spell half of a surrogate pair, which is not a character and has no UTF-8 form. */
    static void requireWholeCharacters(String text, String where, Faults faults) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                if (!Character.isSupplementaryCodePoint(text.codePointAt(i))) {
                    faults.add(RowFault.fatal("wrong_encoding",
                            where + String.format(" contains \\u%04x, half of a surrogate "
                                    + "pair", (int) text.charAt(i))));
                    return;
                }
                i++;
            }
        }
    }

    /** The tool definitions of a row; empty where it has none. */
    public List<Map<String, Object>> tools(JsonLines.Row row) {
        return tools(row.fields(), Faults.failing(row));
    }

    /** The tool definitions of a row or of a part of it, those under the old key {@code functions} included. */
    static List<Map<String, Object>> tools(Map<String, Object> fields, Faults faults) {
        List<Map<String, Object>> tools = new ArrayList<>(objects(fields, "tools", faults));
        for (Map<String, Object> function : objects(fields, "functions", faults)) {
            Map<String, Object> tool = new LinkedHashMap<>();
            tool.put("type", "function");
            tool.put("function", function);
            tools.add(tool);
        }
        return tools;
    }

    private static List<Map<String, Object>> objects(Map<String, Object> fields, String key, Faults faults) {
        Object value = fields.get(key);
        if (value == null) {
            return List.of();
        }
        if (value instanceof String text) {
            // Tables have no place for tools of different shapes, so they are often stored as JSON.
            value = text.isBlank() ? List.of() : JsonText.value(text).orElse(text);
        }
        if (!(value instanceof List<?> list)) {
            faults.add(RowFault.fatal("bad_tools", "\"" + key + "\" is not a list"));
            return List.of();
        }
        List<Map<String, Object>> objects = new ArrayList<>();
        for (Object item : list) {
            if (item instanceof Map<?, ?> map) {
                objects.add(JsonLines.object(map));
            } else {
                faults.add(RowFault.fatal("bad_tools", "\"" + key + "\" holds something that is not an object"));
            }
        }
        return objects;
    }
}
