package io.peft4j.methods;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.PeftType;

/**
 * Cartridges (<a href="https://arxiv.org/abs/2506.06266">2506.06266</a>): trained keys and values before those of
 * every sequence, in each layer, as a table [tokens, layers * 2 * C], C = key/value heads x D, as in {@link
 * PrefixTuningConfig}, of which the first tokens stay as they begin, so that the model keeps what it attends to when
 * it attends to nothing. {@code tokens * layers * 2 * C} parameters, those of the first tokens included.
 *
 * @param common what every configuration holds
 * @param virtualTokens how many, and the model's sizes
 * @param frozenTokens {@code num_frozen_tokens}: how many of the first tokens are not trained; default 1
 */
@PeftType(value = "CARTRIDGE", name = "cartridge",
        description = "a KV-cache prefix in each layer, whose first positions are frozen",
        paper = "https://arxiv.org/abs/2506.06266", autoRateFactor = 10)
public record CartridgeConfig(CommonConfig common, @Group VirtualTokens virtualTokens,
        @Key(value = "num_frozen_tokens", fallback = "1") int frozenTokens)
        implements
            PeftConfig {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when there are more frozen tokens than tokens
     */
    public CartridgeConfig {
        Checks.require(frozenTokens >= 0 && frozenTokens <= virtualTokens.count(),
                "num_frozen_tokens is " + frozenTokens
                        + "; it must be from 0 to the number of virtual tokens, " + virtualTokens.count());
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static CartridgeConfigBuilder builder() {
        return ConfigBuilder.of(CartridgeConfigBuilder.class, CartridgeConfig.class);
    }

    /** A builder with the values of this configuration. */
    public CartridgeConfigBuilder toBuilder() {
        return ConfigBuilder.from(CartridgeConfigBuilder.class, this);
    }
}
