package io.peft4j.train.optimizer;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.Closer;
import io.peft4j.core.measure.ProcessUsage;
import io.peft4j.train.optimizer.ParameterUpdate.UpdateStep;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The updates of some parameters by an optimizer. Owns what the optimizer remembers. */
@Internal
public final class Updates implements AutoCloseable {
    private final Engine engine;
    private final List<Parameter> parameters;
    private final ToDoubleFunction<Parameter> weightDecay;
    private final ToDoubleFunction<Parameter> rateFactor;
    private final List<ParameterUpdate> updates = new ArrayList<>();
    private final Closer owned;
    private final Set<Parameter> left = Collections.newSetFromMap(new IdentityHashMap<>());
    private long steps;

    /** Updates of all parameters alike. */
    public Updates(Engine engine, List<Parameter> parameters, Optimizer optimizer, double weightDecay) {
        this(engine, parameters, optimizer, parameter -> weightDecay, parameter -> 1);
    }

    /**
     * Updates.
     *
     * @param weightDecay the weight decay of each parameter
     * @param rateFactor what the learning rate is multiplied by for each parameter
     * @throws ConfigurationException when the parameters, their gradients and what the optimizer remembers of them
     *     alone are more than the process may use, which the system would end without a word
     */
    public Updates(Engine engine, List<Parameter> parameters, Optimizer optimizer,
            ToDoubleFunction<Parameter> weightDecay, ToDoubleFunction<Parameter> rateFactor) {
        this(engine, parameters, optimizer, weightDecay, rateFactor, ProcessUsage.memoryLimitBytes());
    }

    /** The same where the process may use so many bytes. */
    Updates(Engine engine, List<Parameter> parameters, Optimizer optimizer,
            ToDoubleFunction<Parameter> weightDecay, ToDoubleFunction<Parameter> rateFactor, long memory) {
        this.engine = Objects.requireNonNull(engine, "engine");
        this.parameters = List.copyOf(parameters);
        this.weightDecay = Objects.requireNonNull(weightDecay, "weightDecay");
        this.rateFactor = Objects.requireNonNull(rateFactor, "rateFactor");
        long values = this.parameters.stream().mapToLong(Parameter::length).sum();
        // Each value and its gradient in f32.
        long bytes = 2 * Float.BYTES * values;
        try (Closer opened = new Closer()) {
            for (Parameter parameter : this.parameters) {
                ParameterUpdate update = opened.add(optimizer.of(parameter));
                updates.add(update);
                bytes += update.arrays().values().stream().mapToLong(array -> array.length() * array.dataType().width())
                        .sum();
                if (bytes > memory) {
                    throw new ConfigurationException(String.format(Locale.ROOT, "training %,d parameters takes more "
                            + "than %,d MB for their values, their gradients and what the optimizer remembers, and "
                            + "this process may use %,d MB; train fewer: a lower rank, or fewer layers", values,
                            bytes / 1_000_000, memory / 1_000_000));
                }
            }
            this.owned = opened.keep();
        }
    }

    /** The 2-norm of all gradients together. */
    public double gradientNorm() {
        return engine.compute(
                kernels -> Math.sqrt(parameters.stream().mapToDouble(p -> kernels.sumOfSquares(p.gradient())).sum()));
    }

    /**
     * One update with the gradients as they stand; clears them.
     *
     * @param learningRate step size
     * @param gradientScale factor on all gradients, for clipping
     */
    public void step(double learningRate, double gradientScale) {
        update(learningRate, gradientScale);
        parameters.forEach(Parameter::clearGradient);
    }

    /** As {@link #step}, and leaves the gradients as they are. */
    public void update(double learningRate, double gradientScale) {
        steps++;
        engine.run(kernels -> {
            for (int i = 0; i < parameters.size(); i++) {
                Parameter parameter = parameters.get(i);
                if (left.contains(parameter)) {
                    continue;
                }
                updates.get(i).apply(kernels, new UpdateStep(steps,
                        learningRate * rateFactor.applyAsDouble(parameter), weightDecay.applyAsDouble(parameter),
                        gradientScale));
                engine.giveWay();
            }
        });
    }

    /** Leaves parameters as they are in all updates that follow, with what is remembered of them. */
    public void leave(Collection<Parameter> some) {
        left.addAll(some);
    }

    /** The number of updates so far. */
    public long steps() {
        return steps;
    }

    /** Continues after so many updates, once {@link #arrays} hold what they held then. */
    public void resumeAfter(long done) {
        steps = done;
    }

    /** The parameters and what is remembered of them, the arrays themselves, by a name of each. */
    public Map<String, INDArray> arrays() {
        Map<String, INDArray> arrays = new LinkedHashMap<>();
        for (int i = 0; i < parameters.size(); i++) {
            // Adapters that are trained together may have parameters of the same name.
            String name = i + "." + parameters.get(i).name();
            arrays.put(name + ".value", parameters.get(i).value());
            updates.get(i).arrays().forEach((key, array) -> arrays.put(name + "." + key, array));
        }
        return arrays;
    }

    @Override
    public void close() {
        owned.close();
    }
}
