package io.peft4j.models.decoder;

import io.peft4j.core.error.PeftException;
import io.peft4j.core.model.CausalNetwork;
import io.peft4j.core.model.Network;
import io.peft4j.core.model.Task;
import io.peft4j.models.architecture.Architecture;
import io.peft4j.models.architecture.CheckpointForm;
import io.peft4j.models.architecture.ConfigKeys;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.ModelTensor;
import io.peft4j.models.architecture.NextTokenScore;
import io.peft4j.models.architecture.TaskPlan;
import io.peft4j.models.architecture.WeightLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A family of decoders: states what they are made of. The names of layers are Llama's unless a family has others. */
abstract class DecoderFamily implements Architecture, CheckpointForm {
    private static final Logger LOG = LoggerFactory.getLogger(DecoderFamily.class);

    private final String modelType;

    DecoderFamily(String modelType) {
        this.modelType = modelType;
    }

    /**
     * What the decoder that a configuration describes is made of.
     *
     * @throws io.peft4j.core.error.FileFormatException when a value is missing, invalid or not supported
     */
    abstract DecoderPlan plan(ModelConfig config);

    @Override
    public final String modelType() {
        return modelType;
    }

    @Override
    public List<String> layerNames() {
        return List.of("embed_tokens", "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
                "lm_head");
    }

    @Override
    public List<String> defaultTargetModules() {
        return List.of("q_proj", "v_proj");
    }

    /** Whether each token sees all others of its text, so that there is no next one to predict. */
    boolean seesAll(ModelConfig config) {
        return false;
    }

    /** Columns of what a linear layer, {@code embedding_projection}, makes of hidden states that become vectors. */
    OptionalInt projectionTo(ModelConfig config) {
        return OptionalInt.empty();
    }

    /** The name in a Hugging Face checkpoint of a tensor; usually that of its place. */
    String checkpointName(String tensor) {
        return tensor;
    }

    @Override
    public List<ModelTensor> checkpointTensors(ModelConfig config, ModelTensor tensor) {
        return split(config, tensor, experts -> experts);
    }

    @Override
    public final Predicate<String> staysInFile(ModelConfig config) {
        return plan(config).ends().layerInputs().flatMap(DecoderPlan.Inputs::table)
                .<Predicate<String>>map(table -> tensor -> tensor.endsWith("." + table + ".weight"))
                .orElse(tensor -> false);
    }

    @Override
    public List<ModelTensor> ggufTensors(ModelConfig config, ModelTensor tensor) {
        return split(config, tensor, ExpertsPlan::storedOneByOne);
    }

    private List<ModelTensor> split(ModelConfig config, ModelTensor tensor, UnaryOperator<ExpertsPlan> stored) {
        if (!ExpertFiles.isOfAll(tensor.name())) {
            return List.of(new ModelTensor(checkpointName(tensor.name()), tensor.shape(), tensor.rows()));
        }
        DecoderPlan plan = plan(config);
        ExpertsPlan experts = plan.layers().stream().flatMap(layer -> layer.feedForward().experts().stream())
                .findFirst().orElseThrow();
        return new ExpertFiles(stored.apply(experts), plan.sizes().hidden()).split(tensor).stream()
                .map(part -> new ModelTensor(checkpointName(part.name()), part.shape(), part.rows())).toList();
    }

    @Override
    public final Network build(String name, ModelConfig config, WeightLoader weights, TaskPlan task) {
        if (seesAll(config) && task.task().type() != Task.Type.FEATURE_EXTRACTION
                && task.task().type() != Task.Type.TOKEN_CLS) {
            throw task.unsupported(modelType, "FEATURE_EXTRACTION and TOKEN_CLS, since each of its tokens sees all "
                    + "others");
        }
        return switch (task.task().type()) {
            case CAUSAL_LM -> build(name, config, weights);
            case SEQ_CLS, TOKEN_CLS -> {
                DecoderPlan plan = plan(config);
                Optional<NextTokenScore> nextToken = task.scores().nextToken();
                if (nextToken.isPresent()) {
                    yield new DecoderBuilder(plan, weights, this::checkpointName).judge(name, modelType, task,
                            nextToken.get());
                }
                if (plan.ends().transform().isPresent()) {
                    throw task.unsupported(modelType, List.of(Task.Type.CAUSAL_LM));
                }
                yield new DecoderBuilder(plan, weights, this::checkpointName).classifier(name, modelType, task,
                        seesAll(config));
            }
            case FEATURE_EXTRACTION -> {
                DecoderPlan plan = plan(config);
                yield new DecoderBuilder(plan.withNames(plan.names().bare()), weights, this::checkpointName)
                        .embedder(name, modelType, task, seesAll(config), projectionTo(config));
            }
            default -> throw task.unsupported(modelType, List.of(Task.Type.CAUSAL_LM, Task.Type.SEQ_CLS,
                    Task.Type.TOKEN_CLS, Task.Type.FEATURE_EXTRACTION));
        };
    }

    @Override
    public final CausalNetwork build(String name, ModelConfig config, WeightLoader weights) {
        ConfigKeys.requirePlain(config);
        DecoderNetwork network = new DecoderBuilder(plan(config), weights, this::checkpointName)
                .build(name, modelType);
        ConfigKeys.report(config);
        if (network.routerLossCoefficient() != 0) {
            LOG.info("{}: output_router_logits is true: trainings add the load-balancing loss of the routers times {}",
                    config.file(), network.routerLossCoefficient());
        }
        return network;
    }

