package io.peft4j.data.format;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatExample;
import io.peft4j.data.CompletionExample;
import io.peft4j.data.Example;
import io.peft4j.data.JsonLines;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A prompt and its completion; where both are lists of messages, a chat of which the completion is learned. */
final class CompletionFormat implements RowFormat {
    private static final String PROMPT = "prompt";
    private static final String COMPLETION = "completion";

    @Override
    public boolean recognizes(Map<String, Object> fields) {
        return fields.containsKey(PROMPT) && fields.containsKey(COMPLETION);
    }

    @Override
    public Optional<Example> read(JsonLines.Row row, MessageReader reader, Faults faults) {
        if (row.fields().get(PROMPT) instanceof List<?>) {
            return chat(row, reader, faults);
        }
        Optional<String> prompt = Rows.text(row, PROMPT, true, faults);
        Optional<String> completion = Rows.text(row, COMPLETION, false, faults);
        return prompt.isEmpty() || completion.isEmpty() ? Optional.empty() : Optional.of(new CompletionExample(
                prompt.get(), completion.get(), Rows.extra(row, PROMPT, COMPLETION), Rows.origin(row)));
    }

    private static Optional<Example> chat(JsonLines.Row row, MessageReader reader, Faults faults) {
        Optional<List<ChatMessage>> prompt = reader.messages(row, PROMPT, faults);
        Optional<List<ChatMessage>> completion = reader.messages(row, COMPLETION, faults);
        if (prompt.isEmpty() || completion.isEmpty() || !Rows.requireAnswers(completion.get(), faults)) {
            return Optional.empty();
        }
        List<ChatMessage> messages = new ArrayList<>();
        for (ChatMessage message : prompt.get()) {
            Map<String, Object> extra = new LinkedHashMap<>(message.extra());
            if (message.role().equals("assistant")) {
                extra.put("weight", 0);
            }
            messages.add(new ChatMessage(message.role(), message.content(), extra));
        }
        messages.addAll(completion.get());
        return Optional.of(new ChatExample(messages, MessageReader.tools(row.fields(), faults),
                Rows.extra(row, PROMPT, COMPLETION, "tools", "functions"), Rows.origin(row)));
    }

    @Override
    public Optional<Map<String, Object>> write(Example example) {
        Map<String, Object> row = new LinkedHashMap<>();
        if (example instanceof CompletionExample completion) {
            row.put(PROMPT, completion.prompt());
            row.put(COMPLETION, completion.completion());
        } else if (example instanceof ChatExample chat && Rows.isPlain(chat) && chat.messages().size() == 2) {
            row.put(PROMPT, chat.messages().get(0).content());
            row.put(COMPLETION, chat.messages().get(1).content());
        } else {
            return Optional.empty();
        }
        row.putAll(example.extra());
        return Optional.of(row);
    }
}
