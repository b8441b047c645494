package io.peft4j.models.decoder;

import io.peft4j.models.architecture.ModelConfig;
import java.util.ArrayList;
import java.util.List;

/** LFM3: LFM2 with norms around both parts, a gate of each head, and a window in some of the attention layers. */
public final class Lfm3Family extends DecoderFamily {
    private static final String SLIDING = "sliding_attention";

    /** For the {@link java.util.ServiceLoader}. */
    public Lfm3Family() {
        super("lfm3");
    }

    @Override
    public List<String> layerNames() {
        List<String> names = new ArrayList<>(List.of("g_proj", "o_proj"));
        names.addAll(new Lfm2Family().layerNames());
        return names;
    }

    @Override
    String checkpointName(String tensor) {
        return tensor.replace(".self_attn.g_proj.", ".self_attn.gate_proj.");
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        boolean bias = config.flag("attention_bias", false);
        AttentionPlan.Gate gate = config.flag("use_attention_gate", true) ? AttentionPlan.Gate.BY_HEAD
                : AttentionPlan.Gate.NONE;
        RotaryEmbedding[] rotary = Gemma3Family.rotary(config, 1e6, 10000);
        AttentionPlan full = AttentionPlan.of(LlamaFamily.shape(config), rotary[0])
                .withNames("self_attn", AttentionPlan.Separate.LLAMA.withGate(gate), "o_proj").withBiases(bias, bias)
                .withNorms(AttentionPlan.HeadNorms.ofHeads("q_norm", "k_norm"));
        AttentionPlan sliding = full.withPositions(AttentionPlan.Positions.rotary(rotary[1]))
                .withWindow(config.optionalPositive("sliding_window").orElse(0));
        LayerPlan.Norms norms = config.flag("use_sandwich_norm", true)
                ? LayerPlan.Norms.around("operator_norm", "post_operator_norm", "ffn_norm", "post_ffn_norm")
                : LayerPlan.Norms.before("operator_norm", "ffn_norm");
        FeedForwardPlan feedForward = Lfm2Family.gated(config.positive("intermediate_size"));
        return Lfm2Family.plan(config, 7, Lfm3Family::usual,
                type -> type.equals(SLIDING) ? sliding : full,
                mixer -> LayerPlan.of(mixer, feedForward).withNorms(norms));
    }

    private static String usual(int layer) {
        return layer % 4 == 2 ? "full_attention" : layer % 4 == 0 && layer > 0 ? SLIDING : "conv";
    }
}
