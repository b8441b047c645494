package io.peft4j.methods;

import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;

/**
 * Full fine-tuning: all weights of the model are trained, or those of chosen layers. Each trained layer is a copy in
 * f32 that begins with the base's values, so the base stays as it is; an output layer that is the input embedding stays
 * one with it, where all is trained.
 *
 * <p>Hugging Face PEFT has no such method. The folder that is saved has an adapter's form, with the checkpoint's
 * tensors behind {@code base_model.model.}, and a {@code peft_type} that PEFT refuses by name. Merged into the model it
 * is an ordinary checkpoint.
 *
 * @param common what every configuration holds
 * @param placement the trained layers ({@code target_modules}, {@code exclude_modules}); default all
 */
@PeftType(value = "FULL", name = "full", description = "all weights, or those of chosen layers",
        paper = "https://arxiv.org/abs/1801.06146", autoRateFactor = 0.1)
public record FullConfig(CommonConfig common,
        @Group(without = {
            "layers_to_transform", "layers_pattern", "modules_to_save"}) Placement placement)
        implements
            PlacedConfig{
    /** A builder with all weights. */
    public static FullConfigBuilder builder() {
        return ConfigBuilder.of(FullConfigBuilder.class, FullConfig.class);
    }

    /** A builder with the values of this configuration. */
    public FullConfigBuilder toBuilder() {
        return ConfigBuilder.from(FullConfigBuilder.class, this);
    }
}
