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
import java.util.Optional;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A linear layer to whose output a linear function of its input is added: {@code y = base(x) + change(x, dropout(x)) +
 * offset}: x [N, in], change [N, out], offset [out].
 *
 * <p>Merged: {@code W + D} and {@code b + offset}; the rows of {@code D^T} are the changes of the unit vectors.
 */
public abstract class ChangeLayer extends AbstractAdapterLayer {
    /** Unit vectors that go through a change at once. */
    private static final int PIECE = 512;

    private final Engine engine;
    private final double dropout;

    /** At a place, with a probability of dropout. */
    protected ChangeLayer(AdapterSetup setup, Slot slot, double dropout) {
        super(slot);
        this.engine = setup.base().engine();
        this.dropout = dropout;
    }

    /**
     * The change [N, out], as a new value.
     *
     * @param x the input [N, in]
     * @param kept the input, in training with some of its elements dropped
     */
    protected abstract Variable change(Tape tape, Variable x, Variable kept);

    /** As {@link #change}, for a layer that does something else with some rows, or in training; default the same. */
    protected Variable changeIn(ForwardContext context, Variable x, Variable kept) {
        return change(context.tape(), x, kept);
    }

    /** What is added to all rows [out]; default nothing. */
    protected Optional<Variable> offset(Tape tape) {
        return Optional.empty();
    }

    @Override
    public final Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        Variable y = base.forward(context, x);
        Variable kept = dropout(context, x, dropout);
        Variable sum = ElementwiseOps.addInto(tape, changeIn(context, x, kept), y);
        return offset(tape).map(added -> MatrixOps.addBias(tape, sum, added)).orElse(sum);
    }

    @Override
    public boolean hasDropout() {
        return dropout > 0;
    }

    @Override
    public final void mergeInto(MergedLayer copy) {
        INDArray weight = copy.weight();
        int out = Arrays.rows(weight);
        int in = Arrays.columns(weight);
        float[] sum = Arrays.toFloats(weight);
        for (int first = 0; first < in; first += PIECE) {
            int count = Math.min(PIECE, in - first);
            float[] changes = ofUnitVectors(first, count, in);
            for (int i = 0; i < changes.length; i++) {
                sum[i % out * in + first + i / out] += changes[i];
            }
        }
        Arrays.write(weight, 0, sum, 0, sum.length);
        copy.bias().ifPresent(bias -> engine.evaluate(tape -> {
            offset(tape).ifPresent(added -> tape.kernels().add(bias, added.value(), bias));
            return bias;
        }));
    }

    private float[] ofUnitVectors(int first, int count, int in) {
        INDArray x = Arrays.zeros(DataType.FLOAT, count, in);
        try {
            for (int i = 0; i < count; i++) {
                Arrays.write(x, (long) i * in + first + i, new float[] {1}, 0, 1);
            }
            return engine.evaluate(tape -> Arrays.toFloats(change(tape, tape.constant(x), tape.constant(x)).value()));
        } finally {
            x.close();
        }
    }
}
