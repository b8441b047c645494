package io.peft4j.models.llama;

import io.peft4j.core.autograd.Variable;
import io.peft4j.core.model.CausalNetwork;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.Closing;
import java.util.List;

/**
 * A Llama network (<a href="https://arxiv.org/abs/2302.13971">2302.13971</a>): token embedding, decoder layers, a final
 * norm and an output layer. Built by {@link LlamaBuilder}; owns its weights.
 */
final class LlamaNetwork implements CausalNetwork {
    private final ModelDescription description;
    private final LlamaConfig config;
    private final Slot embedding;
    private final List<Slot> decoderLayers;
    private final Slot norm;
    private final Slot head;
    private final List<Slot> slots;
    private final List<AutoCloseable> weights;

    LlamaNetwork(ModelDescription description, LlamaConfig config, Slot embedding, List<Slot> decoderLayers, Slot norm,
            Slot head, List<Slot> slots, List<AutoCloseable> weights) {
        this.description = description;
        this.config = config;
        this.embedding = embedding;
        this.decoderLayers = List.copyOf(decoderLayers);
        this.norm = norm;
        this.head = head;
        this.slots = List.copyOf(slots);
        this.weights = weights;
    }

    @Override
    public ModelDescription description() {
        return description;
    }

    @Override
    public List<Slot> slots() {
        return slots;
    }

    @Override
    public Slot embedding() {
        return embedding;
    }

    @Override
    public Slot head() {
        return head;
    }

    @Override
    public Variable hidden(ForwardContext context) {
        check(context.batch());
        Variable x = embedding.forward(context, context.noInput());
        for (Slot layer : decoderLayers) {
            x = context.tape().block(x, input -> layer.forward(context, input));
        }
        return context.tape().block(x, input -> norm.forward(context, input));
    }

    @Override
    public KvCache newCache(int rows) {
        return new KvCache(config.layers(), rows, config.attentionShape().keyColumns(), description.activationType());
    }

    @Override
    public void close() {
        Closing.all(weights);
    }

    private void check(PackedBatch batch) {
        if (batch.maxPosition() >= config.maxPositions()) {
            throw new IllegalArgumentException("a sequence of " + (batch.maxPosition() + 1) + " tokens is longer than "
                    + "the " + config.maxPositions() + " that " + description.name() + " was made for");
        }
        for (int id : batch.tokens()) {
            if (id < 0 || id >= config.vocabSize()) {
                throw new IllegalArgumentException("token id " + id + " is outside the vocabulary of "
                        + config.vocabSize());
            }
        }
    }
}
