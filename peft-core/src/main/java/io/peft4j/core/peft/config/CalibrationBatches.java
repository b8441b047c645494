package io.peft4j.core.peft.config;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.TokenSequence;
import java.util.ArrayList;
import java.util.List;

/**
 * Batches of examples that a new adapter's first values are computed from, where its configuration asks for such
 * ({@link PeftConfig#needsCalibration()}). As a rule they are the first batches of the training.
 *
 * @param batches at least one, each with at least one sequence
 */
public record CalibrationBatches(List<List<TokenSequence>> batches) {
    /**
     * Copies the lists.
     *
     * @throws ConfigurationException when there is no batch, or one is empty
     */
    public CalibrationBatches {
        batches = batches.stream().map(List::copyOf).toList();
        if (batches.isEmpty() || batches.stream().anyMatch(List::isEmpty)) {
            throw new ConfigurationException("the adapter is initialized from data, but the calibration has "
                    + (batches.isEmpty() ? "no batches" : "an empty batch"));
        }
    }

    /**
     * The first examples in batches, as a training that does not shuffle takes them.
     *
     * @param examples the examples
     * @param batchSize examples a batch, at least 1
     * @param mostBatches at least 1
     * @throws ConfigurationException when there is no example
     */
    public static CalibrationBatches of(List<TokenSequence> examples, int batchSize, int mostBatches) {
        List<List<TokenSequence>> batches = new ArrayList<>();
        for (int i = 0; i < examples.size() && batches.size() < mostBatches; i += batchSize) {
            batches.add(examples.subList(i, Math.min(examples.size(), i + batchSize)));
        }
        return new CalibrationBatches(batches);
    }

    @Override
    public String toString() {
        return "calibration with " + batches.size() + " batches";
    }
}
