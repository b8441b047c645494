package io.peft4j.train.objective;

/**
 * What examples are encoded for.
 *
 * @param kind training or validation, for messages
 * @param maxLength the most tokens of an example
 * @param batchSize examples a forward pass
 */
public record DataSetup(String kind, int maxLength, int batchSize) {
}
