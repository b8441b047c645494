package io.peft4j.core.kernel;

/**
 * The numbers of one AdamW update (Decoupled Weight Decay Regularization,
 * <a href="https://arxiv.org/abs/1711.05101">1711.05101</a>), in PyTorch's form.
 *
 * @param step 1 for the first update
 * @param learningRate step size
 * @param beta1 decay of the first moment
 * @param beta2 decay of the second moment
 * @param epsilon added to the root of the second moment
 * @param weightDecay decoupled weight decay, multiplied by the learning rate
 * @param gradientScale factor on the gradient before anything else (clipping)
 */
public record AdamWStep(long step, double learningRate, double beta1, double beta2, double epsilon, double weightDecay,
        double gradientScale) {
}
