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
 * DEFT (<a href="https://arxiv.org/abs/2509.22793">2509.22793</a>): a part of a weight's output is taken away and
 * another one put in its place: {@code W' = W - Q S^T W + s Q R}, R [r, in]. Q and S [out, r] come from a trained P
 * [out, r]: {@code Q = P}, {@code S = max(P, 0)}, or both the orthogonal factor of P. {@code r * (in + out)}
 * parameters a layer.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param rank {@code r}: the rank, at most out; default 8
 * @param decomposition {@code decomposition_method}: how Q and S come from P; default {@link Decomposition#RELU}
 * @param initScale {@code init_scale}: factor on the random start of R, where it has one; default 1
 * @param alpha {@code alpha}: s is alpha / r; default 0: s is 1
 * @param removalOnly {@code para}: whether there is no R: only a part is taken away; then the model does not
 *     begin as the base; default false
 * @param fanInFanOut {@code fan_in_fan_out}: whether weights are stored [in, out]; a new adapter gets it
 *     automatically
 * @param dropout {@code deft_dropout}: probability that an element of x is dropped in training before R; default
 *     0
 * @param initWeights {@code init_weights}: whether R begins as {@code S^T W / s}, so that the model begins as the
 *     base; default true
 */
@PeftType(value = "DEFT", name = "deft",
        description = "a projection that removes a subspace of the output, and a low-rank update in its place",
        paper = "https://arxiv.org/abs/2509.22793", autoRateFactor = 2)
public record DeftConfig(CommonConfig common,
        @Group(biasWord = "deft_only") Placement placement,
        @Key(value = "r", fallback = "8") int rank,
        @Key(value = "decomposition_method", fallback = "\"relu\"") Decomposition decomposition,
        @Key(value = "init_scale", fallback = "1.0") double initScale,
        @Key(value = "alpha", whole = true, zeroIsNull = true) double alpha,
        @Key("para") boolean removalOnly,
        @Key("fan_in_fan_out") boolean fanInFanOut,
        @Key("deft_dropout") double dropout,
        @Key(value = "init_weights", fallback = "true") boolean initWeights)
        implements
            PlacedConfig {
    /** How Q and S come from P. */
    public enum Decomposition {
        /** {@code Q = P}, {@code S = max(P, 0)}. */
        @KeyFormat.Named("\"relu\"")
        RELU,
        /** Both the orthogonal factor of P, with the signs of LAPACK. */
        @KeyFormat.Named("\"qr\"")
        QR
    }

    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public DeftConfig {
        Checks.rank("the rank (r)", rank);
        Checks.finite("init_scale", initScale);
        Checks.finite("alpha", alpha);
        Checks.probability("deft_dropout", dropout);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static DeftConfigBuilder builder() {
        return ConfigBuilder.of(DeftConfigBuilder.class, DeftConfig.class);
    }

    /** A builder with the values of this configuration. */
    public DeftConfigBuilder toBuilder() {
        return ConfigBuilder.from(DeftConfigBuilder.class, this);
    }
}
