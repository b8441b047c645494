package io.peft4j.core.peft.method;

import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import java.util.List;

/**
 * An output layer with trained rows: the logits of the k tokens are {@code x E^T}, E [k, H], in place of the base's.
 *
 * <p>Merged: the rows.
 */
final class TokenColumns extends ReplacementLayer {
    private final TrainedTokenRows.Values rows;
    private final List<AdapterTensor> own;

    /**
     * Made for the layer at a place.
     *
     * @param own what the file holds for this layer; empty where the rows are those of another layer
     */
    TokenColumns(Slot slot, TrainedTokenRows.Values rows, List<AdapterTensor> own) {
        super(slot);
        this.rows = rows;
        this.own = own;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        Tape tape = context.tape();
        Variable logits = MatrixOps.matmulTransposed(tape, x, tape.parameter(rows.tensor().parameter()));
        return ColumnOps.replaceColumns(tape, base.forward(context, x), logits, rows.tokens());
    }

    @Override
    public List<AdapterTensor> tensors() {
        return own;
    }

    @Override
    public void mergeInto(MergedLayer copy) {
        rows.write(copy.weight());
    }
}
