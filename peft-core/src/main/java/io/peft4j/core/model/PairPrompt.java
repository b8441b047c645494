package io.peft4j.core.model;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.core.text.ChatTemplate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * How a model that judges by the logits of the next token reads a query and a text: rendered by its chat template, as
 * messages of the roles {@code query} and {@code document}.
 *
 * @param instruction what stands before them as the system's message
 * @param generationPrompt whether an answer's header follows
 * @param variables further variables of the template
 */
public record PairPrompt(Optional<String> instruction, boolean generationPrompt, Map<String, Object> variables) {
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
