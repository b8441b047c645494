package io.peft4j.models.decoder;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.model.Network;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.LayerMemory;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.weight.FrozenWeight;
import io.peft4j.models.architecture.Architecture;
import io.peft4j.models.architecture.CheckpointForm;
import io.peft4j.models.architecture.LoadedNetwork;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.ModelTensor;
import io.peft4j.models.architecture.TaskPlan;
import io.peft4j.models.architecture.WeightLoader;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/** T5Gemma (<a href="https://arxiv.org/abs/2504.06225">2504.06225</a>): Gemma 2 as an encoder, and as a decoder that also attends
 * to its states. */
public class T5GemmaFamily implements Architecture, CheckpointForm {
    private static final String TIED = "tie_word_embeddings";
    private static final LayerPlan.Norms NORMS = LayerPlan.Norms.around("pre_self_attn_layernorm",
            "post_self_attn_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm");
    private static final LayerPlan.Norms CROSS = LayerPlan.Norms.around("pre_cross_attn_layernorm",
            "post_cross_attn_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm");

    private final String modelType;

    /** For the {@link java.util.ServiceLoader}. */
    public T5GemmaFamily() {
        this("t5gemma");
    }

    T5GemmaFamily(String modelType) {
        this.modelType = modelType;
    }

    @Override
    public final String modelType() {
        return modelType;
    }

    @Override
    public final List<String> layerNames() {
        return List.of("embed_tokens", "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
                "out_proj");
    }

    @Override
    public final List<String> defaultTargetModules() {
        return List.of("q_proj", "v_proj");
    }

    @Override
    public final Task.Type defaultTask() {
        return Task.Type.SEQ_2_SEQ_LM;
    }

    @Override
    public List<ModelTensor> checkpointTensors(ModelConfig config, ModelTensor tensor) {
        return List.of(tensor);
    }

    @Override
    public final Network build(String name, ModelConfig config, WeightLoader weights, TaskPlan task) {
        if (task.task().type() != Task.Type.SEQ_2_SEQ_LM) {
            throw task.unsupported(modelType(), Task.Type.SEQ_2_SEQ_LM);
        }
        ModelConfig writes = stack(config, config, "decoder");
        DecoderPlan encoder = encoder(config);
        DecoderPlan decoder = decoder(writes, encoder.sizes().hidden());
        int start = writes.optionalInteger("bos_token_id").orElse(2);
        if (start < 0 || start >= decoder.sizes().vocabulary()) {
            throw new FileFormatException(config.file(), "bos_token_id of the decoder is " + start
                    + ", which is outside the vocabulary of " + decoder.sizes().vocabulary());
        }
        DecoderBuilder reading = new DecoderBuilder(encoder, weights, UnaryOperator.identity());
        DecoderBuilder writing = new DecoderBuilder(decoder, weights, UnaryOperator.identity());
        FrozenWeight table = reading.table();
        DecoderNetwork first = reading.stack(table, name, modelType(), false);
        DecoderNetwork second = writing.stack(sharesEmbedding() ? table : writing.table(), name, modelType(), true);
        writing.reportUnused(second.description());
        return new T5GemmaNetwork(first, second, decoder.layers().get(0).attention().shape().keyColumns(), start,
                weights.takeOwnership());
    }

    DecoderPlan encoder(ModelConfig config) {
        return scaledBehind(plan(new Gemma2Family(), stack(config, config, "encoder"), "model.encoder",
                "model.encoder"))
                .mapLayers((i, layer) -> reaching(layer));
    }

    /**
     * What the decoder is made of.
     *
     * @param config its own configuration
     * @param source columns of the encoder's states
     */
    DecoderPlan decoder(ModelConfig config, int source) {
        return scaledBehind(plan(new Gemma2Family(), config, "model.decoder", "model.decoder"))
                .mapLayers((i, layer) -> crossing(config, layer, source));
    }

    /** What enters the layers is scaled, virtual tokens too, and not what comes out of the embedding. */
    private static DecoderPlan scaledBehind(DecoderPlan plan) {
        DecoderPlan.Scales own = plan.scales();
        return plan.withScales(new DecoderPlan.Scales(1, own.embedding(), own.logits(), own.logitCap()));
    }

    /** Whether the decoder's embedding is the encoder's. */
    boolean sharesEmbedding() {
        return false;
    }

