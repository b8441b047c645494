package io.peft4j.models.decoder;

import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import java.util.Optional;

/**
 * The rows of a pass whose results are wanted.
 *
 * @param context the pass on these rows
 * @param rows their numbers, ascending; empty: all
 */
record OutputRows(ForwardContext context, Optional<int[]> rows) {
    static OutputRows all(ForwardContext context) {
        return new OutputRows(context, Optional.empty());
    }

    static OutputRows of(ForwardContext context, int[] rows) {
        return new OutputRows(context.onRows(rows), Optional.of(rows));
    }

    /** These rows of a value that has all. */
    Variable of(Variable x) {
        return rows.map(wanted -> RowOps.gatherRows(context.tape(), x, wanted)).orElse(x);
    }
}
