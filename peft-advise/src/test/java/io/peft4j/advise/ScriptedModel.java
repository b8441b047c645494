package io.peft4j.advise;

import io.peft4j.core.engine.Engine;
import io.peft4j.core.model.CausalNetwork;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Tokenizer;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** A model whose answers are a function of the conversation, and which knows whether it was closed. */
final class ScriptedModel implements LanguageModel, AutoCloseable {
    private final Function<List<ChatMessage>, String> answer;
    private boolean closed;

    ScriptedModel(Function<List<ChatMessage>, String> answer) {
        this.answer = answer;
    }

    boolean isClosed() {
        return closed;
    }

    @Override
    public List<Completion> generate(List<Prompt> prompts, GenerationOptions options) {
        return prompts.stream().map(prompt -> new Completion(answer.apply(((Prompt.Chat) prompt).messages()),
                new int[0], Completion.StopReason.STOP_TOKEN, 1)).toList();
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
