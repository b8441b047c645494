package io.peft4j.train;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.NativeMemory;
import io.peft4j.core.autograd.Parameter;
import io.peft4j.core.io.Closer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The trained values as they were at the lowest loss on the validation data; part of a training's checkpoints. */
@Internal
public final class BestValues implements AutoCloseable {
    private final List<Parameter> parameters;
    private final Map<String, INDArray> copies = new LinkedHashMap<>();

    /** Room for the values of parameters. */
    public BestValues(List<Parameter> parameters) {
        this.parameters = parameters;
        try (Closer opened = new Closer()) {
            opened.add(this);
            for (int i = 0; i < parameters.size(); i++) {
                INDArray value = parameters.get(i).value();
                copies.put(i + "." + parameters.get(i).name() + ".best", Arrays.zeros(value.dataType(), value.shape()));
            }
            opened.keep();
        }
    }

    /** The measurement with the lowest loss, of equal ones the first. */
    public static TrainingResult.Evaluation best(List<TrainingResult.Evaluation> evaluations) {
        return evaluations.stream().reduce((a, b) -> b.comparedLoss() < a.comparedLoss() ? b : a).orElseThrow();
    }

    /** Keeps the values as they are. */
    public void keep() {
        copy(false);
    }

    /** Makes the values what they were. */
    public void restore() {
        copy(true);
    }

    private void copy(boolean back) {
        int i = 0;
        for (INDArray copy : copies.values()) {
            INDArray value = parameters.get(i++).value();
            NativeMemory.copy(Arrays.address(back ? copy : value), Arrays.address(back ? value : copy),
                    value.length() * Arrays.bytes(value.dataType()));
        }
    }

    Map<String, INDArray> arrays() {
        return copies;
    }

    @Override
    public void close() {
        Closer.closeAll(copies.values());
    }
}
