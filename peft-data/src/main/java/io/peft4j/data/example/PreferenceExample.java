package io.peft4j.data.example;

import io.peft4j.core.text.ChatMessage;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A conversation with a better and a worse way to go on.
 *
 * @param prompt the turns so far
 * @param preferred the better turns that follow
 * @param rejected the worse ones
 * @param tools JSON-like tool definitions, may be empty
 * @param extra further fields of the row
 * @param origin where it comes from
 * @param continuation whether prompt and answers are texts, and no conversation: a model without a chat template takes
 *     them as that ({@link ChatExample#continuation})
 */
public record PreferenceExample(List<ChatMessage> prompt, List<ChatMessage> preferred, List<ChatMessage> rejected,
        List<Map<String, Object>> tools, Map<String, Object> extra, Origin origin,
        boolean continuation) implements Example {
    /**
     * Copies the lists and maps.
     *
     * @throws IllegalArgumentException when one of the lists of messages is empty
     */
    public PreferenceExample {
        prompt = List.copyOf(prompt);
        preferred = List.copyOf(preferred);
        rejected = List.copyOf(rejected);
        tools = tools.stream().map(ChatExample::copy).toList();
        extra = ChatExample.copy(extra);
        Objects.requireNonNull(origin, "origin");
        if (prompt.isEmpty() || preferred.isEmpty() || rejected.isEmpty()) {
            throw new IllegalArgumentException("a preference needs a prompt, a preferred and a rejected answer");
        }
        if (continuation && (prompt.size() != 1 || preferred.size() != 1 || rejected.size() != 1)) {
            throw new IllegalArgumentException("a text and its two continuations must be one message each");
        }
    }

    /** A conversation with two ways to go on. */
    public PreferenceExample(List<ChatMessage> prompt, List<ChatMessage> preferred, List<ChatMessage> rejected,
            List<Map<String, Object>> tools, Map<String, Object> extra, Origin origin) {
        this(prompt, preferred, rejected, tools, extra, origin, false);
    }

    @Override
    public PreferenceExample at(Origin place) {
        return new PreferenceExample(prompt, preferred, rejected, tools, extra, place, continuation);
    }

    /** A pair of answers to a prompt, made in a program; a model without a chat template takes them as texts. */
    public static PreferenceExample of(String prompt, String preferred, String rejected) {
        return new PreferenceExample(List.of(ChatMessage.user(prompt)), List.of(ChatMessage.assistant(preferred)),
                List.of(ChatMessage.assistant(rejected)), List.of(), Map.of(), Origin.PROGRAM, true);
    }

    /** The prompt followed by the better answer, which alone is learned: not what the assistant said in the prompt. */
    public ChatExample preferredChat() {
        return chat(preferred);
    }

    /** The prompt followed by the worse answer, as {@link #preferredChat()}. */
    public ChatExample rejectedChat() {
        return chat(rejected);
    }

    private ChatExample chat(List<ChatMessage> answer) {
        List<ChatMessage> messages = new ArrayList<>();
        prompt.forEach(turn -> messages.add(ChatExample.unlearned(turn)));
        messages.addAll(answer);
        return new ChatExample(messages, tools, extra, origin, continuation);
    }

    /** Whether one of the answers says nothing: every text of the assistant in it is blank. */
    public boolean hasEmptyAnswer() {
        return isEmpty(preferred) || isEmpty(rejected);
    }

    /** Whether both answers are the same turns. */
    public boolean hasEqualAnswers() {
        return preferred.equals(rejected);
    }

    private static boolean isEmpty(List<ChatMessage> answer) {
        return answer.stream().noneMatch(turn -> turn.role().equals("assistant")
                && (!turn.content().isBlank() || turn.hasToolCalls()));
    }

    /** The prompt followed by the better answer. */
    @Override
    public Optional<ChatExample> toChat() {
        List<ChatMessage> messages = new ArrayList<>(prompt);
        messages.addAll(preferred);
        return Optional.of(new ChatExample(messages, tools, extra, origin, continuation));
    }
}
