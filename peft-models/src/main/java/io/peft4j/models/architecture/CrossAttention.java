package io.peft4j.models.architecture;

import io.peft4j.core.autograd.AttentionOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionExtras;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.Slot;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Attention of a decoder's rows to the states of an encoder: x and result [N, H], states [M, H'].
 *
 * @param index number of the layer in the key/value cache
 */
public record CrossAttention(int index, AttentionShape shape, Slot query, Slot key, Slot value, Slot output) {
    /**
     * Runs it.
     *
     * @param read the pass on what the encoder reads
     * @param states the encoder's states; empty where the cache holds their keys and values
     */
    public Variable forward(ForwardContext context, Variable x, ForwardContext read, Optional<Variable> states) {
        Tape tape = context.tape();
        PackedBatch.Source source = context.batch().source().orElseThrow();
        Variable queries = query.forward(context, x);
        Variable keys;
        Variable values;
        if (states.isPresent()) {
            keys = key.forward(read, states.get());
            values = value.forward(read, states.get());
            if (context.cache().isPresent()) {
                context.cache().get().store(index, keys.value(), values.value(),
                        IntStream.range(0, read.batch().rows()).toArray());
            }
        } else {
            KvCache cache = context.cache().orElseThrow();
            keys = tape.constant(cache.keys(index));
            values = tape.constant(cache.values(index));
        }
        return output.forward(context, AttentionOps.attention(tape, queries, keys, values,
                source.crossLayout(context.batch().layout()), shape, AttentionExtras.NONE));
    }
}
