package io.peft4j.models.encoder;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.Task;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * ModernBERT (<a href="https://arxiv.org/abs/2412.13663">2412.13663</a>): norms before the parts, rotary positions,
 * layers with local attention between those with global attention, a gated feed-forward network, and few biases.
 */
public final class ModernBertFamily extends EncoderFamily {
    private static final String ARCHITECTURE = "modern-bert";
    private static final String PERIOD = "global_attn_every_n_layers";
    private static final String GGUF_PERIOD = ARCHITECTURE + ".attention.sliding_window_pattern";
    private static final String GGUF_LOCAL_BASE = ARCHITECTURE + ".rope.freq_base_swa";
    private static final String GGUF_ACTIVATION = ARCHITECTURE + ".hidden_activation";
    private static final String LOCAL_BASE = "local_rope_theta";
    /** llama.cpp's files; the first of each so many layers has global attention. */
    private static final GgufForm GGUF = named(GgufForm.of(ARCHITECTURE).withoutKey("feed_forward_length")
            .key("attention.layer_norm_epsilon", "norm_eps", GgufKey.Kind.NUMBER, "1e-5")
            .key("attention.sliding_window", "local_attention", GgufKey.Kind.COUNT, "128")
            .rotary("global_rope_theta", 160_000).fixed("hidden_activation", "gelu").fixed("norm_bias", false)
            .fixed("attention_bias", false).fixed("mlp_bias", false), "")
            .reading((file, config) -> config.put(PERIOD, file.metadata().integer(GGUF_PERIOD, 3))
                    .put(LOCAL_BASE, file.metadata().floating(GGUF_LOCAL_BASE, 10_000))
                    .put("hidden_activation", file.metadata().string(GGUF_ACTIVATION, "gelu")))
            .reading(LayaGguf::read).writing(ModernBertFamily::requirePeriod).completed(LayaGguf::complete)
            .adding((writer, config) -> writer.bool(ARCHITECTURE + ".attention.causal", false)
                    .string(GGUF_ACTIVATION, "gelu")
                    .uint32(GGUF_PERIOD, period(config)).float32(GGUF_LOCAL_BASE, (float) theta(config, true)))
            .adding(LayaGguf::write);

    /** The family. */
    public ModernBertFamily() {
        super("modernbert");
    }

    @Override
    public List<String> layerNames() {
        return List.of("tok_embeddings", "Wqkv", "Wo", "Wi", "dense", "classifier");
    }

    /** Hugging Face PEFT has no default for the family; this is the layer of queries, keys and values. */
    @Override
    public List<String> defaultTargetModules() {
        return List.of("Wqkv");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(GGUF);
    }

    /** The names of the tensors, which a head puts something before. */
    static GgufForm named(GgufForm form, String prefix) {
        return form.blocks(prefix + "layers").whole(prefix + "embeddings.tok_embeddings", "token_embd")
                .whole(prefix + "embeddings.norm", "token_embd_norm").whole(prefix + "final_norm", "output_norm")
                .tensor("attn_norm", "attn_norm").tensor("attn.Wqkv", "attn_qkv").tensor("attn.Wo", "attn_output")
                .tensor("mlp_norm", "ffn_norm").tensor("mlp.Wi", "ffn_up").tensor("mlp.Wo", "ffn_down");
    }

    private static int period(ModelConfig config) {
        return config.optionalPositive(PERIOD).orElse(3);
    }

