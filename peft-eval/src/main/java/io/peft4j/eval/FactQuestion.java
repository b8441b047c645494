package io.peft4j.eval;

import io.peft4j.core.error.DataException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.example.ChatExample;
import io.peft4j.eval.metric.internal.FactMatcher;
import io.peft4j.eval.task.EvaluationItem;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A held-out question and the facts that a right answer holds.
 *
 * @param messages what is asked, ready for the answer
 * @param mustContain texts that must all occur in the answer, at least one; see {@link FactMatcher}
 * @param reference a right answer in full, where there is one
 */
public record FactQuestion(List<ChatMessage> messages, List<String> mustContain, Optional<String> reference) {
    private static final String MUST_CONTAIN = "must_contain";

    /** Copies the lists and checks that nothing is missing. */
    public FactQuestion {
        messages = List.copyOf(messages);
        mustContain = List.copyOf(mustContain);
        Objects.requireNonNull(reference, "reference");
        if (messages.isEmpty() || mustContain.isEmpty() || mustContain.stream().anyMatch(String::isBlank)) {
            throw new IllegalArgumentException("a question needs a message, and a text that its answer must contain; "
                    + "got " + messages.size() + " messages and the texts " + mustContain);
        }
    }

    /** A question of one user message. */
    public static FactQuestion of(String question, String... mustContain) {
        return new FactQuestion(List.of(ChatMessage.user(question)), List.of(mustContain), Optional.empty());
    }

    /**
     * Reads questions in OpenAI's chat format with a field {@code must_contain}, a text or a list of texts, beside
     * {@code messages}. The last turn of the assistant is the reference, what stands before it is asked.
     *
     * @param file one JSON object a line
     * @throws DataException when a row is wrong: with file and line
     * @throws java.io.UncheckedIOException when the file cannot be read
     */
    public static List<FactQuestion> read(Path file) {
        return ChatDataset.read(file).stream().map(FactQuestion::of).toList();
    }

    /**
     * The question of a row of test data.
     *
     * @throws DataException when the row has no {@code must_contain}, or nothing stands before its answer
     */
    public static FactQuestion of(ChatExample row) {
        List<ChatMessage> prompt = row.prompt();
        if (prompt.isEmpty()) {
            throw wrong(row, "has no question before the assistant's answer");
        }
        return new FactQuestion(prompt, mustContain(row), Optional.of(row.messages().get(prompt.size()).content()));
    }

    private static List<String> mustContain(ChatExample row) {
        Object value = row.extra().get(MUST_CONTAIN);
        List<?> texts = value instanceof List<?> list ? list : value == null ? List.of() : List.of(value);
        if (texts.isEmpty() || !texts.stream().allMatch(text -> text instanceof String s && !s.isBlank())) {
            throw wrong(row, "has no \"" + MUST_CONTAIN + "\" that is a text or a list of texts; it says which fact a "
                    + "right answer holds");
        }
        return texts.stream().map(String.class::cast).toList();
    }

    private static DataException wrong(ChatExample row, String message) {
        return new DataException(Path.of(row.origin().file()), row.origin().line(), message);
    }

    /** The same as an item of a {@link Comparison}. */
    public EvaluationItem toItem() {
        return new EvaluationItem(messages, reference.stream().toList(), mustContain);
    }

    /** The last message: what a person asked. */
    public String question() {
        return messages.get(messages.size() - 1).content();
    }

    /** Whether an answer holds all of the facts. */
    public boolean isAnsweredBy(String answer) {
        return mustContain.stream().allMatch(fact -> FactMatcher.contains(answer, fact));
    }
}
