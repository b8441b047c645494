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

/**
 * TinyLoRA (<a href="https://arxiv.org/abs/2602.04118">2602.04118</a>): a change of a weight within its r largest
 * singular directions: {@code y = base(x) + dropout(x) A^T R^T B^T}, {@code A = sqrt(S) V^T} [r, in] and {@code B = U
 * sqrt(S)} [out, r] of {@code W = U S V^T}, R [r, r] the sum of v_i P_i with a trained v [u] and random P [u, r, r].
 * Layers may share v: u parameters for each group of layers.
 *
 * <p>An embedding is changed likewise: {@code B[tokens] R A}, A [r, H], B [V, r].
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and embeddings and what is trained beside them; default as LoRA's
 * @param rank {@code r}: the rank; default 2
 * @param length {@code u}: u: the length of v; default 64
 * @param weightTying {@code weight_tying}: how many layers share a vector: 0 each has its own, 1 all share one;
 *     default 0
 * @param seed {@code projection_seed}: seed of the P of the first layer; each further one has the next; default
 *     42
 * @param saveProjection {@code save_projection}: whether P is in the file; otherwise it is drawn again;
 *     default true
 * @param initBound {@code init_v_bound}: bound of a uniform start of v; default 0.02
 * @param dropout {@code tinylora_dropout}: probability that an element of x is dropped in training; default 0
 * @param fanInFanOut {@code fan_in_fan_out}: whether weights are stored [in, out]; a new adapter gets it
 *     automatically
 * @param initialization {@code init_weights}: how v begins; default {@link Initialization#ZERO}
 */
@PeftType(value = "TINYLORA", name = "tinylora",
        description = "a vector for each group of targets, randomly projected onto its singular directions",
        paper = "https://arxiv.org/abs/2602.04118", autoRateFactor = 20)
public record TinyLoraConfig(CommonConfig common,
        @Group(without = "exclude_modules", biasWord = "tinylora_only") Placement placement,
        @Key(value = "r", fallback = "2") int rank,
        @Key(value = "u", fallback = "64") int length,
        @Key("weight_tying") double weightTying,
        @Key(value = "projection_seed", fallback = "42") long seed,
        @Key(value = "save_projection", fallback = "true") boolean saveProjection,
        @Key(value = "init_v_bound", fallback = "0.02") double initBound,
        @Key("tinylora_dropout") double dropout,
        @Key("fan_in_fan_out") boolean fanInFanOut,
        @Key(value = "init_weights", fallback = "true") Initialization initialization)
        implements
            PlacedConfig {
    /** How the vectors of a new adapter begin. */
    public enum Initialization {
        /** 0: as the base. */
        @KeyFormat.Named("true")
        ZERO,
        /** Uniform. */
        @KeyFormat.Named("\"uniform\"")
        UNIFORM,
        /** Uniform, too; in Hugging Face PEFT what memory holds. */
        @KeyFormat.Named("false")
        OTHER
    }

    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public TinyLoraConfig {
        Checks.rank("the rank (r)", rank);
        Checks.atLeast(1, "u", length);
        Checks.require(weightTying >= 0 && weightTying <= 1,
                "weight_tying is " + weightTying + "; it must be from 0 to 1");
        Checks.probability("tinylora_dropout", dropout);
        Checks.finite("init_v_bound", initBound);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static TinyLoraConfigBuilder builder() {
        return ConfigBuilder.of(TinyLoraConfigBuilder.class, TinyLoraConfig.class);
    }

    /** A builder with the values of this configuration. */
    public TinyLoraConfigBuilder toBuilder() {
        return ConfigBuilder.from(TinyLoraConfigBuilder.class, this);
    }
}
