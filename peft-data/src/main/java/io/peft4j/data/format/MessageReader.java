package io.peft4j.data.format;

import io.peft4j.core.Internal;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Reads the messages and tools of a row in OpenAI's chat format, the old form with {@code functions} included. What is
 * wrong is reported with a code; the rest of the row is still read.
 */
@Internal(shared = true)
public final class MessageReader {
    /** The roles of the chat format. */
    public static final Set<String> ROLES = new LinkedHashSet<>(
            List.of("system", "developer", "user", "assistant", "tool", "function"));
    private static final Set<String> MESSAGE_KEYS = Set.of("role", "content", "name", "weight", "tool_calls",
            "tool_call_id", "function_call", "refusal", "reasoning_content", "audio", "annotations");

    private MessageReader() {
    }

    /**
     * The messages under a key of a row, at least one.
     *
     * @throws io.peft4j.core.error.DataException when there are none, or one is wrong: with file and line
     */
    public static List<ChatMessage> messages(DataRow row, String key) {
        return sound(row, own -> read(own, key).orElse(List.of()));
    }

    /** The same without those of the assistant at their end, which are the expected answer; at least one. */
    public static List<ChatMessage> asked(DataRow row, String key) {
        List<ChatMessage> asked = ChatExample.asked(messages(row, key));
        if (asked.isEmpty()) {
            throw row.wrong("has only assistant messages, so there is no question to ask");
        }
        return asked;
    }

    /** The tool definitions of a row; empty where it has none. Throws as {@link #messages} does. */
    public static List<Map<String, Object>> tools(DataRow row) {
        return sound(row, MessageReader::readTools);
    }

    private static <T> T sound(DataRow row, Function<DataRow, T> part) {
        DataRow own = row.with(row.fields());
        T read = part.apply(own);
        if (own.isWrong()) {
            throw own.exception();
        }
        return read;
    }

