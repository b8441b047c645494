package io.peft4j.models.encoder;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.model.Task;
import io.peft4j.models.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Nomic BERT (<a href="https://arxiv.org/abs/2402.01613">2402.01613</a>): BERT with rotary positions and a gated
 * feed-forward network, whose linear layers have no biases.
 */
public final class NomicBertFamily extends EncoderFamily {
    private static final Map<String, String> NAMES = names();
    private static final Map<String, String> KEYS = keys();

    /** The family. */
    public NomicBertFamily() {
        super("nomic_bert");
    }

    /** What checkpoints call the places. */
    private static Map<String, String> names() {
        Map<String, String> names = new LinkedHashMap<>();
        names.put("embeddings.LayerNorm", "emb_ln");
        names.put("layers.", "encoder.layers.");
        names.put("self_attn.o_proj", "attn.out_proj");
        names.put("self_attn.Wqkv", "attn.Wqkv");
        names.put("up_proj", "fc11");
        names.put("gate_proj", "fc12");
        names.put("down_proj", "fc2");
        names.put("post_attention_layernorm", "norm1");
        names.put("post_mlp_layernorm", "norm2");
        return names;
    }

    /** The keys of Transformers, and what the model's own code calls them. */
    private static Map<String, String> keys() {
        Map<String, String> keys = new LinkedHashMap<>();
        keys.put("hidden_size", "n_embd");
        keys.put("num_hidden_layers", "n_layer");
        keys.put("num_attention_heads", "n_head");
        keys.put("intermediate_size", "n_inner");
        keys.put("max_position_embeddings", "n_positions");
        keys.put("layer_norm_eps", "layer_norm_epsilon");
        keys.put("rope_theta", "rotary_emb_base");
        return keys;
    }

    @Override
    public List<String> layerNames() {
        return List.of("word_embeddings", "token_type_embeddings", "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj",
                "up_proj", "down_proj", "dense", "classifier");
    }

    @Override
    public List<String> defaultTargetModules() {
        return List.of("q_proj", "v_proj");
    }

    @Override
    String prefix() {
        return "nomic_bert.";
    }

    @Override
    String checkpointName(String name) {
        String stored = name;
        for (Map.Entry<String, String> each : NAMES.entrySet()) {
            stored = stored.replace(each.getKey(), each.getValue());
        }
        return stored;
    }

    @Override
    EncoderPlan plan(ModelConfig given) {
        ModelConfig config = named(given);
        for (String key : List.of("prenorm", "rotary_emb_interleaved", "use_rms_norm", "num_experts",
                "moe_every_n_layers")) {
            if (!List.of("", "null", "0", "false").contains(config.values().path(key).asText())) {
                throw config.unsupported(key, config.values().get(key), "false");
            }
        }
        int hidden = config.positive("hidden_size");
        int vocabulary = config.positive("vocab_size");
        List<EncoderPlan.LayerPlan> layers = new ArrayList<>();
        for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
            layers.add(layer("layers." + i, config, hidden));
        }
        return new EncoderPlan(new EncoderPlan.Sizes(vocabulary, hidden,
                config.optionalPositive("max_position_embeddings").orElse(2048), paddingId(config, 0, vocabulary)),
                new EncoderPlan.Embeddings("embeddings.word_embeddings", Optional.empty(),
                        Optional.of(new EncoderPlan.Table("embeddings.token_type_embeddings",
                                config.optionalPositive("type_vocab_size").orElse(2), 0)),
                        Optional.of("embeddings.LayerNorm"), hidden, Optional.empty()),
                layers, Optional.empty(), new EncoderPlan.Norm((float) config.number("layer_norm_eps", 1e-12), true),
                config.probability("hidden_dropout_prob", 0));
    }

    private static EncoderPlan.LayerPlan layer(String path, ModelConfig config, int hidden) {
        int heads = heads(config, "num_attention_heads", hidden);
        return new EncoderPlan.LayerPlan(path, new EncoderPlan.AttentionPlan(path + ".self_attn",
                List.of("q_proj", "k_proj", "v_proj"), path + ".self_attn.o_proj", heads, heads,
                hidden / heads, false, Optional.of(new EncoderPlan.Rotary(theta(config, 1000))), 0,
                Optional.of("Wqkv")),
                new EncoderPlan.FeedForwardPlan(List.of(path + ".mlp.gate_proj", path + ".mlp.up_proj"),
                        path + ".mlp.down_proj", config.positive("intermediate_size"),
                        activation(config, "hidden_act", "silu"), true, false),
                Optional.of(path + ".post_attention_layernorm"), path + ".post_mlp_layernorm", false);
    }

    private static ModelConfig named(ModelConfig config) {
        ObjectNode values = config.values().deepCopy();
        KEYS.forEach((key, older) -> {
            if (!values.has(key) && values.has(older)) {
                values.set(key, values.get(older));
            }
        });
        return new ModelConfig(config.file(), values);
    }

    @Override
    HeadPlan head(ModelConfig config, Task.Type task) {
        float dropout = config.probability("classifier_dropout", config.probability("hidden_dropout_prob", 0));
        return switch (task) {
            case SEQ_CLS -> new HeadPlan(HeadPlan.Rows.FIRST, List.of(new HeadPlan.Step("nomic_bert.pooler.dense",
                    true, Activation.TANH, Optional.empty(), false)), "classifier", dropout,
                    config.number("initializer_range", 0.02));
            case TOKEN_CLS -> plain(HeadPlan.Rows.ALL, "classifier", dropout, config);
            default -> throw config.unsupported("the task", task, "SEQ_CLS, TOKEN_CLS, FEATURE_EXTRACTION");
        };
    }
}
