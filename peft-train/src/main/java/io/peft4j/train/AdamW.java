package io.peft4j.train;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.kernel.AdamWStep;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * AdamW (Decoupled Weight Decay Regularization, <a href="https://arxiv.org/abs/1711.05101">1711.05101</a>) as PyTorch
 * computes it, with moments in f32:
 * {@code p -= lr * wd * p; m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
 * p -= lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + eps)}. Owns the moments' native memory.
 */
public final class AdamW implements AutoCloseable {
    private static final double BETA1 = 0.9;
    private static final double BETA2 = 0.999;
    private static final double EPSILON = 1e-8;

    private final Engine engine;
    private final List<Parameter> parameters;
    private final double weightDecay;
    private final ToDoubleFunction<Parameter> rateFactor;
    private final List<INDArray> firstMoments = new ArrayList<>();
    private final List<INDArray> secondMoments = new ArrayList<>();
    private long steps;

    /** An optimizer with betas 0.9 and 0.999 and epsilon 1e-8. */
    public AdamW(Engine engine, List<Parameter> parameters, double weightDecay) {
        this(engine, parameters, weightDecay, parameter -> 1);
    }

    /** As the other, with a learning rate that is multiplied by {@code rateFactor} of each parameter. */
    public AdamW(Engine engine, List<Parameter> parameters, double weightDecay,
            ToDoubleFunction<Parameter> rateFactor) {
        this.rateFactor = Objects.requireNonNull(rateFactor, "rateFactor");
        this.engine = Objects.requireNonNull(engine, "engine");
        this.parameters = List.copyOf(parameters);
        this.weightDecay = weightDecay;
        for (Parameter parameter : this.parameters) {
            firstMoments.add(Arrays.zeros(DataType.FLOAT, parameter.value().shape()));
            secondMoments.add(Arrays.zeros(DataType.FLOAT, parameter.value().shape()));
        }
    }

    /** The 2-norm of all gradients together. */
    public double gradientNorm() {
        return engine.compute(kernels ->
                Math.sqrt(parameters.stream().mapToDouble(p -> kernels.sumOfSquares(p.gradient())).sum()));
    }

    /**
     * One update with the gradients as they stand; clears them.
     *
     * @param learningRate step size
     * @param gradientScale factor on all gradients, for clipping
     */
    public void step(double learningRate, double gradientScale) {
        update(learningRate, gradientScale);
        clearGradients();
    }

    /** As {@link #step}, and leaves the gradients as they are. */
    void update(double learningRate, double gradientScale) {
        steps++;
        engine.run(kernels -> {
            for (int i = 0; i < parameters.size(); i++) {
                Parameter parameter = parameters.get(i);
                AdamWStep step = new AdamWStep(steps, learningRate * rateFactor.applyAsDouble(parameter), BETA1, BETA2,
                        EPSILON, weightDecay, gradientScale);
                kernels.adamW(parameter.value(), parameter.gradient(), firstMoments.get(i), secondMoments.get(i),
                        step);
                engine.giveWay();
            }
        });
    }

    void clearGradients() {
        parameters.forEach(Parameter::clearGradient);
    }

    /** The number of updates so far. */
    public long steps() {
        return steps;
    }

    /** Goes on after so many updates, once {@link #arrays} hold what they held then. */
    void resumeAfter(long updates) {
        steps = updates;
    }

    /** The parameters and their moments, the arrays themselves, by a name of each. */
    Map<String, INDArray> arrays() {
        Map<String, INDArray> arrays = new LinkedHashMap<>();
        for (int i = 0; i < parameters.size(); i++) {
            // Adapters that are trained together may have parameters of the same name.
            String name = i + "." + parameters.get(i).name();
            arrays.put(name + ".value", parameters.get(i).value());
            arrays.put(name + ".exp_avg", firstMoments.get(i));
            arrays.put(name + ".exp_avg_sq", secondMoments.get(i));
        }
        return arrays;
    }

    @Override
    public void close() {
        firstMoments.forEach(INDArray::close);
        secondMoments.forEach(INDArray::close);
        firstMoments.clear();
        secondMoments.clear();
    }
}
