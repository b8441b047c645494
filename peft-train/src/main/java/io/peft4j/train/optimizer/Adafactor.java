package io.peft4j.train.optimizer;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;

/**
 * Adafactor (Adaptive Learning Rates with Sublinear Memory Cost, <a
 * href="https://arxiv.org/abs/1804.04235">1804.04235</a>) as Hugging Face Transformers computes it with a learning rate
 * from outside ({@code relative_step} off). Of a matrix [R, C] only the means of the squared gradients over its rows
 * and over its columns are kept, with {@code b = 1 - t^decayRate}: {@code row = b row + (1 - b) mean(g^2 + 1e-30)}, and
 * {@code col} alike; {@code u = g / sqrt(row col / mean(row))}, divided by its root mean square where that is above
 * {@code clipThreshold}; {@code p -= lr * wd * p; p -= lr * u}. Of a vector all squares are kept.
 *
 * @param decayRate exponent of the step in the decay of the squares; default -0.8
 * @param clipThreshold the largest root mean square of an update before the learning rate; default 1
 * @param scaleParameter whether the learning rate is multiplied by the root mean square of the parameter, at least
 *     1e-3; default false
 */
public record Adafactor(double decayRate, double clipThreshold, boolean scaleParameter) implements Optimizer {
    /** The defaults. */
    public static final Adafactor DEFAULT = new Adafactor(-0.8, 1, false);

    /**
     * Checks the ranges.
     *
     * @throws ConfigurationException when the decay rate is not from -1 to below 0, or the threshold not above 0
     */
    public Adafactor {
        if (!(decayRate >= -1 && decayRate < 0)) {
            throw new ConfigurationException("the decay rate of Adafactor is " + decayRate
                    + "; it must be from -1 to below 0");
        }
        if (!(clipThreshold > 0)) {
            throw new ConfigurationException("the clip threshold of Adafactor is " + clipThreshold
                    + "; it must be above 0");
        }
    }

    @Override
    public ParameterUpdate of(Parameter parameter) {
        return new AdafactorUpdate(this, parameter);
    }
}
