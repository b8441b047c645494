package io.peft4j.methods;

import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;

/**
 * BEFT (<a href="https://arxiv.org/abs/2509.15974">2509.15974</a>): a trained bias is added to the output of a layer,
 * whether it has one or not: {@code y = base(x) + b}, b [1, out]. {@code out} parameters a layer.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default the value projections
 * @param initWeights {@code init_weights}: whether the model begins as the base; default true
 */
@PeftType(value = "BEFT", name = "beft", description = "an additive bias on the output of each target",
        paper = "https://arxiv.org/abs/2509.15974", autoRateFactor = 5)
public record BeftConfig(CommonConfig common,
        @Group(without = {
            "exclude_modules", "layers_to_transform", "layers_pattern"}) Placement placement,
        @Key(value = "init_weights", fallback = "true") boolean initWeights)
        implements
            PlacedConfig{
    /** A builder with Hugging Face PEFT's defaults. */
    public static BeftConfigBuilder builder() {
        return ConfigBuilder.of(BeftConfigBuilder.class, BeftConfig.class);
    }

    /** A builder with the values of this configuration. */
    public BeftConfigBuilder toBuilder() {
        return ConfigBuilder.from(BeftConfigBuilder.class, this);
    }
}
