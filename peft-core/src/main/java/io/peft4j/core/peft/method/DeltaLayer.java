package io.peft4j.core.peft.method;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.weight.DenseWeight;
import org.nd4j.linalg.api.buffer.DataType;

/**
 * A linear layer whose weight changes by a matrix that has no cheaper form: {@code y = base(x) + x D^T}: x [N, in],
 * D [out, in] computed from the layer's tensors.
 *
 * <p>Merged: {@code W + D}.
 */
public abstract class DeltaLayer extends AbstractAdapterLayer {
    private final Engine engine;

    /** At a place. */
    protected DeltaLayer(AdapterSetup setup, Slot slot) {
        super(slot);
        this.engine = setup.base().engine();
    }

    /** D [out, in] FLOAT, as a value that the tensors are trained through. */
    protected abstract Variable delta(Tape tape);

    /** Whether the change is left out in this pass; default no. */
    protected boolean isLeftOut(ForwardContext context) {
        return false;
    }

    /** The change {@code x D^T} [N, out]; a layer that knows a cheaper form of it gives that. */
    protected Variable change(ForwardContext context, Variable x) {
        return MatrixOps.matmulTransposed(context.tape(), x, delta(context.tape()));
    }

    /**
     * Whether a pass of training computes {@code x (W + D)^T} in one product where W is held in f32; default no. Not
     * for layers that change {@link #added}.
     */
    protected boolean joinsWeights() {
        return false;
    }

    /** The change {@code x D^T} [N, out] as it is added in this pass; default as it is. */
    protected Variable added(ForwardContext context, Variable change) {
        return change;
    }

    @Override
    public final Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        if (context.isTraining() && joinsWeights() && base == linear() && linear().weight() instanceof DenseWeight w
                && w.values().dataType() == DataType.FLOAT) {
            return linear().forward(context, x, ElementwiseOps.addInto(tape, tape.constant(w.values()), delta(tape)),
                    linear().bias().map(tape::constant));
        }
        Variable y = base.forward(context, x);
        return isLeftOut(context) ? y : ElementwiseOps.addInto(tape, added(context, change(context, x)), y);
    }

    @Override
    public final void mergeInto(MergedLayer copy) {
        float[] sum = Arrays.toFloats(copy.weight());
        float[] change = engine.evaluate(tape -> Arrays.toFloats(delta(tape).value()));
        for (int i = 0; i < sum.length; i++) {
            sum[i] += change[i];
        }
        Arrays.write(copy.weight(), 0, sum, 0, sum.length);
    }
}
