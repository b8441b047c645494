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
    public Optional<Example> read(DataRow row) {
        Optional<List<ChatMessage>> messages = MessageReader.read(row, "messages");
        messages.ifPresent(turns -> MessageReader.requireAnswers(row, turns));
        List<Map<String, Object>> tools = MessageReader.readTools(row);
        return row.isWrong() ? Optional.empty() : Optional.of(new ChatExample(messages.orElseThrow(), tools,
                row.extra("messages", "tools", "functions"), row.origin()));
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
        return RowFormat.with(row, chat.extra(), "tools", "functions");
    }
}
