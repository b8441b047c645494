package io.peft4j.core.model;

import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import java.util.List;
import java.util.Optional;

/**
 * A model that answers, and has a chat template. What is loaded for another task than the next token is of this type,
 * too, so that there is one base model and one way to put adapters on it; to generate is refused there.
 */
public interface LanguageModel extends Model {
    /** The chat template of the checkpoint, where it has one. */
    Optional<ChatTemplate> chatTemplate();

    /** How it reads typed questions, and what was fitted to its answers; default: nothing is said. */
    default DecisionSettings decisions() {
        return DecisionSettings.DEFAULT;
    }

    /**
     * Answers many prompts in one batch; results stand in the order of the prompts.
     *
     * @throws io.peft4j.core.error.ConfigurationException when the network does not predict tokens
     */
    List<Completion> generate(List<Prompt> prompts, GenerationOptions options);

    /**
     * Answers one user message, greedily, with at most 64 new tokens.
     *
     * @throws io.peft4j.core.error.ConfigurationException when it is null
     */
    default String generate(String userMessage) {
        ConfigurationException.requireGiven(userMessage, "userMessage", "the text to answer");
        return generate(List.of(Prompt.chat(List.of(ChatMessage.user(userMessage)))), GenerationOptions.defaults())
                .get(0).text();
    }
}
