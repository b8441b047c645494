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
 * RoAd (<a href="https://arxiv.org/abs/2409.00119">2409.00119</a>): the output of a layer, its bias included, is
 * rotated and scaled in pairs of features: {@code y_j = a cos(t) z_j - a sin(t) z_k}, {@code y_k = a sin(t) z_j + a
 * cos(t) z_k}, {@code z = base(x)}. Feature j of the first half of a group is paired with feature {@code k = j + g /
 * 2}. {@code out}, {@code 2 out} or {@code 4 out} parameters a layer.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param variant {@code variant}: how many angles t and scales a a pair has; default {@link Variant#ROAD_1}
 * @param groupSize {@code group_size}: g: even, and a divisor of out; default 64
 * @param initWeights {@code init_weights}: whether angles begin at 0 and scales at 1, so that the model begins as
 *     the base; default true
 */
@PeftType(value = "ROAD", name = "road", description = "two-dimensional rotations and magnitudes of pairs of outputs",
        paper = "https://arxiv.org/abs/2409.00119", autoRateFactor = 10)
public record RoadConfig(CommonConfig common,
        @Group(without = {
            "exclude_modules", "layers_to_transform", "layers_pattern"}) Placement placement,
        @Key(value = "variant", fallback = "\"road_1\"") Variant variant,
        @Key(value = "group_size", fallback = "64") int groupSize,
        @Key(value = "init_weights", fallback = "true") boolean initWeights)
        implements
            PlacedConfig{
    /** Angles and scales of a pair. */
    public enum Variant {
        /** One angle and one scale: {@code out} parameters. */
        @KeyFormat.Named("\"road_1\"")
        ROAD_1,
        /** One angle and one scale for each of the two: {@code 2 out} parameters. */
        @KeyFormat.Named("\"road_2\"")
        ROAD_2,
        /** For each of the two one angle and scale for the cosine and others for the sine: {@code 4 out} parameters. */
        @KeyFormat.Named("\"road_4\"")
        ROAD_4
    }

    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when the group size is odd or below 2
     */
    public RoadConfig {
        Checks.require(groupSize >= 2 && groupSize % 2 == 0,
                "group_size is " + groupSize + "; it must be an even number of at least 2");
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static RoadConfigBuilder builder() {
        return ConfigBuilder.of(RoadConfigBuilder.class, RoadConfig.class);
    }

    /** A builder with the values of this configuration. */
    public RoadConfigBuilder toBuilder() {
        return ConfigBuilder.from(RoadConfigBuilder.class, this);
    }
}
