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
import java.util.Map;

/**
 * C3A (<a href="https://arxiv.org/abs/2407.19342">2407.19342</a>): a weight [out, in] is changed by a matrix of
 * circulant blocks of size B, each given by one trained row: {@code out * in / B} parameters a layer.
 *
 * <p>Values are Hugging Face PEFT's. A training is not: PEFT 0.21 computes a wrong gradient for the input of a layer.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param blockSize {@code block_size}: B, a divisor of both sides of each weight; default 256
 * @param blockSizePattern {@code block_size_pattern}: other sizes, by expressions for the end of a path from the
 *     beginning of one of its parts, the first that matches, or else by a whole path ({@link
 *     io.peft4j.core.peft.method.PathPatterns#belowAnother}); default none
 * @param initialization {@code init_weights}: how the rows begin; default {@link Initialization#XAVIER_UNIFORM}
 */
@PeftType(value = "C3A", name = "c3a", description = "a block-circulant additive update of each target",
        paper = "https://arxiv.org/abs/2407.19342", autoRateFactor = 10)
public record C3aConfig(CommonConfig common,
        @Group(without = "exclude_modules", biasWord = "c3a_only") Placement placement,
        @Key(value = "block_size", fallback = "256") int blockSize,
        @Key("block_size_pattern") Map<String, Integer> blockSizePattern,
        @Key(value = "init_weights", fallback = "\"xavier_uniform\"") Initialization initialization)
        implements
            PlacedConfig {
    /** How the rows of a new adapter begin. */
    public enum Initialization {
        /** Uniform in {@code sqrt(6 / (in + out))}. */
        @KeyFormat.Named("\"xavier_uniform\"")
        XAVIER_UNIFORM,
        /** Uniform in {@code sqrt(1 / in)}. */
        @KeyFormat.Named("\"kaiming_uniform\"")
        KAIMING_UNIFORM,
        /** Normal with standard deviation 1. */
        @KeyFormat.Named("\"gaussian\"")
        GAUSSIAN,
        /** 0, so that the model begins as the base. */
        @KeyFormat.Named("true")
        ZERO,
        /** What {@link #XAVIER_UNIFORM} is, too, in Hugging Face PEFT. */
        @KeyFormat.Named("false")
        DEFAULT
    }

    /**
     * Checks the block size.
     *
     * @throws io.peft4j.core.error.ConfigurationException when it is below 1
     */
    public C3aConfig {
        blockSizePattern = Checks.positive("block_size_pattern", blockSizePattern);
        initialization = initialization == Initialization.DEFAULT ? Initialization.XAVIER_UNIFORM : initialization;
        Checks.atLeast(1, "block_size", blockSize);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static C3aConfigBuilder builder() {
        return ConfigBuilder.of(C3aConfigBuilder.class, C3aConfig.class);
    }

    /** A builder with the values of this configuration. */
    public C3aConfigBuilder toBuilder() {
        return ConfigBuilder.from(C3aConfigBuilder.class, this);
    }
}
