package io.peft4j.models.decoder.internal;

import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Slot;

/** The places that queries, keys and values come from. */
sealed interface Projections permits Projections.Separate, Projections.Fused, LatentProjections {
    /** Queries of the wanted rows, keys and values of all. */
    record Projected(Variable queries, Variable keys, Variable values) {
    }

    /**
     * Projects x [N, H].
     *
     * @param context the pass on all rows
     * @param wanted the rows that queries are wanted of
     */
    Projected project(ForwardContext context, Variable x, OutputRows wanted);

    /** The same in a copy of the layer. */
    Projections copy(LayerCopy copy);

    /** A projection each: [heads x D, H], and twice [key/value heads x D, H]. */
    record Separate(Slot query, Slot key, Slot value) implements Projections {
        @Override
        public Projected project(ForwardContext context, Variable x, OutputRows wanted) {
            return new Projected(query.forward(wanted.context(), wanted.of(x)), key.forward(context, x),
                    value.forward(context, x));
        }

        @Override
        public Projections copy(LayerCopy copy) {
            return new Separate(copy.of(query), copy.of(key), copy.of(value));
        }
    }

    /**
     * One projection for all three, cut up by columns.
     *
     * @param byHead whether the columns are query, key and value of each head
     */
    record Fused(Slot all, AttentionShape shape, boolean byHead) implements Projections {
        @Override
        public Projected project(ForwardContext context, Variable x, OutputRows wanted) {
            Variable projected = all.forward(context, x);
            int groups = byHead ? shape.heads() : 1;
            int queries = shape.queryColumns() / groups;
            int keys = shape.keyColumns() / groups;
            Tape tape = context.tape();
            return new Projected(wanted.of(ColumnOps.slice(tape, projected, groups, 0, queries)),
                    ColumnOps.slice(tape, projected, groups, queries, queries + keys),
                    ColumnOps.slice(tape, projected, groups, queries + keys, queries + 2 * keys));
        }

        @Override
        public Projections copy(LayerCopy copy) {
            return new Fused(copy.of(all), shape, byHead);
        }
    }
}
