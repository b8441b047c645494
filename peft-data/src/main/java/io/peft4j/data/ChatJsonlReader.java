package io.peft4j.data;

import io.peft4j.core.error.DataException;
import io.peft4j.core.text.ChatMessage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads OpenAI's chat format row by row; every complaint names file, line and where possible column. */
final class ChatJsonlReader {
    private static final Logger LOG = LoggerFactory.getLogger(ChatJsonlReader.class);

    private final Path file;
    private final MessageReader reader = new MessageReader();

    ChatJsonlReader(Path file) {
        this.file = file;
    }

    List<ChatExample> read() {
        List<ChatExample> examples = new ArrayList<>();
        JsonLines.read(file, row -> examples.add(example(row)));
        if (examples.isEmpty()) {
            throw new DataException(file, "holds no example; expected one JSON object with \"messages\" a line");
        }
        if (!reader.unknownKeys().isEmpty()) {
            LOG.warn("{}: messages hold keys that the chat format does not have: {}; they are passed to the chat template "
                    + "and otherwise ignored", file, reader.unknownKeys());
        }
        return examples;
    }

    private ChatExample example(JsonLines.Row row) {
        return example(row, reader);
    }

    /** The conversation of a row with {@code messages}. */
    static ChatExample example(JsonLines.Row row, MessageReader reader) {
        List<ChatMessage> messages = reader.messages(row, "messages");
        if (messages.stream().noneMatch(m -> m.role().equals("assistant"))) {
            throw row.wrong("has no message of the assistant, so there is nothing to learn from");
        }
        List<Map<String, Object>> tools = reader.tools(row);
        Map<String, Object> extra = row.fields();
        extra.remove("messages");
        extra.remove("tools");
        return new ChatExample(messages, tools, extra, new ChatExample.Origin(row.file().toString(), row.line()));
    }
}
