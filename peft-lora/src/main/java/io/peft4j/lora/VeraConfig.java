package io.peft4j.lora;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;
import io.peft4j.core.peft.config.UnusedKey;

/**
 * VeRA (<a href="https://arxiv.org/abs/2310.11454">2310.11454</a>): one pair of frozen random matrices A [r, largest
 * in] and B [largest out, r] for all layers, cut to the size of each; a layer trains two vectors d [r] and b [out]:
 * {@code y = x W^T + b * ((d * (dropout(x) A^T)) B^T)}. {@code r + out} trainable parameters a layer.
 *
 * <p>Made with {@link #builder()}; the names in {@code code} are the keys of {@code adapter_config.json}.
 *
 * @param common what every configuration holds
 * @param placement which layers are adapted, and what is trained as a whole beside them; default what the architecture
 *     has ({@code q_proj} and {@code v_proj} for Llama)
 * @param rank {@code r}: the rank; default 256
 * @param dropout {@code vera_dropout}: probability that an element of x is dropped in training; default 0
 * @param dInitial {@code d_initial}: first value of d; default 0.1
 * @param initWeights {@code init_weights}: whether the model begins as the base, with b = 0; otherwise b = 1 and d is
 *     normal; default true
 * @param saveProjection {@code save_projection}: whether the random matrices are stored with the adapter; default
 *     true, and false is refused: no other library draws the same numbers from a seed as PyTorch does
 * @param projectionSeed {@code projection_prng_key}: seed of the random matrices in Hugging Face PEFT; kept, the
 *     matrices are read from the file; default 0
 */
@PeftType(value = "VERA", name = "vera",
        description = "scaling vectors of frozen random low-rank matrices shared by all targets",
        paper = "https://arxiv.org/abs/2310.11454", autoRateFactor = 10)
@UnusedKey(value = "fan_in_fan_out", fallback = "false")
public record VeraConfig(CommonConfig common,
        @Group(without = "exclude_modules", biasWord = "vera_only") Placement placement,
        @Key(value = "r", fallback = "256") int rank, @Key("vera_dropout") double dropout,
        @Key(value = "d_initial", fallback = "0.1") double dInitial,
        @Key(value = "init_weights", fallback = "true") boolean initWeights,
        @Key(value = "save_projection", fallback = "true") boolean saveProjection,
        @Key("projection_prng_key") long projectionSeed) implements PlacedConfig {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public VeraConfig {
        Checks.rank("the rank (r)", rank);
        Checks.probability("vera_dropout", dropout);
        Checks.finite("d_initial", dInitial);
        Checks.atLeast(0, "projection_prng_key", projectionSeed);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static VeraConfigBuilder builder() {
        return ConfigBuilder.of(VeraConfigBuilder.class, VeraConfig.class);
    }

    /** A builder with the values of this configuration. */
    public VeraConfigBuilder toBuilder() {
        return ConfigBuilder.from(VeraConfigBuilder.class, this);
    }
}
