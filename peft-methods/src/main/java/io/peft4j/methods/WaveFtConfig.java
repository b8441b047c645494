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
 * WaveFT (<a href="https://arxiv.org/abs/2505.12532">2505.12532</a>): a weight is changed by one level of an inverse
 * wavelet transform of a matrix with n trained coefficients at places that a seed chooses, the same for all layers of
 * a size: {@code y = base(x) + x D^T}. n parameters a layer.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param frequencies {@code n_frequency}: n; default 2592
 * @param scaling {@code scaling}: factor on D; default 25
 * @param wavelet {@code wavelet_family}: {@code db1} to {@code db10}, {@code sym2} to {@code sym10} or {@code coif1} to
 *     {@code coif3}; PEFT's {@code coif4} and {@code coif5} are no wavelets; default {@code db1}
 * @param transformed {@code use_idwt}: whether there is a transform; otherwise the coefficients are elements of
 *     D; default true
 * @param seed {@code random_loc_seed}: chooses the places; default 777
 * @param fanInFanOut {@code fan_in_fan_out}: whether weights are stored [in, out]; a new adapter gets it
 *     automatically
 * @param frequencyPattern {@code n_frequency_pattern}: other numbers by expressions for the end of a path;
 *     default none
 * @param proportional {@code proportional_parameters}: whether layers get numbers in proportion to their
 *     elements, n on average; default false
 * @param initWeights {@code init_weights}: whether coefficients begin at 0, so that the model begins as the base;
 *     default true
 */
@PeftType(value = "WAVEFT", name = "waveft",
        description = "sparse wavelet coefficients of each target's update",
        paper = "https://arxiv.org/abs/2505.12532", autoRateFactor = 20)
public record WaveFtConfig(CommonConfig common,
        @Group(biasWord = "waveft_only") Placement placement,
        @Key(value = "n_frequency", fallback = "2592") int frequencies,
        @Key(value = "scaling", fallback = "25.0") double scaling,
        @Key(value = "wavelet_family", fallback = "\"db1\"") String wavelet,
        @Key(value = "use_idwt", fallback = "true") boolean transformed,
        @Key(value = "random_loc_seed", fallback = "777") long seed,
        @Key("fan_in_fan_out") boolean fanInFanOut,
        @Key("n_frequency_pattern") Map<String, Integer> frequencyPattern,
        @Key("proportional_parameters") boolean proportional,
        @Key(value = "init_weights", fallback = "true") boolean initWeights)
        implements
            PlacedConfig {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range, or the wavelet is not known
     */
    public WaveFtConfig {
        frequencyPattern = Checks.positive("n_frequency_pattern", frequencyPattern);
        Checks.atLeast(1, "n_frequency", frequencies);
        Checks.finite("scaling", scaling);
        Checks.require(Wavelets.FILTERS.containsKey(wavelet), "wavelet_family is '" + wavelet + "'; use one of "
                + Wavelets.FILTERS.keySet());
        Checks.atLeast(0, "random_loc_seed", seed);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static WaveFtConfigBuilder builder() {
        return ConfigBuilder.of(WaveFtConfigBuilder.class, WaveFtConfig.class);
    }

    /** A builder with the values of this configuration. */
    public WaveFtConfigBuilder toBuilder() {
        return ConfigBuilder.from(WaveFtConfigBuilder.class, this);
    }
}
