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
 * BOFT (<a href="https://arxiv.org/abs/2311.06243">2311.06243</a>): as OFT, with a product of block-diagonal rotations
 * between which the input's elements change their places as in a butterfly, and with a scale s [out] of the outputs:
 * {@code y = ((x R) W^T) * s + b}. A layer gets {@code m * in * B + out} trainable parameters, m factors with blocks of
 * size B.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param blockSize {@code boft_block_size}: B; default 4, 0 where the number of blocks is given
 * @param blocks {@code boft_block_num}: the number of blocks; 0, the default, where the block size is given
 * @param factors {@code boft_n_butterfly_factor}: m; default 1. Hugging Face PEFT computes more than one on GPUs only
 * @param dropout {@code boft_dropout}: share of a factor's blocks that do not rotate in a training pass; default 0
 * @param initWeights {@code init_weights}: whether the model begins as the base; otherwise at random, for tests;
 *     default true
 * @param fanInFanOut {@code fan_in_fan_out}: whether weights are stored [in, out]; has no effect here
 */
@PeftType(value = "BOFT", name = "boft",
        description = "an orthogonal transform of the input, a product of butterfly factors, and an output scale",
        paper = "https://arxiv.org/abs/2311.06243", autoRateFactor = 3)
public record BoftConfig(CommonConfig common, @Group(biasWord = "boft_only") Placement placement,
        @Key(value = "boft_block_size", fallback = "4") int blockSize, @Key("boft_block_num") int blocks,
        @Key(value = "boft_n_butterfly_factor", fallback = "1") int factors, @Key("boft_dropout") double dropout,
        @Key(value = "init_weights", fallback = "true") boolean initWeights,
        @Key("fan_in_fan_out") boolean fanInFanOut) implements PlacedConfig {
    /**
     * Checks ranges and the combination.
     *
     * @throws io.peft4j.core.error.ConfigurationException when not exactly one of number and size of blocks is given,
     *     or a value is out of range
     */
    public BoftConfig {
        Checks.require(blocks >= 0 && blockSize >= 0 && blocks == 0 != (blockSize == 0),
                "boft_block_size is " + blockSize + " and boft_block_num is " + blocks
                        + "; set one of them, and 0 for the other");
        Checks.require(factors > 0 && factors <= 30, "boft_n_butterfly_factor is " + factors
                + "; it must be from 1 to 30");
        Checks.probability("boft_dropout", dropout);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static BoftConfigBuilder builder() {
        return ConfigBuilder.of(BoftConfigBuilder.class, BoftConfig.class);
    }

    /** A builder with the values of this configuration. */
    public BoftConfigBuilder toBuilder() {
        return ConfigBuilder.from(BoftConfigBuilder.class, this);
    }
}
