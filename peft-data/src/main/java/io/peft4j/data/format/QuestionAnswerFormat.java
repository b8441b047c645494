package io.peft4j.data.format;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A question and its answer: how people fill tables. */
final class QuestionAnswerFormat implements RowFormat {
    private static final List<List<String>> PAIRS = List.of(List.of("question", "answer"), List.of("user", "assistant"),
            List.of("query", "response"), List.of("instruction", "response"), List.of("input", "output"));
    private static final String SYSTEM = "system";

    @Override
    public boolean recognizes(Map<String, Object> fields) {
        return PAIRS.stream().anyMatch(pair -> fields.keySet().containsAll(pair));
    }

    @Override
    public Optional<Example> read(DataRow row) {
        List<String> pair = PAIRS.stream().filter(p -> row.fields().keySet().containsAll(p)).findFirst()
                .orElse(PAIRS.get(0));
        Optional<String> question = row.text(pair.get(0), false);
        Optional<String> answer = row.text(pair.get(1), false);
        if (question.isEmpty() || answer.isEmpty()) {
            return Optional.empty();
        }
        List<ChatMessage> messages = new ArrayList<>(row.system());
        messages.add(ChatMessage.user(question.get()));
        messages.add(ChatMessage.assistant(answer.get()));
        return Optional.of(new ChatExample(messages, List.of(), row.extra(pair.get(0), pair.get(1), SYSTEM),
                row.origin()));
    }

    @Override
    public Optional<Map<String, Object>> write(Example example) {
        if (example.toChat().isEmpty()) {
            return Optional.empty();
        }
        ChatExample chat = example.toChat().get();
        int from = chat.messages().get(0).role().equals(SYSTEM) ? 1 : 0;
        if (!chat.isPlain() || chat.messages().size() != from + 2
                || from == 1 && chat.messages().get(0).content().isBlank()) {
            return Optional.empty();
        }
        Map<String, Object> row = new LinkedHashMap<>();
        row.put(SYSTEM, from == 1 ? chat.messages().get(0).content() : "");
        row.put(PAIRS.get(0).get(0), chat.messages().get(from).content());
        row.put(PAIRS.get(0).get(1), chat.messages().get(from + 1).content());
        return RowFormat.with(row, chat.extra());
    }
}
