package io.peft4j.methods.internal;

import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.AttentionInputs;
import io.peft4j.core.nn.AttentionStep;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.SelfAttention;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.AdapterTensor;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * An attention layer behind a prefix: {@code tokens} keys and values [tokens, key/value heads x D], which every query
 * sees, come before those of the batch. Positions are not applied to them. In the table of all layers, layer i has its
 * keys in the columns from {@code 2 i C} on and its values from {@code (2 i + 1) C} on, C = key/value heads x D.
 */
final class PrefixLayer extends AbstractAdapterLayer {
    private final VirtualSource source;
    private final int tokens;

    PrefixLayer(Slot slot, VirtualSource source, int tokens) {
        super(slot);
        this.source = source;
        this.tokens = tokens;
    }

    @Override
    public Variable forward(ForwardContext context, Variable x, Layer base) {
        return base.forward(context.withAttention(below -> (pass, inputs) -> attend(pass, inputs, below)), x);
    }

    private Variable attend(ForwardContext context, AttentionInputs inputs, AttentionStep below) {
        Tape tape = context.tape();
        Optional<KvCache> cache = context.cache();
        if (cache.isPresent()) {
            if (!cache.get().holdsPast(inputs.layer())) {
                cache.get().pastIsStored(inputs.layer());
                cache.get().store(inputs.layer(), converted(tape, part(tape, context, 0), inputs.keys()),
                        converted(tape, part(tape, context, 1), inputs.values()), IntStream.range(0, tokens).toArray());
            }
            return below.run(context, inputs);
        }
        return below.run(context, inputs.with(RowOps.concat(tape, part(tape, context, 0), inputs.keys()),
                RowOps.concat(tape, part(tape, context, 1), inputs.values())));
    }

    /** Keys (0) or values (1). */
    private Variable part(Tape tape, ForwardContext context, int which) {
        SelfAttention attention = (SelfAttention) slot().layer();
        int width = attention.shape().keyColumns();
        int from = (2 * attention.index() + which) * width;
        return source.columns(tape, Optional.of(context), from, from + width);
    }

    private static INDArray converted(Tape tape, Variable x, Variable like) {
        INDArray y = tape.arena().allocate(like.value().dataType(), x.value().shape());
        tape.kernels().scale(x.value(), 1f, y, false);
        return y;
    }

    @Override
    public List<AdapterTensor> tensors() {
        return List.of();
    }

    @Override
    public Optional<String> mergeObstacle() {
        return Optional.of("a prefix of keys and values cannot be expressed as a weight");
    }
}
