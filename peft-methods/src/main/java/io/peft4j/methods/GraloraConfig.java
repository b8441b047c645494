package io.peft4j.methods;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;

/**
 * GraLoRA (<a href="https://arxiv.org/abs/2505.20355">2505.20355</a>): a weight [out, in] is changed by a matrix of k
 * x k blocks of rank r / k each. Block column n computes {@code t_n = x_n A_n} [r], A [k, in / k, r]; the n-th k-th
 * part of each t goes to block row n: {@code y_j = s u_j B_j}, B [k, r, out / k], u_j the j-th parts of all t, {@code
 * s = alpha / (r + h)}. {@code r * (in + out)} parameters a layer, and {@code h * (in + out)} for a plain low-rank
 * change beside it.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param rank {@code r}: the rank; default 32
 * @param hybridRank {@code hybrid_r}: h: the rank of the plain change beside the blocks; default 0
 * @param alpha {@code alpha}: scales the change by alpha / (r + h); default 64
 * @param dropout {@code gralora_dropout}: probability that an element of x is dropped in training; default 0
 * @param blocks {@code gralora_k}: k: a divisor of r, in and out; default 2
 * @param fanInFanOut {@code fan_in_fan_out}: whether weights are stored [in, out]; a new adapter gets it
 *     automatically
 * @param initWeights {@code init_weights}: whether the model begins as the base; default true
 */
@PeftType(value = "GRALORA", name = "gralora", description = "low-rank updates of blocks of each partitioned weight",
        paper = "https://arxiv.org/abs/2505.20355", autoRateFactor = 1.5)
public record GraloraConfig(CommonConfig common,
        @Group(without = "exclude_modules", biasWord = "gralora_only") Placement placement,
        @Key(value = "r", fallback = "32") int rank,
        @Key("hybrid_r") int hybridRank,
        @Key(value = "alpha", fallback = "64", whole = true) double alpha,
        @Key("gralora_dropout") double dropout,
        @Key(value = "gralora_k", fallback = "2") int blocks,
        @Key("fan_in_fan_out") boolean fanInFanOut,
        @Key(value = "init_weights", fallback = "true") boolean initWeights)
        implements
            PlacedConfig {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range, or k does not divide the rank
     */
    public GraloraConfig {
        Checks.rank("the rank (r)", rank);
        Checks.atLeast(0, "hybrid_r", hybridRank);
        Checks.finite("alpha", alpha);
        Checks.probability("gralora_dropout", dropout);
        Checks.atLeast(1, "gralora_k", blocks);
        Checks.require(rank % blocks == 0, "gralora_k is " + blocks + ", which does not divide the rank (r) " + rank);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static GraloraConfigBuilder builder() {
        return ConfigBuilder.of(GraloraConfigBuilder.class, GraloraConfig.class);
    }

    /** A builder with the values of this configuration. */
    public GraloraConfigBuilder toBuilder() {
        return ConfigBuilder.from(GraloraConfigBuilder.class, this);
    }
}
