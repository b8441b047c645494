package io.peft4j.train.optimizer;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.train.optimizer.ParameterUpdate.UpdateStep;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Stochastic gradient descent as PyTorch computes it: {@code g += wd * p; b = momentum * b + g; p -= lr * b}, with
 * Nesterov's momentum {@code p -= lr * (g + momentum * b)}. Weight decay is a term of the gradient here, not decoupled.
 *
 * @param momentum share of the earlier updates; default 0.9; with 0 nothing is remembered
 * @param nesterov whether the update looks ahead; default false
 */
@Internal
public record Sgd(double momentum, boolean nesterov) implements Optimizer {
    /** With a momentum of 0.9. */
    public static final Sgd DEFAULT = new Sgd(0.9, false);

    /**
     * Checks the ranges.
     *
     * @throws ConfigurationException when the momentum is not in [0, 1), or 0 with Nesterov's
     */
    public Sgd {
        AdamW.requireBeta("momentum", momentum);
        if (nesterov && momentum == 0) {
            throw new ConfigurationException("Nesterov's momentum needs a momentum above 0");
        }
    }

    @Override
    public double autoRateFactor() {
        return 100;
    }

    @Override
    public ParameterUpdate of(Parameter parameter) {
        return new Update(this, parameter, momentum == 0 ? Map.of()
                : Map.of("momentum", Arrays.zeros(DataType.FLOAT, parameter.value().shape())));
    }

    private record Update(Sgd numbers, Parameter parameter, Map<String, INDArray> arrays) implements ParameterUpdate {
        @Override
        public void apply(Kernels kernels, UpdateStep step) {
            HeapTiles.run(parameter.length(), (first, count) -> {
                float[] p = HeapTiles.read(parameter.value(), first, count);
                float[] g = HeapTiles.gradient(parameter.gradient(), first, count, step.gradientScale());
                for (int i = 0; i < count; i++) {
                    g[i] += (float) step.weightDecay() * p[i];
                }
                arrays.values().forEach(buffer -> remember(buffer, first, g));
                for (int i = 0; i < count; i++) {
                    p[i] -= (float) step.learningRate() * g[i];
                }
                HeapTiles.write(parameter.value(), first, p);
            });
        }

        /** Takes a gradient in; it becomes the direction of the update. */
        private void remember(INDArray buffer, long first, float[] g) {
            float momentum = (float) numbers.momentum();
            float[] b = HeapTiles.read(buffer, first, g.length);
            for (int i = 0; i < g.length; i++) {
                b[i] = momentum * b[i] + g[i];
                g[i] = numbers.nesterov() ? g[i] + momentum * b[i] : b[i];
            }
            HeapTiles.write(buffer, first, b);
        }
    }
}
