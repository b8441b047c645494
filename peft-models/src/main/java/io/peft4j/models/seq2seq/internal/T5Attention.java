package io.peft4j.models.seq2seq.internal;

import io.peft4j.core.autograd.AttentionOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionExtras;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.nn.AttentionInputs;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.Slot;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Attention of T5: scores are not scaled. Of a sequence to itself with a bias by distance, or of the decoder to the
 * encoder.
 *
 * @param index number of the layer in the key/value cache
 * @param bias the bias by distance; none for attention to the encoder
 */
record T5Attention(int index, AttentionShape shape, Slot query, Slot key, Slot value, Slot output,
        Optional<AttentionExtras> bias) {
    /** Attention of x [N, H] to itself. */
    Variable self(ForwardContext context, Variable x) {
        return output.forward(context, context.attend(new AttentionInputs(index, shape, context.batch().layout(),
                query.forward(context, x), key.forward(context, x), value.forward(context, x),
                bias.orElse(AttentionExtras.NONE))));
    }

    /**
     * Attention of x [N, H] to the encoder's states.
     *
     * @param read the pass on what the encoder reads
     * @param states the encoder's states; empty where the cache holds their keys and values
     */
    Variable cross(ForwardContext context, Variable x, ForwardContext read, Optional<Variable> states) {
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
