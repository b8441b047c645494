package io.peft4j.models.decoder;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.models.architecture.CrossAttention;
import io.peft4j.models.architecture.NextTokenScore;
import io.peft4j.models.architecture.SentenceVectors;
import io.peft4j.models.architecture.TaskPlan;
import io.peft4j.models.architecture.WeightLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeSet;
import java.util.function.UnaryOperator;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.nd4j.linalg.api.ndarray.INDArray;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Builds a {@link DecoderNetwork} from a checkpoint; the paths of the places are the checkpoint's tensor names. */
final class DecoderBuilder {
    private static final Logger LOG = LoggerFactory.getLogger(DecoderBuilder.class);
    /** What older checkpoints hold of the computation, and an output layer that is the embedding. */
    private static final Pattern NEUTRAL = Pattern.compile(".*\\.rotary_emb\\.inv_freq|.*\\.attn\\.(masked_)?bias"
            + "|.*\\.attention\\.(masked_)?bias|(lm_head|embed_out)\\.weight");
    /** Images, sounds, and layers that predict several tokens at once. */
    private static final Pattern LEFT_OUT = Pattern.compile("(.*?(vision|multi_modal|audio|visual)|mtp)[^.]*\\..*"
            + "|(.*eoi_embedding)");
    private static final int SHOWN = 5;
    /** Of the values of a layer that a checkpoint lacks, as Hugging Face's configurations have it by default. */
    private static final double INITIALIZER_RANGE = 0.02;

    private final DecoderPlan plan;
    private final DecoderPlan.Sizes sizes;
    private final WeightLoader weights;
    private final ModulePlaces places;
    private final FeedForwardBuilder networks;

    /**
     * A builder.
     *
     * @param checkpointName what a checkpoint calls a tensor of the network
     */
    DecoderBuilder(DecoderPlan plan, WeightLoader weights, UnaryOperator<String> checkpointName) {
        this.plan = plan;
        this.sizes = plan.sizes();
        this.weights = weights;
        this.places = new ModulePlaces(plan, weights, checkpointName);
        this.networks = new FeedForwardBuilder(places, sizes.hidden(), plan.norm().epsilon());
    }

    DecoderNetwork build(String name, String modelType) {
        return build(name, modelType, sizes.maxPositions());
    }

    private DecoderNetwork build(String name, String modelType, int maxPositions) {
        FrozenWeight table = places.matrix(plan.names().embedding(), sizes.vocabulary(), sizes.hidden());
        DecoderNetwork.Parts parts = body(table);
        Optional<DecoderNetwork.OutputTransform> transform = plan.ends().transform().map(this::transform);
        Slot head = places.head(sizes.tied() ? Optional.of(table) : Optional.empty());
        return network(name, modelType, sizes.tied(), parts.withHead(transform, head), maxPositions);
    }

    private int maxPositions(TaskPlan task) {
        return Math.min(sizes.maxPositions(), task.maxTokens().orElse(Integer.MAX_VALUE));
    }

    /** The decoder as it is, whose next token judges texts. */
    DecoderClassifier judge(String name, String modelType, TaskPlan task, NextTokenScore score) {
        if (!score.fits(sizes.vocabulary())) {
            throw new ConfigurationException(name + " is to judge by the logits of the tokens " + score.yes()
                    + score.no().map(no -> " and " + no).orElse("") + ", and has " + sizes.vocabulary() + " tokens");
        }
        return new DecoderClassifier(build(name, modelType, maxPositions(task)), task, Optional.empty(), false, false);
    }

    private DecoderNetwork.OutputTransform transform(DecoderPlan.Transform transform) {
        return new DecoderNetwork.OutputTransform(
                places.linear(transform.linear(), sizes.hidden(), sizes.hidden(), transform.bias()),
                transform.activation(), places.norm(transform.norm(), sizes.hidden()));
    }

