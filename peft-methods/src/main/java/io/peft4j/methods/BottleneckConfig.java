package io.peft4j.methods;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.KeyFormat;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;

/**
 * Bottleneck adapters: behind a block of the decoder, before its result is added to the residual stream, a small
 * network is added with a bottleneck of B features, {@code y = h + f(h D^T + d) U^T + u}: {@code 2 H B + B + H}
 * parameters a block. Houlsby (<a href="https://arxiv.org/abs/1902.00751">1902.00751</a>) has one behind attention and
 * one behind the feed-forward network of each layer, Pfeiffer (<a
 * href="https://arxiv.org/abs/2005.00247">2005.00247</a>) the second alone.
 *
 * <p>Hugging Face PEFT has no such method. The file has its form, with tensors {@code adapter_down} and
 * {@code adapter_up}, and a {@code peft_type} that PEFT refuses by name.
 *
 * @param common what every configuration holds
 * @param style {@code adapter_style}: which blocks; default {@link Style#HOULSBY}
 * @param placement other blocks than the style's ({@code target_modules}, {@code exclude_modules},
 *     {@code layers_to_transform}, {@code layers_pattern}, {@code modules_to_save})
 * @param size {@code bottleneck_size}: B; default 64
 * @param activation {@code non_linearity}: f; default {@link Activation#RELU}
 */
@PeftType(value = "BOTTLENECK", name = "bottleneck",
        description = "residual bottleneck MLPs in series behind attention and feed-forward blocks",
        paper = "https://arxiv.org/abs/1902.00751")
record BottleneckConfig(CommonConfig common,
        @Key(value = "adapter_style", fallback = "\"houlsby\"") Style style, @Group Placement placement,
        @Key(value = "bottleneck_size", fallback = "64", option = "rank") int size,
        @Key(value = "non_linearity", fallback = "\"relu\"") Activation activation) implements PlacedConfig {
    /** Behind which blocks. */
    public enum Style {
        /** Attention and feed-forward network. */
        @KeyFormat.Named("\"houlsby\"")
        HOULSBY,
        /** The feed-forward network. */
        @KeyFormat.Named("\"pfeiffer\"")
        PFEIFFER
    }

    /** The function in the bottleneck. */
    public enum Activation {
        /** {@code max(x, 0)}. */
        @KeyFormat.Named("\"relu\"")
        RELU,
        /** {@code x / (1 + exp(-x))}. */
        @KeyFormat.Named("\"silu\"")
        SILU,
        /** The hyperbolic tangent. */
        @KeyFormat.Named("\"tanh\"")
        TANH
    }

    /**
     * Checks the size.
     *
     * @throws io.peft4j.core.error.ConfigurationException when it is below 1
     */
    public BottleneckConfig {
        Checks.rank("bottleneck_size", size);
    }

    /** A builder with the defaults. */
    public static BottleneckConfigBuilder builder() {
        return ConfigBuilder.of(BottleneckConfigBuilder.class, BottleneckConfig.class);
    }

    /** A builder with the values of this configuration. */
    public BottleneckConfigBuilder toBuilder() {
        return ConfigBuilder.from(BottleneckConfigBuilder.class, this);
    }
}
