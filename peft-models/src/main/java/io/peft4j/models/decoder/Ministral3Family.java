package io.peft4j.models.decoder;

import io.peft4j.models.architecture.ModelConfig;
import java.util.Optional;

/** Ministral 3: Mistral with queries that grow with the position beyond the original length. */
public final class Ministral3Family extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public Ministral3Family() {
        super("ministral3");
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        AttentionPlan attention = LlamaFamily.attention(config, 1e6);
        ModelConfig rope = config.object("rope_parameters").orElse(config);
        double beta = rope.number("llama_4_scaling_beta", 0);
        Optional<AttentionPlan.QueryScale> scale = beta == 0 ? Optional.empty()
                : Optional.of(new AttentionPlan.QueryScale((float) beta,
                rope.positive("original_max_position_embeddings")));
        AttentionPlan scaled = attention.withPositions(
                new AttentionPlan.Positions(attention.positions().rotary(), scale));
        return new Windows(config.optionalPositive("sliding_window").orElse(0), layer -> true).on(LlamaFamily.plan(
                config, scaled, LlamaFamily.gated(config, "hidden_act", "silu")));
    }
}
