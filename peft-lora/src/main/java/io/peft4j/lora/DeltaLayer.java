package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.AdapterLayer;
import io.peft4j.core.peft.MergedLayer;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * A layer that makes its change of the weight, D [out, in], from its tensors and multiplies by it: {@code y = base(x) +
 * x D^T}. D is made anew for the backward pass instead of kept.
 */
abstract class DeltaLayer implements AdapterLayer {
    private final Slot slot;
    private final Engine engine;
    private final LycorisDropout dropout;

    DeltaLayer(Slot slot, Engine engine, LycorisDropout dropout) {
        this.slot = slot;
        this.engine = engine;
        this.dropout = dropout;
    }

    /** D, as a value that the tensors are trained through. */
    abstract Variable change(Tape tape);

    @Override
    public Slot slot() {
        return slot;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Variable y = base.forward(context, x);
        if (dropout.dropsLayer(context)) {
            return y;
        }
        Tape tape = context.tape();
        Variable change = MatrixOps.matmulTransposed(tape, x, change(tape));
        return ElementwiseOps.addInto(tape, dropout.features(context, change), y);
    }

    @Override
    public Optional<String> mergeObstacle() {
        return Optional.empty();
    }

    @Override
    public void mergeInto(MergedLayer copy) {
        engine.onTape(tape -> {
            INDArray change = change(tape).value();
            float[] sum = new float[Arrays.columns(change)];
            float[] row = new float[sum.length];
            for (int i = 0; i < Arrays.rows(change); i++) {
                long first = (long) i * row.length;
                Arrays.read(change, first, row, 0, row.length);
                Arrays.read(copy.weight(), first, sum, 0, sum.length);
                for (int j = 0; j < row.length; j++) {
                    sum[j] += row[j];
                }
                Arrays.write(copy.weight(), first, sum, 0, sum.length);
            }
        });
    }
}