    /** The decoder with a layer that judges texts or tokens in place of its output layer. */
    DecoderClassifier classifier(String name, String modelType, TaskPlan task, boolean seesAll) {
        FrozenWeight table = places.matrix(plan.names().embedding(), sizes.vocabulary(), sizes.hidden());
        DecoderNetwork.Parts parts = body(table);
        boolean known = weights.has(DecoderClassifier.SCORE + ".weight", task.outputs(), sizes.hidden());
        Slot score = places.counted(DecoderClassifier.SCORE, new Linear(known
                ? weights.matrix(DecoderClassifier.SCORE + ".weight", task.outputs(), sizes.hidden())
                : weights.normal(task.outputs(), sizes.hidden(), INITIALIZER_RANGE, new SplittableRandom(task.seed())),
                scoreBias(task, known)));
        return new DecoderClassifier(
                network(name, modelType, false, parts.withHead(Optional.empty(), new Slot(plan.names().head(),
                        new Linear(table, Optional.empty()))),
                        maxPositions(task)),
                task, Optional.of(score), !known, seesAll);
    }

    /** The decoder as one that makes vectors of texts, at most as long as the folder says. */
    DecoderEmbedder embedder(String name, String modelType, TaskPlan task, boolean seesAll, OptionalInt projected) {
        FrozenWeight table = places.matrix(plan.names().embedding(), sizes.vocabulary(), sizes.hidden());
        DecoderNetwork.Parts parts = body(table);
        Optional<Slot> projection = projected.isEmpty() ? Optional.empty() : Optional.of(places.linear(beside(
                "embedding_projection"), projected.getAsInt(), sizes.hidden(), false));
        SentenceVectors vectors = SentenceVectors.of(task.pooling(), weights);
        return new DecoderEmbedder(network(name, modelType, false, parts,
                Math.min(sizes.maxPositions(), task.pooling().maxTokens().orElse(Integer.MAX_VALUE))), task, vectors,
                seesAll, projection);
    }

    private Optional<INDArray> scoreBias(TaskPlan task, boolean known) {
        String name = DecoderClassifier.SCORE + ".bias";
        if (known ? !weights.has(name) : task.task().type() == Task.Type.SEQ_CLS) {
            return Optional.empty();
        }
        return Optional.of(known ? weights.vector(name, task.outputs()) : weights.constant(task.outputs(), 0));
    }

    /** The embedding of a stack of an encoder-decoder, unless it is that of the other one. */
    FrozenWeight table() {
        return places.matrix(plan.names().embedding(), sizes.vocabulary(), sizes.hidden());
    }

    /** One of the two stacks of an encoder-decoder, which owns the weights and reports what it did not use. */
    DecoderNetwork stack(FrozenWeight table, String name, String modelType, boolean predicts) {
        DecoderNetwork.Parts parts = body(table);
        if (predicts) {
            parts = parts.withHead(Optional.empty(), places.head(sizes.tied() ? Optional.of(table)
                    : Optional.empty()));
        }
        return new DecoderNetwork(description(name, modelType, predicts && sizes.tied(), sizes.maxPositions()), plan,
                parts, places.all(), List.of());
    }

    /** All but the output layer. */
    private DecoderNetwork.Parts body(FrozenWeight table) {
        DecoderPlan.Names names = plan.names();
        Slot embedding = places.place(names.embedding(), new Embedding(table, sizes.paddingId())
                .withScale(plan.scales().embedding()));
        Optional<Slot> positions = names.positions().map(path -> places.place(path, new Embedding(
                places.matrix(path, sizes.maxPositions(), sizes.hidden()), OptionalInt.empty(),
                PackedBatch::positions)));
        Optional<Slot> embeddingNorm = plan.ends().embeddingNorm().map(path -> places.norm(path, sizes.hidden()));
        Optional<LayerInputs> layerInputs = plan.ends().layerInputs().map(this::layerInputs);
        List<Slot> layers = new ArrayList<>();
        for (int i = 0; i < plan.layers().size(); i++) {
            layers.add(layer(i, plan.layers().get(i)));
        }
        Slot norm = places.norm(names.norm(), sizes.hidden());
        return new DecoderNetwork.Parts(embedding, positions, embeddingNorm, layerInputs, layers, norm,
                Optional.empty(), embedding);
    }

