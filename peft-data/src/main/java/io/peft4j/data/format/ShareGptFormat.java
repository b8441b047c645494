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
    public Optional<Example> read(JsonLines.Row row, MessageReader reader, Faults faults) {
        if (!(row.fields().get(CONVERSATIONS) instanceof List<?> list) || list.isEmpty()) {
            faults.add(RowFault.fatal("missing_messages", "has no list \"conversations\" with at least one turn"));
            return Optional.empty();
        }
        List<ChatMessage> messages = new ArrayList<>();
        messages.addAll(Rows.system(row, faults));
        int before = messages.size();
        for (int i = 0; i < list.size(); i++) {
            message(list.get(i), "turn " + (i + 1), faults).ifPresent(messages::add);
        }
        Optional<List<Map<String, Object>>> tools = tools(row, faults);
        if (messages.size() - before < list.size() || tools.isEmpty() || !Rows.requireAnswers(messages, faults)) {
            return Optional.empty();
        }
        return Optional.of(new ChatExample(messages, tools.get(), Rows.extra(row, CONVERSATIONS, "system", "tools",
                "functions"),
                Rows.origin(row)));
    }

    private static Optional<ChatMessage> message(Object turn, String where, Faults faults) {
        if (!(turn instanceof Map<?, ?> map && map.get(FROM) instanceof String from)) {
            faults.add(RowFault.fatal("message_missing_key", where + " has no \"from\""));
            return Optional.empty();
        }
        if (!ROLES.containsKey(from)) {
            faults.add(RowFault.fatal("unrecognized_role", where + " is from \"" + from + "\"; known are "
                    + ROLES.keySet().stream().sorted().toList()));
            return Optional.empty();
        }
        if (!(map.get(VALUE) instanceof String value)) {
            faults.add(RowFault.fatal("missing_content", where + " (" + from + ") has no text \"value\""));
            return Optional.empty();
        }
        if (!Rows.isWhole(value, where, faults)) {
            return Optional.empty();
        }
        Map<String, Object> extra = JsonLines.object(map);
        extra.remove(FROM);
        extra.remove(VALUE);
        for (String key : List.of("role", "content")) {
            if (extra.remove(key) != null) {
                faults.add(RowFault.odd("message_unrecognized_key", where + " (" + from + ") has "
                        + "\"" + key + "\" beside \"from\" and \"value\"; it is ignored"));
            }
        }
        if (!from.equals(CALL)) {
            return Optional.of(new ChatMessage(ROLES.get(from), value, extra));
        }
        Optional<Object> call = JsonText.value(value);
        if (call.isEmpty()) {
            faults.add(RowFault.fatal("missing_content", where + " (function_call) is not the JSON of a call"));
            return Optional.empty();
        }
        extra.put("tool_calls", List.of(Map.of("type", "function", "function", call.get())));
        return Optional.of(new ChatMessage("assistant", "", extra));
    }

    private static Optional<List<Map<String, Object>>> tools(JsonLines.Row row, Faults faults) {
        boolean[] wrong = new boolean[1];
        List<Map<String, Object>> read = MessageReader.tools(row.fields(), fault -> {
            wrong[0] = true;
            faults.add(fault);
        });
        return wrong[0] ? Optional.empty() : Optional.of(read);
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
        return Rows.with(row, chat.extra(), "system", "tools", "functions");
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
