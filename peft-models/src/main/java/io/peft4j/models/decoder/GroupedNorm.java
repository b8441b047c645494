package io.peft4j.models.decoder;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.NormOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.models.architecture.ModelTensor;
import io.peft4j.models.architecture.ModelTensors;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A frozen RMS norm of each group of columns by itself, with a weight for each column: x, y [N, H], weight [H].
 *
 * @param ones as many as a group has columns
 */
record GroupedNorm(INDArray weight, INDArray ones, float epsilon) implements Layer, ModelTensors {
    static GroupedNorm of(INDArray weight, int groups, float epsilon) {
        float[] ones = new float[Math.toIntExact(weight.length()) / groups];
        java.util.Arrays.fill(ones, 1);
        return new GroupedNorm(weight, Arrays.of(ones, ones.length), epsilon);
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        Tape tape = context.tape();
        return ScaleOps.columns(tape, NormOps.rmsNorm(tape, x, tape.constant(ones), epsilon), tape.constant(weight));
    }

    @Override
    public List<ModelTensor> tensors(String path) {
        return List.of(FrozenVector.tensor(path + ".weight", weight));
    }
}