    @Override
    public final List<String> traits(ModelConfig config) {
        return FamilyTraits.of(plan(config));
    }

    @Override
    public final Set<String> configKeys(ModelConfig config) {
        ModelConfig copy = new ModelConfig(config.file(), config.values());
        try {
            plan(copy);
        } catch (PeftException | IllegalArgumentException e) {
            LOG.debug("a configuration of type {} is none of {}", config.modelType(), modelType, e);
        }
        return copy.read();
    }

    /** What distinguishes a decoder from Llama, in the words of the table of models. */
    private static final class FamilyTraits {
        private final DecoderPlan plan;
        private final List<String> words = new ArrayList<>();

        private FamilyTraits(DecoderPlan plan) {
            this.plan = plan;
        }

        static List<String> of(DecoderPlan plan) {
            FamilyTraits traits = new FamilyTraits(plan);
            traits.attention();
            traits.layers();
            traits.ends();
            return List.copyOf(traits.words);
        }

        private void attention() {
            add("short convolutions", any(layer -> layer.mixer() instanceof ShortConvolutionPlan));
            add("gated delta rule", any(layer -> layer.mixer() instanceof DeltaRulePlan));
            add("Mamba 2", any(layer -> layer.mixer() instanceof Mamba2Plan
                    || layer.mixer() instanceof MixerPlan.Both));
            add("attention beside Mamba", any(layer -> layer.mixer() instanceof MixerPlan.Both));
            add("value norm", attention(a -> a.projections() instanceof AttentionPlan.NormedValues));
            add("shared KV layers", attention(a -> a
                    .projections() instanceof AttentionPlan.OfEarlier));
            add("keys as values", attention(a -> a.projections() instanceof AttentionPlan.NormedValues own
                    && own.keysAreValues()));
            add("gated attention", attention(a -> a.projections() instanceof AttentionPlan.Separate own
                    && own.gate() != AttentionPlan.Gate.NONE));
            add("sliding window", attention(a -> a.window() > 0));
            add("q/k/v biases", attention(AttentionPlan::bias));
            add("head-wise q/k norm", norms(n -> n.extent() != AttentionPlan.HeadNorms.Extent.ALL));
            add("q/k norm", norms(n -> n.extent() == AttentionPlan.HeadNorms.Extent.ALL));
            add("q/k norm after rotary", norms(AttentionPlan.HeadNorms::rotated));
            add("fused q/k/v", attention(a -> a.projections() instanceof AttentionPlan.Fused));
            add("latent attention", attention(a -> a.projections() instanceof AttentionPlan.Latent));
            add("score soft cap", attention(a -> a.shape().softCap() > 0));
            add("sinks", attention(AttentionPlan::sinks));
            add("query scaling", attention(a -> a.positions().queryScale().isPresent()));
            add("NoPE layers", plan.names().positions().isEmpty()
                    && attention(a -> a.positions().rotary().isEmpty()));
        }

        private void layers() {
            add("layer norm", plan.norm().kind() == NormPlan.Kind.LAYER);
            add("1+w norms", plan.norm().offset() != 0);
            add("pre/post norms", any(l -> l.norms().afterAttention().isPresent()
                    && l.norms().beforeAttention().isPresent()));
            add("post norms", any(l -> l.norms().afterAttention().isPresent()
                    && l.norms().beforeAttention().isEmpty()));
            add("parallel residual", any(LayerPlan::parallel));
            add("ungated MLP", any(l -> l.feedForward() instanceof FeedForwardPlan.Plain));
            add("scaled MLP", any(l -> l.feedForward() instanceof FeedForwardPlan.ScaledGated));
            add("fused gate/up", any(l -> l.feedForward() instanceof FeedForwardPlan.Gated gated && gated.fused()));
            add("scaled layers", any(l -> l.ending().scaled()));
            add("experts", any(l -> l.feedForward().experts().isPresent()));
            add("shared expert", any(l -> l.feedForward().experts().flatMap(ExpertsPlan::shared).isPresent()));
        }

        private void ends() {
            add("per-layer embeddings", plan.ends().layerInputs().isPresent());
            add("learned positions", plan.names().positions().isPresent());
            add("[in,out] weights", plan.storedTransposed());
            DecoderPlan.Scales scales = plan.scales();
            add("scaled embedding", scales.embedding() != 1 || scales.input() != 1);
            add("scaled residuals/logits", scales.logits() != 1 || any(l -> l.residualScale() != 1));
            add("logit soft cap", scales.logitCap() != 0);
            add("embedding norm", plan.ends().embeddingNorm().isPresent());
            add("output transform", plan.ends().transform().isPresent());
        }

        private boolean norms(Predicate<AttentionPlan.HeadNorms> trait) {
            return attention(a -> a.norms().filter(trait).isPresent());
        }

        private void add(String word, boolean applies) {
            if (applies) {
                words.add(word);
            }
        }

        private boolean attention(Predicate<AttentionPlan> trait) {
            return any(layer -> layer.mixer().attention().filter(trait).isPresent());
        }

        private boolean any(Predicate<LayerPlan> trait) {
            return plan.layers().stream().anyMatch(trait);
        }
    }
}
