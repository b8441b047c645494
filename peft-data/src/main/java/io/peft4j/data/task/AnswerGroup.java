package io.peft4j.data.task;

import io.peft4j.core.text.ChatMessage;
import io.peft4j.data.example.ChatExample;
import java.util.List;
import java.util.Objects;

/**
 * A prompt with several answers and their rewards, or a prompt alone, which a model is to answer.
 *
 * @param prompt what is asked, without an answer; its {@linkplain ChatExample#extra extra fields} are those of the row
 * @param samples the answers; none where a model is to give them
 */
public record AnswerGroup(ChatExample prompt, List<Sample> samples) {
    /** Copies the list. */
    public AnswerGroup {
        Objects.requireNonNull(prompt, "prompt");
        samples = List.copyOf(samples);
    }

    /**
     * An answer.
     *
     * @param text its text
     * @param reward how good it is, a finite number
     */
    public record Sample(String text, double reward) {
    }

    /** A question and its answers, made in a program. */
    public static AnswerGroup of(String question, Sample... samples) {
        return new AnswerGroup(ChatExample.of(ChatMessage.user(question)), List.of(samples));
    }
}
