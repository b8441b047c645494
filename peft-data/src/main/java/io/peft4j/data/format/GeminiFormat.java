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
    public Optional<Example> read(DataRow row) {
        if (!(row.fields().get(CONTENTS) instanceof List<?> list) || list.isEmpty()) {
            row.fatal("missing_messages", "has no list \"contents\" with at least one turn");
            return Optional.empty();
        }
        List<ChatMessage> messages = new ArrayList<>();
        Object system = row.fields().get(SYSTEM);
        if (system != null) {
            (system instanceof String text ? Optional.of(text).filter(t -> row.isWhole(t, SYSTEM))
                    : parts(row, system, SYSTEM))
                    .ifPresent(text -> messages.add(ChatMessage.system(text)));
        }
        for (int i = 0; i < list.size(); i++) {
            String where = "turn " + (i + 1);
            Optional<String> role = role(row, list.get(i), where);
            Optional<String> text = parts(row, list.get(i), where);
            if (role.isPresent() && text.isPresent()) {
                messages.add(new ChatMessage(role.get(), text.get()));
            }
        }
        if (row.isWrong() || !MessageReader.requireAnswers(row, messages)) {
            return Optional.empty();
        }
        return Optional.of(new ChatExample(messages, List.of(), row.extra(SYSTEM, CONTENTS), row.origin()));
    }

    private static Optional<String> role(DataRow row, Object turn, String where) {
        Object role = turn instanceof Map<?, ?> map ? map.get("role") : null;
        if ("user".equals(role)) {
            return Optional.of("user");
        }
        if ("model".equals(role)) {
            return Optional.of("assistant");
        }
        row.fatal(role == null ? "message_missing_key" : "unrecognized_role", where + " has the role "
                + role + "; the roles are user and model");
        return Optional.empty();
    }

    private static Optional<String> parts(DataRow row, Object turn, String where) {
        if (!(turn instanceof Map<?, ?> map && map.get("parts") instanceof List<?> parts && !parts.isEmpty())) {
            row.fatal("missing_content", where + " has no list \"parts\" with at least one part");
            return Optional.empty();
        }
        StringBuilder text = new StringBuilder();
        for (Object part : parts) {
            if (!(part instanceof Map<?, ?> fields && fields.get("text") instanceof String piece)) {
                row.fatal("missing_content", where + " has a part that is not text; only text is "
                        + "supported");
                return Optional.empty();
            }
            text.append(piece);
        }
        return row.isWhole(text.toString(), where) ? Optional.of(text.toString()) : Optional.empty();
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
        return RowFormat.with(row, found.get().extra(), SYSTEM);
    }
}
