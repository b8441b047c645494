package io.peft4j.models.decoder;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.SequenceOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.PieceStates;
import io.peft4j.core.kernel.RowOrder;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.models.architecture.ModelTensor;
import io.peft4j.models.architecture.ModelTensors;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen causal convolution along sequences, each column separately; the layer that it is a part of runs it.
 *
 * @param weight FLOAT [C, K]; checkpoints hold [C, 1, K]
 * @param bias FLOAT [C], if any
 */
record DepthwiseConvolution(INDArray weight, Optional<INDArray> bias) implements Layer, ModelTensors {
    Variable run(ForwardContext context, Variable x, RowOrder order, PieceStates states) {
        return SequenceOps.convolution(context.tape(), x, weight, bias, order, states);
    }

    @Override
    public List<ModelTensor> tensors(String path) {
        int taps = Arrays.columns(weight);
        List<ModelTensor> tensors = new ArrayList<>(List.of(new ModelTensor(path + ".weight",
                new long[] {Arrays.rows(weight), 1, taps},
                (row, target) -> Arrays.read(weight, (long) row * taps, target, 0, taps))));
        bias.ifPresent(values -> tensors.add(FrozenVector.tensor(path + ".bias", values)));
        return tensors;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        throw new UnsupportedOperationException("a convolution is run by the layer around it");
    }
}
