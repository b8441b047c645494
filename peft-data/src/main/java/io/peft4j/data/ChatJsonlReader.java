package io.peft4j.data;

import io.peft4j.core.error.DataException;
import io.peft4j.core.text.ChatMessage;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Reads a file of conversations in OpenAI's chat format, to learn from; every complaint names file and line. */
final class ChatJsonlReader {
    private static final Logger LOG = LoggerFactory.getLogger(ChatJsonlReader.class);

    private final Path file;
    private final MessageReader reader = new MessageReader();

    ChatJsonlReader(Path file) {
        this.file = file;
    }

    List<ChatExample> read() {
        List<ChatExample> examples = new ArrayList<>();
        JsonLines.check(file, row -> examples.add(example(row, reader)));
        if (examples.isEmpty()) {
            throw new DataException(file, "holds no example; expected one JSON object with \"messages\" a line");
        }
        if (!reader.unknownKeys().isEmpty()) {
            LOG.warn("{}: messages hold keys that the chat format does not have: {}; they are passed to the chat "
                    + "template and otherwise ignored", file, reader.unknownKeys());
        }
        return examples;
    }

    /** The conversation of a row with {@code messages}. */
    private static ChatExample example(JsonLines.Row row, MessageReader reader) {
        List<ChatMessage> messages = reader.messages(row, "messages");
        requireSomethingToLearn(row, messages);
        List<Map<String, Object>> tools = reader.tools(row);
        Map<String, Object> extra = row.fields();
        extra.remove("messages");
        extra.remove("tools");
        return new ChatExample(messages, tools, extra, new ChatExample.Origin(row.file().toString(), row.line()));
    }

    private static void requireSomethingToLearn(JsonLines.Row row, List<ChatMessage> messages) {
        boolean answers = false;
        boolean learned = false;
        for (int i = 0; i < messages.size(); i++) {
            ChatMessage message = messages.get(i);
            if (message.role().equals("assistant")) {
                answers = true;
                learned |= ChatEncoder.isLearned(message);
                if (message.content().isBlank() && !MessageReader.hasCalls(message)) {
                    throw row.wrong("message " + (i + 1) + " (assistant) has no \"content\"");
                }
            }
        }
        if (!answers) {
            throw row.wrong("has no message of the assistant, so there is nothing to learn from");
        }
        if (!learned) {
            throw row.wrong("every message of the assistant has the weight 0, so there is nothing to learn from");
        }
    }
}
