package io.peft4j.core.peft;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import java.util.List;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** An embedding trained as a whole: row i of the result is row {@code tokens[i]} of the table [V, H]. */
final class TrainedEmbedding implements AdapterLayer {
    private final Slot slot;
    private final AdapterTensor table;

    TrainedEmbedding(AdapterSetup setup, Slot slot) {
        Embedding base = (Embedding) slot.layer();
        this.slot = slot;
        this.table = setup.tensor(slot, "weight", Initializer.copyOf(base.table()), base.table().rows(),
                base.table().columns());
    }

    @Override
    public Slot slot() {
        return slot;
    }

    /** Gradient: the rows of dy are added to the rows of the table that they came from. */
    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        Kernels kernels = tape.kernels();
        int[] tokens = context.batch().tokens();
        Variable rows = tape.parameter(table.parameter());
        // Of the activations' type, which a gather on the tape would take from the table.
        INDArray y = tape.allocate(tokens.length, rows.columns());
        kernels.gatherRows(rows.value(), tokens, y);
        return tape.record(y, (out, dy) -> rows.addGradient((dTable, accumulate) -> {
            if (!accumulate) {
                Arrays.clear(dTable);
            }
            kernels.gatherRowsBackward(dy, tokens, dTable);
        }), List.of(rows));
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(table);
    }

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
        copy.setWeight(table.parameter().value());
    }
}
