package io.peft4j.core.peft.method;

import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import java.util.List;
import java.util.OptionalInt;

/**
 * An embedding trained as a whole: row i of the result is row {@code tokens[i]} of the table [V, H]. The row of the
 * padding token gets no gradient.
 */
final class TrainedEmbedding extends StandIn {
    private final AdapterTensor table;
    private final OptionalInt paddingId;

    TrainedEmbedding(AdapterSetup setup, Slot slot, String prefix) {
        super(slot);
        Embedding base = (Embedding) slot.layer();
        this.paddingId = base.paddingId();
        this.table = setup.tensor(slot, prefix + "weight", Initializer.copyOf(base.table()), base.table().rows(),
                base.table().columns());
    }

    /** The trained table. */
    AdapterTensor table() {
        return table;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        return RowOps.trainedEmbedding(tape, tape.parameter(table.parameter()), context.batch().tokens(), paddingId,
                tape.activationType());
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of(table);
    }

    @Override
    public void mergeInto(MergedLayer copy) {
        copy.setWeight(table.parameter().value());
    }
}
