package io.peft4j.lora;

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
 * MiSS (Matrix Shard Sharing, <a href="https://arxiv.org/abs/2409.15371">2409.15371</a>): one trained block D [r, out]
 * is shared by all pieces of r inputs: {@code y = x W^T + (sum over pieces p of dropout(x_p)) D}; the last piece is
 * filled up with zeros. {@code r * out} trainable parameters a layer; see {@link Initialization} for two other forms.
 *
 * <p>Made with {@link #builder()}; the names in {@code code} are the keys of {@code adapter_config.json}.
 *
 * @param common what every configuration holds
 * @param placement which layers are adapted, and what is trained as a whole beside them; default what the architecture
 *     has ({@code q_proj} and {@code v_proj} for Llama)
 * @param rank {@code r}: inputs of a piece, at most those of the smallest target; default 64
 * @param dropout {@code miss_dropout}: probability that an element of x is dropped in training; default 0
 * @param miniRank {@code mini_r}: outputs of the block of {@link Initialization#MINI}; they must divide out; default 1
 * @param initialization {@code init_weights}: which form, and how the block begins; default {@link Initialization#ZERO}
 */
@PeftType(value = "MISS", name = "miss",
        description = "one block for each target, shared by all shards of its input",
        paper = "https://arxiv.org/abs/2409.15371", autoRateFactor = 0.5)
public record MissConfig(CommonConfig common, @Group(biasWord = "MiSS_only") Placement placement,
        @Key(value = "r", fallback = "64") int rank, @Key("miss_dropout") double dropout,
        @Key(value = "mini_r", fallback = "1") int miniRank,
        @Key(value = "init_weights", fallback = "true") Initialization initialization) implements PlacedConfig {
    /** Which form, and how the block begins. */
    public enum Initialization {
        /** A block [r, out] of zeros: the model begins as the base. The default. */
        @KeyFormat.Named("true")
        ZERO,
        /** A block [r, out], uniform: the model begins away from the base. For tests. */
        @KeyFormat.Named("false")
        RANDOM,
        /** A block [r, mini_r] of zeros that is repeated over the outputs. */
        @KeyFormat.Named("\"mini\"")
        MINI,
        /**
         * Blocks M [out / r, r, r] of zeros: {@code W + W_ij M_i + M_i} for each r x r piece ij of W. r must divide in
         * and out. A step costs r times what a step of the others costs.
         */
        @KeyFormat.Named("\"bat\"")
        BAT
    }

    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public MissConfig {
        Checks.rank("the rank (r)", rank);
        Checks.atLeast(1, "mini_r", miniRank);
        Checks.probability("miss_dropout", dropout);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static MissConfigBuilder builder() {
        return ConfigBuilder.of(MissConfigBuilder.class, MissConfig.class);
    }

    /** A builder with the values of this configuration. */
    public MissConfigBuilder toBuilder() {
        return ConfigBuilder.from(MissConfigBuilder.class, this);
    }
}
