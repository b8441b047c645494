package io.peft4j.core.model;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A network with the head of a task: a classifier of texts or of tokens, the ends of an answer in a text, or a pooling
 * that makes one vector of a text.
 */
@Internal(shared = true)
public interface HeadedNetwork extends Network {
    /**
     * How a model that judges by the logits of the next token reads a query and a text: rendered by its chat template,
     * as messages of the roles {@code query} and {@code document}.
     *
     * @param instruction the system message before them
     * @param generationPrompt whether an answer's header follows
     * @param variables further variables of the template
     */
    record PairPrompt(Optional<String> instruction, boolean generationPrompt, Map<String, Object> variables) {
        /** Refuses null. */
        public PairPrompt {
            Objects.requireNonNull(instruction, "instruction");
            variables = Map.copyOf(variables);
        }

        /** The text that the model reads. */
        public String render(ChatTemplate template, String query, String text) {
            List<ChatMessage> messages = new ArrayList<>();
            instruction.map(ChatMessage::system).ifPresent(messages::add);
            messages.add(new ChatMessage("query", query));
            messages.add(new ChatMessage("document", text));
            return template.render(messages, generationPrompt, List.of(), variables);
        }
    }

    /**
     * The result for the sequences of the context's batch: FLOAT, one row a sequence in their order, [B, outputs]; for
     * tasks that judge tokens ({@link Task.Type#judgesTokens()}) one row a token of the batch, [N, outputs].
     *
     * @throws IllegalArgumentException when a token id or a position is out of the model's range
     */
    Variable outputs(ForwardContext context);

    /**
     * Paths of layers that the checkpoint lacked and that were initialized, such as a classifier's; an adapter trains
     * and saves them.
     */
    default List<String> untrained() {
        return List.of();
    }

    /**
     * Whether a model for {@link Task.Type#DECISION} makes a vector of each text, one row a sequence, by which options
     * are compared with a text; else it scores tokens.
     */
    default boolean comparesVectors() {
        return false;
    }

    /** Texts by name that a sentence-transformers model was trained to see before others; often none. */
    default Map<String, String> prompts() {
        return Map.of();
    }

    /** The name of the prompt that is used where none is asked for. */
    default Optional<String> defaultPrompt() {
        return Optional.empty();
    }

    /**
     * Whether the score of a model with one output is the output itself, as the folder of a cross-encoder of
     * sentence-transformers may say; else it is the logistic function of it.
     */
    default boolean scoresAreLogits() {
        return false;
    }

    /**
     * How a query and a text are read, where the logits of the next token judge them; then the checkpoint is that of a
     * model that predicts tokens.
     */
    default Optional<PairPrompt> pairPrompt() {
        return Optional.empty();
    }

    @Override
    default HeadedNetwork headed() {
        return this;
    }
}
