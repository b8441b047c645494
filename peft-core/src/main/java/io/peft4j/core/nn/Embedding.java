package io.peft4j.core.nn;

import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.weight.FrozenWeight;
import java.util.Objects;

/**
 * A frozen embedding table [V, H]. Its input is the batch's token ids ({@link PackedBatch#tokens()}); the argument of
 * {@link #forward} is not read ({@link ForwardContext#noInput()}).
 */
public final class Embedding implements Layer {
    private final FrozenWeight table;

    /** An embedding with the given table. */
    public Embedding(FrozenWeight table) {
        this.table = Objects.requireNonNull(table, "table");
    }

    /** The table [V, H]. */
    public FrozenWeight table() {
        return table;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        return RowOps.embedding(context.tape(), table, context.batch().tokens());
    }
}
