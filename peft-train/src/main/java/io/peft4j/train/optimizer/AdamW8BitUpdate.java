package io.peft4j.train.optimizer;

import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.kernel.Kernels;
import java.util.LinkedHashMap;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** AdamW with moments in 8 bits; the update is made with them before they are rounded. */
final class AdamW8BitUpdate implements ParameterUpdate {
    private final AdamW numbers;
    private final Parameter parameter;
    private final BlockMoments first;
    private final BlockMoments second;

    AdamW8BitUpdate(AdamW numbers, Parameter parameter) {
        this.numbers = numbers;
        this.parameter = parameter;
        this.first = new BlockMoments(true, parameter.length());
        this.second = new BlockMoments(false, parameter.length());
    }

    @Override
    public void apply(Kernels kernels, UpdateStep step) {
        float decay = (float) (1 - step.learningRate() * step.weightDecay());
        float size = (float) (-step.learningRate() / (1 - Math.pow(numbers.beta1(), step.number())));
        float correction = (float) Math.sqrt(1 - Math.pow(numbers.beta2(), step.number()));
        HeapTiles.run(parameter.length(), (from, count) -> {
            float[] p = HeapTiles.read(parameter.value(), from, count);
            float[] g = HeapTiles.gradient(parameter.gradient(), from, count, step.gradientScale());
            float[] m = first.read(from, count);
            float[] v = second.read(from, count);
            for (int i = 0; i < count; i++) {
                m[i] = (float) numbers.beta1() * m[i] + (float) (1 - numbers.beta1()) * g[i];
                v[i] = (float) numbers.beta2() * v[i] + (float) (1 - numbers.beta2()) * g[i] * g[i];
                float denominator = (float) Math.sqrt(v[i]) / correction + (float) numbers.epsilon();
                p[i] = p[i] * decay + size * m[i] / denominator;
            }
            HeapTiles.write(parameter.value(), from, p);
            first.write(from, m);
            second.write(from, v);
        });
    }

    @Override
    public Map<String, INDArray> arrays() {
        Map<String, INDArray> arrays = new LinkedHashMap<>(first.arrays("exp_avg"));
        arrays.putAll(second.arrays("exp_avg_sq"));
        return arrays;
    }
}
