package io.peft4j.models.decoder;

import io.peft4j.core.autograd.AttentionOps;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionLayout.Range;
import io.peft4j.core.kernel.AttentionLayout.Segment;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.Slot;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Causal self-attention of a decoder with the states of an encoder among its keys, in one softmax: x and result [N, H],
 * states [M, H]. Keys and values of both come from the same projections; those of the states have no positions, and
 * no window hides them.
 *
 * @param layer number of the layer in the key/value cache
 * @param source number of the states' keys and values there
 */
record MergedAttention(int layer, int source, AttentionPlan plan, Parts parts) implements Layer {
    /** The places of the projections and norms. */
    record Parts(Slot query, Slot key, Slot value, Slot output, Slot queryNorm, Slot keyNorm) {
    }

    private record Keys(Variable keys, Variable values) {
        Keys followedBy(Tape tape, Keys other) {
            return new Keys(RowOps.concat(tape, keys, other.keys), RowOps.concat(tape, values, other.values));
        }
    }

    @Override
    public Variable forward(ForwardContext context, Variable x) {
        Variable queries = RowAttention.positioned(plan, context, parts.query().forward(context, x),
                Optional.of(parts.queryNorm()));
        Keys own = new Keys(RowAttention.positioned(plan, context, parts.key().forward(context, x),
                Optional.of(parts.keyNorm())), parts.value().forward(context, x));
        Keys kept = context.cache().map(cache -> stored(context.tape(), cache, layer, own,
                context.batch().cacheRows())).orElse(own);
        Keys all = kept.followedBy(context.tape(), ofSource(context));
        AttentionLayout layout = layout(context.batch(), kept.keys().rows(), plan.window());
        return parts.output().forward(context, AttentionOps.attention(context.tape(), queries, all.keys(), all.values(),
                layout, plan.shape()));
    }

    private Keys ofSource(ForwardContext context) {
        Optional<Variable> states = context.given(CrossFeedForward.STATES);
        if (states.isEmpty()) {
            return held(context.tape(), context.cache().orElseThrow(), source);
        }
        ForwardContext read = context.onSource();
        Keys computed = new Keys(parts.keyNorm().forward(read, parts.key().forward(read, states.get())),
                parts.value().forward(read, states.get()));
        context.cache().ifPresent(cache -> stored(context.tape(), cache, source, computed,
                IntStream.range(0, read.batch().rows()).toArray()));
        return computed;
    }

    private static Keys held(Tape tape, KvCache cache, int index) {
        return new Keys(tape.constant(cache.keys(index)), tape.constant(cache.values(index)));
    }

    private static Keys stored(Tape tape, KvCache cache, int index, Keys keys, int[] rows) {
        cache.store(index, keys.keys().value(), keys.values().value(), rows);
        return held(tape, cache, index);
    }

    /**
     * What the rows of a batch see where the keys of its source stand behind {@code keys} others. A row whose window
     * hides some of its own keys is a segment of its own, with what it sees before it as its context.
     */
    static AttentionLayout layout(PackedBatch batch, int keys, int window) {
        PackedBatch.Source read = batch.source().orElseThrow();
        List<Segment> all = new ArrayList<>();
        List<Segment> segments = batch.layout().segments();
        for (int i = 0; i < segments.size(); i++) {
            Segment own = segments.get(i);
            Segment states = read.batch().layout().segments().get(read.ofSegments()[i]);
            Range range = new Range(keys + states.queryStart(), keys + states.queryEnd());
            int first = own.queryStart();
            int whole = window == 0 ? own.queries() : Math.min(own.queries(), Math.max(0, window - own.position(0)));
            if (whole > 0) {
                all.add(new Segment(first, first + whole, behind(range, own.context()), own.ownKeyStart(),
                        own.ownKeysBefore()));
            }
            for (int row = whole; row < own.queries(); row++) {
                int at = own.position(row);
                all.add(new Segment(first + row, first + row + 1, behind(range, own.keyRows(at - window + 1, at)),
                        own.ownKeyStart() + own.ownKeysBefore() + row, 0));
            }
        }
        return new AttentionLayout(all);
    }

    private static List<Range> behind(Range first, List<Range> others) {
        List<Range> ranges = new ArrayList<>(List.of(first));
        ranges.addAll(others);
        return ranges;
    }
}
