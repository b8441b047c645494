package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.model.CausalNetwork;
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
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.LayeredAdapter;
import io.peft4j.core.peft.method.Targets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;

/** ShadowPEFT; {@link ShadowConfig} says what it computes. */
@Internal
public final class ShadowMethod extends ConfiguredMethod<ShadowConfig> {
    @Override
    protected Adapter adapter(ShadowConfig config, AdapterSetup setup) {
        Network network = setup.network();
        List<Slot> blocks = network.decoderLayers();
        Checks.require(network instanceof CausalNetwork && !blocks.isEmpty(),
                "ShadowPEFT needs a decoder that predicts "
                        + "tokens, whose layers read no keys and values of others");
        Targets targets = Targets.of(config.placement(), setup, blocks.stream().map(Slot::path).toList(),
                layer -> blocks.stream().anyMatch(block -> block.layer() == layer));
        int first = blocks.indexOf(targets.slots().get(0));
        int last = first + targets.slots().size() - 1;
        Checks.require(targets.slots().equals(blocks.subList(first, last + 1)),
                "target_modules leaves out layers between others; ShadowPEFT needs layers that follow each other");
        ShadowBackbone backbone = new ShadowBackbone(setup, config);
        String name = "shadow of adapter " + System.identityHashCode(backbone);
        return new ShadowAdapter(targets.named(config), backbone, name, targets.layers(slot -> new ShadowLayer(setup,
                slot, config, slot == blocks.get(first) ? Optional.of(name) : Optional.empty(),
                slot == blocks.get(last))));
    }

    /** The layers, and the small decoder. */
    private static final class ShadowAdapter extends LayeredAdapter {
        private final ShadowBackbone backbone;
        private final String name;
        private final double auxiliaryWeight;

        ShadowAdapter(ShadowConfig config, ShadowBackbone backbone, String name, List<AdapterLayer> layers) {
            super(config, layers);
            this.backbone = backbone;
            this.name = name;
            this.auxiliaryWeight = config.auxiliaryWeight();
        }

        @Override
        public List<AdapterTensor> sharedTensors() {
            return backbone.tensors();
        }

        @Override
        public int layersBeside() {
            return backbone.layers();
        }

        @Override
        public ForwardContext begin(ForwardContext context, Function<ForwardContext, Variable> hidden) {
            Variable states = backbone.states(context, name);
            return context.giving(name, states).alsoPredictingFrom(states, auxiliaryWeight);
        }
    }

    /**
     * ShadowPEFT on a decoder layer. What comes in and goes out between the first and the last of them has the columns
     * of the state behind those of the hidden states, [N, 2 H], so that a layer can be computed again: of several
     * adapters the states of all. {@code shadow_down} D [r, H], {@code shadow_up} U [H, r], and of
     * {@code shadow_update_transform} T and {@code shadow_update_gate} G two linear layers each, [u, H] and [H, u].
     */
    private static final class ShadowLayer extends AbstractAdapterLayer {
        private final int features;
        private final double alpha;
        private final double dropout;
        /** What the first layer is given the state by. */
        private final Optional<String> given;
        private final boolean last;
        private final AdapterTensor down;
        private final AdapterTensor up;
        private final List<AdapterTensor> transform;
        private final List<AdapterTensor> gate;

        ShadowLayer(AdapterSetup setup, Slot slot, ShadowConfig config, Optional<String> given, boolean last) {
            super(slot);
            this.features = setup.network().description().hiddenSize();
            this.alpha = config.strength();
            this.dropout = config.dropout();
            this.given = given;
            this.last = last;
            this.down = setup.tensor(slot, "shadow_down.default.weight", Initializer.linear(features), config.rank(),
                    features);
            this.up = setup.tensor(slot, "shadow_up.default.weight", config.initWeights() ? Initializer.ZEROS
                    : Initializer.linear(config.rank()), features, config.rank());
            int size = config.updateSize().orElse(config.rank());
            this.transform = network(setup, "shadow_update_transform.default.", size);
            this.gate = network(setup, "shadow_update_gate.default.", size);
        }

