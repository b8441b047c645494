package io.peft4j.lora;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.SingularValues;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.LowRankOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.ScaleOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ChangeLayer;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.LayeredAdapter;
import io.peft4j.core.peft.method.PathPatterns;
import io.peft4j.core.peft.method.StoredForm;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.core.peft.method.TrainedTokens;
import io.peft4j.core.peft.method.TrainingHook;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.lora.init.LoraInit;
import io.peft4j.lora.init.LoraStart;
import io.peft4j.lora.init.LoraTarget;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** LoRA, rank-stabilized LoRA and DoRA included; {@link LoraConfig} says what it computes. */
@Internal
public final class LoraMethod extends ConfiguredMethod<LoraConfig> {
    private static final Logger LOG = LoggerFactory.getLogger(LoraMethod.class);

    @Override
    protected Adapter adapter(LoraConfig config, AdapterSetup setup) {
        if (config.arrow().isPresent()) {
            return ArrowAdapter.of(config, setup);
        }
        List<LayerRange> layout = layout(config, setup);
        check(config, layout, setup);
        TargetModules modules = config.placement().targetModules();
        boolean parametersAlone = !config.targetParameters().isEmpty()
                && (modules.isUnset() || modules.names().filter(List::isEmpty).isPresent());
        Targets found = parametersAlone ? new Targets(setup, config.placement(), List.of())
                : Targets.of(config.placement(), setup, setup.base().defaultTargetModules(),
                        layer -> layer instanceof Linear || layer instanceof Embedding);
        boolean tying = config.ensureWeightTying() && canTie(setup);
        Optional<TiedLora> ends = tying && TiedLora.areTargets(found) ? Optional.of(TiedLora.of(config, found))
                : Optional.empty();
        Targets targets = ends.map(TiedLora::targets).orElse(found);
        boolean transposed = setup.isRestoring() ? config.fanInFanOut()
                : targets.areStoredTransposed(config.fanInFanOut());
        Function<Slot, Integer> ranks = targets.values(new PathPatterns<>("rank_pattern", config.rankPattern()),
                config.rank());
        Function<Slot, Double> alphas = targets.values(new PathPatterns<>("alpha_pattern", config.alphaPattern()),
                config.alpha());
        List<LoraTarget> asked = targets.slots().stream().map(slot -> new LoraTarget(slot, ranks.apply(slot),
                alphas.apply(slot), config.scaling(ranks.apply(slot), alphas.apply(slot)), Optional.empty())).toList();
        Map<Slot, LoraTarget> begun = new LinkedHashMap<>();
        begin(setup, config.initialization(), asked).forEach(target -> begun.put(target.slot(), target));
        Targets left = new Targets(setup, targets.placement(), List.copyOf(begun.keySet()));
        Function<Slot, AdapterLayer> plain = slot -> layer(setup, begun.get(slot), config);
        Function<Slot, AdapterLayer> maker = ends.map(both -> both.layers(plain, begun)).orElse(plain);
        List<AdapterLayer> layers = tying ? left.layersWithTies(maker) : left.layers(maker);
        layers.addAll(LoraParameter.targets(setup, config));
        layers.addAll(TrainedTokens.beside(setup, config.trainableTokens(), layers, tying));
        if (setup.isRestoring()) {
            return new LoraAdapter(ends.map(both -> both.named(layers)).orElse(config), layers);
        }
        LoraConfigBuilder stored = config.toBuilder().layerReplication(layout).fanInFanOut(transposed)
                .placement(targets.placement());
        describe(stored, config, asked, List.copyOf(begun.values()));
        return new LoraAdapter(stored.build(), layers);
    }

    /**
     * The layers that the model of a new adapter has repeated or left out, so that a file says them, also where an
     * adapter that is there already brought them.
     */
    private static List<LayerRange> layout(LoraConfig config, AdapterSetup setup) {
        List<Integer> order = setup.base().layerOrder();
        boolean changed = !order.equals(IntStream.range(0, order.size()).boxed().toList());
        return setup.isRestoring() || !config.layerReplication().isEmpty() || !changed ? config.layerReplication()
                : LayerRange.ranges(order);
    }

