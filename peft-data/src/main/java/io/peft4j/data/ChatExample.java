package io.peft4j.data;

import io.peft4j.core.text.ChatMessage;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * One conversation of a data set.
 *
 * @param messages the turns, at least one of them the assistant's
 * @param tools JSON-like tool definitions, may be empty
 * @param extra further fields of the row, such as an expected fact; JSON-like
 * @param origin where it stands
 */
public record ChatExample(List<ChatMessage> messages, List<Map<String, Object>> tools, Map<String, Object> extra,
        Origin origin) {
    /**
     * Where an example stands, for messages.
     *
     * @param file the file, or a name for data that came from elsewhere
     * @param line the line, from 1; for data without lines the number of the example
     */
    public record Origin(String file, long line) {
        @Override
        public String toString() {
            return file + ", line " + line;
        }
    }

    /** Copies the lists. */
    public ChatExample {
        messages = List.copyOf(messages);
        tools = List.copyOf(tools);
        Objects.requireNonNull(extra, "extra");
        Objects.requireNonNull(origin, "origin");
    }

    /** An example made in a program. */
    public static ChatExample of(ChatMessage... messages) {
        return new ChatExample(List.of(messages), List.of(), Map.of(), new Origin("program", 1));
    }

    /** The turns before the last one of the assistant: what a model is asked for this example. */
    public List<ChatMessage> prompt() {
        int last = messages.size() - 1;
        while (last >= 0 && !messages.get(last).role().equals("assistant")) {
            last--;
        }
        return messages.subList(0, Math.max(0, last));
    }
}
