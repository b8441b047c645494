package io.peft4j.data.format;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import io.peft4j.data.example.Example;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A held-out item: what is asked and what a right answer is known by, but no answer to learn. It is only read. */
final class EvaluationFormat implements RowFormat {
    private static final List<String> ASKED = List.of("question", "prompt", "messages");
    private static final String REFERENCE = "reference";
    private static final List<String> TEXTS = List.of(REFERENCE, "must_contain", "any_of", "regex", "choices");
    private static final List<String> OTHERS = List.of("label", "format", "refusal");

    @Override
    public boolean recognizes(Map<String, Object> fields) {
        boolean answered = fields.get("answer") instanceof String && !fields.containsKey("choices");
        boolean asks = fields.containsKey("question") ? !answered
                : fields.containsKey("prompt") ? !fields.containsKey("completion") && !fields.containsKey("chosen")
                        : fields.get("messages") instanceof List<?> turns && !turns.isEmpty()
                                && !(turns.get(turns.size() - 1) instanceof Map<?, ?> last
                                        && "assistant".equals(last.get("role")));
        return asks && (TEXTS.stream().anyMatch(fields::containsKey) || OTHERS.stream().anyMatch(fields::containsKey));
    }

    @Override
    public Optional<Example> read(DataRow row) {
        List<ChatMessage> messages = new ArrayList<>();
        for (String key : row.present(ASKED).stream().limit(1).toList()) {
            if (row.fields().get(key) instanceof List<?>) {
                MessageReader.read(row, key).ifPresent(messages::addAll);
            } else {
                row.text(key, false).map(ChatMessage::user).ifPresent(messages::add);
            }
        }
        boolean judged = OTHERS.stream().anyMatch(row.fields()::containsKey);
        for (String key : row.present(TEXTS)) {
            Object value = row.fields().get(key);
            List<?> texts = value instanceof List<?> several ? several : List.of(value == null ? "" : value);
            judged |= !texts.isEmpty() && texts.stream().allMatch(each -> each instanceof String text
                    && !text.isBlank());
            if (key.equals(REFERENCE) && judged && !messages.isEmpty()) {
                messages.add(ChatMessage.assistant(texts.get(0).toString()));
            }
        }
        if (!judged && !messages.isEmpty()) {
            row.fatal("missing_content", "holds no text that a right answer is known by");
        }
        return messages.isEmpty() || !judged ? Optional.empty()
                : Optional.of(new ChatExample(messages, List.of(), row.fields(), row.origin()));
    }

    @Override
    public Optional<Map<String, Object>> write(Example example) {
        return Optional.empty();
    }
}
