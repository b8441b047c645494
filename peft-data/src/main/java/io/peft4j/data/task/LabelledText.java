package io.peft4j.data.task;

import io.peft4j.core.error.ConfigurationException;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * A text, or two that are judged together, and what is right for it.
 *
 * @param text the text
 * @param second the second text, such as a hypothesis about the first
 * @param labels names or numbers of the labels that are right; of a regression the numbers themselves
 * @param probabilities of each of the labels the probability that it is the right one, where that is not certain: they
 *     sum to 1; else none
 */
public record LabelledText(String text, Optional<String> second, List<String> labels, List<Double> probabilities) {
    /** Copies the lists. */
    public LabelledText {
        Objects.requireNonNull(text, "text");
        Objects.requireNonNull(second, "second");
        labels = List.copyOf(labels);
        probabilities = probabilities.isEmpty() ? List.of() : DecisionRow.normalized(probabilities);
        if (!probabilities.isEmpty() && probabilities.size() != labels.size()) {
            throw new ConfigurationException(probabilities.size() + " probabilities for the labels " + labels);
        }
    }

    /** A text of which it is known what is right. */
    public LabelledText(String text, Optional<String> second, List<String> labels) {
        this(text, second, labels, List.of());
    }

    /** A text with its labels. */
    public static LabelledText of(String text, String... labels) {
        return new LabelledText(text, Optional.empty(), List.of(labels));
    }

    /** The labels that are right; where that is not certain the likeliest. */
    public List<String> right() {
        return probabilities.isEmpty() ? labels
                : List.of(labels.get(probabilities.indexOf(Collections.max(probabilities))));
    }

    /**
     * The probability that the only label of a model is right, as a cross-encoder learns it.
     *
     * @param label the model's label: where the text has it by name, it is right; where the text has a number, that is
     *     the probability
     * @throws ConfigurationException when a label of the text is neither, or the number is not from 0 to 1
     */
    public double probability(String label) {
        double sum = 0;
        for (int i = 0; i < labels.size(); i++) {
            sum += (probabilities.isEmpty() ? 1 : probabilities.get(i)) * share(labels.get(i), label);
        }
        if (sum > 1) {
            throw new ConfigurationException(
                    "a text has the labels " + labels + "; the model has one, '" + label + "'");
        }
        return sum;
    }

    private static double share(String own, String label) {
        if (own.equals(label)) {
            return 1;
        }
        if (!Labels.isProbability(own)) {
            throw new ConfigurationException("'" + own + "' is neither '" + label + "', the model's only label, nor a "
                    + "number from 0 to 1");
        }
        return Double.parseDouble(own);
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
