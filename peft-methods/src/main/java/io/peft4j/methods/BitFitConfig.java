package io.peft4j.methods;

import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;

/**
 * BitFit (<a href="https://arxiv.org/abs/2106.10199">2106.10199</a>): the biases of linear layers are trained and
 * nothing else, {@code out} parameters a layer. Many models have no biases; where {@link #addBiases} is on, such a
 * layer gets one that begins at 0.
 *
 * <p>Hugging Face PEFT has no such method. The file has its form, with tensors {@code bias}, and a {@code peft_type}
 * that PEFT refuses by name.
 *
 * @param common what every configuration holds
 * @param placement the linear layers ({@code target_modules}, {@code exclude_modules}, {@code layers_to_transform},
 *     {@code layers_pattern}, {@code modules_to_save}); default all but the output layer
 * @param addBiases {@code add_biases}: whether layers without a bias get one; default true
 */
@PeftType(value = "BITFIT", name = "bitfit", description = "bias terms of linear layers, added where they have none",
        paper = "https://arxiv.org/abs/2106.10199", autoRateFactor = 5)
public record BitFitConfig(CommonConfig common, @Group Placement placement,
        @Key(value = "add_biases", fallback = "true") boolean addBiases) implements PlacedConfig {
    /** A builder with the defaults. */
    public static BitFitConfigBuilder builder() {
        return ConfigBuilder.of(BitFitConfigBuilder.class, BitFitConfig.class);
    }

    /** A builder with the values of this configuration. */
    public BitFitConfigBuilder toBuilder() {
        return ConfigBuilder.from(BitFitConfigBuilder.class, this);
    }
}
