package io.peft4j.core.model;

import io.peft4j.core.engine.Engine;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Tokenizer;
import java.util.List;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * A model whose answers are a function of the conversation, perhaps of its place among those asked at once, and which
 * knows whether it was closed.
 */
public final class ScriptedModel implements LanguageModel, AutoCloseable {
    private final BiFunction<Integer, List<ChatMessage>, String> answer;
    private boolean closed;

    /** Answers by the place of a conversation among those asked at once, from 0, and by its messages. */
    public ScriptedModel(BiFunction<Integer, List<ChatMessage>, String> answer) {
        this.answer = answer;
    }

    /** Answers by the messages alone. */
    public ScriptedModel(Function<List<ChatMessage>, String> answer) {
        this((place, messages) -> answer.apply(messages));
    }

    /** Whether it was closed. */
    public boolean isClosed() {
        return closed;
    }

    @Override
    public List<Completion> generate(List<Prompt> prompts, GenerationOptions options) {
        return IntStream.range(0, prompts.size()).mapToObj(place -> new Completion(answer.apply(place,
                messages(prompts.get(place))), new int[0], Completion.StopReason.STOP_TOKEN, 1)).toList();
    }

    /** It has no template, so that a question of one message comes as a text. */
    private static List<ChatMessage> messages(Prompt prompt) {
        return prompt instanceof Prompt.Text text ? List.of(ChatMessage.user(text.text()))
                : ((Prompt.Chat) prompt).messages();
    }

    @Override
    public CausalNetwork network() {
        throw new UnsupportedOperationException();
    }

    @Override
    public ModelLease lease() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Engine engine() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Tokenizer tokenizer() {
        throw new UnsupportedOperationException();
    }

    @Override
    public Optional<ChatTemplate> chatTemplate() {
        return Optional.empty();
    }

    @Override
    public void close() {
        closed = true;
    }
}
