package io.peft4j.train.optimizer;

/**
 * The numbers of one update of a parameter.
 *
 * @param number 1 for the first
 * @param learningRate step size
 * @param weightDecay weight decay, as the optimizer takes it
 * @param gradientScale factor on the gradient before anything else (clipping)
 */
public record UpdateStep(long number, double learningRate, double weightDecay, double gradientScale) {
}
