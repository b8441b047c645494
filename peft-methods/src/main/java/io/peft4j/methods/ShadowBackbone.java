package io.peft4j.methods;

import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Network;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.LayerNorm;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.RmsNorm;
import io.peft4j.core.nn.SelfAttention;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.WeightedLayer;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.Initializer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The small decoder of ShadowPEFT: the first layers of the base with weights of its own, maybe of other widths. The
 * heads of its attention are the base's.
 */
final class ShadowBackbone {
    private static final String KEY = "base_model.shadow_";
    /** Hugging Face Transformers' start of linear layers and embeddings. */
    private static final Initializer START = Initializer.normal(0.02);

    private final AdapterSetup setup;
    private final int width;
    private final int baseWidth;
    private final int layers;
    private final ShadowConfig config;
    private final Network network;
    private final Slot baseEmbedding;
    private final boolean sharesEmbedding;
    private final Map<Slot, Layer> trained = new HashMap<>();
    private final List<AdapterTensor> tensors = new ArrayList<>();
    private final Optional<AdapterTensor> projection;

    ShadowBackbone(AdapterSetup setup, ShadowConfig config) {
        Network base = setup.network();
        this.setup = setup;
        this.config = config;
        this.baseWidth = base.description().hiddenSize();
        this.width = config.hiddenSize().orElse(baseWidth);
        this.layers = config.layers().orElse(1);
        int most = base.decoderLayers().size();
        Checks.require(layers <= most, "shadow_num_hidden_layers is " + layers + "; it must be at most "
                + most + ", the number of layers of the base");
        this.network = base.withLayers(IntStream.range(0, layers).boxed().toList());
        this.baseEmbedding = base.embedding();
        this.sharesEmbedding = config.sharesEmbedding() && width == baseWidth;
        String first = base.decoderLayers().get(0).path();
        String module = first.substring(0, first.lastIndexOf('.', first.lastIndexOf('.') - 1) + 1);
        for (Slot slot : network.slots()) {
            if (slot.path().startsWith(module) && !(sharesEmbedding && slot == network.embedding())) {
                if (slot.layer() instanceof WeightedLayer layer) {
                    train(slot, layer, KEY + "backbone.default." + slot.path().substring(module.length()));
                } else if (network.slots().stream().noneMatch(other -> other.path().startsWith(slot.path() + "."))) {
                    throw unsupported(slot);
                }
            }
        }
        this.projection = width == baseWidth ? Optional.empty() : Optional.of(setup.sharedTensor(KEY
                + "projection.default.weight", Initializer.linear(width), baseWidth, width));
        projection.ifPresent(tensors::add);
    }

    private ConfigurationException unsupported(Slot slot) {
        return new ConfigurationException("ShadowPEFT cannot make a small decoder of type "
                + network.description().modelType() + (width == baseWidth ? "" : " with another width") + ": "
                + slot.path() + " has parameters of another form");
    }

    private void train(Slot slot, WeightedLayer layer, String key) {
        if (layer.isStoredTransposed() || layer.isParameter() || layer instanceof Embedding embedding
                && embedding.scale() != 1 && width != baseWidth) {
            throw unsupported(slot);
        }
        long[] shape = shape(slot, layer);
        AdapterTensor weight = setup.sharedTensor(key + ".weight", shape.length == 2 ? START
                : Initializer.constant(1 - offset(layer)), shape);
        Optional<AdapterTensor> bias = layer.bias().map(b -> setup.sharedTensor(key + ".bias", Initializer.ZEROS,
                shape[0]));
        tensors.add(weight);
        bias.ifPresent(tensors::add);
        trained.put(slot, (context, x) -> layer.forward(context, x, context.tape().parameter(weight.parameter()),
                bias.map(own -> context.tape().parameter(own.parameter()))));
    }

    private static double offset(WeightedLayer norm) {
        return norm instanceof RmsNorm rms ? rms.offset() : norm instanceof LayerNorm other ? other.offset() : 0;
    }

    /** That of the base with the widths of the small decoder. */
    private long[] shape(Slot slot, WeightedLayer layer) {
        long[] shape = layer.weightShape();
        String parent = slot.path().substring(0, slot.path().lastIndexOf('.') + 1);
        boolean attends = network.slots().stream().anyMatch(other -> other.layer() instanceof SelfAttention
                && parent.startsWith(other.path() + "."));
        if (layer instanceof Linear linear) {
            List<Slot> together = network.slots().stream().filter(other -> other.layer() instanceof Linear
                    && other.path().startsWith(parent)).toList();
            Linear last = (Linear) together.get(together.size() - 1).layer();
            long inner = last.inFeatures();
            long own = attends ? inner : config.intermediateSize().orElse((int) inner);
            boolean isLast = linear == last;
            if (width == baseWidth && own == inner) {
                return shape;
            }
            long scaled = isLast ? inner : linear.outFeatures();
            if ((isLast ? linear.outFeatures() : linear.inFeatures()) != baseWidth || !attends && scaled % inner != 0) {
                throw unsupported(slot);
            }
            long features = attends ? scaled : scaled / inner * own;
            return isLast ? new long[] {width, features} : new long[] {features, width};
        }
        return layer instanceof Embedding ? new long[] {shape[0], width}
                : attends || shape[0] != baseWidth ? shape : new long[] {width};
    }

    int layers() {
        return layers;
    }

    List<AdapterTensor> tensors() {
        return tensors;
    }

    /**
     * The state of each row, [N, H].
     *
     * @param name what keys and values are kept by
     */
    Variable states(ForwardContext context, String name) {
        Variable hidden = network.hidden(context.beside(name, layers,
                slot -> sharesEmbedding && slot == network.embedding() ? context.layers().at(baseEmbedding)
                        : trained.getOrDefault(slot, slot.layer())));
        return projection.map(own -> MatrixOps.product(context.tape(), hidden, false,
                context.tape().parameter(own.parameter()), true)).orElse(hidden);
    }
}
