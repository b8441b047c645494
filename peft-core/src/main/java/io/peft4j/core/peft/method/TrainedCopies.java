package io.peft4j.core.peft.method;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.error.TargetModuleException;
import io.peft4j.core.model.Network;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.nn.WeightedLayer;
import io.peft4j.core.peft.config.Bias;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Layers of the base that are trained as a whole and stored with the adapter: Hugging Face PEFT's
 * {@code modules_to_save}, and its trained biases. Any method can use them beside its own layers.
 *
 * <p>On a model whose output layer is the input embedding a trained copy of one leaves the other as it is, as in
 * Hugging Face PEFT: the two are separate from then on.
 */
@Internal(shared = true)
public final class TrainedCopies {
    private static final Logger LOG = LoggerFactory.getLogger(TrainedCopies.class);

    private TrainedCopies() {
    }

    /**
     * A trained copy of the base layer at {@code slot}; it begins with the base's values. Its tensors are called
     * {@code weight} and {@code bias} in the file.
     *
     * @throws IllegalArgumentException when the layer has no weight of its own ({@link MergedLayer#canCopy})
     */
    public static AdapterLayer of(AdapterSetup setup, Slot slot) {
        return of(setup, slot, "");
    }

    /**
     * As {@link #of(AdapterSetup, Slot)}, with other names in the file.
     *
     * @param prefix prefix of the tensors' names, for instance {@code ln_tuning_layers.}
     */
    public static AdapterLayer of(AdapterSetup setup, Slot slot, String prefix) {
        if (MergedLayer.canCopy(slot.layer())) {
            return new TrainedLayer(setup, slot, prefix);
        }
        throw new IllegalArgumentException("no weight to train at " + slot);
    }

    /**
     * A trained copy of an input embedding that is the output layer, too: two layers with one matrix, stored once, as
     * the embedding's.
     *
     * @throws IllegalArgumentException when the model has two matrices
     */
    public static List<AdapterLayer> tied(AdapterSetup setup) {
        if (!setup.network().description().tiedEmbeddings()) {
            throw new IllegalArgumentException("embedding and output layer are not tied");
        }
        TrainedLayer embedding = new TrainedLayer(setup, setup.network().embedding(), "");
        return List.of(embedding, new TrainedLayer(setup.network().causal().head(), embedding.weight(), List.of()));
    }

    /**
     * As {@link #beside} for a model whose output layer is the input embedding: where one of the two is named, both get
     * one trained matrix, which is in the file twice, as Hugging Face PEFT does with {@code ensure_weight_tying}.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a place is a target and copied, too
     */
    public static List<AdapterLayer> besideTied(AdapterSetup setup, List<Slot> targets, List<String> modulesToSave,
            Bias bias) {
        Slot input = setup.network().embedding();
        Slot head = setup.network().causal().head();
        List<String> names = new ArrayList<>(modulesToSave);
        if (names.removeIf(head.path()::endsWith) | names.removeIf(input.path()::endsWith)) {
            names.add(input.path());
        }
        List<AdapterLayer> layers = new ArrayList<>(beside(setup, targets, names, bias));
        layers.stream().filter(TrainedLayer.class::isInstance).map(TrainedLayer.class::cast)
                .filter(copy -> copy.slot() == input).findFirst().ifPresent(copy -> layers.add(
                        new TrainedLayer(head, copy.weight(), List.of(setup.again(head, copy.weight())))));
        return layers;
    }

    /**
     * Trained copies of the places that {@code names} match. By Hugging Face PEFT's rule a place matches where its path
     * ends with a name, also within a part of the path ({@code norm} matches {@code input_layernorm}); of a place that
     * contains others, all inside are copied.
     *
     * @throws TargetModuleException when a name matches nothing
     */
    public static List<AdapterLayer> matching(AdapterSetup setup, List<String> names) {
        List<Slot> slots = modules(setup.network());
        Set<Slot> chosen = new LinkedHashSet<>();
        for (String name : names) {
            Set<Slot> matched = places(setup.network(), name);
            // Hugging Face PEFT names all heads that there are, and a model has one of them.
            if (matched.isEmpty() && !setup.network().task().type().savedModules().contains(name)) {
                throw new TargetModuleException("modules_to_save: '" + name + "' matches no layer; "
                        + SimilarNames.sentence(name, slots.stream().map(name.contains(".") ? Slot::path : Slot::name)
                                .distinct().toList()));
            }
            chosen.addAll(matched);
        }
        List<AdapterLayer> copies = new ArrayList<>();
        slots.stream().filter(chosen::contains).forEach(slot -> copies.add(of(setup, slot)));
        return copies;
    }

    /** The places that Hugging Face Transformers has modules at. */
    public static List<Slot> modules(Network network) {
        return network.slots().stream().filter(slot -> !(slot.layer() instanceof WeightedLayer layer
                && layer.isParameter())).toList();
    }

