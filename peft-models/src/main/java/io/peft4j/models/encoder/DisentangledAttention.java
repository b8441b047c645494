package io.peft4j.models.encoder;

import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.FeedForward;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * DeBERTa's self-attention (<a href="https://arxiv.org/abs/2006.03654">2006.03654</a>) between the projections of its
 * input and that of its result, x [N, H], result [N, heads x D]. Scores compare contents, and contents with distances:
 *
 * <p>{@code score(i, j) = (q_i k_j + q_i pk_r + k_j pq_r) scale}, {@code r} the row of the distance {@code i - j} in a
 * table of embeddings, {@code pk} and {@code pq} projections of that table.
 *
 * <p>It has no step between projections that adapters could put something around.
 *
 * @param dropout probability with which elements of the embeddings of distances are dropped in training
 */
record DisentangledAttention(AttentionShape shape, Content content, Distances distances,
        float dropout) implements Layer {
    /** The projections of the input. */
    record Content(Slot queries, Slot keys, Slot values) {
    }

    /**
     * What scores know of distances.
     *
     * @param table the embeddings, [rows, H]
     * @param norm a norm of the embeddings, where there is one
     * @param buckets which row a distance has
     * @param keys the projection that queries are compared with, where they are
     * @param queries the projection that keys are compared with, where they are
     */
    record Distances(Slot table, Optional<Slot> norm, DistanceBuckets buckets, Optional<Slot> keys,
            Optional<Slot> queries) {
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        AttentionLayout layout = context.batch().layout();
        int longest = layout.segments().stream().mapToInt(AttentionLayout.Segment::queries).max().orElse(1);
        int first = distances.buckets().row(1 - longest);
        int last = distances.buckets().row(longest - 1);
        ForwardContext onTable = context.onTable(IntStream.rangeClosed(first, last).toArray());
        Variable embedded = embeddings(onTable);
        return DisentangledScores.attention(context.tape(), new DisentangledScores.Inputs(
                content.queries().forward(context, x), content.keys().forward(context, x),
                content.values().forward(context, x), distances.keys().map(slot -> slot.forward(onTable, embedded)),
                distances.queries().map(slot -> slot.forward(onTable, embedded))), layout, shape,
                distance -> distances.buckets().row(distance) - first);
    }

    private Variable embeddings(ForwardContext onTable) {
        Variable rows = distances.table().forward(onTable, onTable.noInput());
        Variable normed = distances.norm().isPresent() ? distances.norm().get().forward(onTable, rows) : rows;
        return FeedForward.dropped(onTable, normed, dropout);
    }
}
