package io.peft4j.methods;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;
import java.util.Map;

/**
 * FourierFT (<a href="https://arxiv.org/abs/2405.03003">2405.03003</a>): a weight [out, in] is changed by the inverse
 * Fourier transform of n trained coefficients at frequencies that a seed chooses: n parameters a layer.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param frequencies {@code n_frequency}: n; default 1000
 * @param scaling {@code scaling}: factor on the change; default 150
 * @param seed {@code random_loc_seed}: chooses the frequencies, the same in Hugging Face PEFT; default 777
 * @param frequencyPattern {@code n_frequency_pattern}: other numbers, by expressions for the end of a path from the
 *     beginning of one of its parts, the first that matches, or else by a whole path ({@link
 *     io.peft4j.core.peft.method.PathPatterns#belowAnother}); default none
 * @param initWeights {@code init_weights}: whether coefficients begin at 0, so that the model begins as the base;
 *     otherwise normal with standard deviation 1; default false
 * @param fanInFanOut {@code fan_in_fan_out}: whether weights are stored [in, out]; has no effect here
 */
@PeftType(value = "FOURIERFT", name = "fourierft",
        description = "sparse spectral coefficients of each target's update (inverse Fourier transform)",
        paper = "https://arxiv.org/abs/2405.03003", autoRateFactor = 20)
public record FourierFtConfig(CommonConfig common, @Group(biasWord = "fourier_only") Placement placement,
        @Key(value = "n_frequency", fallback = "1000") int frequencies,
        @Key(value = "scaling", fallback = "150") double scaling,
        @Key(value = "random_loc_seed", fallback = "777") int seed,
        @Key("n_frequency_pattern") Map<String, Integer> frequencyPattern, @Key("init_weights") boolean initWeights,
        @Key("fan_in_fan_out") boolean fanInFanOut) implements PlacedConfig {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public FourierFtConfig {
        frequencyPattern = Checks.positive("n_frequency_pattern", frequencyPattern);
        Checks.atLeast(1, "n_frequency", frequencies);
        Checks.finite("scaling", scaling);
        Checks.atLeast(0, "random_loc_seed", seed);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static FourierFtConfigBuilder builder() {
        return ConfigBuilder.of(FourierFtConfigBuilder.class, FourierFtConfig.class);
    }

    /** A builder with the values of this configuration. */
    public FourierFtConfigBuilder toBuilder() {
        return ConfigBuilder.from(FourierFtConfigBuilder.class, this);
    }
}