    /** The places with a weight that a name matches, by the rule of {@link #matching}. */
    public static Set<Slot> places(Network network, String name) {
        List<Slot> slots = network.slots();
        Set<Slot> chosen = new LinkedHashSet<>();
        slots.stream().filter(slot -> slot.path().endsWith(name))
                .forEach(match -> slots.stream().filter(slot -> MergedLayer.canCopy(slot.layer()))
                        .filter(slot -> slot == match || slot.path().startsWith(match.path() + "."))
                        .forEach(chosen::add));
        return chosen;
    }

    /**
     * What an adapter trains as a whole beside its own layers: copies of what {@code modulesToSave} match, and biases.
     *
     * @param targets where the adapter has layers of its own
     * @param bias which biases are trained
     * @throws io.peft4j.core.error.ConfigurationException when a place is a target and copied, too
     */
    public static List<AdapterLayer> beside(AdapterSetup setup, List<Slot> targets, List<String> modulesToSave,
            Bias bias) {
        List<AdapterLayer> layers = new ArrayList<>(matching(setup, modulesToSave));
        Set<Slot> copied = new HashSet<>();
        layers.forEach(layer -> copied.add(layer.slot()));
        targets.stream().filter(copied::contains).findFirst().ifPresent(slot -> {
            throw new ConfigurationException(slot.path() + " is both in target_modules and in modules_to_save; "
                    + "choose one");
        });
        if (!bias.equals(Bias.NONE)) {
            layers.addAll(biases(setup, targets, slot -> !copied.contains(slot)
                    && (bias.extent() == Bias.Extent.ALL || targets.contains(slot))));
        }
        return layers;
    }

    private static List<AdapterLayer> biases(AdapterSetup setup, List<Slot> targets, Predicate<Slot> wanted) {
        List<AdapterLayer> biases = setup.network().slots().stream()
                .filter(slot -> slot.layer() instanceof WeightedLayer layer && layer.bias().isPresent())
                .filter(wanted).map(slot -> biasOf(setup, slot, targets.contains(slot))).toList();
        if (biases.isEmpty()) {
            LOG.warn("biases are trained, but the adapted layers have none");
        }
        return biases;
    }

    /**
     * A trained bias for the linear layer at {@code slot}; it begins with the base's values. In the file it is called
     * {@code base_layer.bias} where the adapter has another layer at the place, else {@code bias}.
     *
     * @param adapted whether the adapter has another layer at the place
     * @throws IllegalArgumentException when the layer has no bias
     */
    public static AdapterLayer biasOf(AdapterSetup setup, Slot slot, boolean adapted) {
        return new TrainedBias(setup, slot, adapted ? "base_layer.bias" : "bias");
    }

    /** A layer whose weight, and bias where it has one, are trained as a whole; they begin as copies of the base's. */
    private static final class TrainedLayer extends ReplacementLayer {
        private final WeightedLayer base;
        private final AdapterTensor weight;
        private final Optional<AdapterTensor> bias;
        private final List<AdapterTensor> own;

        TrainedLayer(AdapterSetup setup, Slot slot, String prefix) {
            super(slot);
            this.base = (WeightedLayer) slot.layer();
            this.weight = weight(setup, slot, prefix + "weight");
            this.bias = base.bias().map(b -> setup.tensor(slot, prefix + "bias", Initializer.copyOf(b), b.length()));
            this.own = Stream.concat(Stream.of(weight), bias.stream()).toList();
        }

        /**
         * A layer whose weight is another layer's tensor.
         *
         * @param own what the file holds for this layer
         */
        TrainedLayer(Slot slot, AdapterTensor weight, List<AdapterTensor> own) {
            super(slot);
            this.base = (WeightedLayer) slot.layer();
            this.weight = weight;
            this.bias = Optional.empty();
            this.own = own;
        }

        private AdapterTensor weight(AdapterSetup setup, Slot slot, String name) {
            long[] shape = base.weightShape();
            return base.isStoredTransposed() ? setup.transposedTensor(slot, name, Initializer.copyOf(base), shape[1],
                    shape[0]) : setup.tensor(slot, name, Initializer.copyOf(base), shape);
        }

        AdapterTensor weight() {
            return weight;
        }

        @Override
        public Variable forward(ForwardContext context, Variable x, Layer replaced) {
            return base.forward(context, x, context.tape().parameter(weight.parameter()),
                    bias.map(trained -> context.tape().parameter(trained.parameter())));
        }

        @Override
        public List<AdapterTensor> tensors() {
            return own;
        }

        @Override
        public void mergeInto(MergedLayer copy) {
            copy.setWeight(weight.parameter().value());
            bias.ifPresent(b -> copy.setBias(b.parameter().value()));
        }
    }
}