    private LayerInputs layerInputs(DecoderPlan.Inputs inputs) {
        int width = plan.layers().size() * inputs.width();
        Optional<Slot> table = inputs.table().map(own -> places.place(beside(own), new Embedding(places.lookedUp(
                beside(own), Math.max(inputs.rows(), sizes.vocabulary()), width), sizes.paddingId())
                .withScale((float) Math.sqrt(inputs.width()))));
        return new LayerInputs(table, places.linear(beside(inputs.projection()), width, sizes.hidden(), false),
                places.norm(beside(inputs.norm()), inputs.width()));
    }

    /** A place beside that of the embedding. */
    private String beside(String name) {
        return plan.names().embedding().substring(0, plan.names().embedding().lastIndexOf('.') + 1) + name;
    }

    private DecoderNetwork network(String name, String modelType, boolean tied, DecoderNetwork.Parts parts,
            int maxPositions) {
        ModelDescription description = description(name, modelType, tied, maxPositions);
        reportUnused(description);
        return new DecoderNetwork(description, plan, parts, places.all(), weights.takeOwnership());
    }

    private ModelDescription description(String name, String modelType, boolean tied, int maxPositions) {
        return new ModelDescription(name, modelType, sizes.vocabulary(), sizes.hidden(), plan.layers().size(),
                maxPositions, tied, weights.activationType(), places.parameters());
    }

    /** A tensor without a place is a sign that the configuration says something else than the checkpoint. */
    void reportUnused(ModelDescription description) {
        Map<Boolean, List<String>> byUse = weights.unused().stream()
                .filter(name -> !NEUTRAL.matcher(name).matches() && !places.ignored().contains(name))
                .collect(Collectors.partitioningBy(name -> LEFT_OUT.matcher(name).matches()));
        Set<String> parts = byUse.get(true).stream().map(name -> LEFT_OUT.matcher(name).replaceFirst("$1$3"))
                .collect(Collectors.toCollection(TreeSet::new));
        if (!parts.isEmpty()) {
            LOG.info("{}: only the part for text is loaded; the parts {} of the checkpoint are left out",
                    description.name(), parts);
        }
        List<String> unused = byUse.get(false);
        if (!unused.isEmpty()) {
            LOG.warn("{}: models of type {} do not have {} tensors of the checkpoint, which are ignored: {}",
                    description.name(), description.modelType(), unused.size(),
                    unused.subList(0, Math.min(SHOWN, unused.size())));
        }
    }

    private Slot layer(int index, LayerPlan layer) {
        String path = plan.names().layers() + "." + index;
        String network = path + "." + layer.feedForwardName();
        LayerPlan.Norms norms = layer.norms();
        return places.containing(path, () -> new DecoderLayer(layer, new DecoderLayer.Parts(
                norm(path, norms.beforeAttention()), mixer(index, path, layer.mixer()),
                norm(path, norms.afterAttention()), norm(path, norms.beforeFeedForward()),
                layer.feedForward() instanceof FeedForwardPlan.None ? DecoderLayer.NONE
                        : layer.feedForward() instanceof FeedForwardPlan.AfterCross cross
                                ? crossed(index, path, network, cross)
                                : layer.feedForward() instanceof FeedForwardPlan.BesideExperts both
                                        ? networks.beside(path, both)
                                        : places.containing(network,
                                                () -> networks.network(network, layer.feedForward())),
                norm(path, norms.afterFeedForward()), layer.ending().input().map(own -> ownInput(index, path, own)),
                layer.ending().scaled() ? Optional.of(places.scalar(path + ".layer_scalar")) : Optional.empty())));
    }

    private DecoderLayer.OwnInput ownInput(int index, String layer, LayerPlan.OwnInput own) {
        String path = layer + "." + own.name();
        return new DecoderLayer.OwnInput(index, own,
                places.linear(path + "per_layer_input_gate", own.width(), sizes.hidden(), false),
                places.linear(path + "per_layer_projection", sizes.hidden(), own.width(), false),
                places.norm(path + "post_per_layer_input_norm", sizes.hidden()));
    }

    private Optional<Slot> norm(String path, Optional<String> name) {
        return name.map(own -> places.norm(path + "." + own, sizes.hidden()));
    }

