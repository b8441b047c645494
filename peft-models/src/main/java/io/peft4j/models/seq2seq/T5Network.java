package io.peft4j.models.seq2seq;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.BatchChecks;
import io.peft4j.models.architecture.FeedForward;
import io.peft4j.models.architecture.LoadedNetwork;
import java.util.List;
import java.util.Optional;

/**
 * T5 (<a href="https://arxiv.org/abs/1910.10683">1910.10683</a>): an encoder, and a decoder that looks at its states.
 * The first half of the layers of a key/value cache are the decoder's own, the second half hold the encoder's. Built by
 * {@link T5Builder}; owns its weights.
 */
final class T5Network extends LoadedNetwork implements EncoderDecoderNetwork {
    private final T5Config config;
    private final Parts parts;

    /** The parts in the order of the computation. */
    record Parts(Slot embedding, List<T5Block> encoder, Slot encoderNorm, List<T5Block> decoder, Slot decoderNorm,
            Slot head) {
    }

    T5Network(ModelDescription description, T5Config config, Parts parts, List<Slot> slots,
            List<AutoCloseable> weights) {
        super(description, slots, weights);
        this.config = config;
        this.parts = parts;
    }

    @Override
    public List<Slot> decoderSlots() {
        return slots().stream().filter(slot -> slot.path().startsWith(T5Builder.DECODER + ".")).toList();
    }

    @Override
    public Slot embedding() {
        return parts.embedding();
    }

    @Override
    public Slot head() {
        return parts.head();
    }

    @Override
    public int startToken() {
        return config.startToken();
    }

    @Override
    public Variable hidden(ForwardContext context) {
        if (context.batch().virtualTokens().length > 0) {
            throw new IllegalArgumentException("virtual tokens are not supported before the sequences of "
                    + description().modelType());
        }
        ForwardContext read = context.onSource();
        boolean cached = context.cache().map(KvCache::holdsSource).orElse(false);
        Optional<Variable> states = cached ? Optional.empty() : Optional.of(run(read, parts.encoder(),
                parts.encoderNorm(), read, Optional.empty()));
        Variable hidden = run(context, parts.decoder(), parts.decoderNorm(), read, states);
        context.cache().ifPresent(KvCache::sourceIsStored);
        return hidden;
    }

    private Variable run(ForwardContext context, List<T5Block> blocks, Slot norm, ForwardContext read,
            Optional<Variable> states) {
        BatchChecks.requireTokens(context.batch(), description());
        Variable x = FeedForward.dropped(context, parts.embedding().forward(context, context.noInput()),
                config.dropout());
        for (int i = 0; i < blocks.size(); i++) {
            T5Block block = blocks.get(i);
            x = context.block(x, (c, input) -> block.forward(c, input, read, states), blocks.size() - 1 - i);
        }
        return FeedForward.dropped(context, context.block(x, norm::forward), config.dropout());
    }

    @Override
    public Variable logits(ForwardContext context, Variable hidden) {
        return parts.head().forward(context, config.scalesOutput() ? ElementwiseOps.scale(context.tape(), hidden,
                (float) (1 / Math.sqrt(config.hidden()))) : hidden);
    }

    @Override
    public KvCache newCache(int rows) {
        return new KvCache(2 * parts.decoder().size(), rows, config.shape().keyColumns(),
                description().activationType());
    }
}
