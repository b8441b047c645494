package io.peft4j.data.format;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Origin;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What the formats share. */
final class Rows {
    private static final String SYSTEM = "system";

    private Rows() {
    }

    static Origin origin(JsonLines.Row row) {
        return new Origin(row.file().toString(), row.line());
    }

    /** The fields of a row without those that the format knows. */
    static Map<String, Object> extra(JsonLines.Row row, String... known) {
        Map<String, Object> extra = new LinkedHashMap<>(row.fields());
        List.of(known).forEach(extra::remove);
        return extra;
    }

    /** The text under a key; a fault where it is missing or not a text, and where it must not be blank but is. */
    static Optional<String> text(JsonLines.Row row, String key, boolean mayBeBlank, Faults faults) {
        Object value = row.fields().get(key);
        if (!(value instanceof String text)) {
            faults.add(RowFault.fatal("missing_content", "\"" + key + "\" is " + (row.fields().containsKey(key)
                    ? "not a text" : "missing" + row.advice(ColumnNames.formsWith(key)))));
            return Optional.empty();
        }
        if (text.isBlank() && !mayBeBlank) {
            faults.add(RowFault.fatal("missing_content", "\"" + key + "\" is empty"));
            return Optional.empty();
        }
        return isWhole(text, "\"" + key + "\"", faults) ? Optional.of(text) : Optional.empty();
    }

    /**
     * A row with the further fields of its example; empty where one of them has a name that the format keeps for
     * something else, which would be lost or misread.
     */
    static Optional<Map<String, Object>> with(Map<String, Object> row, Map<String, Object> extra, String... reserved) {
        if (extra.keySet().stream().anyMatch(key -> row.containsKey(key) || List.of(reserved).contains(key))) {
            return Optional.empty();
        }
        row.putAll(extra);
        return Optional.of(row);
    }

    /** Whether a text has no half of a character in it. */
    static boolean isWhole(String text, String where, Faults faults) {
        boolean[] wrong = new boolean[1];
        MessageReader.requireWholeCharacters(text, where, fault -> {
            wrong[0] = true;
            faults.add(fault);
        });
        return !wrong[0];
    }

    /** The system message of a row that has a key for it; empty where it is blank or no text. */
    static List<ChatMessage> system(JsonLines.Row row, Faults faults) {
        return row.fields().get(SYSTEM) instanceof String text && !text.isBlank()
                && isWhole(text, "\"" + SYSTEM + "\"", faults) ? List.of(ChatMessage.system(text)) : List.of();
    }

    /** Checks that there is something to learn. */
    static boolean requireAnswers(List<ChatMessage> messages, Faults faults) {
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
                    faults.add(RowFault.fatal("missing_content", "message " + (i + 1)
                            + " (assistant) has no \"content\""));
                }
            }
        }
        if (!answers) {
            faults.add(RowFault.fatal("example_missing_assistant_message",
                    "has no assistant message, so there is nothing to learn"));
        } else if (!learned) {
            faults.add(RowFault.fatal("no_supervised_tokens",
                    "every assistant message has weight 0, so there is nothing to learn"));
        }
        return answers && learned && whole;
    }

    /** A conversation of texts alone: roles {@code system} first, then user and assistant in turn. */
    static boolean isPlain(ChatExample chat) {
        List<ChatMessage> messages = chat.messages();
        int from = messages.get(0).role().equals("system") ? 1 : 0;
        for (int i = from; i < messages.size(); i++) {
            if (!messages.get(i).role().equals((i - from) % 2 == 0 ? "user" : "assistant")) {
                return false;
            }
        }
        return chat.tools().isEmpty() && messages.size() > from && (messages.size() - from) % 2 == 0
                && messages.stream().allMatch(message -> message.extra().isEmpty());
    }
}
