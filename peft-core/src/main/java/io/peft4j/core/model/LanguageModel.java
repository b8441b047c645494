package io.peft4j.core.model;

import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Tokenizer;
import java.util.List;
import java.util.Optional;

/**
 * A language model as training, evaluation and applications see it: a network, the layers that run in it (the base's
 * own or adapted ones), a tokenizer and a chat template. A base model and a base with adapters are both language
 * models, and both can be used side by side though they share their weights.
 */
public interface LanguageModel {
    /** The network. */
    CausalNetwork network();

    /** The layers that run: the base's own, or wrapped by the active adapters. */
    LayerSelection layers();

    /** The kernels that the passes run on; used by one pass at a time. */
    Kernels kernels();

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
