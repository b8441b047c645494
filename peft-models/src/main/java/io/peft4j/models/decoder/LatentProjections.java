package io.peft4j.models.decoder;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.LayerCopy;
import java.util.List;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Multi-head latent attention (<a href="https://arxiv.org/abs/2405.04434">2405.04434</a>): queries come through a
 * normalized state, {@code q = norm(x Q_a^T) Q_b^T}; keys without positions and values through another,
 * {@code norm(c) K_b^T} with {@code [c, k] = x K_a^T}, and k [N, R], which has positions, is the same for all heads.
 *
 * <p>Here the R elements with positions are the first of a head, which leaves all scores as they are, and values have
 * zeros behind them where they are shorter than keys.
 *
 * @param queryState where the state of queries comes from, and its norm; none where queries come from the input
 * @param query from it to queries [heads x (plain + R)]
 * @param state from the input to c and k
 * @param stateNorm the norm of c
 * @param keyValue from c to keys without positions and values
 */
record LatentProjections(List<Slot> queryState, Slot query, Slot state, Slot stateNorm, Slot keyValue,
        AttentionPlan.Latent plan, AttentionShape shape) implements Projections {
    @Override
    public Projected project(ForwardContext context, Variable x, OutputRows wanted) {
        Tape tape = context.tape();
        int heads = shape.heads();
        int plain = plan.plain();
        int size = shape.headSize();
        Variable read = wanted.of(x);
        for (Slot slot : queryState) {
            read = slot.forward(wanted.context(), read);
        }
        Variable queries = query.forward(wanted.context(), read);
        Variable q = ColumnOps.concat(tape, ColumnOps.slice(tape, queries, heads, plain, size),
                ColumnOps.slice(tape, queries, heads, 0, plain), heads);
        Variable both = state.forward(context, x);
        int rank = plan.stateRank();
        Variable placed = ColumnOps.slice(tape, both, rank, rank + size - plain);
        Variable expanded = keyValue.forward(context,
                stateNorm.forward(context, ColumnOps.slice(tape, both, 0, rank)));
        Variable k = ColumnOps.concat(tape, ColumnOps.repeat(tape, placed, heads),
                ColumnOps.slice(tape, expanded, heads, 0, plain), heads);
        Variable v = ColumnOps.slice(tape, expanded, heads, plain, plain + plan.valueSize());
        return new Projected(q, k, padded(tape, v, heads * (size - plan.valueSize())));
    }

    private Variable padded(Tape tape, Variable v, int columns) {
        if (columns == 0) {
            return v;
        }
        INDArray zeros = tape.arena().allocate(v.value().dataType(), v.rows(), columns);
        Arrays.clear(zeros);
        return ColumnOps.concat(tape, v, tape.record(zeros, (out, dy) -> {
        }, List.of()), shape.heads());
    }

    @Override
    public Projections copy(LayerCopy copy) {
        return new LatentProjections(queryState.stream().map(copy::of).toList(), copy.of(query), copy.of(state),
                copy.of(stateNorm), copy.of(keyValue), plan, shape);
    }
}
