package io.peft4j.methods;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;
import io.peft4j.core.peft.config.UnusedKey;
import java.util.OptionalInt;

/**
 * SHiRA (<a href="https://arxiv.org/abs/2406.13175">2406.13175</a>): a weight [out, in] is changed at
 * {@code r (out + in)} places, which are drawn at random and stored: as many parameters as LoRA has, of high rank.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers ({@code target_modules}, {@code modules_to_save}); default as LoRA's
 * @param rank {@code r}; default 32
 * @param seed {@code random_seed}: chooses the places, the same in Hugging Face PEFT; default none, which draws them
 *     from the adapter's seed
 * @param initWeights {@code init_weights}: whether changes begin at 0; otherwise normal, for tests; default true
 * @param fanInFanOut {@code fan_in_fan_out}: whether weights are stored [in, out]; has no effect here
 */
@PeftType(value = "SHIRA", name = "shira", description = "a sparse update: chosen elements of the weight",
        paper = "https://arxiv.org/abs/2406.13175")
@UnusedKey(value = "mask_type", fallback = "\"random\"", feature = "a mask that is not random")
public record ShiraConfig(CommonConfig common,
        @Group(without = {
            "exclude_modules", "layers_to_transform", "layers_pattern"}) Placement placement,
        @Key(value = "r", fallback = "32") int rank, @Key("random_seed") OptionalInt seed,
        @Key(value = "init_weights", fallback = "true") boolean initWeights,
        @Key("fan_in_fan_out") boolean fanInFanOut) implements PlacedConfig{
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when the rank is below 1, or the seed below 0
     */
    public ShiraConfig {
        Checks.rank("the rank (r)", rank);
        Checks.atLeast(0, "random_seed", seed.orElse(0));
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static ShiraConfigBuilder builder() {
        return ConfigBuilder.of(ShiraConfigBuilder.class, ShiraConfig.class);
    }

    /** A builder with the values of this configuration. */
    public ShiraConfigBuilder toBuilder() {
        return ConfigBuilder.from(ShiraConfigBuilder.class, this);
    }
}
