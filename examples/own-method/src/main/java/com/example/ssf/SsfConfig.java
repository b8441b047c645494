package com.example.ssf;

import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedBuilder;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;

/** SSF: the outputs of layers are scaled and shifted. */
@PeftType(value = "SSF", name = "ssf", description = "scale and shift of each output",
        paper = "https://arxiv.org/abs/2210.08823")
public record SsfConfig(CommonConfig common, @Group(biasWord = "ssf_only") Placement placement,
        @Key(value = "shift", fallback = "true") boolean shift) implements PlacedConfig {

    /** A builder with the defaults. */
    public static Builder builder() {
        return ConfigBuilder.of(Builder.class, SsfConfig.class);
    }

    /** Builds a configuration. */
    public interface Builder extends PlacedBuilder<SsfConfig, Builder> {
        /** Whether outputs are shifted, too; default true. */
        Builder shift(boolean value);
    }
}
