package io.peft4j.lora;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.peft.method.LowRankUpdate;
import io.peft4j.core.peft.method.MergedLayer;
import io.peft4j.core.peft.method.Targets;
import io.peft4j.lora.init.LoraInit;
import io.peft4j.lora.init.LoraTarget;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * LoRA on an embedding and the output layer that has the same matrix ({@code ensure_weight_tying}): where one of them
 * is a target, both are, with the same values.
 *
 * <p>Hugging Face PEFT has two parameters over one storage, which are equal as long as nothing moves them: on a base
 * that is not in f32, or after a change of type or device, each is trained separately, and a file has two values. These
 * are two adapters, and read so.
 */
final class TiedLora {
    private static final Logger LOG = LoggerFactory.getLogger(TiedLora.class);

    private final LoraConfig config;
    private final Targets targets;
    private final Slot embedding;
    private final Slot head;

    private TiedLora(LoraConfig config, Targets asked) {
        this.config = config;
        this.embedding = asked.setup().network().embedding();
        this.head = asked.setup().network().causal().head();
        List<Slot> slots = new ArrayList<>(asked.slots());
        slots.removeAll(List.of(embedding, head));
        slots.add(0, embedding);
        slots.add(head);
        this.targets = new Targets(asked.setup(), asked.placement().withTargetModules(
                withBoth(asked.placement().targetModules())), slots);
    }

    /** Whether the two are to be one in an adapter: asked for, and one in the base. */
    static boolean areTied(AdapterSetup setup, LoraConfig config) {
        return config.ensureWeightTying() && setup.network().description().tiedEmbeddings();
    }

    /** Whether one of the two is a target; of an adapter from a file whether it has both. */
    static boolean areTargets(Targets asked) {
        AdapterSetup setup = asked.setup();
        Slot embedding = setup.network().embedding();
        Slot head = setup.network().causal().head();
        return setup.isRestoring() ? setup.storedShape(embedding, "lora_embedding_A").isPresent()
                && setup.storedShape(head, "lora_A.weight").isPresent()
                : asked.slots().contains(embedding) || asked.slots().contains(head);
    }

    /**
     * Both as targets.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a new adapter cannot have both with the same values
     */
    static TiedLora of(LoraConfig config, Targets asked) {
        LoraInit init = config.initialization();
        Checks.require(asked.setup().isRestoring() || !config.dora()
                && List.of(LoraInit.KAIMING, LoraInit.GAUSSIAN, LoraInit.RANDOM).contains(init),
                "ensure_weight_tying with an embedding or output layer among the targets works with init_lora_weights "
                        + "true, false or \"gaussian\" and without use_dora; init_lora_weights is " + init.json()
                        + " and use_dora " + config.dora());
        return new TiedLora(config, asked);
    }

    /** For B [H, r] of the embedding, which is A of the output layer. */
    static Initializer b(LoraInit init, int rank, int width) {
        return init.equals(LoraInit.RANDOM) ? Initializer.normal(1) : init.a(rank, width);
    }

    /** The targets, both among them. */
    Targets targets() {
        return targets;
    }

    /** So that Hugging Face PEFT ties them, too, it needs to find the name of one of them. */
    private TargetModules withBoth(TargetModules asked) {
        List<String> paths = Stream.of(embedding, head).map(Slot::path)
                .filter(path -> !asked.matches("target_modules", path)).toList();
        if (paths.isEmpty() || asked.isUnset() || asked.isAllLinear()) {
            return asked;
        }
        return asked.names().map(names -> TargetModules.of(Stream.concat(names.stream(), paths.stream()).toList()))
                .orElseGet(() -> TargetModules.regex(asked.text().orElseThrow() + paths.stream()
                        .map(path -> "|" + path.replace(".", "\\.")).collect(Collectors.joining())));
    }

