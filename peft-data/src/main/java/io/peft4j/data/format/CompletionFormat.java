package io.peft4j.data.format;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A prompt and its completion; where both are lists of messages, a chat of which the completion is learned. A chat of
 * one question and its answer is written as texts, any other one as lists: the completion begins with the first answer
 * that is learned.
 */
final class CompletionFormat implements RowFormat {
    private static final String PROMPT = "prompt";
    private static final String COMPLETION = "completion";

    @Override
    public boolean recognizes(Map<String, Object> fields) {
        return fields.containsKey(PROMPT) && fields.containsKey(COMPLETION);
    }

    @Override
    public Optional<Example> read(DataRow row) {
        if (row.fields().get(PROMPT) instanceof List<?>) {
            return chat(row);
        }
        Optional<String> prompt = row.text(PROMPT, true);
        Optional<String> completion = row.text(COMPLETION, false);
        return prompt.isEmpty() || completion.isEmpty() ? Optional.empty() : Optional.of(
                ChatExample.continuation(prompt.get(), completion.get(), row.extra(PROMPT, COMPLETION), row.origin()));
    }

    private static Optional<Example> chat(DataRow row) {
        Optional<List<ChatMessage>> prompt = MessageReader.read(row, PROMPT);
        Optional<List<ChatMessage>> completion = MessageReader.read(row, COMPLETION);
        if (prompt.isEmpty() || completion.isEmpty() || !MessageReader.requireAnswers(row, completion.get())) {
            return Optional.empty();
        }
        List<ChatMessage> messages = new ArrayList<>();
        prompt.get().forEach(turn -> messages.add(ChatExample.unlearned(turn)));
        messages.addAll(completion.get());
        return Optional.of(new ChatExample(messages, MessageReader.readTools(row),
                row.extra(PROMPT, COMPLETION, "tools", "functions"), row.origin()));
    }

    @Override
    public Optional<Map<String, Object>> write(Example example) {
        Map<String, Object> row = new LinkedHashMap<>();
        if (!(example instanceof ChatExample chat)) {
            return Optional.empty();
        }
        if (chat.isPlain() && chat.messages().size() == 2) {
            row.put(PROMPT, chat.messages().get(0).content());
            row.put(COMPLETION, chat.messages().get(1).content());
            return RowFormat.with(row, chat.extra());
        }
        int first = 0;
        while (first < chat.messages().size() && !isLearned(chat.messages().get(first))) {
            first++;
        }
        if (first == 0 || first == chat.messages().size()) {
            return Optional.empty();
        }
        row.put(PROMPT, chat.messages().subList(0, first).stream().map(CompletionFormat::withoutWeight).toList());
        row.put(COMPLETION, chat.messages().subList(first, chat.messages().size()).stream().map(ChatMessage::toMap)
                .toList());
        if (!chat.tools().isEmpty()) {
            row.put("tools", chat.tools());
        }
        return RowFormat.with(row, chat.extra(), "tools", "functions");
    }

    private static boolean isLearned(ChatMessage message) {
        return message.role().equals("assistant") && ChatExample.isLearned(message);
    }

    /** What stands in a prompt is never learned, so that its weight need not be said. */
    private static Map<String, Object> withoutWeight(ChatMessage message) {
        Map<String, Object> fields = message.toMap();
        fields.remove("weight");
        return fields;
    }
}