    private static void requirePeriod(ModelConfig config) {
        for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
            if (isLocal(config, i) != (i % period(config) != 0)) {
                throw new ConfigurationException("in llama.cpp the first of each " + period(config)
                        + " layers of a model has global attention and the others local, and layer " + i + " differs");
            }
        }
    }

    @Override
    String prefix() {
        return "model.";
    }

    @Override
    EncoderPlan plan(ModelConfig config) {
        int hidden = config.positive("hidden_size");
        int vocabulary = config.positive("vocab_size");
        List<EncoderPlan.LayerPlan> layers = new ArrayList<>();
        for (int i = 0; i < config.positive("num_hidden_layers"); i++) {
            layers.add(layer(i, config, hidden));
        }
        for (String key : List.of("embedding_dropout", "attention_dropout", "mlp_dropout")) {
            if (config.probability(key, 0) != 0) {
                throw config.unsupported(key, config.number(key, 0), "0");
            }
        }
        return new EncoderPlan(new EncoderPlan.Sizes(vocabulary, hidden,
                config.optionalPositive("max_position_embeddings").orElse(8192),
                paddingId(config, 50283, vocabulary)),
                new EncoderPlan.Embeddings("embeddings.tok_embeddings",
                        Optional.empty(), Optional.empty(), Optional.of("embeddings.norm"), hidden, Optional.empty()),
                layers,
                Optional.of("final_norm"), new EncoderPlan.Norm((float) config.number("norm_eps", 1e-5),
                        config.flag("norm_bias", false)),
                0);
    }

    private static EncoderPlan.LayerPlan layer(int index, ModelConfig config, int hidden) {
        String path = "layers." + index;
        boolean local = isLocal(config, index);
        int heads = heads(config, "num_attention_heads", hidden);
        boolean bias = config.flag("attention_bias", false);
        return new EncoderPlan.LayerPlan(path, new EncoderPlan.AttentionPlan(path + ".attn", List.of("Wqkv"),
                path + ".attn.Wo", heads, hidden / heads, bias,
                Optional.of(new EncoderPlan.Rotary(theta(config, local))),
                local ? config.optionalPositive("local_attention").orElse(128) : 0),
                new EncoderPlan.FeedForwardPlan(path + ".mlp.Wi", path + ".mlp.Wo",
                        config.positive("intermediate_size"), activation(config, "hidden_activation"), true,
                        config.flag("mlp_bias", false)),
                index == 0 ? Optional.empty() : Optional.of(path + ".attn_norm"), path + ".mlp_norm", true);
    }

    /** {@code layer_types}, or in older files every how many layers attention is global. */
    private static boolean isLocal(ModelConfig config, int index) {
        JsonNode types = config.values().path("layer_types");
        if (!types.isArray()) {
            return index % period(config) != 0;
        }
        return switch (types.path(index).asText()) {
            case "sliding_attention" -> true;
            case "full_attention" -> false;
            default -> throw config.unsupported("layer_types", types.path(index),
                    "full_attention, sliding_attention");
        };
    }

    private static double theta(ModelConfig config, boolean local) {
        Optional<ModelConfig> rope = config.object("rope_parameters")
                .flatMap(all -> all.object(local ? "sliding_attention" : "full_attention"));
        if (config.object("rope_scaling").isPresent()) {
            throw config.unsupported("rope_scaling", "set", "none");
        }
        return theta(config, rope, config.number(local ? LOCAL_BASE : "global_rope_theta", local ? 10_000 : 160_000));
    }

    @Override
    HeadPlan head(ModelConfig config, Task.Type task) {
        String pooling = config.text("classifier_pooling").orElse("cls");
        if (!List.of("cls", "mean").contains(pooling)) {
            throw config.unsupported("classifier_pooling", pooling, "cls, mean");
        }
        HeadPlan.Rows rows = task != Task.Type.SEQ_CLS ? HeadPlan.Rows.ALL
                : pooling.equals("cls") ? HeadPlan.Rows.FIRST : HeadPlan.Rows.MEAN;
        return new HeadPlan(rows, List.of(new HeadPlan.Step("head.dense", config.flag("classifier_bias", false),
                activation(config, "classifier_activation"), Optional.of("head.norm"), false)), "classifier",
                config.probability("classifier_dropout", 0), 1 / Math.sqrt(config.positive("hidden_size")));
    }
}
