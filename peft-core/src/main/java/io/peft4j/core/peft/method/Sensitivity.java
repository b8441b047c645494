package io.peft4j.core.peft.method;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.io.Closer;
import java.util.Map;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * How much the loss depends on each value of a parameter in the course of a training (<a
 * href="https://arxiv.org/abs/2303.10512">2303.10512</a>): the moving average of its importance {@code |value *
 * gradient|} times that of its uncertainty, how far its importance is from the average. Owns native memory.
 */
@Internal(shared = true)
public final class Sensitivity implements AutoCloseable {
    private final Parameter parameter;
    private final double beta1;
    private final double beta2;
    private final boolean fromBefore;
    private final INDArray importance;
    private final INDArray uncertainty;
    private final Closer owned;

    /**
     * Begins at 0.
     *
     * @param beta1 weight of the past in the average of importance
     * @param beta2 weight of the past in the average of uncertainty
     * @param fromBefore whether uncertainty is the distance from the average before an update; else from the one after
     */
    public Sensitivity(Parameter parameter, double beta1, double beta2, boolean fromBefore) {
        this.parameter = parameter;
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.fromBefore = fromBefore;
        try (Closer opened = new Closer()) {
            this.importance = opened.add(Arrays.zeros(DataType.FLOAT, parameter.value().shape()));
            this.uncertainty = opened.add(Arrays.zeros(DataType.FLOAT, parameter.value().shape()));
            this.owned = opened.keep();
        }
    }

    /**
     * Adds an update to the averages.
     *
     * @param gradientScale the factor that the gradient was multiplied by in it
     */
    public void update(double gradientScale) {
        float[] values = Arrays.toFloats(parameter.value());
        float[] gradients = Arrays.toFloats(parameter.gradient());
        float[] importances = Arrays.toFloats(importance);
        float[] uncertainties = Arrays.toFloats(uncertainty);
        for (int i = 0; i < values.length; i++) {
            double now = Math.abs(values[i] * (gradients[i] * gradientScale));
            float before = importances[i];
            importances[i] = (float) (beta1 * before + (1 - beta1) * now);
            uncertainties[i] = (float) (beta2 * uncertainties[i]
                    + (1 - beta2) * Math.abs(now - (fromBefore ? before : importances[i])));
        }
        Arrays.write(importance, 0, importances, 0, importances.length);
        Arrays.write(uncertainty, 0, uncertainties, 0, uncertainties.length);
    }

    /** Importance times uncertainty of each value. */
    public float[] scores() {
        float[] scores = Arrays.toFloats(importance);
        float[] uncertainties = Arrays.toFloats(uncertainty);
        for (int i = 0; i < scores.length; i++) {
            scores[i] *= uncertainties[i];
        }
        return scores;
    }

    /** Sets the averages to 0. */
    public void clear() {
        Arrays.clear(importance);
        Arrays.clear(uncertainty);
    }

    /** Adds the averages, the arrays themselves, to what a training that is resumed needs. */
    public void addTo(Map<String, INDArray> arrays) {
        arrays.put(parameter.name() + ".importance", importance);
        arrays.put(parameter.name() + ".uncertainty", uncertainty);
    }

    @Override
    public void close() {
        owned.close();
    }
}
