package io.peft4j.methods;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.TargetModules;
import java.util.Optional;

/**
 * LLaMA-Adapter (<a href="https://arxiv.org/abs/2303.16199">2303.16199</a>): in the upper layers every query also looks
 * at L trained prompt vectors [L, H], by an attention of its own whose result is scaled by a trained gate that begins
 * at 0. A layer gets {@code L * H + 1} parameters.
 *
 * @param common what every configuration holds
 * @param attention {@code target_modules}: name of the attention layers; default {@code self_attn}
 * @param length {@code adapter_len}: L; default 10, where Hugging Face PEFT has none
 * @param layers {@code adapter_layers}: how many layers, counted from the top; 0, the default, is all
 */
@PeftType(value = "ADAPTION_PROMPT", name = "llama-adapter",
        description = "prompt vectors with zero-initialized gated attention in the upper layers",
        paper = "https://arxiv.org/abs/2303.16199", autoRateFactor = 10)
public record AdaptionPromptConfig(CommonConfig common, @Key("target_modules") Optional<String> attention,
        @Key(value = "adapter_len", fallback = "10") int length,
        @Key(value = "adapter_layers", zeroIsNull = true) int layers) implements PeftConfig {
    /** The name of attention layers where none is given. */
    public static final String ATTENTION = "self_attn";

    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public AdaptionPromptConfig {
        Checks.atLeast(1, "adapter_len", length);
        Checks.atLeast(0, "adapter_layers", layers);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static AdaptionPromptConfigBuilder builder() {
        return ConfigBuilder.of(AdaptionPromptConfigBuilder.class, AdaptionPromptConfig.class);
    }

    /** A builder with the values of this configuration. */
    public AdaptionPromptConfigBuilder toBuilder() {
        return ConfigBuilder.from(AdaptionPromptConfigBuilder.class, this);
    }

    @Override
    public TargetModules targetModules() {
        return TargetModules.of(attention.orElse(ATTENTION));
    }
}