    private static void check(LoraConfig config, List<LayerRange> layout, AdapterSetup setup) {
        LoraInit init = config.initialization();
        Checks.require(!setup.isRestoring() || init.basePart() != LoraInit.BasePart.UNREPEATABLE,
                "init_lora_weights is "
                        + init.json()
                        + ": the adapter's base was computed from data or by random iterations and cannot be "
                        + "reproduced. Convert it to plain LoRA in Hugging Face PEFT, with "
                        + "path_initial_model_for_weight_conversion when saving");
        List<Integer> order = LayerRange.layers(layout);
        Checks.require(order.isEmpty() || order.equals(setup.base().layerOrder()), "layer_replication asks for the "
                + "layers " + order + ", and the model has " + setup.base().layerOrder()
                + ": load this adapter first, then add others");
    }

    /** The targets with their first values, where these belong together and are not all in the file. */
    private static List<LoraTarget> begin(AdapterSetup setup, LoraInit init, List<LoraTarget> targets) {
        targets.stream().filter(target -> init.needsLinear() && !target.isLinear()).findFirst().ifPresent(target -> {
            throw new ConfigurationException("init_lora_weights " + init.json() + " needs linear layers, and "
                    + target.slot().path() + " is an embedding");
        });
        return setup.isRestoring() && init.basePart() == LoraInit.BasePart.NONE ? targets : init.begin(setup, targets);
    }

    /**
     * Describes targets that a beginning has changed: their ranks and alphas by path, and their paths where some are
     * gone.
     */
    private static void describe(LoraConfigBuilder stored, LoraConfig config, List<LoraTarget> before,
            List<LoraTarget> after) {
        boolean all = before.size() == after.size();
        boolean same = all;
        for (int i = 0; same && i < after.size(); i++) {
            same = after.get(i).rank() == before.get(i).rank() && after.get(i).alpha() == before.get(i).alpha();
        }
        if (same) {
            return;
        }
        Map<String, Integer> ranks = new LinkedHashMap<>();
        Map<String, Double> alphas = new LinkedHashMap<>();
        for (LoraTarget target : after) {
            if (target.rank() != config.rank()) {
                ranks.put(target.slot().path(), target.rank());
            }
            if (target.alpha() != config.alpha()) {
                alphas.put(target.slot().path(), target.alpha());
            }
        }
        stored.rankPattern(ranks).alphaPattern(alphas);
        if (!all) {
            stored.targetModules(TargetModules.of(after.stream().map(target -> target.slot().path()).toList()));
        }
    }

    private static AdapterLayer layer(AdapterSetup setup, LoraTarget target, LoraConfig config) {
        Slot slot = target.slot();
        int rank = target.rank();
        double scaling = config.scaling(rank, target.alpha());
        Optional<LoraStart> start = target.start().map(Supplier::get);
        if (!config.invocationTokens().isEmpty()) {
            requireActivated(setup, slot);
            return new ActivatedLoraLayer(new LoraLayer(setup, slot, config, rank, scaling, start));
        }
        if (config.kasa().isPresent() || config.blocks().isPresent()) {
            Checks.require(slot.layer() instanceof Linear, "kasa_config and use_bdlora need linear layers, and "
                    + slot.path() + " is an embedding");
            return config.kasa().isPresent() ? new KasaLayer(setup, slot, config, rank, scaling)
                    : new BlockLoraLayer(setup, slot, config, rank, scaling);
        }
        if (slot.layer() instanceof Embedding) {
            Checks.require(config.velora().isEmpty() && config.monteclora().isEmpty(), "velora_config and "
                    + "monteclora_config need linear layers, and " + slot.path() + " is an embedding");
            return new LoraEmbedding(setup, slot, config, rank, scaling, start);
        }
        return config.dora() ? new DoraLayer(setup, slot, config, rank, scaling, start)
                : new LoraLayer(setup, slot, config, rank, scaling, start);
    }