    private Slot mixer(int index, String layer, MixerPlan mixer) {
        if (mixer instanceof MixerPlan.None) {
            return DecoderLayer.NONE;
        }
        if (mixer instanceof ShortConvolutionPlan convolution) {
            String path = layer + "." + convolution.name();
            int width = convolution.width();
            return places.containing(path, () -> new ShortConvolution(index,
                    places.linear(path + ".in_proj", 3 * width, width, convolution.bias()),
                    places.convolution(path + ".conv", width, convolution.taps(), convolution.bias()),
                    places.linear(path + ".out_proj", width, width, convolution.bias())));
        }
        if (mixer instanceof DeltaRulePlan rule) {
            return DeltaRule.place(index, layer + "." + rule.name(), rule, sizes.hidden(), places);
        }
        if (mixer instanceof Mamba2Plan mamba) {
            return Mamba2.place(index, layer + "." + mamba.name(), mamba, sizes.hidden(), places);
        }
        if (mixer instanceof MixerPlan.Both both) {
            return new Slot(layer + "." + both.name(), new Scaled.Sum(
                    Scaled.of(mixer(index, layer, both.mamba()), both.mambaFactors()),
                    Scaled.of(mixer(index, layer, both.ofTokens()), both.attentionFactors())));
        }
        return attention(index, layer, (AttentionPlan) mixer);
    }

    private Slot crossed(int index, String path, String network, FeedForwardPlan.AfterCross plan) {
        String place = path + "." + plan.name();
        AttentionShape shape = plan.shape();
        LayerPlan.Norms norms = plan.norms();
        int hidden = sizes.hidden();
        return new Slot(place + "_and_network", new CrossFeedForward(
                norm(path, norms.beforeAttention()).orElseThrow(),
                new CrossAttention(this.plan.layers().size() + index, shape,
                        places.linear(place + ".q_proj", shape.queryColumns(), hidden, plan.bias()),
                        places.linear(place + ".k_proj", shape.keyColumns(), plan.source(), plan.bias()),
                        places.linear(place + ".v_proj", shape.keyColumns(), plan.source(), plan.bias()),
                        places.linear(place + ".o_proj", hidden, shape.queryColumns(), plan.bias())),
                norm(path, norms.afterAttention()).orElseThrow(), norm(path, norms.beforeFeedForward()).orElseThrow(),
                places.containing(network, () -> networks.network(network, plan.network())),
                norm(path, norms.afterFeedForward()).orElseThrow()));
    }

    private Slot attention(int index, String layer, AttentionPlan attention) {
        String path = layer + "." + attention.name();
        AttentionShape shape = attention.shape();
        if (attention.projections() instanceof AttentionPlan.OfEarlier earlier) {
            List.of("k_proj", "v_proj", "k_norm").forEach(name -> places.ignore(path + "." + name + ".weight"));
            return places.containing(path, () -> new SharedKeyValueAttention(index, attention, earlier.layer(),
                    places.linear(path + ".q_proj", shape.queryColumns(), sizes.hidden(), attention.bias()),
                    places.norm(path + "." + attention.norms().orElseThrow().query(), shape.headSize()),
                    places.linear(path + "." + attention.output(), sizes.hidden(), shape.queryColumns(),
                            attention.outputBias())));
        }
        if (attention.projections() instanceof AttentionPlan.Merged) {
            return places.containing(path, () -> new MergedAttention(index, plan.layers().size() + index, attention,
                    new MergedAttention.Parts(places.linear(path + ".q_proj", shape.queryColumns(), sizes.hidden(),
                            attention.bias()),
                            places.linear(path + ".k_proj", shape.keyColumns(), sizes.hidden(), attention.bias()),
                            places.linear(path + ".v_proj", shape.keyColumns(), sizes.hidden(), attention.bias()),
                            places.linear(path + ".o_proj", sizes.hidden(), shape.queryColumns(),
                                    attention.outputBias()),
                            places.norm(path + ".q_norm", shape.headSize()),
                            places.norm(path + ".k_norm", shape.headSize()))));
        }
        return places.containing(path, () -> {
            Projections projections = projections(path, attention);
            Slot output = places.linear(path + "." + attention.output(), sizes.hidden(),
                    shape.heads() * attention.valueSize(), attention.outputBias());
            Optional<Slot> sinks = attention.sinks() ? Optional.of(places.vectorAt(path + ".sinks", shape.heads()))
                    : Optional.empty();
            return new DecoderAttention(index, attention, projections, output, sinks,
                    attention.norms().map(norms -> headNorm(path, norms.query(), norms, shape.queryColumns(), shape)),
                    attention.norms().map(norms -> headNorm(path, norms.key(), norms, shape.keyColumns(), shape)));
        });
    }

