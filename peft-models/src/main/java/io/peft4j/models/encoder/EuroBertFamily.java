package io.peft4j.models.encoder;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.model.Task;
import io.peft4j.models.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * EuroBERT (<a href="https://arxiv.org/abs/2503.05500">2503.05500</a>): the layers of Llama, in which each token sees
 * all.
 */
public final class EuroBertFamily extends EncoderFamily {
    private static final Map<String, HeadPlan.Rows> POOLING = Map.of("bos", HeadPlan.Rows.FIRST, "mean",
            HeadPlan.Rows.MEAN, "late", HeadPlan.Rows.ALL_THEN_MEAN);

    /** The family. */
    public EuroBertFamily() {
        super("eurobert");
    }

    @Override
    public List<String> layerNames() {
        return List.of("embed_tokens", "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj",
                "dense", "classifier");
    }

    @Override
    public List<String> defaultTargetModules() {
        return List.of("q_proj", "v_proj");
    }

    @Override
    String prefix() {
        return "model.";
    }

    @Override
    EncoderPlan plan(ModelConfig config) {
        int hidden = config.positive("hidden_size");
        int vocabulary = config.positive("vocab_size");
        int heads = config.positive("num_attention_heads");
        int keyValueHeads = config.optionalPositive("num_key_value_heads").orElse(heads);
        int headSize = config.optionalPositive("head_dim").orElseGet(() -> hidden / heads(config,
                "num_attention_heads", hidden));
        if (heads % keyValueHeads != 0 || headSize % 2 != 0) {
            throw new FileFormatException(config.file(), "num_attention_heads " + heads + " must be a multiple of "
                    + "num_key_value_heads " + keyValueHeads + ", and head_dim " + headSize + " even");
        }
        List<EncoderPlan.LayerPlan> layers = new ArrayList<>();
        for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
            String path = "layers." + i;
            layers.add(new EncoderPlan.LayerPlan(path, new EncoderPlan.AttentionPlan(path + ".self_attn",
                    List.of("q_proj", "k_proj", "v_proj"), path + ".self_attn.o_proj", heads, keyValueHeads, headSize,
                    config.flag("attention_bias", false), Optional.of(new EncoderPlan.Rotary(theta(config, 10_000))), 0,
                    Optional.empty()),
                    new EncoderPlan.FeedForwardPlan(List.of(path + ".mlp.gate_proj", path + ".mlp.up_proj"),
                            path + ".mlp.down_proj", config.positive("intermediate_size"),
                            activation(config, "hidden_act", "silu"), true,
                            config.flag("mlp_bias", false)),
                    Optional.of(path + ".input_layernorm"), path + ".post_attention_layernorm", true));
        }
        return new EncoderPlan(new EncoderPlan.Sizes(vocabulary, hidden,
                config.optionalPositive("max_position_embeddings").orElse(8192), paddingId(config, 128001, vocabulary)),
                new EncoderPlan.Embeddings("embed_tokens", Optional.empty(), Optional.empty(), Optional.empty(), hidden,
                        Optional.empty()),
                layers, Optional.of("norm"),
                new EncoderPlan.Norm((float) config.number("rms_norm_eps", 1e-5), false, true), 0);
    }

    @Override
    HeadPlan head(ModelConfig config, Task.Type task) {
        if (task == Task.Type.QUESTION_ANS) {
            throw config.unsupported("the task", task, "SEQ_CLS, TOKEN_CLS, FEATURE_EXTRACTION");
        }
        if (task == Task.Type.TOKEN_CLS) {
            return plain(HeadPlan.Rows.ALL, "classifier", 0, config);
        }
        String pooling = config.text("classifier_pooling").orElse("late");
        if (!POOLING.containsKey(pooling)) {
            throw config.unsupported("classifier_pooling", pooling, POOLING.keySet().toString());
        }
        return new HeadPlan(POOLING.get(pooling), List.of(new HeadPlan.Step("dense", true, Activation.GELU,
                Optional.empty(), false)), "classifier", 0, config.number("initializer_range", 0.02));
    }
}
