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
 * PSOFT (<a href="https://openreview.net/forum?id=FSHrinMArK">paper</a>): the r largest singular directions of a
 * weight {@code W ~ U S V^T} are rotated and scaled: {@code y = base(x) + (alpha / r) * (dropout(x) A^T) (M - I)^T
 * B^T}, A [r, in] and B [out, r] with {@code (alpha / r) B A = U S V^T}, not trained, {@code M = diag(b) R diag(a)}: b,
 * a [r], {@code R = (I + Q) (I - Q)^-1}, Q skew-symmetric
 * with {@code r * (r - 1) / 2} parameters. {@code r * (r + 3) / 2}
 * parameters a layer.
 *
 * <p>What M means depends on the signs of the singular vectors. Hugging Face PEFT decomposes the base again for each
 * adapter that it reads, and torch's signs differ between processors, devices and libraries; here A and B stand in the
 * file as {@code psoft_A} and {@code psoft_B}, and a file without them is refused.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param rank {@code r}: the rank; default 32
 * @param alpha {@code psoft_alpha}: a factor that cancels out; default 32
 * @param dropout {@code psoft_dropout}: probability that an element of x is dropped in training; default 0
 * @param fanInFanOut {@code fan_in_fan_out}: whether weights are stored [in, out]; a new adapter gets it
 *     automatically
 * @param split {@code ab_svd_init}: how S is split between A and B; default {@link Split#LEFT}
 * @param orthogonal {@code psoft_orth}: whether R is a rotation; otherwise it is any matrix [r, r]; default true
 * @param scalesOutput {@code psoft_mag_b}: whether b is trained, otherwise it is 1; default true
 * @param scalesInput {@code psoft_mag_a}: whether a is trained, otherwise it is 1; default true
 * @param cayleyNeumann {@code use_cayley_neumann}: whether R is a sum of powers of Q instead; default false
 * @param neumannTerms {@code num_cayley_neumann_terms}: terms of the sum; default 5
 * @param initWeights {@code init_weights}: whether the model begins as the base; default true
 */
@PeftType(value = "PSOFT", name = "psoft",
        description = "an orthogonal transform and magnitudes within the principal subspace",
        paper = "https://openreview.net/forum?id=FSHrinMArK", autoRateFactor = 3)
@UnusedKey(value = "psoft_svd", fallback = "\"full\"")
@UnusedKey(value = "psoft_svd_lowrank_niter", fallback = "10")
@UnusedKey(value = "random_seed", fallback = "0")
@UnusedKey(value = "cayley_neumann_eps", feature = "a bound of the norm of Q")
record PsoftConfig(CommonConfig common,
        @Group Placement placement,
        @Key(value = "r", fallback = "32") int rank,
        @Key(value = "psoft_alpha", fallback = "32", whole = true) double alpha,
        @Key("psoft_dropout") double dropout,
        @Key("fan_in_fan_out") boolean fanInFanOut,
        @Key(value = "ab_svd_init", fallback = "\"psoft_init\"") Split split,
        @Key(value = "psoft_orth", fallback = "true") boolean orthogonal,
        @Key(value = "psoft_mag_b", fallback = "true") boolean scalesOutput,
        @Key(value = "psoft_mag_a", fallback = "true") boolean scalesInput,
        @Key("use_cayley_neumann") boolean cayleyNeumann,
        @Key(value = "num_cayley_neumann_terms", fallback = "5") int neumannTerms,
        @Key(value = "init_weights", fallback = "true") boolean initWeights)
        implements
            PlacedConfig {
    /** Where the singular values are. */
    public enum Split {
        /** In B: the rows of A are orthogonal and of length 1. */
        @KeyFormat.Named("\"psoft_init\"")
        LEFT,
        /** Their square roots in both. */
        @KeyFormat.Named("\"pissa_init\"")
        BOTH
    }

    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public PsoftConfig {
        Checks.rank("the rank (r)", rank);
        Checks.require(Double.isFinite(alpha) && alpha > 0, "psoft_alpha is " + alpha + "; it must be positive");
        Checks.probability("psoft_dropout", dropout);
        Checks.atLeast(1, "num_cayley_neumann_terms", neumannTerms);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static PsoftConfigBuilder builder() {
        return ConfigBuilder.of(PsoftConfigBuilder.class, PsoftConfig.class);
    }

    /** A builder with the values of this configuration. */
    public PsoftConfigBuilder toBuilder() {
        return ConfigBuilder.from(PsoftConfigBuilder.class, this);
    }
}
