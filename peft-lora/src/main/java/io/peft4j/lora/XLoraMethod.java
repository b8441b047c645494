package io.peft4j.lora;

import io.peft4j.core.Internal;
import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.LowRankUpdate;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/** X-LoRA; {@link XLoraConfig} says what it computes. */
@Internal
public final class XLoraMethod extends ConfiguredMethod<XLoraConfig> {
    @Override
    public Map<String, String> exampleSettings() {
        return Map.of("adapters", "{\"a\": \"ADAPTER\"}");
    }

    @Override
    protected Adapter adapter(XLoraConfig config, AdapterSetup setup) {
        int hidden = setup.network().description().hiddenSize();
        Checks.require(config.hiddenSize() == 0 || config.hiddenSize() == hidden,
                "hidden_size is " + config.hiddenSize() + ", and the model's hidden states have " + hidden);
        Checks.require(!(setup.network() instanceof EncoderDecoderNetwork),
                "X-LoRA needs a model without a separate encoder");
        List<Adapter> experts = new ArrayList<>();
        for (String folder : config.adapters().values()) {
            experts.add(setup.part(folder(setup, "adapters", folder, "" + experts.size())));
        }
        Map<String, String> saved = new LinkedHashMap<>();
        for (int i = 0; i < experts.size(); i++) {
            saved.put(String.valueOf(i), String.valueOf(i));
        }
        return new XLoraAdapter(config.toBuilder().hiddenSize(hidden).adapters(saved).build(), setup, experts);
    }

    /**
     * What the configuration names at a key, in the adapter's folder or, as in one that Hugging Face PEFT saved,
     * elsewhere; else another place, from the adapter's folder.
     */
    static Path folder(AdapterSetup setup, String key, String named, String other) {
        try {
            return Stream.concat(setup.folder().map(own -> own.resolve(named)).stream(), Stream.concat(
                    Stream.of(Path.of(named)), setup.folder().map(own -> own.resolve(other)).stream()))
                    .filter(Files::isDirectory).findFirst().orElseThrow(() -> new ConfigurationException(
                            key + " names '" + named + "', which is no folder"));
        } catch (InvalidPathException e) {
            throw new ConfigurationException(key + " names '" + named + "', which is no folder", e);
        }
    }

    /** The experts of the layers, and the classifier. */
    private static final class XLoraAdapter implements Adapter {
        private final XLoraConfig config;
        private final List<Adapter> experts;
        private final List<AdapterLayer> layers;
        private final XLoraClassifier classifier;
        /** What layers ask for the scalings by. */
        private final String name = "scalings of X-LoRA " + System.identityHashCode(this);

        XLoraAdapter(XLoraConfig config, AdapterSetup setup, List<Adapter> experts) {
            this.config = config;
            this.experts = List.copyOf(experts);
            Map<Slot, LowRankUpdate[]> updates = new LinkedHashMap<>();
            setup.network().slots().forEach(slot -> updates.put(slot, new LowRankUpdate[experts.size()]));
            for (int i = 0; i < experts.size(); i++) {
                for (AdapterLayer layer : experts.get(i).layers()) {
                    updates.get(layer.slot())[i] = plain(setup, i, layer);
                }
            }
            updates.values().removeIf(own -> Stream.of(own).allMatch(update -> update == null));
            this.classifier = new XLoraClassifier(setup, config, updates.size());
            List<AdapterLayer> made = new ArrayList<>();
            updates.forEach((slot, own) -> made.add(new XLoraLayer(slot, own, config.weight(),
                    name, config.layerwise() ? made.size() * own.length : 0)));
            this.layers = List.copyOf(made);
        }

        private static LowRankUpdate plain(AdapterSetup setup, int number, AdapterLayer layer) {
            Slot slot = layer.slot();
            boolean fits = slot.layer() instanceof Linear && setup.network().output().filter(slot::equals).isEmpty();
            return layer.lowRankUpdate().filter(update -> fits)
                    .orElseThrow(() -> new ConfigurationException("X-LoRA mixes plain LoRA on linear layers below the "
                            + "output layer; adapter " + number + " has something else at " + slot.path()));
        }

