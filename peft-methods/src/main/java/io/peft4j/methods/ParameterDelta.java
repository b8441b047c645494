package io.peft4j.methods;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.CachedValue;
import io.peft4j.core.peft.method.DeltaLayer;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A change D [out, in] of a weight that is computed from one tensor of few parameters, and remembered in passes that do
 * not train.
 */
class ParameterDelta extends DeltaLayer {
    private final AdapterTensor parameters;
    private final Delta delta;
    private final CachedValue remembered = new CachedValue();

    /** Computes D. */
    @FunctionalInterface
    interface Delta {
        /** D [out, in] FLOAT on a tape. */
        Variable on(Tape tape, Variable parameters);
    }

    ParameterDelta(AdapterSetup setup, Slot slot, AdapterTensor parameters, Delta delta) {
        super(setup, slot);
        this.parameters = parameters;
        this.delta = delta;
    }

    @Override
    protected Variable delta(Tape tape) {
        Variable p = tape.parameter(parameters.parameter());
        if (tape.isRecording()) {
            return delta.on(tape, p);
        }
        float[] values = remembered.of(p.value(), () -> Arrays.toFloats(delta.on(tape, p).value()));
        Linear linear = linear();
        INDArray d = tape.allocateFloat(linear.outFeatures(), linear.inFeatures());
        Arrays.write(d, 0, values, 0, values.length);
        return tape.constant(d);
    }

    @Override
    protected boolean joinsWeights() {
        return true;
    }

    @Override
    public final List<AdapterTensor> tensors() {
        return List.of(parameters);
    }
}
