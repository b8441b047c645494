package io.peft4j.eval.task;

import io.peft4j.core.Internal;
import java.util.List;
import java.util.Objects;

/**
 * What one way of answering said to the items.
 *
 * @param name its name: {@code base}, {@code tuned}, {@code few-shot}, ...
 * @param description what answered, and how it was asked
 * @param texts one answer for each item
 * @param measures what its model was asked beside
 * @param seconds how long the answers took; 0 where they were given or all known from an earlier run
 * @param isPrompt whether it is the base model with another prompt: what can be had without training
 */
@Internal(shared = true)
public record ArmAnswers(String name, String description, List<String> texts, ModelMeasures measures, double seconds,
        boolean isPrompt) {
    /** Copies the list. */
    public ArmAnswers {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(description, "description");
        texts = List.copyOf(texts);
        Objects.requireNonNull(measures, "measures");
    }

    /** The same of an arm that needs no training: where it does as well as the tuned model, it is the one to take. */
    public ArmAnswers ofPrompt() {
        return new ArmAnswers(name, description, texts, measures, seconds, true);
    }

    /** Given answers, of no model at hand. */
    public static ArmAnswers given(String name, String description, List<String> texts) {
        return new ArmAnswers(name, description, texts, ModelMeasures.NONE, 0, false);
    }
}
