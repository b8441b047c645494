package io.peft4j.methods;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.AdapterLayer;
import io.peft4j.core.peft.AdapterTensor;
import io.peft4j.core.peft.MergedLayer;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A linear layer with a change of its weight that has no cheaper form than a whole matrix: {@code y = base(x) + x D^T}:
 * x [N, in], D [out, in] computed from few parameters.
 *
 * <p>Merged: {@code W + D}.
 */
final class DeltaLayer implements AdapterLayer {
    private final Slot slot;
    private final AdapterTensor parameters;
    private final Delta delta;
    private final Remembered remembered = new Remembered();

    /** Computes D. */
    interface Delta {
        /** D [out, in] FLOAT on a tape. */
        Variable on(Tape tape, Variable parameters);

        /** D row by row. */
        float[] values(float[] parameters);
    }

    DeltaLayer(Slot slot, AdapterTensor parameters, Delta delta) {
        this.slot = slot;
        this.parameters = parameters;
        this.delta = delta;
    }

    @Override
    public Slot slot() {
        return slot;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        Variable y = base.forward(context, x);
        Variable d = change(tape);
        return ElementwiseOps.addInto(tape, MatrixOps.matmulTransposed(tape, x, d), y);
    }

    private Variable change(Tape tape) {
        Variable p = tape.parameter(parameters.parameter());
        if (tape.isRecording()) {
            return delta.on(tape, p);
        }
        float[] values = remembered.of(p.value(), () -> Arrays.toFloats(delta.on(tape, p).value()));
        Linear linear = (Linear) slot.layer();
        INDArray d = tape.allocateFloat(linear.outFeatures(), linear.inFeatures());
        Arrays.write(d, 0, values, 0, values.length);
        return tape.record(d, (out, dy) -> { }, List.of());
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(parameters);
    }

    @Override
    public Optional<String> mergeObstacle() {
        return Optional.empty();
    }

    @Override
    public void mergeInto(MergedLayer copy) {
        float[] sum = Arrays.toFloats(copy.weight());
        float[] change = delta.values(Arrays.toFloats(parameters.parameter().value()));
        for (int i = 0; i < sum.length; i++) {
            sum[i] += change[i];
        }
        Arrays.write(copy.weight(), 0, sum, 0, sum.length);
    }
}