    private static void requireActivated(AdapterSetup setup, Slot slot) {
        if (slot.layer() instanceof Embedding || setup.network().output().filter(slot::equals).isPresent()) {
            throw new ConfigurationException("alora_invocation_tokens do not work on " + slot.path() + ": only "
                    + "linear layers below the output layer are supported; exclude it from the targets");
        }
    }

    /** Whether embedding and output layer have one matrix, so that there is something to tie. */
    private static boolean canTie(AdapterSetup setup) {
        boolean tied = setup.network().description().tiedEmbeddings();
        if (!tied) {
            LOG.warn("ensure_weight_tying has no effect: embedding and output layer are not tied");
        }
        return tied;
    }

    /** LoRA's layers. Where a part of the base belongs to them, a file gets plain LoRA of twice the rank. */
    private static final class LoraAdapter extends LayeredAdapter {
        private final LoraConfig config;

        LoraAdapter(LoraConfig config, List<AdapterLayer> layers) {
            super(config, layers);
            this.config = config;
        }

        @Override
        public List<Integer> invocation() {
            return config.invocationTokens();
        }

        private Stream<LoraLayer> plainLayers() {
            return layers().stream().filter(LoraLayer.class::isInstance).map(LoraLayer.class::cast);
        }

        @Override
        public TrainingHook training(long totalSteps) {
            List<LoraVariant> variants = plainLayers().flatMap(layer -> layer.variant().stream()).toList();
            return variants.isEmpty() ? TrainingHook.NONE : new LoraVariant.Hook(variants);
        }

        @Override
        public StoredForm stored() {
            StoredForm whole = super.stored();
            LoraInit.BasePart part = config.initialization().basePart();
            if (part == LoraInit.BasePart.NONE || part == LoraInit.BasePart.WHOLE) {
                return whole;
            }
            Map<String, TensorData> tensors = new LinkedHashMap<>(whole.tensors());
            plainLayers().forEach(layer -> tensors.putAll(layer.converted()));
            return new StoredForm(converted(config), tensors);
        }

        /** Twice the rank, and the alpha with which the scaling is the same. */
        private static LoraConfig converted(LoraConfig config) {
            double factor = config.rsLora() ? Math.sqrt(2) : 2;
            Map<String, Integer> ranks = new LinkedHashMap<>();
            config.rankPattern().forEach((key, rank) -> ranks.put(key, 2 * rank));
            Map<String, Double> alphas = new LinkedHashMap<>();
            config.alphaPattern().forEach((key, alpha) -> alphas.put(key, factor * alpha));
            return config.toBuilder().rank(2 * config.rank()).alpha(factor * config.alpha()).rankPattern(ranks)
                    .alphaPattern(alphas).initialization(LoraInit.KAIMING).build();
        }

        @Override
        public void closeDerived() {
            plainLayers().flatMap(LoraLayer::start).forEach(INDArray::close);
            layers().stream().filter(KasaLayer.class::isInstance).map(KasaLayer.class::cast)
                    .flatMap(KasaLayer::derived).forEach(INDArray::close);
        }
    }

    /**
     * KaSA on a linear layer (<a href="https://arxiv.org/abs/2412.06071">2412.06071</a>): {@code y = base(x) - x V^T (U
     * diag(S))^T + s * (d * (dropout(x) A^T)) B^T}: A [r, in], B [out, r], {@code lora_diag} d [r]; U diag(S) [out, r]
     * and V [r, in] the r smallest singular components of the base weight, in a product that does not depend on their
     * signs.
     */
    private static final class KasaLayer extends ChangeLayer {
        private final float scaling;
        private final AdapterTensor a;
        private final AdapterTensor b;
        private final AdapterTensor diagonal;
        /** -U diag(S) and V. */
        private final INDArray[] lost;

