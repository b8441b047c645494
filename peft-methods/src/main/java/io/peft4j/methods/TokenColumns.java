package io.peft4j.methods;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.AdapterLayer;
import io.peft4j.core.peft.AdapterSetup;
import io.peft4j.core.peft.AdapterTensor;
import io.peft4j.core.peft.MergedLayer;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An output layer that is the input embedding, with the same trained rows: the logits of the k tokens are
 * {@code x E^T}, E [k, H], in place of the base's. The tensor is stored a second time, as Hugging Face PEFT does.
 */
final class TokenColumns implements AdapterLayer {
    private final Slot slot;
    private final TokenRows embedding;
    private final AdapterTensor again;

    TokenColumns(AdapterSetup setup, Slot slot, TokenRows embedding) {
        this.slot = slot;
        this.embedding = embedding;
        this.again = setup.again(slot, embedding.rows());
    }

    @Override
    public Slot slot() {
        return slot;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        Variable own = MatrixOps.matmulTransposed(tape, x, tape.parameter(again.parameter()));
        return replaceColumns(tape, base.forward(context, x), own, embedding.tokens());
    }

    /** {@code y[:, columns[j]] = z[:, j]}, else x. Gradients: the columns of z, and 0 in those of x. */
    private static Variable replaceColumns(Tape tape, Variable x, Variable z, int[] columns) {
        INDArray y = tape.arena().allocate(x.value().dataType(), x.value().shape());
        tape.kernels().scale(x.value(), 1f, y, false);
        exchange(y, Arrays.toFloats(z.value()), columns);
        return tape.record(y, (out, dy) -> {
            int width = Arrays.columns(dy);
            z.addGradient((dz, accumulate) -> {
                double[] values = new double[Math.toIntExact(dz.length())];
                float[] one = new float[1];
                for (int i = 0; i < values.length; i++) {
                    Arrays.read(dy, (long) (i / columns.length) * width + columns[i % columns.length], one, 0, 1);
                    values[i] = one[0];
                }
                HeapRows.write(dz, values, accumulate);
            });
            x.addGradient((dx, accumulate) -> {
                INDArray kept = tape.arena().allocate(dy.dataType(), dy.shape());
                tape.kernels().scale(dy, 1f, kept, false);
                exchange(kept, new float[Arrays.rows(dy) * columns.length], columns);
                tape.kernels().scale(kept, 1f, dx, accumulate);
                tape.arena().free(kept);
            });
        }, List.of(x, z));
    }

    private static void exchange(INDArray y, float[] values, int[] columns) {
        int width = Arrays.columns(y);
        for (int i = 0; i < values.length; i++) {
            Arrays.write(y, (long) (i / columns.length) * width + columns[i % columns.length], values, i, 1);
        }
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(again);
    }

    /** Two adapters cannot both say what a token's row is. */
    @Override
    public boolean replacesBase() {
        return true;
    }

    @Override
    public Optional<String> mergeObstacle() {
        return Optional.empty();
    }

    @Override
    public void mergeInto(MergedLayer copy) {
        embedding.write(copy.weight());
    }
}