    /** The maker of layers that has one for the output layer with the embedding's values. */
    Function<Slot, AdapterLayer> layers(Function<Slot, AdapterLayer> maker, Map<Slot, LoraTarget> begun) {
        List<LoraEmbedding> made = new ArrayList<>();
        return slot -> {
            if (slot != head) {
                AdapterLayer layer = maker.apply(slot);
                made.addAll(slot == embedding ? List.of((LoraEmbedding) layer) : List.of());
                return layer;
            }
            if (targets.setup().isRestoring()) {
                AdapterLayer own = maker.apply(head);
                if (!(own instanceof LoraLayer) || !areEqual(made.get(0), own.tensors())) {
                    return own;
                }
                own.tensors().forEach(AdapterTensor::close);
            }
            return new TiedLoraLayer(head, made.get(0), begun.get(head).scaling(), config.dropout());
        };
    }

    /** Whether an output layer's A and B are the embedding's B and A, transposed. */
    private static boolean areEqual(LoraEmbedding embedding, List<AdapterTensor> own) {
        INDArray b = embedding.b().parameter().value();
        float[] first = Arrays.transposed(Arrays.toFloats(b), Arrays.rows(b), Arrays.columns(b));
        return java.util.Arrays.equals(first, Arrays.toFloats(own.get(0).parameter().value()))
                && java.util.Arrays.equals(Arrays.toFloats(embedding.a().parameter().value()),
                        Arrays.toFloats(own.get(1).parameter().value()));
    }

    /** The configuration of layers that were made: not tied where the output layer has values of its own. */
    LoraConfig named(List<AdapterLayer> layers) {
        boolean tied = layers.stream().anyMatch(TiedLoraLayer.class::isInstance);
        if (tied) {
            return config;
        }
        LOG.warn("{} and {} have values of their own though ensure_weight_tying is on: Hugging Face PEFT trained "
                + "them apart. They are two adapters, and ensure_weight_tying is off", embedding.path(), head.path());
        return config.toBuilder().placement(targets.placement()).ensureWeightTying(false).build();
    }

    /**
     * The LoRA of an embedding on the output layer that has the same matrix: {@code y = base(x) + s * (dropout(x) B)
     * A^T}: x [N, H], y [N, V], with the embedding's B [H, r] and A, held as [V, r]. Both uses train the same values; a
     * file holds them a second time, as {@code lora_A.weight} [r, H] and {@code lora_B.weight} [V, r].
     *
     * <p>Merged: {@code W + s * A B^T}.
     */
    private static final class TiedLoraLayer extends AbstractAdapterLayer {
        private final double scaling;
        private final double dropout;
        private final AdapterTensor left;
        private final AdapterTensor right;

        TiedLoraLayer(Slot head, LoraEmbedding embedding, double scaling, double dropout) {
            super(head);
            this.scaling = scaling;
            this.dropout = dropout;
            this.left = embedding.b().transposedAs("lora_A.weight");
            this.right = embedding.a().transposedAs("lora_B.weight");
        }

        @Override
        public Variable forward(ForwardContext context, Variable x, Layer base) {
            Tape tape = context.tape();
            Variable h = MatrixOps.product(tape, dropout(context, x, dropout), false, tape.parameter(left.parameter()),
                    false);
            Variable change = MatrixOps.product(tape, h, false, tape.parameter(right.parameter()), true);
            return ElementwiseOps.addInto(tape, ElementwiseOps.scale(tape, change, (float) scaling),
                    base.forward(context, x));
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(left, right);
        }

        @Override
        public boolean hasDropout() {
            return dropout > 0;
        }

        @Override
        public Optional<LowRankUpdate> lowRankUpdate() {
            return Optional.of(new LowRankUpdate(left, right, scaling, false));
        }

        @Override
        public void mergeInto(MergedLayer copy) {
            INDArray b = left.parameter().value();
            try (INDArray transposed = Arrays.of(
                    Arrays.transposed(Arrays.toFloats(b), Arrays.rows(b), Arrays.columns(b)),
                    Arrays.columns(b), Arrays.rows(b))) {
                LowRank.add(copy.weight(), right.parameter().value(), transposed, scaling);
            }
        }
    }
}
