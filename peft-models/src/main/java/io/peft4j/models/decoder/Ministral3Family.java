package io.peft4j.models.decoder;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufKey;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;
import java.util.Optional;

/** Ministral 3: Mistral with queries that grow with the position beyond the original length. */
public final class Ministral3Family extends DecoderFamily {
    private static final String ROPE = "rope_parameters";
    private static final String BETA = "llama_4_scaling_beta";
    private static final String MSCALE = "mscale";
    private static final String MSCALE_ALL = "mscale_all_dim";

    /** For the {@link java.util.ServiceLoader}. */
    public Ministral3Family() {
        super("ministral3");
    }

    @Override
    public Optional<GgufForm> gguf() {
        return Optional.of(LlamaFamily.ggufForm("mistral3").rotary("rope_theta", 1e6).contextUpTo("sliding_window")
                .key("attention.temperature_scale", BETA, GgufKey.Kind.OPTIONAL_NUMBER)
                .key("rope.scaling.yarn_log_multiplier", MSCALE_ALL, GgufKey.Kind.OPTIONAL_NUMBER)
                .filled(Ministral3Family::flatten).reading((file, config) -> unflatten(config)));
    }

    /** llama.cpp has no place for mscale: it takes that of all dimensions for it. */
    private static void flatten(ObjectNode config) {
        if (config.path(ROPE) instanceof ObjectNode rope) {
            config.set(BETA, rope.remove(BETA));
            config.set(MSCALE_ALL, rope.path(MSCALE_ALL));
            if (rope.path(MSCALE).equals(rope.path(MSCALE_ALL))) {
                rope.remove(List.of(MSCALE, MSCALE_ALL));
            }
        }
    }

    private static void unflatten(ObjectNode config) {
        if (config.remove("rope_scaling") instanceof ObjectNode rope) {
            rope.set("rope_theta", config.path("rope_theta"));
            JsonNode beta = config.remove(BETA);
            JsonNode all = config.remove(MSCALE_ALL);
            if (beta != null) {
                rope.set(BETA, beta);
            }
            if (all != null) {
                rope.set(MSCALE, all);
                rope.set(MSCALE_ALL, all);
            }
            config.set(ROPE, rope);
        }
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        AttentionPlan attention = LlamaFamily.attention(config, 1e6);
        ModelConfig rope = config.object(ROPE).orElse(config);
        double beta = rope.number(BETA, 0);
        Optional<AttentionPlan.QueryScale> scale = beta == 0 ? Optional.empty()
                : Optional.of(new AttentionPlan.QueryScale((float) beta,
                        rope.positive("original_max_position_embeddings")));
        AttentionPlan scaled = attention.withPositions(
                new AttentionPlan.Positions(attention.positions().rotary(), scale));
        return Windows.everywhere(config).on(LlamaFamily.plan(
                config, scaled, LlamaFamily.gated(config, "hidden_act", "silu")));
    }
}
