package io.peft4j.methods;

import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;

/**
 * LN tuning (<a href="https://arxiv.org/abs/2312.11420">2312.11420</a>): the norms of the model are trained and nothing
 * else, {@code H} parameters a norm. Other layers can be named as well and are trained as a whole then.
 *
 * @param common what every configuration holds
 * @param placement the trained layers ({@code target_modules}, {@code exclude_modules}, {@code modules_to_save});
 *     default all norms for Llama
 */
@PeftType(value = "LN_TUNING", name = "ln-tuning", description = "the normalization layers",
        paper = "https://arxiv.org/abs/2312.11420", autoRateFactor = 10)
public record LnTuningConfig(CommonConfig common,
        @Group(without = {
            "layers_to_transform", "layers_pattern"}) Placement placement)
        implements
            PlacedConfig{
    /** A builder with Hugging Face PEFT's defaults. */
    public static LnTuningConfigBuilder builder() {
        return ConfigBuilder.of(LnTuningConfigBuilder.class, LnTuningConfig.class);
    }

    /** A builder with the values of this configuration. */
    public LnTuningConfigBuilder toBuilder() {
        return ConfigBuilder.from(LnTuningConfigBuilder.class, this);
    }
}
