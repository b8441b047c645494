package io.peft4j.eval.task;

import io.peft4j.core.error.DataException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.ChatExample;
import io.peft4j.eval.metric.FactMatcher;
import io.peft4j.eval.metric.SquadScores;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * A held-out question and what a right answer is: texts to compare with, facts that it must hold, or both.
 *
 * @param messages what is asked, ready for the answer; at least one
 * @param references right answers in full; the best counts
 * @param mustContain texts that must all occur in the answer, see {@link FactMatcher}
 */
public record EvaluationItem(List<ChatMessage> messages, List<String> references, List<String> mustContain) {
    /** The key of the facts in a row. */
    static final String MUST_CONTAIN = "must_contain";

    /** Copies the lists and checks that there is a question and a way to judge an answer. */
    public EvaluationItem {
        messages = List.copyOf(messages);
        references = List.copyOf(references);
        mustContain = List.copyOf(mustContain);
        if (messages.isEmpty() || references.isEmpty() && mustContain.isEmpty()
                || mustContain.stream().anyMatch(String::isBlank)) {
            throw new IllegalArgumentException("an item needs a message, and a reference or a text that its answer "
                    + "must contain; got " + messages.size() + " messages, " + references.size()
                    + " references and the texts " + mustContain);
        }
    }

    /** A question of one user message whose answer must hold these facts. */
    public static EvaluationItem fact(String question, String... mustContain) {
        return new EvaluationItem(List.of(ChatMessage.user(question)), List.of(), List.of(mustContain));
    }

    /** A question of one user message with right answers. */
    public static EvaluationItem reference(String question, String... references) {
        return new EvaluationItem(List.of(ChatMessage.user(question)), List.of(references), List.of());
    }

    /**
     * The item of a conversation: what stands before the last answer is asked, the answer is the reference; a field
     * {@code must_contain}, a text or a list of texts, names its facts.
     *
     * @throws DataException when there is nothing to ask, no answer, or {@code must_contain} is something else
     */
    public static EvaluationItem of(ChatExample example) {
        List<ChatMessage> prompt = example.prompt();
        if (prompt.isEmpty() || prompt.size() == example.messages().size()) {
            throw new DataException(Path.of(example.origin().file()), example.origin().line(), prompt.isEmpty()
                    ? "has nothing to ask before the assistant's answer" : "has no answer of the assistant");
        }
        Map<String, Object> extra = example.extra();
        List<String> facts = extra.containsKey(MUST_CONTAIN)
                ? Texts.required(Path.of(example.origin().file()), example.origin().line(), MUST_CONTAIN,
                        extra.get(MUST_CONTAIN), false) : List.of();
        return new EvaluationItem(prompt, List.of(example.messages().get(prompt.size()).content()), facts);
    }

    /** The last message: what a person asked. */
    public String question() {
        return messages.get(messages.size() - 1).content();
    }

    /**
     * Whether an answer is right: it holds all facts; where none are named, it holds a reference word for word or
     * equals it by SQuAD's rules.
     */
    public boolean isAnsweredBy(String answer) {
        if (!mustContain.isEmpty()) {
            return mustContain.stream().allMatch(fact -> FactMatcher.contains(answer, fact));
        }
        return references.stream().anyMatch(text -> SquadScores.exactMatch(answer, text)
                || !text.isBlank() && FactMatcher.contains(answer, text));
    }
}