    /** The configuration of a stack, in {@code place}, whose output layer is tied where the whole says so. */
    final ModelConfig stack(ModelConfig config, ModelConfig place, String name) {
        ModelConfig own = place.object(name).orElseThrow(() -> new FileFormatException(config.file(), name
                + " is missing; a model of type " + modelType + " describes a part of it there"));
        ObjectNode values = own.values().deepCopy();
        return new ModelConfig(config.file(), values.put(TIED, config.flag(TIED, true)));
    }

    /** A stack whose places stand below {@code path}, and in files below {@code stored}. */
    static DecoderPlan plan(DecoderFamily family, ModelConfig config, String path, String stored) {
        return family.plan(config).withNames(new DecoderPlan.Names(path + ".embed_tokens",
                Optional.empty(), path + ".layers", path + ".norm", "lm_head.out_proj", Map.of(path, stored)))
                .mapLayers((i, layer) -> layer.withNorms(NORMS));
    }

    /** An encoder's window lies on either side of a token. */
    private static LayerPlan reaching(LayerPlan layer) {
        int window = layer.attention().window();
        return window == 0 ? layer : layer.withAttention(layer.attention().withWindow(2 * window + 1));
    }

    /** The norms of the feed-forward network are inside of what looks at the encoder first. */
    private static LayerPlan crossing(ModelConfig config, LayerPlan layer, int encoder) {
        return layer.withNorms(new LayerPlan.Norms(NORMS.beforeAttention(), NORMS.afterAttention(), Optional.empty(),
                Optional.empty())).withFeedForward(new FeedForwardPlan.AfterCross("cross_attn",
                        layer.attention().shape(), encoder, config.flag("attention_bias", false), CROSS,
                        layer.feedForward()));
    }

    /**
     * An encoder of Gemma's layers, and a decoder of them that looks at its states. The first half of the layers of a
     * key/value cache are the decoder's own, the second half hold the encoder's. Owns its weights.
     */
    private static final class T5GemmaNetwork extends LoadedNetwork implements EncoderDecoderNetwork {
        private final DecoderNetwork encoder;
        private final DecoderNetwork decoder;
        private final int crossColumns;
        private final int startToken;

        /**
         * A network.
         *
         * @param crossColumns key/value heads x D of attention to the encoder
         * @param startToken the first token of the decoder
         */
        T5GemmaNetwork(DecoderNetwork encoder, DecoderNetwork decoder, int crossColumns, int startToken,
                List<AutoCloseable> weights) {
            super(description(encoder, decoder),
                    Stream.concat(encoder.slots().stream(), ofDecoder(encoder, decoder).stream())
                            .toList(),
                    weights);
            this.encoder = encoder;
            this.decoder = decoder;
            this.crossColumns = crossColumns;
            this.startToken = startToken;
        }

        private static ModelDescription description(DecoderNetwork encoder, DecoderNetwork decoder) {
            ModelDescription own = decoder.description();
            return new ModelDescription(own.name(), own.modelType(), own.vocabularySize(), own.hiddenSize(),
                    own.layers(),
                    own.maxPositions(), own.tiedEmbeddings(), own.activationType(),
                    own.parameters() + encoder.description().parameters());
        }

        @Override
        public List<Slot> decoderSlots() {
            return ofDecoder(encoder, decoder);
        }

        /** Without an embedding that is the encoder's. */
        private static List<Slot> ofDecoder(DecoderNetwork encoder, DecoderNetwork decoder) {
            boolean shared = table(encoder) == table(decoder);
            return decoder.slots().stream().filter(slot -> !shared || slot != decoder.embedding()).toList();
        }

        private static FrozenWeight table(DecoderNetwork stack) {
            return ((Embedding) stack.embedding().layer()).table();
        }

        @Override
        public Slot embedding() {
            return encoder.embedding();
        }

        @Override
        public Slot head() {
            return decoder.head();
        }

        @Override
        public int startToken() {
            return startToken;
        }

        @Override
        public Variable hidden(ForwardContext context) {
            boolean cached = context.cache().map(KvCache::holdsSource).orElse(false);
            Variable hidden = decoder.hidden(cached ? context
                    : context.giving(CrossFeedForward.STATES, encoder.hidden(context.onSource())));
            context.cache().ifPresent(KvCache::sourceIsStored);
            return hidden;
        }

        @Override
        public Variable logits(ForwardContext context, Variable hidden) {
            return decoder.logits(context, hidden);
        }

        @Override
        public KvCache newCache(int rows) {
            List<LayerMemory> memory = new ArrayList<>(decoder.memory());
            decoder.memory().forEach(own -> memory.add(new LayerMemory.KeysAndValues(crossColumns)));
            return new KvCache(memory, rows, description().activationType());
        }
    }
}
