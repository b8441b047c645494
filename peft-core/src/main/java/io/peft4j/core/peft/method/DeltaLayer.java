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

    /** The change {@code x D^T} [N, out] as it is added in this pass; default as it is. */
    protected Variable added(ForwardContext context, Variable change) {
        return change;
    }

    @Override
    public final Variable forward(ForwardContext context, Variable x, Layer base) {
        Variable y = base.forward(context, x);
        if (isLeftOut(context)) {
            return y;
        }
        Tape tape = context.tape();
        Variable change = MatrixOps.matmulTransposed(tape, x, delta(tape));
        return ElementwiseOps.addInto(tape, added(context, change), y);
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
