package io.peft4j.models.decoder;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.ModelTensor;
import io.peft4j.models.architecture.ModelTensors;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A vector under the name of its place, such as the sinks of attention; the layer around it reads it. */
record FrozenVector(INDArray values) implements Layer, ModelTensors {
    static INDArray at(Slot slot) {
        return ((FrozenVector) slot.layer()).values();
    }

    /** A vector as a tensor of the checkpoint. */
    static ModelTensor tensor(String name, INDArray values) {
        int length = Math.toIntExact(values.length());
        return new ModelTensor(name, new long[] {length}, (row, target) -> Arrays.read(values, 0, target, 0, length));
    }

    @Override
    public List<ModelTensor> tensors(String path) {
        return List.of(tensor(path, values));
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        throw new UnsupportedOperationException("a vector is read by the layer around it");
    }
}
