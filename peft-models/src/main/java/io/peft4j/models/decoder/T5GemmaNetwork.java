package io.peft4j.models.decoder;

import io.peft4j.core.autograd.Variable;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.LayerMemory;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.models.architecture.LoadedNetwork;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * An encoder of Gemma's layers, and a decoder of them that looks at its states. The first half of the layers of a
 * key/value cache are the decoder's own, the second half hold the encoder's. Owns its weights.
 */
final class T5GemmaNetwork extends LoadedNetwork implements EncoderDecoderNetwork {
    private final DecoderNetwork encoder;
    private final DecoderNetwork decoder;
    private final int crossColumns;
    private final int startToken;

    /**
     * A network.
     *
     * @param crossColumns key/value heads x D of attention to the encoder
     * @param startToken the first token of the decoder
     */
    T5GemmaNetwork(DecoderNetwork encoder, DecoderNetwork decoder, int crossColumns, int startToken,
            List<AutoCloseable> weights) {
        super(description(encoder, decoder),
                Stream.concat(encoder.slots().stream(), ofDecoder(encoder, decoder).stream())
                        .toList(),
                weights);
        this.encoder = encoder;
        this.decoder = decoder;
        this.crossColumns = crossColumns;
        this.startToken = startToken;
    }

    private static ModelDescription description(DecoderNetwork encoder, DecoderNetwork decoder) {
        ModelDescription own = decoder.description();
        return new ModelDescription(own.name(), own.modelType(), own.vocabularySize(), own.hiddenSize(), own.layers(),
                own.maxPositions(), own.tiedEmbeddings(), own.activationType(),
                own.parameters() + encoder.description().parameters());
    }

    @Override
    public List<Slot> decoderSlots() {
        return ofDecoder(encoder, decoder);
    }

    /** Without an embedding that is the encoder's. */
    private static List<Slot> ofDecoder(DecoderNetwork encoder, DecoderNetwork decoder) {
        boolean shared = table(encoder) == table(decoder);
        return decoder.slots().stream().filter(slot -> !shared || slot != decoder.embedding()).toList();
    }

    private static FrozenWeight table(DecoderNetwork stack) {
        return ((Embedding) stack.embedding().layer()).table();
    }

    @Override
    public Slot embedding() {
        return encoder.embedding();
    }

    @Override
    public Slot head() {
        return decoder.head();
    }

    @Override
    public int startToken() {
        return startToken;
    }

    @Override
    public Variable hidden(ForwardContext context) {
        boolean cached = context.cache().map(KvCache::holdsSource).orElse(false);
        Variable hidden = decoder.hidden(cached ? context
                : context.giving(CrossFeedForward.STATES, encoder.hidden(context.onSource())));
        context.cache().ifPresent(KvCache::sourceIsStored);
        return hidden;
    }

    @Override
    public Variable logits(ForwardContext context, Variable hidden) {
        return decoder.logits(context, hidden);
    }

    @Override
    public KvCache newCache(int rows) {
        List<LayerMemory> memory = new ArrayList<>(decoder.memory());
        decoder.memory().forEach(own -> memory.add(new LayerMemory.KeysAndValues(crossColumns)));
        return new KvCache(memory, rows, description().activationType());
    }
}
