package io.peft4j.models.decoder;

import io.peft4j.core.model.Task;
import io.peft4j.models.architecture.ModelConfig;
import java.util.List;

/**
 * OpenAI's privacy filter, which marks names, addresses and other personal data: gpt-oss with a window on either side
 * of each token, rotated pairs of neighbours, and a head that judges tokens.
 */
public final class PrivacyFilterFamily extends DecoderFamily {
    /** For the {@link java.util.ServiceLoader}. */
    public PrivacyFilterFamily() {
        super("openai_privacy_filter");
    }

    @Override
    public List<String> layerNames() {
        return List.of("embed_tokens", "q_proj", "k_proj", "v_proj", "o_proj", "router", "gate_up_proj", "down_proj",
                "score");
    }

    @Override
    public Task.Type defaultTask() {
        return Task.Type.TOKEN_CLS;
    }

    @Override
    boolean seesAll(ModelConfig config) {
        return true;
    }

    @Override
    DecoderPlan plan(ModelConfig config) {
        boolean bias = config.flag("attention_bias", true);
        int around = config.optionalPositive("sliding_window").orElse(128);
        AttentionPlan attention = LlamaFamily.attention(config, GptOssFamily.THETA).withBiases(bias, bias).withSinks()
                .withPositions(AttentionPlan.Positions.rotary(RotaryEmbedding.of(config, GptOssFamily.THETA, 1,
                        LlamaFamily.headSize(config)).withNeighbours()))
                .withWindow(2 * around + 1);
        return LlamaFamily.plan(config, attention, GptOssFamily.experts(config,
                ExpertsPlan.Stored.COLUMNS_TOGETHER)).withNorm(NormPlan.rms(config.number("rms_norm_eps", 1e-5)));
    }
}
