package io.peft4j.models.decoder;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.NormOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.weight.DenseWeight;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.models.architecture.LayerCopy;
import java.util.Optional;
import org.nd4j.linalg.api.ndarray.INDArray;

/** The places that queries, keys and values come from. */
sealed interface Projections permits Projections.Separate, Projections.GateInQuery, Projections.GateByHead,
        Projections.NormedValues, Projections.Fused, LatentProjections {
    /** Queries of the wanted rows, keys and values of all; what the result is gated by, as wide as it. */
    record Projected(Variable queries, Variable keys, Variable values, Optional<Variable> gate) {
        Projected(Variable queries, Variable keys, Variable values) {
            this(queries, keys, values, Optional.empty());
        }
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

    /** A matrix [heads x D, heads] that copies a number of each head to its elements. */
    static FrozenWeight spread(int heads, int size) {
        float[] ones = new float[heads * size * heads];
        for (int i = 0; i < heads * size; i++) {
            ones[i * heads + i / size] = 1;
        }
        return new DenseWeight(Arrays.of(ones, (long) heads * size, heads));
    }

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

    /** As {@link Separate}, with a gate for each element in the projection of the queries: [heads x 2 D, H]. */
    record GateInQuery(Slot query, Slot key, Slot value, int heads) implements Projections {
        @Override
        public Projected project(ForwardContext context, Variable x, OutputRows wanted) {
            Tape tape = context.tape();
            Variable both = query.forward(wanted.context(), wanted.of(x));
            int size = both.columns() / heads / 2;
            return new Projected(ColumnOps.slice(tape, both, heads, 0, size), key.forward(context, x),
                    value.forward(context, x), Optional.of(ColumnOps.slice(tape, both, heads, size, 2 * size)));
        }

        @Override
        public Projections copy(LayerCopy copy) {
            return new GateInQuery(copy.of(query), copy.of(key), copy.of(value), heads);
        }
    }

    /**
     * As {@link Separate}, with a gate for each head [heads, H].
     *
     * @param spread [heads x D, heads], copies the gate of a head to its elements
     */
    record GateByHead(Separate inputs, Slot gate, FrozenWeight spread) implements Projections {
        @Override
        public Projected project(ForwardContext context, Variable x, OutputRows wanted) {
            Projected projected = inputs.project(context, x, wanted);
            return new Projected(projected.queries(), projected.keys(), projected.values(), Optional.of(
                    MatrixOps.linear(context.tape(), gate.forward(wanted.context(), wanted.of(x)), spread)));
        }

        @Override
        public Projections copy(LayerCopy copy) {
            return new GateByHead((Separate) inputs.copy(copy), copy.of(gate), spread);
        }
    }

    /**
     * As {@link Separate}, with values normalized head by head.
     *
     * @param value empty where values are the keys as their projection gives them
     * @param ones [D], the weight of the norm
     */
    record NormedValues(Slot query, Slot key, Optional<Slot> value, INDArray ones, float epsilon)
            implements
                Projections {
        @Override
        public Projected project(ForwardContext context, Variable x, OutputRows wanted) {
            SharedKeys both = keysAndValues(context, x);
            return new Projected(queries(x, wanted), both.keys(), both.values());
        }

        Variable queries(Variable x, OutputRows wanted) {
            return query.forward(wanted.context(), wanted.of(x));
        }

        /** Both of all rows, keys as they are projected. */
        SharedKeys keysAndValues(ForwardContext context, Variable x) {
            Variable keys = key.forward(context, x);
            Variable values = value.map(slot -> slot.forward(context, x)).orElse(keys);
            Tape tape = context.tape();
            return new SharedKeys(keys, NormOps.rmsNorm(tape, values, tape.constant(ones), epsilon));
        }

        @Override
        public Projections copy(LayerCopy copy) {
            return new NormedValues(copy.of(query), copy.of(key), copy.of(value), ones, epsilon);
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
