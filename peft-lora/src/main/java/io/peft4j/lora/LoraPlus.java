package io.peft4j.lora;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.method.UpdateRule;

/**
 * LoRA+ (<a href="https://arxiv.org/abs/2402.12354">2402.12354</a>): B, and all vectors, are trained with {@code ratio}
 * times the learning rate of A. The authors suggest 16.
 *
 * <pre>{@code Trainer.builder(model).learningRate(2e-4).updateRule(new LoraPlus(16))}</pre>
 *
 * @param ratio learning rate of B divided by that of A
 */
@Internal(shared = true)
public record LoraPlus(double ratio) implements UpdateRule {
    /**
     * Checks the ratio.
     *
     * @throws ConfigurationException when it is not above 0
     */
    public LoraPlus {
        if (!(ratio > 0 && Double.isFinite(ratio))) {
            throw new ConfigurationException("the ratio of learning rates (LoRA+) is " + ratio
                    + "; it must be above 0");
        }
    }

    @Override
    public double rateFactor(Parameter parameter) {
        return parameter.name().contains("lora_B") || parameter.value().rank() == 1 ? ratio : 1;
    }

    /** A is to learn as much slower than without this rule as B faster. */
    @Override
    public double autoRateFactor() {
        return 1 / Math.sqrt(ratio);
    }

    @Override
    public String describe() {
        return "loraplus " + ratio;
    }
}