    /** The messages under a key of a row; empty when one has a fatal fault, which the row has then. */
    static Optional<List<ChatMessage>> read(DataRow row, String key) {
        if (!(row.fields().get(key) instanceof List<?> list)) {
            String form = "; it looks like {\"" + key + "\": [{\"role\": \"user\", \"content\": \"...\"}, ...]}";
            boolean strange = !row.fields().isEmpty() && !row.fields().containsKey(key);
            row.fatal("missing_messages", "has no list \"" + key + "\""
                    + (strange ? row.advice(ColumnNames.FORMS) : form));
            return Optional.empty();
        }
        if (list.isEmpty()) {
            row.fatal("missing_messages", "\"" + key + "\" is empty");
            return Optional.empty();
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (int i = 0; i < list.size(); i++) {
            message(row, list.get(i), "message " + (i + 1)).ifPresent(messages::add);
        }
        return messages.size() == list.size() ? Optional.of(messages) : Optional.empty();
    }

    private static Optional<ChatMessage> message(DataRow row, Object value, String number) {
        if (!(value instanceof Map<?, ?> map)) {
            row.fatal("message_missing_key", number + " is not an object");
            return Optional.empty();
        }
        Map<String, Object> fields = DataRow.object(map);
        int before = row.faults().size();
        String where = number + checkRole(row, fields, number);
        checkKeys(row, fields, where);
        checkWeight(row, fields, where);
        oldCallToNew(fields);
        Optional<ChatMessage> message = withTextContent(row, fields, where);
        return row.faults().stream().skip(before).anyMatch(RowFault::fatal) ? Optional.empty() : message;
    }

    /** The role in brackets, for messages. */
    private static String checkRole(DataRow row, Map<String, Object> fields, String number) {
        if (!(fields.get("role") instanceof String role)) {
            row.fatal("message_missing_key", number + " has no \"role\"; the roles are " + ROLES);
            return "";
        }
        if (!ROLES.contains(role)) {
            row.fatal("unrecognized_role",
                    number + " has the role \"" + role + "\"; the roles are " + ROLES);
        }
        return " (" + role + ")";
    }

    private static void checkKeys(DataRow row, Map<String, Object> fields, String where) {
        List<String> unknown = fields.keySet().stream().filter(key -> !MESSAGE_KEYS.contains(key)).toList();
        if (!unknown.isEmpty()) {
            row.unknownKeys().addAll(unknown);
            row.odd("message_unrecognized_key", where + " has keys that the chat format does not have: "
                    + unknown + "; only the chat template sees them");
        }
    }

    private static void checkWeight(DataRow row, Map<String, Object> fields, String where) {
        Object weight = fields.get("weight");
        boolean valid = weight instanceof Number number && (number.doubleValue() == 0 || number.doubleValue() == 1);
        if (weight != null && (!valid || !"assistant".equals(fields.get("role")))) {
            row.fatal("bad_weight", where + " has the weight " + weight
                    + "; only assistant messages may have a weight, which is 0 or 1");
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
    private static Optional<ChatMessage> withTextContent(DataRow row, Map<String, Object> fields, String where) {
        if (!(fields.get("role") instanceof String)) {
            fields.put("role", "");
        }
        ChatMessage message;
        try {
            message = ChatMessage.fromMap(fields);
        } catch (IllegalArgumentException e) {
            row.fatal("missing_content", where + ": " + e.getMessage());
            return Optional.empty();
        }
        if (fields.get("content") instanceof List<?> parts) {
            parts.forEach(part -> requireText(row, part, where));
            message = message.withContent(message.content());
        }
        row.isWhole(message.content(), where);
        if (fields.get("content") == null && !message.hasToolCalls()) {
            if (!fields.containsKey("content")) {
                row.fatal("message_missing_key", where + " has no \"content\"");
            }
            row.fatal("missing_content", where + " has no \"content\"");
        } else if (message.content().isBlank() && !message.hasToolCalls() && !message.role().equals("assistant")) {
            row.odd("missing_content", where + " has an empty \"content\"");
        }
        return Optional.of(message);
    }

    private static void requireText(DataRow row, Object part, String where) {
        boolean text = part instanceof String || part instanceof Map<?, ?> map && map.get("text") instanceof String;
        if (!text) {
            Object type = part instanceof Map<?, ?> map ? map.get("type") : part;
            row.fatal("missing_content",
                    where + " has a part of type \"" + type + "\"; only text is supported");
        }
    }

    /** The tool definitions of a row, those under the old key {@code functions} included. */
    static List<Map<String, Object>> readTools(DataRow row) {
        List<Map<String, Object>> tools = new ArrayList<>(objects(row, "tools"));
        for (Map<String, Object> function : objects(row, "functions")) {
            Map<String, Object> tool = new LinkedHashMap<>();
            tool.put("type", "function");
            tool.put("function", function);
            tools.add(tool);
        }
        return tools;
    }

    private static List<Map<String, Object>> objects(DataRow row, String key) {
        Object value = row.fields().get(key);
        if (value == null) {
            return List.of();
        }
        if (value instanceof String text) {
            // Tables have no place for tools of different shapes, so they are often stored as JSON.
            value = text.isBlank() ? List.of() : JsonText.value(text).orElse(text);
        }
        if (!(value instanceof List<?> list)) {
            row.fatal("bad_tools", "\"" + key + "\" is not a list");
            return List.of();
        }
        List<Map<String, Object>> objects = new ArrayList<>();
        for (Object item : list) {
            if (item instanceof Map<?, ?> map) {
                objects.add(DataRow.object(map));
            } else {
                row.fatal("bad_tools", "\"" + key + "\" holds something that is not an object");
            }
        }
        return objects;
    }

    /** Whether there is something to learn in the messages of a row; a fault where not, and for each empty answer. */
    static boolean requireAnswers(DataRow row, List<ChatMessage> messages) {
        boolean answers = false;
        boolean learned = false;
        boolean whole = true;
        for (int i = 0; i < messages.size(); i++) {
            ChatMessage message = messages.get(i);
            if (message.role().equals("assistant")) {
                answers = true;
                learned |= ChatExample.isLearned(message);
                if (message.content().isBlank() && !message.hasToolCalls()) {
                    whole = false;
                    row.fatal("missing_content", "message " + (i + 1) + " (assistant) has no \"content\"");
                }
            }
        }
        if (!answers) {
            row.fatal("example_missing_assistant_message", "has no assistant message, so there is nothing to learn");
        } else if (!learned) {
            row.fatal("no_supervised_tokens",
                    "every assistant message has weight 0, so there is nothing to learn");
        }
        return answers && learned && whole;
    }
}
