package io.peft4j.data.task;

import io.peft4j.core.error.ConfigurationException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A text, or two that are judged together, and what is right for it.
 *
 * @param text the text
 * @param second the second text, such as a hypothesis about the first
 * @param labels names or numbers of the labels that are right; of a regression the numbers themselves
 */
public record LabelledText(String text, Optional<String> second, List<String> labels) {
    /** Copies the list. */
    public LabelledText {
        Objects.requireNonNull(text, "text");
        Objects.requireNonNull(second, "second");
        labels = List.copyOf(labels);
    }

    /** A text with its labels. */
    public static LabelledText of(String text, String... labels) {
        return new LabelledText(text, Optional.empty(), List.of(labels));
    }

    /**
     * The labels as numbers.
     *
     * @param count how many there must be
     * @throws ConfigurationException when there are more or fewer, or one is not a finite number
     */
    public float[] numbers(int count) {
        if (labels.size() != count) {
            throw new ConfigurationException("a text has " + labels.size() + " numbers " + labels
                    + "; the model gives " + count);
        }
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            try {
                numbers[i] = Float.parseFloat(labels.get(i));
            } catch (NumberFormatException e) {
                throw new ConfigurationException("'" + labels.get(i) + "' is not a number, but the model is a "
                        + "regression", e);
            }
            if (!Float.isFinite(numbers[i])) {
                throw new ConfigurationException("'" + labels.get(i) + "' is not a finite number");
            }
        }
        return numbers;
    }
}