        KasaLayer(AdapterSetup setup, Slot slot, LoraConfig config, int rank, double scaling) {
            super(setup, slot, config.dropout());
            int in = linear().inFeatures();
            int out = linear().outFeatures();
            int all = Math.min(in, out);
            Checks.require(rank < all,
                    "kasa_config takes the " + rank + " smallest of the " + all + " singular components of "
                            + slot.path() + "; choose a rank that leaves some");
            this.scaling = (float) scaling;
            this.a = setup.tensor(slot, "lora_A.weight", config.initialization().a(rank, in), rank, in);
            this.b = setup.tensor(slot, "lora_B.weight", config.initialization().b(rank), out, rank);
            this.diagonal = setup.tensor(slot, "lora_diag", Initializer.normal(1), rank);
            SingularValues values = SingularValues.whole(Arrays.doubles(linear().weight().toFloats()), out, in, all);
            double[] left = new double[out * rank];
            for (int i = 0; i < left.length; i++) {
                int column = all - rank + i % rank;
                left[i] = -values.u()[i / rank * all + column] * values.s()[column];
            }
            double[] right = java.util.Arrays.copyOfRange(values.vt(), (all - rank) * in, all * in);
            this.lost = new INDArray[] {Arrays.of(Arrays.floats(left), out, rank), Arrays.of(Arrays.floats(right), rank,
                    in)};
        }

        @Override
        protected Variable change(Tape tape, Variable x, Variable kept) {
            Variable h = ScaleOps.columns(tape,
                    MatrixOps.product(tape, kept, false, tape.parameter(a.parameter()), true),
                    tape.parameter(diagonal.parameter()));
            Variable change = ElementwiseOps.scale(tape,
                    MatrixOps.product(tape, h, false, tape.parameter(b.parameter()), true), scaling);
            Variable less = MatrixOps.product(tape, MatrixOps.product(tape, x, false, tape.constant(lost[1]), true),
                    false,
                    tape.constant(lost[0]), true);
            return ElementwiseOps.addInto(tape, less, change);
        }

        /** What is held beside the tensors. */
        Stream<INDArray> derived() {
            return Stream.of(lost);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(a, b, diagonal);
        }
    }

    /**
     * Activated LoRA on a linear layer (<a href="https://arxiv.org/abs/2504.12397">2504.12397</a>): what {@link
     * LoraLayer} adds is added to the rows from the invocation on,
     * {@code y[i] = base(x)[i] + m_i * s * ((dropout(x) A^T) B^T + b)[i]}, m_i being 1 where the row's
     * sequence has been invoked, and 0 before. Parameters as LoRA's.
     *
     * <p>Cannot be merged: a merged weight works on all rows.
     */
    private static final class ActivatedLoraLayer implements AdapterLayer {
        private final LoraLayer lora;

        ActivatedLoraLayer(LoraLayer lora) {
            this.lora = lora;
        }

        @Override
        public Slot slot() {
            return lora.slot();
        }

        @Override
        public Variable forward(ForwardContext context, Variable x, Layer base) {
            boolean[] invoked = context.batch().invoked();
            if (invoked.length == 0) {
                return lora.forward(context, x, base);
            }
            Tape tape = context.tape();
            Variable y = base.forward(context, x);
            Variable input = lora.dropped(context, x);
            Variable a = tape.parameter(lora.a());
            Variable b = tape.parameter(lora.b());
            Optional<Variable> bias = lora.scaledBias(tape);
            List<LowRankOps.RowUpdate> updates = new ArrayList<>();
            for (int from = 0, to; from < invoked.length; from = to) {
                to = from + 1;
                while (to < invoked.length && invoked[to] == invoked[from]) {
                    to++;
                }
                if (invoked[from]) {
                    updates.add(new LowRankOps.RowUpdate(from, to, a, b, (float) lora.scaling()));
                }
            }
            y = LowRankOps.addByRows(tape, y, input, updates);
            if (bias.isPresent()) {
                for (LowRankOps.RowUpdate rows : updates) {
                    y = MatrixOps.addBiasToRows(tape, y, rows.from(), rows.to(), bias.get());
                }
            }
            return y;
        }

        @Override
        public List<AdapterTensor> tensors() {
            return lora.tensors();
        }

        @Override
        public boolean hasDropout() {
            return lora.hasDropout();
        }

        @Override
        public Optional<String> mergeObstacle() {
            return Optional.of("it is active after its invocation tokens only (alora_invocation_tokens), and a merged "
                    + "weight works on all "
                    + "tokens");
        }
    }
}
