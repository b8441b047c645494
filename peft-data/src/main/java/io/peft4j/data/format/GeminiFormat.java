package io.peft4j.data.format;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The form of Gemini and Vertex AI; parts other than texts are refused. */
final class GeminiFormat implements RowFormat {
    private static final String SYSTEM = "systemInstruction";
    private static final String CONTENTS = "contents";

    @Override
    public boolean recognizes(Map<String, Object> fields) {
        return fields.containsKey(CONTENTS);
    }

    @Override
    public Optional<Example> read(JsonLines.Row row, MessageReader reader, Faults faults) {
        if (!(row.fields().get(CONTENTS) instanceof List<?> list) || list.isEmpty()) {
            faults.add(RowFault.fatal("missing_messages", "has no list \"contents\" with at least one turn"));
            return Optional.empty();
        }
        List<ChatMessage> messages = new ArrayList<>();
        Object system = row.fields().get(SYSTEM);
        int expected = list.size();
        if (system != null) {
            expected++;
            (system instanceof String text ? Optional.of(text).filter(t -> Rows.isWhole(t, SYSTEM, faults))
                    : parts(system, SYSTEM, faults))
                    .ifPresent(text -> messages.add(ChatMessage.system(text)));
        }
        for (int i = 0; i < list.size(); i++) {
            String where = "turn " + (i + 1);
            Optional<String> role = role(list.get(i), where, faults);
            Optional<String> text = parts(list.get(i), where, faults);
            if (role.isPresent() && text.isPresent()) {
                messages.add(new ChatMessage(role.get(), text.get()));
            }
        }
        if (messages.size() < expected || !Rows.requireAnswers(messages, faults)) {
            return Optional.empty();
        }
        return Optional.of(new ChatExample(messages, List.of(), Rows.extra(row, SYSTEM, CONTENTS), Rows.origin(row)));
    }

    private static Optional<String> role(Object turn, String where, Faults faults) {
        Object role = turn instanceof Map<?, ?> map ? map.get("role") : null;
        if ("user".equals(role)) {
            return Optional.of("user");
        }
        if ("model".equals(role)) {
            return Optional.of("assistant");
        }
        faults.add(RowFault.fatal(role == null ? "message_missing_key" : "unrecognized_role", where + " has the role "
                + role + "; the roles are user and model"));
        return Optional.empty();
    }

    private static Optional<String> parts(Object turn, String where, Faults faults) {
        if (!(turn instanceof Map<?, ?> map && map.get("parts") instanceof List<?> parts && !parts.isEmpty())) {
            faults.add(RowFault.fatal("missing_content", where + " has no list \"parts\" with at least one part"));
            return Optional.empty();
        }
        StringBuilder text = new StringBuilder();
        for (Object part : parts) {
            if (!(part instanceof Map<?, ?> fields && fields.get("text") instanceof String piece)) {
                faults.add(RowFault.fatal("missing_content", where + " has a part that is not text; only text is "
                        + "supported"));
                return Optional.empty();
            }
            text.append(piece);
        }
        return Rows.isWhole(text.toString(), where, faults) ? Optional.of(text.toString()) : Optional.empty();
    }

    @Override
    public Optional<Map<String, Object>> write(Example example) {
        Optional<ChatExample> found = example.toChat();
        if (found.isEmpty() || !found.get().tools().isEmpty()) {
            return Optional.empty();
        }
        Map<String, Object> row = new LinkedHashMap<>();
        List<Map<String, Object>> contents = new ArrayList<>();
        List<ChatMessage> messages = found.get().messages();
        for (int i = 0; i < messages.size(); i++) {
            ChatMessage message = messages.get(i);
            boolean system = i == 0 && message.role().equals("system");
            boolean turn = message.role().equals("user") || message.role().equals("assistant");
            if (!system && !turn || !message.extra().isEmpty()) {
                return Optional.empty();
            }
            String role = system ? "system" : message.role().equals("user") ? "user" : "model";
            Map<String, Object> content = new LinkedHashMap<>();
            content.put("role", role);
            content.put("parts", List.of(Map.of("text", message.content())));
            if (system) {
                row.put(SYSTEM, content);
            } else {
                contents.add(content);
            }
        }
        row.put(CONTENTS, contents);
        return Rows.with(row, found.get().extra(), SYSTEM);
    }
}
