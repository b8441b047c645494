package io.peft4j.data.augment;

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
import java.util.function.UnaryOperator;

/** Answers the last message of a prompt by a function. */
final class ScriptedModel implements LanguageModel {
    private final UnaryOperator<String> answers;

    ScriptedModel(UnaryOperator<String> answers) {
        this.answers = answers;
    }

    @Override
    public List<Completion> generate(List<Prompt> prompts, GenerationOptions options) {
        return prompts.stream().map(prompt -> {
            List<ChatMessage> messages = ((Prompt.Chat) prompt).messages();
            return new Completion(answers.apply(messages.get(messages.size() - 1).content()), new int[0],
                    Completion.StopReason.STOP_TOKEN, 1);
        }).toList();
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
}
