package io.peft4j.models.decoder.internal;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.models.architecture.internal.ModelTensor;
import io.peft4j.models.architecture.internal.ModelTensors;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/** One more logit a head [heads] in the softmax of attention; attention reads it, and nothing runs through it. */
record AttentionSinks(INDArray values) implements Layer, ModelTensors {
    @Override
    public List<ModelTensor> tensors(String path) {
        int heads = Math.toIntExact(values.length());
        return List.of(
                new ModelTensor(path, new long[] {heads}, (row, target) -> Arrays.read(values, 0, target, 0, heads)));
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        throw new UnsupportedOperationException("sinks are read by attention");
    }
}
