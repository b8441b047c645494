package io.peft4j.methods;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.KeyFormat;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.PeftType;

/**
 * Prefix tuning (<a href="https://arxiv.org/abs/2101.00190">2101.00190</a>): in every layer trained keys and values
 * come before those of the sequence, as if {@code tokens} positions had been computed already. With C = key/value heads
 * x D they are a table [tokens, layers * 2 * C]. With a projection, the table is computed while it is trained, from a
 * smaller one [tokens, C] by {@code C -> E -> layers * 2 * C} with tanh between.
 *
 * <p>As in Hugging Face PEFT the adapter's file holds the large table alone. The projection is stored beside it for a
 * training that is resumed; where it is missing, the table is trained itself.
 *
 * @param common what every configuration holds
 * @param virtualTokens how many, and the model's sizes
 * @param hiddenSize {@code encoder_hidden_size}: E; 0, the default, is C
 * @param projection {@code prefix_projection}: whether there is a projection; default false
 * @param initialization {@code init_weights}: how keys and values begin; default {@link Initialization#NORMAL}
 */
@PeftType(value = "PREFIX_TUNING", name = "prefix-tuning",
        description = "key and value prefixes in each layer",
        paper = "https://arxiv.org/abs/2101.00190", autoRateFactor = 10)
public record PrefixTuningConfig(CommonConfig common, @Group VirtualTokens virtualTokens,
        @Key(value = "encoder_hidden_size", zeroIsNull = true) int hiddenSize,
        @Key("prefix_projection") boolean projection, @Key("init_weights") Initialization initialization)
        implements
            PeftConfig {
    /** How keys and values of a new adapter begin. */
    public enum Initialization {
        /** Normal with standard deviation 1. */
        @KeyFormat.Named("null")
        NORMAL,
        /** 0. */
        @KeyFormat.Named("\"zero\"")
        ZERO
    }

    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public PrefixTuningConfig {
        Checks.atLeast(0, "encoder_hidden_size", hiddenSize);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static PrefixTuningConfigBuilder builder() {
        return ConfigBuilder.of(PrefixTuningConfigBuilder.class, PrefixTuningConfig.class);
    }

    /** A builder with the values of this configuration. */
    public PrefixTuningConfigBuilder toBuilder() {
        return ConfigBuilder.from(PrefixTuningConfigBuilder.class, this);
    }
}
