package io.peft4j.methods;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.MergedLayer;
import java.util.stream.IntStream;

/**
 * An embedding to whose rows something is added: {@code y = base + change(tokens)}: y [N, H]. A factor on the
 * embeddings as Gemma has it is not on the change. An output layer that is tied to the embedding does not change,
 * merged or not.
 *
 * <p>Merged: the table and the change of each of its rows, divided by such a factor.
 */
abstract class EmbeddingChange extends AbstractAdapterLayer {
    /** Rows of the table that are merged at once. */
    private static final int PIECE = 1024;

    private final Engine engine;

    EmbeddingChange(AdapterSetup setup, Slot slot) {
        super(slot);
        this.engine = setup.base().engine();
    }

    final Embedding embedding() {
        return (Embedding) slot().layer();
    }

    /** The change of rows [N, H], as a new value. */
    abstract Variable change(Tape tape, int[] ids);

    @Override
    public final Variable forward(ForwardContext context, Variable x, Layer base) {
        Variable y = base.forward(context, x);
        return ElementwiseOps.addInto(context.tape(), change(context.tape(), embedding().ids(context.batch())), y);
    }

    @Override
    public final void mergeInto(MergedLayer copy) {
        int rows = Arrays.rows(copy.weight());
        int width = Arrays.columns(copy.weight());
        for (int from = 0; from < rows; from += PIECE) {
            int[] ids = IntStream.range(from, Math.min(rows, from + PIECE)).toArray();
            float[] sum = engine.evaluate(tape -> Arrays.toFloats(change(tape, ids).value()));
            float[] before = new float[sum.length];
            Arrays.read(copy.weight(), (long) from * width, before, 0, before.length);
            for (int i = 0; i < sum.length; i++) {
                sum[i] = before[i] + sum[i] / embedding().scale();
            }
            Arrays.write(copy.weight(), (long) from * width, sum, 0, sum.length);
        }
    }
}