    private Projections projections(String path, AttentionPlan attention) {
        AttentionShape shape = attention.shape();
        int queries = shape.queryColumns();
        int keys = shape.keyColumns();
        boolean bias = attention.bias();
        if (attention.projections() instanceof AttentionPlan.Fused fused) {
            return new Projections.Fused(places.linear(path + "." + fused.name(), queries + 2 * keys, sizes.hidden(),
                    bias), shape, fused.byHead());
        }
        if (attention.projections() instanceof AttentionPlan.Latent latent) {
            return latent(path, attention, latent);
        }
        if (attention.projections() instanceof AttentionPlan.NormedValues values) {
            return new Projections.NormedValues(places.linear(path + ".q_proj", queries, sizes.hidden(), bias),
                    places.linear(path + ".k_proj", keys, sizes.hidden(), bias), values.keysAreValues()
                            ? Optional.empty() : Optional.of(places.linear(path + ".v_proj", keys, sizes.hidden(),
                                    bias)),
                    weights.constant(shape.headSize(), 1), plan.norm().epsilon());
        }
        AttentionPlan.Separate names = (AttentionPlan.Separate) attention.projections();
        boolean inQuery = names.gate() == AttentionPlan.Gate.IN_QUERY;
        Projections.Separate separate = new Projections.Separate(
                places.linear(path + "." + names.query(), inQuery ? 2 * queries : queries, sizes.hidden(), bias),
                places.linear(path + "." + names.key(), keys, sizes.hidden(), bias),
                places.linear(path + "." + names.value(), keys, sizes.hidden(), bias));
        return switch (names.gate()) {
            case NONE -> separate;
            case IN_QUERY -> new Projections.GateInQuery(separate.query(), separate.key(), separate.value(),
                    shape.heads());
            case BY_HEAD -> new Projections.GateByHead(separate,
                    places.linear(path + ".g_proj", shape.heads(), sizes.hidden(), false),
                    Projections.spread(shape.heads(), shape.headSize()));
        };
    }

    private Projections latent(String path, AttentionPlan attention, AttentionPlan.Latent latent) {
        AttentionShape shape = attention.shape();
        int hidden = sizes.hidden();
        int rank = latent.stateRank();
        List<Slot> queryState = new ArrayList<>();
        Slot query;
        if (latent.queryRank().isPresent()) {
            int width = latent.queryRank().getAsInt();
            queryState.add(places.linear(path + ".q_a_proj", width, hidden, attention.bias()));
            queryState.add(places.stateNorm(path + ".q_a_layernorm", width));
            query = places.linear(path + ".q_b_proj", shape.queryColumns(), width, false);
        } else {
            query = places.linear(path + ".q_proj", shape.queryColumns(), hidden, false);
        }
        Slot state = places.linear(path + ".kv_a_proj_with_mqa", rank + shape.headSize() - latent.plain(), hidden,
                attention.bias());
        Slot norm = places.stateNorm(path + ".kv_a_layernorm", rank);
        Slot keyValue = places.keyValue(path + "." + LatentFiles.BOTH, latent.files(shape));
        return new LatentProjections(queryState, query, state, norm, keyValue, latent, shape);
    }

    private Slot headNorm(String path, String name, AttentionPlan.HeadNorms norms, int columns, AttentionShape shape) {
        String own = path + "." + name;
        return switch (norms.extent()) {
            case HEAD -> places.norm(own, shape.headSize());
            case OWN -> places.headNorms(own, columns / shape.headSize(), shape.headSize());
            case ALL -> places.norm(own, columns);
        };
    }
}
