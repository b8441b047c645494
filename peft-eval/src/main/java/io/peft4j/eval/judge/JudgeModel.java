package io.peft4j.eval.judge;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.Internal;
import io.peft4j.core.text.ChatMessage;
import java.util.List;
import java.util.Optional;

/** A language model that is asked for a judgement: on a server ({@link ChatEndpoint}), or any other. */
@FunctionalInterface
@Internal(shared = true)
public interface JudgeModel {
    /**
     * The model's answer.
     *
     * @throws java.io.UncheckedIOException when the model cannot be reached or fails
     */
    String answer(List<ChatMessage> messages);

    /** The model of an endpoint. */
    static JudgeModel on(Endpoint endpoint) {
        return ChatEndpoint.of(endpoint);
    }

    /** The model of an endpoint that knows structured outputs, whose answers are JSON that follows the schema. */
    static JudgeModel on(Endpoint endpoint, JsonNode schema) {
        return new ChatEndpoint(endpoint, ChatEndpoint.of(endpoint).maxTokens(), Optional.of(schema));
    }
}