        private List<AdapterTensor> network(AdapterSetup setup, String name, int size) {
            List<AdapterTensor> tensors = List.of(
                    setup.tensor(slot(), name + "0.weight", Initializer.linear(features), size, features),
                    setup.tensor(slot(), name + "0.bias", Initializer.linear(features), size),
                    setup.tensor(slot(), name + "2.weight", Initializer.linear(size), features, size),
                    setup.tensor(slot(), name + "2.bias", Initializer.linear(size), features));
            return last ? tensors.stream().map(AdapterTensor::frozen).toList() : tensors;
        }

        @Override
        public Variable forward(ForwardContext context, Variable x, Layer base) {
            Tape tape = context.tape();
            int own = given.isPresent() ? x.columns() : x.columns() - features;
            Variable s = ElementwiseOps.inFloat(tape, given.map(name -> context.givenOfRows(name).orElseThrow())
                    .orElseGet(() -> ColumnOps.slice(tape, x, own, x.columns())));
            Variable h = x.columns() == features ? x : ColumnOps.slice(tape, x, 0, features);
            Variable apart = dropout(context, difference(tape, ElementwiseOps.inFloat(tape, h), s), dropout);
            Variable change = MatrixOps.product(tape, MatrixOps.product(tape, apart, false,
                    tape.parameter(down.parameter()), true), false, tape.parameter(up.parameter()), true);
            Variable input = ElementwiseOps.add(tape, h, ElementwiseOps.scale(tape, change, (float) alpha));
            Variable y = base.forward(context, own == features ? input
                    : ColumnOps.concat(tape, input, ColumnOps.slice(tape, x, features, own)));
            return last ? y : ColumnOps.concat(tape, y, updated(tape, y, s));
        }

        private Variable updated(Tape tape, Variable all, Variable s) {
            Variable y = all.columns() == features ? all : ColumnOps.slice(tape, all, 0, features);
            Variable open = ElementwiseOps.activate(tape, Activation.SIGMOID, run(tape, gate, y));
            return ElementwiseOps.add(tape, s, ElementwiseOps.multiply(tape, open,
                    difference(tape, run(tape, transform, y), s)));
        }

        private static Variable difference(Tape tape, Variable a, Variable b) {
            return ElementwiseOps.add(tape, a, ElementwiseOps.scale(tape, b, -1));
        }

        private static Variable run(Tape tape, List<AdapterTensor> network, Variable x) {
            return linear(tape, network.get(2), network.get(3), ElementwiseOps.activate(tape, Activation.GELU,
                    linear(tape, network.get(0), network.get(1), x)));
        }

        private static Variable linear(Tape tape, AdapterTensor weight, AdapterTensor bias, Variable x) {
            return MatrixOps.addBias(tape, MatrixOps.product(tape, x, false, tape.parameter(weight.parameter()), true),
                    tape.parameter(bias.parameter()));
        }

        @Override
        public List<AdapterTensor> tensors() {
            List<AdapterTensor> tensors = new ArrayList<>(List.of(down, up));
            tensors.addAll(transform);
            tensors.addAll(gate);
            return tensors;
        }

        @Override
        public boolean hasDropout() {
            return dropout > 0;
        }

        @Override
        public Optional<String> mergeObstacle() {
            return Optional.of("what it adds to a layer's input depends on a decoder beside the model");
        }

        @Override
        public Optional<String> mixingObstacle() {
            return Optional.of("it runs a decoder of its own");
        }
    }

    /**
     * The small decoder of ShadowPEFT: the first layers of the base with weights of its own, maybe of other widths. The
     * heads of its attention are the base's.
     */
    private static final class ShadowBackbone {
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
                    } else if (network.slots().stream()
                            .noneMatch(other -> other.path().startsWith(slot.path() + "."))) {
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
                if ((isLast ? linear.outFeatures() : linear.inFeatures()) != baseWidth
                        || !attends && scaled % inner != 0) {
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
}
