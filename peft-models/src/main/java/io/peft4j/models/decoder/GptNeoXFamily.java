package io.peft4j.models.decoder;

import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** GPT-NeoX and Pythia (<a href="https://arxiv.org/abs/2204.06745">2204.06745</a>): layer norms, fused projections, a part of each
 * head rotated, a plain feed-forward network, which usually runs in parallel with attention. */
public final class GptNeoXFamily extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public GptNeoXFamily() {
        super("gpt_neox");
    }

    @Override
    public List<String> layerNames() {
        return List.of("embed_in", "query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h", "lm_head");
    }

    @Override
    public List<String> defaultTargetModules() {
        return List.of("query_key_value");
    }

    @Override
    String checkpointName(String tensor) {
        return tensor.equals("lm_head.weight") ? "embed_out.weight" : tensor;
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(GgufForm.of("gptneox").blocks("gpt_neox.layers")
                .rotary("rotary_emb_base", 10000).rotaryShare("rotary_pct", 0.25)
                .key("attention.layer_norm_epsilon", "layer_norm_eps", GgufKey.Kind.NUMBER, "1e-5")
                .key("use_parallel_residual", "use_parallel_residual", GgufKey.Kind.FLAG, "true")
                .fixed("hidden_act", "gelu").separateOutput()
                .whole("gpt_neox.embed_in", "token_embd").whole("gpt_neox.final_layer_norm", "output_norm")
                .whole("embed_out", "output")
                .tensor("input_layernorm", "attn_norm").tensor("post_attention_layernorm", "ffn_norm")
                .tensor("attention.query_key_value", "attn_qkv").tensor("attention.dense", "attn_output")
                .tensor("mlp.dense_h_to_4h", "ffn_up").tensor("mlp.dense_4h_to_h", "ffn_down")
                .byHead("attention.query_key_value"));
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        boolean bias = config.flag("attention_bias", true);
        RotaryEmbedding rotary = RotaryEmbedding.of(config, config.number("rotary_emb_base", 10000),
                config.number("rotary_pct", 0.25), LlamaFamily.headSize(config));
        int heads = config.positive("num_attention_heads");
        int size = LlamaFamily.headSize(config);
        AttentionShape shape = new AttentionShape(heads, heads, size, (float) (1 / Math.sqrt(size)));
        AttentionPlan attention = AttentionPlan.of(shape, rotary).withBiases(bias, bias)
                .withNames("attention", new AttentionPlan.Fused("query_key_value", true), "dense");
        FeedForwardPlan feedForward = new FeedForwardPlan.Plain("dense_h_to_4h", "dense_4h_to_h",
                config.positive("intermediate_size"), LlamaFamily.activation(config, "hidden_act", "gelu"), true);
        boolean parallel = config.flag("use_parallel_residual", true);
        return LlamaFamily.plan(config, attention, feedForward)
                .withNorm(NormPlan.layer(config.number("layer_norm_eps", 1e-5)))
                .mapLayers((i, layer) -> layer.withParallel(parallel))
                .withNames(new DecoderPlan.Names("gpt_neox.embed_in", Optional.empty(), "gpt_neox.layers",
                        "gpt_neox.final_layer_norm", "lm_head", Map.of("gpt_neox.", "", "embed_out.", "lm_head.")));
    }
}
