package io.peft4j.core.model;

import io.peft4j.core.engine.Engine;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Tokenizer;
import java.util.List;
import java.util.Optional;

/**
 * A language model as training, evaluation and applications see it: a network, the layers that run in it (the base's
 * own or adapted ones), a tokenizer and a chat template. A base model and a base with adapters are both language
 * models, and both can be used side by side though they share their weights.
 *
 * <p>Any number of threads may use a model at once. What runs in a call is what was active when it began.
 */
public interface LanguageModel {
    /** The network. */
    CausalNetwork network();

    /** What passes run on. */
    Engine engine();

    /**
     * The model as it is now, kept so until the lease is closed.
     *
     * @throws io.peft4j.core.error.ClosedException when the model is closed
     */
    ModelLease lease();

    /** The tokenizer. */
    Tokenizer tokenizer();

    /** The chat template of the checkpoint, where it has one. */
    Optional<ChatTemplate> chatTemplate();

    /** Answers many prompts in one batch; results stand in the order of the prompts. */
    List<Completion> generate(List<Prompt> prompts, GenerationOptions options);

    /** Answers one user message, greedily, with at most 64 new tokens. */
    default String generate(String userMessage) {
        return generate(List.of(Prompt.chat(List.of(ChatMessage.user(userMessage)))), GenerationOptions.defaults())
                .get(0).text();
    }
}
