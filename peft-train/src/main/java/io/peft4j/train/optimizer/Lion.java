package io.peft4j.train.optimizer;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.train.optimizer.ParameterUpdate.UpdateStep;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Lion (Symbolic Discovery of Optimization Algorithms, <a href="https://arxiv.org/abs/2302.06675">2302.06675</a>):
 * {@code p -= lr * wd * p; p -= lr * sign(b1 m + (1 - b1) g); m = b2 m + (1 - b2) g}. One moment instead of two; the
 * authors take a learning rate 3 to 10 times smaller than AdamW's, and a weight decay as much larger.
 *
 * @param beta1 share of the moment in the direction; default 0.9
 * @param beta2 decay of the moment; default 0.99
 */
@Internal
public record Lion(double beta1, double beta2) implements Optimizer {
    /** The defaults. */
    public static final Lion DEFAULT = new Lion(0.9, 0.99);

    /**
     * Checks the ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a beta is not in [0, 1)
     */
    public Lion {
        AdamW.requireBeta("beta1", beta1);
        AdamW.requireBeta("beta2", beta2);
    }

    @Override
    public double autoRateFactor() {
        return 0.2;
    }

    @Override
    public ParameterUpdate of(Parameter parameter) {
        return new Update(this, parameter, Arrays.zeros(DataType.FLOAT, parameter.value().shape()));
    }

    private record Update(Lion numbers, Parameter parameter, INDArray moment) implements ParameterUpdate {
        @Override
        public void apply(Kernels kernels, UpdateStep step) {
            float decay = (float) (1 - step.learningRate() * step.weightDecay());
            float beta1 = (float) numbers.beta1();
            float new1 = (float) (1 - numbers.beta1());
            float beta2 = (float) numbers.beta2();
            float new2 = (float) (1 - numbers.beta2());
            HeapTiles.run(parameter.length(), (first, count) -> {
                float[] p = HeapTiles.read(parameter.value(), first, count);
                float[] g = HeapTiles.gradient(parameter.gradient(), first, count, step.gradientScale());
                float[] m = HeapTiles.read(moment, first, count);
                for (int i = 0; i < count; i++) {
                    p[i] = p[i] * decay - (float) step.learningRate() * Math.signum(beta1 * m[i] + new1 * g[i]);
                    m[i] = beta2 * m[i] + new2 * g[i];
                }
                HeapTiles.write(parameter.value(), first, p);
                HeapTiles.write(moment, first, m);
            });
        }

        @Override
        public Map<String, INDArray> arrays() {
            return Map.of("exp_avg", moment);
        }
    }
}
