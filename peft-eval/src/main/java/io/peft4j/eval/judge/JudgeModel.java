package io.peft4j.eval.judge;

import io.peft4j.core.text.ChatMessage;
import java.util.List;

/** A language model that is asked for a judgement: on a server ({@link ChatEndpoint}), or any other. */
@FunctionalInterface
public interface JudgeModel {
    /**
     * The model's answer.
     *
     * @throws java.io.UncheckedIOException when the model cannot be reached or fails
     */
    String answer(List<ChatMessage> messages);
}
