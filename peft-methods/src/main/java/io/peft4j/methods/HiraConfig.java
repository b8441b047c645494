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
import io.peft4j.core.peft.config.UnusedKey;

/**
 * HiRA (<a href="https://openreview.net/pdf?id=TwJrTz9cRS">TwJrTz9cRS</a>): a weight is multiplied, element by
 * element, by a matrix of rank r: {@code y = base(x) + dropout(x) (W * (B A))^T}, A [r, in], B [out, r]. The change
 * has a rank up to that of W times r with {@code r * (in + out)} parameters a layer.
 *
 * <p>An embedding is changed likewise, {@code table * (B A)^T} with A [r, V], B [H, r], without dropout.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and embeddings and what is trained beside them; default as LoRA's
 * @param rank {@code r}: the rank; default 32
 * @param dropout {@code hira_dropout}: probability that an element of x is dropped in training; default 0
 * @param initialization {@code init_weights}: how A and B begin; default {@link Initialization#KAIMING}
 */
@PeftType(value = "HIRA", name = "hira", description = "a Hadamard product of the weight with a low-rank matrix",
        paper = "https://openreview.net/pdf?id=TwJrTz9cRS", autoRateFactor = 2)
@UnusedKey(value = "rank_pattern", fallback = "{}", because = "all layers get the rank r, as in Hugging Face PEFT")
@UnusedKey(value = "fan_in_fan_out", fallback = "false")
public record HiraConfig(CommonConfig common,
        @Group Placement placement,
        @Key(value = "r", fallback = "32") int rank,
        @Key("hira_dropout") double dropout,
        @Key(value = "init_weights", fallback = "true") Initialization initialization)
        implements
            PlacedConfig {
    /** How the matrices of a new adapter begin. */
    public enum Initialization {
        /** A uniform in {@code 1 / sqrt(in)}, B 0: as the base. */
        @KeyFormat.Named("true")
        KAIMING,
        /** A normal with standard deviation {@code 1 / r}, B 0: as the base. */
        @KeyFormat.Named("\"gaussian\"")
        GAUSSIAN,
        /** Both normal; for tests. */
        @KeyFormat.Named("false")
        RANDOM
    }

    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public HiraConfig {
        Checks.rank("the rank (r)", rank);
        Checks.probability("hira_dropout", dropout);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static HiraConfigBuilder builder() {
        return ConfigBuilder.of(HiraConfigBuilder.class, HiraConfig.class);
    }

    /** A builder with the values of this configuration. */
    public HiraConfigBuilder toBuilder() {
        return ConfigBuilder.from(HiraConfigBuilder.class, this);
    }
}
