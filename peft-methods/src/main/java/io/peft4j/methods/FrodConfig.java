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

/**
 * FRoD (<a href="https://doi.org/10.1609/aaai.v40i31.39813">10.1609/aaai.v40i31.39813</a>): a weight [out, in] is
 * written as {@code U diag(l) V^T}, V [in, in] the same for the layers of one kind, and l [in] and sparse elements S
 * beside the diagonal are trained: {@code y = x (U (S + diag(l)) V^T)^T + b}. {@code in + in^2 * sparseRate}
 * parameters a layer.
 *
 * <p>V is in the file, U [out, in] comes from the weight and V: its columns have length 1. The model begins as the
 * base but for rounding.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param projectionSeed {@code projection_prng_key}: chooses the elements of S; default 0
 * @param saveProjection {@code save_projection}: whether V is stored with the adapter; default true, and false is
 *     refused: V depends on the signs of eigenvectors
 * @param dropout {@code frod_dropout}: probability that an element of x is dropped in training; default 0
 * @param fanInFanOut {@code fan_in_fan_out}: whether weights are stored [in, out]; a new adapter gets it
 *     automatically
 * @param initWeights {@code init_weights}: whether S begins at 0 and l as the base has it; default true
 * @param sparseRate {@code sparse_rate}: how many elements S has, as a part of in^2; default 0.01
 * @param regularization {@code regularization_alpha}: keeps the computation of V stable; default 0.001
 */
@PeftType(value = "FROD", name = "frod",
        description = "singular values of each target in a basis shared by layers, with sparse off-diagonal elements",
        paper = "https://doi.org/10.1609/aaai.v40i31.39813", autoRateFactor = 3)
@UnusedKey(value = "progressbar", fallback = "true")
@UnusedKey(value = "runtime_offload_base_weight", fallback = "false")
public record FrodConfig(CommonConfig common,
        @Group(without = "exclude_modules", biasWord = "frod_only") Placement placement,
        @Key("projection_prng_key") long projectionSeed,
        @Key(value = "save_projection", fallback = "true") boolean saveProjection,
        @Key("frod_dropout") double dropout,
        @Key("fan_in_fan_out") boolean fanInFanOut,
        @Key(value = "init_weights", fallback = "true") boolean initWeights,
        @Key(value = "sparse_rate", fallback = "0.01") double sparseRate,
        @Key(value = "regularization_alpha", fallback = "0.001") double regularization)
        implements
            PlacedConfig {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public FrodConfig {
        Checks.atLeast(0, "projection_prng_key", projectionSeed);
        Checks.require(saveProjection, "save_projection is off: the common matrix of FRoD depends on the signs of "
                + "eigenvectors, which differ between programs. Load the adapter in Hugging Face PEFT and save it with "
                + "save_projection on");
        Checks.probability("frod_dropout", dropout);
        Checks.require(sparseRate >= 0 && sparseRate <= 1, "sparse_rate is " + sparseRate + "; it must be from 0 to 1");
        Checks.finite("regularization_alpha", regularization);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static FrodConfigBuilder builder() {
        return ConfigBuilder.of(FrodConfigBuilder.class, FrodConfig.class);
    }

    /** A builder with the values of this configuration. */
    public FrodConfigBuilder toBuilder() {
        return ConfigBuilder.from(FrodConfigBuilder.class, this);
    }
}
