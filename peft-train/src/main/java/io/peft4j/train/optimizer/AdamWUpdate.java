package io.peft4j.train.optimizer;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.kernel.AdamWStep;
import io.peft4j.core.kernel.Kernels;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** AdamW with moments in f32. */
final class AdamWUpdate implements ParameterUpdate {
    private final AdamW numbers;
    private final Parameter parameter;
    private final INDArray first;
    private final INDArray second;

    AdamWUpdate(AdamW numbers, Parameter parameter) {
        this.numbers = numbers;
        this.parameter = parameter;
        this.first = Arrays.zeros(DataType.FLOAT, parameter.value().shape());
        this.second = Arrays.zeros(DataType.FLOAT, parameter.value().shape());
    }

    @Override
    public void apply(Kernels kernels, UpdateStep step) {
        kernels.adamW(parameter.value(), parameter.gradient(), first, second, new AdamWStep(step.number(),
                step.learningRate(), numbers.beta1(), numbers.beta2(), numbers.epsilon(), step.weightDecay(),
                step.gradientScale()));
    }

    @Override
    public Map<String, INDArray> arrays() {
        return Map.of("exp_avg", first, "exp_avg_sq", second);
    }
}
