package io.peft4j.models.decoder.internal;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.model.Network;
import io.peft4j.core.model.Task;
import io.peft4j.models.architecture.Architecture;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.TaskPlan;
import io.peft4j.models.architecture.WeightLoader;
import io.peft4j.models.architecture.internal.CheckpointForm;
import io.peft4j.models.architecture.internal.ModelTensor;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** T5Gemma (<a href="https://arxiv.org/abs/2504.06225">2504.06225</a>): Gemma 2 as an encoder, and as a decoder that also attends
 * to its states. */
public final class T5GemmaFamily implements Architecture, CheckpointForm {
    private static final String TIED = "tie_word_embeddings";
    private static final LayerPlan.Norms NORMS = LayerPlan.Norms.around("pre_self_attn_layernorm",
            "post_self_attn_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm");
    private static final LayerPlan.Norms CROSS = LayerPlan.Norms.around("pre_cross_attn_layernorm",
            "post_cross_attn_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm");

    @Override
    public String modelType() {
        return "t5gemma";
    }

    @Override
    public List<String> layerNames() {
        return List.of("embed_tokens", "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
                "out_proj");
    }

    @Override
    public List<String> defaultTargetModules() {
        return List.of("q_proj", "v_proj");
    }

    @Override
    public Task.Type defaultTask() {
        return Task.Type.SEQ_2_SEQ_LM;
    }

    @Override
    public List<ModelTensor> checkpointTensors(ModelConfig config, ModelTensor tensor) {
        return List.of(tensor);
    }

    @Override
    public Network build(String name, ModelConfig config, WeightLoader weights, TaskPlan task) {
        if (task.task().type() != Task.Type.SEQ_2_SEQ_LM) {
            throw task.unsupported(modelType(), Task.Type.SEQ_2_SEQ_LM);
        }
        ModelConfig writes = stack(config, "decoder");
        DecoderPlan encoder = plan(stack(config, "encoder"), "model.encoder").mapLayers((i, layer) -> reaching(layer));
        DecoderPlan decoder = plan(writes, "model.decoder").mapLayers((i, layer) -> crossing(writes, layer,
                encoder.sizes().hidden()));
        int start = writes.optionalInteger("bos_token_id").orElse(2);
        if (start < 0 || start >= decoder.sizes().vocabulary()) {
            throw new FileFormatException(config.file(), "bos_token_id of the decoder is " + start
                    + ", which is outside the vocabulary of " + decoder.sizes().vocabulary());
        }
        DecoderNetwork first = new DecoderBuilder(encoder, weights, UnaryOperator.identity())
                .stack(name, modelType(), false);
        DecoderBuilder builder = new DecoderBuilder(decoder, weights, UnaryOperator.identity());
        DecoderNetwork second = builder.stack(name, modelType(), true);
        builder.reportUnused(second.description());
        return new T5GemmaNetwork(first, second, decoder.layers().get(0).attention().shape().keyColumns(), start,
                weights.takeOwnership());
    }

    /** The configuration of a stack, whose output layer is tied where the whole says so. */
    private static ModelConfig stack(ModelConfig config, String name) {
        ModelConfig own = config.object(name).orElseThrow(() -> new FileFormatException(config.file(), name
                + " is missing; a model of type t5gemma describes its " + name + " in it"));
        ObjectNode values = own.values().deepCopy();
        return new ModelConfig(config.file(), values.put(TIED, config.flag(TIED, true)));
    }

    private static DecoderPlan plan(ModelConfig config, String path) {
        return new Gemma2Family().plan(config).withNames(new DecoderPlan.Names(path + ".embed_tokens",
                Optional.empty(), path + ".layers", path + ".norm", "lm_head.out_proj", Map.of()))
                .mapLayers((i, layer) -> layer.withNorms(NORMS));
    }

    /** An encoder's window lies on either side of a token. */
    private static LayerPlan reaching(LayerPlan layer) {
        return layer.withAttention(layer.attention().withWindow(2 * layer.attention().window()));
    }

    /** The norms of the feed-forward network are inside of what looks at the encoder first. */
    private static LayerPlan crossing(ModelConfig config, LayerPlan layer, int encoder) {
        return layer.withNorms(new LayerPlan.Norms(NORMS.beforeAttention(), NORMS.afterAttention(), Optional.empty(),
                Optional.empty())).withFeedForward(new FeedForwardPlan.AfterCross("cross_attn",
                        layer.attention().shape(), encoder, config.flag("attention_bias", false), CROSS,
                        layer.feedForward()));
    }
}
