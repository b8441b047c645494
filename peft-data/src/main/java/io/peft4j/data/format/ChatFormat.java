package io.peft4j.data.format;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** OpenAI's chat format; the old {@code functions} are read as {@code tools}. */
final class ChatFormat implements RowFormat {
    @Override
    public boolean recognizes(Map<String, Object> fields) {
        return fields.containsKey("messages");
    }

    @Override
    public Optional<Example> read(JsonLines.Row row, MessageReader reader, Faults faults) {
        Optional<List<ChatMessage>> messages = reader.messages(row, "messages", faults);
        boolean answered = messages.isPresent() && Rows.requireAnswers(messages.get(), faults);
        boolean[] wrong = new boolean[1];
        List<Map<String, Object>> tools = MessageReader.tools(row.fields(), fault -> {
            wrong[0] = true;
            faults.add(fault);
        });
        return !answered || wrong[0] ? Optional.empty() : Optional.of(new ChatExample(messages.get(), tools,
                Rows.extra(row, "messages", "tools", "functions"), Rows.origin(row)));
    }

    @Override
    public Optional<Map<String, Object>> write(Example example) {
        return example.toChat().flatMap(ChatFormat::row);
    }

    private static Optional<Map<String, Object>> row(ChatExample chat) {
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("messages", chat.messages().stream().map(ChatMessage::toMap).toList());
        if (!chat.tools().isEmpty()) {
            row.put("tools", chat.tools());
        }
        return Rows.with(row, chat.extra(), "tools", "functions");
    }
}
