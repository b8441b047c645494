package io.peft4j.data.format;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** ShareGPT's form, with the additions of LLaMA-Factory: tools as JSON text, calls and their results as turns. */
final class ShareGptFormat implements RowFormat {
    private static final String CONVERSATIONS = "conversations";
    private static final String FROM = "from";
    private static final String VALUE = "value";
    private static final String CALL = "function_call";
    private static final Map<String, String> ROLES = Map.ofEntries(Map.entry("human", "user"),
            Map.entry("user", "user"), Map.entry("gpt", "assistant"), Map.entry("chatgpt", "assistant"),
            Map.entry("bing", "assistant"), Map.entry("bard", "assistant"), Map.entry("assistant", "assistant"),
            Map.entry("system", "system"), Map.entry("observation", "tool"), Map.entry("tool", "tool"),
            Map.entry(CALL, "assistant"));

    @Override
    public boolean recognizes(Map<String, Object> fields) {
        return fields.containsKey(CONVERSATIONS);
    }

    @Override
    public Optional<Example> read(DataRow row) {
        if (!(row.fields().get(CONVERSATIONS) instanceof List<?> list) || list.isEmpty()) {
            row.fatal("missing_messages", "has no list \"conversations\" with at least one turn");
            return Optional.empty();
        }
        List<ChatMessage> messages = new ArrayList<>(row.system());
        for (int i = 0; i < list.size(); i++) {
            message(row, list.get(i), "turn " + (i + 1)).ifPresent(messages::add);
        }
        List<Map<String, Object>> tools = MessageReader.readTools(row);
        if (row.isWrong() || !MessageReader.requireAnswers(row, messages)) {
            return Optional.empty();
        }
        return Optional.of(new ChatExample(messages, tools, row.extra(CONVERSATIONS, "system", "tools",
                "functions"),
                row.origin()));
    }

    private static Optional<ChatMessage> message(DataRow row, Object turn, String where) {
        if (!(turn instanceof Map<?, ?> map && map.get(FROM) instanceof String from)) {
            row.fatal("message_missing_key", where + " has no \"from\"");
            return Optional.empty();
        }
        if (!ROLES.containsKey(from)) {
            row.fatal("unrecognized_role", where + " is from \"" + from + "\"; known are "
                    + ROLES.keySet().stream().sorted().toList());
            return Optional.empty();
        }
        if (!(map.get(VALUE) instanceof String value)) {
            row.fatal("missing_content", where + " (" + from + ") has no text \"value\"");
            return Optional.empty();
        }
        if (!row.isWhole(value, where)) {
            return Optional.empty();
        }
        Map<String, Object> extra = DataRow.object(map);
        extra.remove(FROM);
        extra.remove(VALUE);
        for (String key : List.of("role", "content")) {
            if (extra.remove(key) != null) {
                row.odd("message_unrecognized_key", where + " (" + from + ") has "
                        + "\"" + key + "\" beside \"from\" and \"value\"; it is ignored");
            }
        }
        if (!from.equals(CALL)) {
            return Optional.of(new ChatMessage(ROLES.get(from), value, extra));
        }
        Optional<Object> call = JsonText.value(value);
        if (call.isEmpty()) {
            row.fatal("missing_content", where + " (function_call) is not the JSON of a call");
            return Optional.empty();
        }
        extra.put("tool_calls", List.of(Map.of("type", "function", "function", call.get())));
        return Optional.of(new ChatMessage("assistant", "", extra));
    }

    @Override
    public Optional<Map<String, Object>> write(Example example) {
        if (example.toChat().isEmpty()) {
            return Optional.empty();
        }
        ChatExample chat = example.toChat().get();
        List<Map<String, Object>> turns = new ArrayList<>();
        for (ChatMessage message : chat.messages()) {
            Optional<Map<String, Object>> turn = turn(message);
            if (turn.isEmpty()) {
                return Optional.empty();
            }
            turns.add(turn.get());
        }
        Map<String, Object> row = new LinkedHashMap<>();
        row.put(CONVERSATIONS, turns);
        if (!chat.tools().isEmpty()) {
            row.put("tools", JsonText.write(chat.tools()));
        }
        return RowFormat.with(row, chat.extra(), "system", "tools", "functions");
    }

    private static Optional<Map<String, Object>> turn(ChatMessage message) {
        Map<String, Object> turn = new LinkedHashMap<>();
        Map<String, Object> extra = new LinkedHashMap<>(message.extra());
        if (!ROLES.containsValue(message.role()) && !message.role().equals("function")) {
            return Optional.empty();
        }
        Object calls = extra.remove("tool_calls");
        extra.remove("content");
        if (calls != null) {
            boolean single = calls instanceof List<?> list && list.size() == 1 && list.get(0) instanceof Map<?, ?> call
                    && call.get("function") instanceof Map<?, ?>;
            if (!single || !message.content().isEmpty()) {
                return Optional.empty();
            }
            turn.put(FROM, CALL);
            turn.put(VALUE, JsonText.write(((Map<?, ?>) ((List<?>) calls).get(0)).get("function")));
        } else {
            turn.put(FROM, switch (message.role()) {
                case "user" -> "human";
                case "assistant" -> "gpt";
                case "tool", "function" -> "observation";
                default -> "system";
            });
            turn.put(VALUE, message.content());
        }
        turn.putAll(extra);
        return Optional.of(turn);
    }
}
