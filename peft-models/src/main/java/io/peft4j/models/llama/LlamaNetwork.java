package io.peft4j.models.llama;

import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.CausalNetwork;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.Closing;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

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
    public List<Slot> decoderLayers() {
        return decoderLayers;
    }

    @Override
    public Variable statesBefore(ForwardContext context, int layer) {
        if (layer < 0 || layer >= decoderLayers.size()) {
            throw new IllegalArgumentException(noLayer(layer));
        }
        return below(context, layer);
    }

    @Override
    public Variable hidden(ForwardContext context) {
        Variable x = below(context, decoderLayers.size());
        return context.block(x, norm::forward);
    }

    @Override
    public Variable hidden(ForwardContext context, int... rows) {
        int[] wanted = IntStream.of(rows).sorted().distinct().toArray();
        Slot last = decoderLayers.get(decoderLayers.size() - 1);
        LlamaDecoderLayer layer = (LlamaDecoderLayer) last.layer();
        if (wanted.length == context.batch().rows() || context.layers().at(last) != layer
                || !layer.canSelectRows(context)) {
            return RowOps.gatherRows(context.tape(), hidden(context), rows);
        }
        Variable x = below(context, decoderLayers.size() - 1);
        x = context.block(x, (c, input) -> layer.forward(c, input, wanted));
        Variable hidden = context.block(x, norm::forward);
        return Arrays.equals(rows, wanted) ? hidden : RowOps.gatherRows(context.tape(), hidden,
                IntStream.of(rows).map(row -> Arrays.binarySearch(wanted, row)).toArray());
    }

    /** What comes out of the embedding and the first {@code layers} decoder layers. */
    private Variable below(ForwardContext context, int layers) {
        check(context.batch());
        int first = context.start().map(ForwardContext.LayerStates::layer).orElse(0);
        Variable x = context.start().map(given -> context.tape().constant(given.states()))
                .orElseGet(() -> embedding.forward(context, context.noInput()));
        for (int i = first; i < layers; i++) {
            x = context.block(x, decoderLayers.get(i)::forward, decoderLayers.size() - 1 - i);
        }
        return x;
    }

    private String noLayer(int number) {
        return "no layer " + number + "; " + description.name() + " has layers 0 to "
                + (decoderLayers.size() - 1);
    }

    @Override
    public CausalNetwork withLayers(List<Integer> order) {
        List<Slot> all = new ArrayList<>(List.of(embedding));
        List<Slot> layers = new ArrayList<>();
        for (int number : order) {
            if (number < 0 || number >= decoderLayers.size()) {
                throw new ConfigurationException(noLayer(number));
            }
            LlamaDecoderLayer layer = (LlamaDecoderLayer) decoderLayers.get(number).layer();
            layers.add(layer.copyAt(layers.size(), LlamaBuilder.layerPath(layers.size()), all));
        }
        if (layers.isEmpty()) {
            throw new ConfigurationException("a model needs at least one layer, but the list is empty");
        }
        all.addAll(List.of(norm, head));
        return new LlamaNetwork(description.withLayers(layers.size()), config, embedding, layers, norm, head, all,
                List.of());
    }

    @Override
    public KvCache newCache(int rows) {
        return new KvCache(decoderLayers.size(), rows, config.attentionShape().keyColumns(),
                description.activationType());
    }

    @Override
    public void close() {
        Closing.all(weights);
    }

    private void check(PackedBatch batch) {
        if (batch.maxPosition() >= config.maxPositions()) {
            throw new IllegalArgumentException("a sequence of " + (batch.maxPosition() + 1) + " tokens is longer than "
                    + "the limit of " + description.name() + ", " + config.maxPositions());
        }
        for (int id : batch.tokens()) {
            if (id < 0 || id >= config.vocabSize()) {
                throw new IllegalArgumentException("token id " + id + " is outside the vocabulary of "
                        + config.vocabSize());
            }
        }
    }
}