        @Override
        public PeftConfig config() {
            return config;
        }

        @Override
        public List<AdapterLayer> layers() {
            return layers;
        }

        @Override
        public List<AdapterTensor> sharedTensors() {
            return classifier.tensors();
        }

        @Override
        public Stream<AdapterTensor> tensors() {
            return Stream.concat(classifier.tensors().stream(),
                    experts.stream().flatMap(Adapter::tensors).map(AdapterTensor::frozen));
        }

        @Override
        public Map<String, Adapter> parts() {
            Map<String, Adapter> parts = new LinkedHashMap<>();
            experts.forEach(expert -> parts.put(String.valueOf(parts.size()), expert));
            return parts;
        }

        @Override
        public ForwardContext begin(ForwardContext context, Function<ForwardContext, Variable> hidden) {
            return context.giving(name, classifier.scalings(context, name, hidden,
                    config.firstScaling() == 0 ? LayerSelection.BASE : this::alone));
        }

        @Override
        public int layersBeside() {
            return Integer.MAX_VALUE;
        }

        /** In the first pass nothing else is active. */
        private Layer alone(Slot slot) {
            return layers.stream().filter(layer -> layer.slot().path().equals(slot.path())).findFirst()
                    .<Layer>map(layer -> (pass, x) -> layer.forward(pass, x, slot.layer())).orElse(slot.layer());
        }

        @Override
        public void closeDerived() {
            experts.forEach(Adapter::closeDerived);
        }
    }

    /**
     * X-LoRA on a linear layer (<a href="https://arxiv.org/abs/2402.07148">2402.07148</a>): {@code y = base(x) + g *
     * sum of c_i (s_i * (x A_i^T)) B_i^T}, s_i [N] the scalings that the pass is given.
     */
    private static final class XLoraLayer extends AbstractAdapterLayer {
        /** One for each adapter; null where it has none here. */
        private final LowRankUpdate[] updates;
        private final double weight;
        private final String scalings;
        private final int firstColumn;

        /**
         * At a place.
         *
         * @param scalings what the pass is given them by, [N, k], or k for each layer
         * @param firstColumn where those of this layer begin
         */
        XLoraLayer(Slot slot, LowRankUpdate[] updates, double weight, String scalings, int firstColumn) {
            super(slot);
            this.updates = updates.clone();
            this.weight = weight;
            this.scalings = scalings;
            this.firstColumn = firstColumn;
        }

        @Override
        public Variable forward(ForwardContext context, Variable x, Layer base) {
            Tape tape = context.tape();
            Variable y = base.forward(context, x);
            Variable all = context.givenOfRows(scalings).orElseThrow(() -> new IllegalStateException("no " + scalings));
            for (int i = 0; i < updates.length; i++) {
                if (updates[i] != null) {
                    Variable h = MatrixOps.product(tape, x, false, value(tape, updates[i].a()), true);
                    Variable scaled = ScaleOps.rows(tape, h,
                            ColumnOps.slice(tape, all, firstColumn + i, firstColumn + i + 1));
                    Variable change = MatrixOps.product(tape, scaled, false, value(tape, updates[i].b()), true);
                    y = ElementwiseOps.addInto(tape, ElementwiseOps.scale(tape, change,
                            (float) (weight * updates[i].scaling())), y);
                }
            }
            return y;
        }

        private static Variable value(Tape tape, AdapterTensor tensor) {
            return tape.constant(tensor.parameter().value());
        }

        /** Those of the adapters are tensors of X-LoRA as a whole. */
        @Override
        public List<AdapterTensor> tensors() {
            return List.of();
        }

        @Override
        public Optional<String> mergeObstacle() {
            return Optional
                    .of("its classifier mixes the adapters for each token, and a weight is the same for all");
        }

        @Override
        public Optional<String> mixingObstacle() {
            return Optional.of("it runs a first pass of its own");
        }
    }
}
