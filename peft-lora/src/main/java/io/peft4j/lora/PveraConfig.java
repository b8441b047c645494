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
 * PVeRA (<a href="https://arxiv.org/abs/2512.07703">2512.07703</a>): VeRA whose inner values are drawn in training
 * from a normal distribution: {@code y = base(x) + b * (z B^T)}, {@code z = m} outside of training, else {@code m + e
 * * exp(l / 2)} with e normal; m and l [r] are the halves of {@code d * (dropout(x) A^T)}. A [2 r, largest in] and B
 * [largest out, r] are random and the same for all layers, cut to the size of each; a layer trains d [2 r] and b
 * [out]: {@code 2 * r + out} parameters.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param rank {@code r}: the rank; default 256
 * @param projectionSeed {@code projection_prng_key}: seed of A and B; default 0
 * @param saveProjection {@code save_projection}: whether A and B are stored with the adapter; otherwise they are
 *     drawn again; default true
 * @param dropout {@code pvera_dropout}: probability that an element of x is dropped in training; default 0
 * @param dInitial {@code d_initial}: first value of d; default 0.1
 * @param initWeights {@code init_weights}: whether the model begins as the base, with b = 0; otherwise b = 1 and
 *     d is normal; default true
 */
@PeftType(value = "PVERA", name = "pvera",
        description = "VeRA's scaling vectors of frozen random matrices, sampled in training",
        paper = "https://arxiv.org/abs/2512.07703", autoRateFactor = 10)
@UnusedKey(value = "fan_in_fan_out", fallback = "false")
@UnusedKey(value = "sample_at_inference", fallback = "false", feature = "random numbers outside of training")
@UnusedKey(value = "generator_seed")
public record PveraConfig(CommonConfig common,
        @Group(without = "exclude_modules", biasWord = "pvera_only") Placement placement,
        @Key(value = "r", fallback = "256") int rank,
        @Key("projection_prng_key") long projectionSeed,
        @Key(value = "save_projection", fallback = "true") boolean saveProjection,
        @Key("pvera_dropout") double dropout,
        @Key(value = "d_initial", fallback = "0.1") double dInitial,
        @Key(value = "init_weights", fallback = "true") boolean initWeights)
        implements
            PlacedConfig {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public PveraConfig {
        Checks.rank("the rank (r)", rank);
        Checks.atLeast(0, "projection_prng_key", projectionSeed);
        Checks.probability("pvera_dropout", dropout);
        Checks.finite("d_initial", dInitial);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static PveraConfigBuilder builder() {
        return ConfigBuilder.of(PveraConfigBuilder.class, PveraConfig.class);
    }

    /** A builder with the values of this configuration. */
    public PveraConfigBuilder toBuilder() {
        return ConfigBuilder.from(PveraConfigBuilder.class, this);
    }
}
