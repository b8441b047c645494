package io.peft4j.core.text;

import java.util.List;
import java.util.Map;

/**
 * Renders a conversation to the one string that a model was trained on.
 *
 * <p>The same template serves training, evaluation and generation. Text of messages is data: whatever it holds, it is
 * never executed. Implementations are immutable and safe for use by many threads.
 */
public interface ChatTemplate {
    /**
     * Renders a conversation.
     *
     * @param messages the conversation, oldest first; an empty list is passed to the template as it is
     * @param addGenerationPrompt whether to end with the header of an assistant message, ready for generation
     * @param tools JSON-like tool definitions; an empty list means none
     * @param variables further variables the template may use (such as {@code enable_thinking}); they win over the
     *     special tokens of the same name
     * @return the rendered text with every special token written out; encode it with
     *     {@link Tokenizer#encode(String)}
     * @throws io.peft4j.core.error.PeftException if the template rejects the conversation or fails
     */
    String render(List<ChatMessage> messages, boolean addGenerationPrompt, List<Map<String, Object>> tools,
            Map<String, Object> variables);

    /** Renders a conversation with no tools and no further variables; otherwise as the general form. */
    default String render(List<ChatMessage> messages, boolean addGenerationPrompt) {
        return render(messages, addGenerationPrompt, List.of(), Map.of());
    }

    /** The text of the template, as it is in the checkpoint. */
    String source();
}
