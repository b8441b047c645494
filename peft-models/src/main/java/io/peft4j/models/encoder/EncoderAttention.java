package io.peft4j.models.encoder;

import io.peft4j.core.autograd.AttentionOps;
import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionExtras;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.kernel.RotaryTable;
import io.peft4j.core.nn.AttentionInputs;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.SelfAttention;
import io.peft4j.core.nn.Slot;
import java.util.List;
import java.util.Optional;

/**
 * Bidirectional self-attention between the projections of its input and that of its result: x [N, H], result
 * [N, heads x D]. Positions are rotated in if there is a table of angles, or bias the scores.
 */
record EncoderAttention(int index, AttentionShape shape, List<Slot> projections, Optional<RotaryTable> rotary,
        int window, AttentionExtras bias) implements SelfAttention {
    /** Copies the list. */
    EncoderAttention {
        projections = List.copyOf(projections);
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        return forward(context, x, context, x);
    }

    /**
     * Attention of some rows to all of them.
     *
     * @param context the pass on all rows
     * @param x all rows
     * @param wanted the pass on the rows that are wanted
     * @param wantedRows those rows of x
     */
    Variable forward(ForwardContext context, Variable x, ForwardContext wanted, Variable wantedRows) {
        Variable queries;
        Variable keys;
        Variable values;
        if (projections.size() == 3) {
            queries = projections.get(0).forward(wanted, wantedRows);
            keys = projections.get(1).forward(context, x);
            values = projections.get(2).forward(context, x);
        } else {
            Variable all = projections.get(0).forward(context, x);
            queries = part(wanted, wanted == context ? all : projections.get(0).forward(wanted, wantedRows), 0);
            keys = part(context, all, 1);
            values = part(context, all, 2);
        }
        if (rotary.isPresent()) {
            Tape tape = context.tape();
            queries = AttentionOps.rotary(tape, queries, shape.headSize(), rotary.get(), wanted.batch().positions());
            keys = AttentionOps.rotary(tape, keys, shape.headSize(), rotary.get(), context.batch().positions());
        }
        AttentionLayout layout = wanted.batch().layout();
        return context.attend(new AttentionInputs(index, shape, window == 0 ? layout : layout.windowed(window | 1),
                queries, keys, values, bias));
    }

    /** The columns of queries, keys or values. */
    private Variable part(ForwardContext context, Variable all, int number) {
        int columns = shape.queryColumns();
        return ColumnOps.slice(context.tape(), all, number * columns, (number + 1) * columns);
    }
}
