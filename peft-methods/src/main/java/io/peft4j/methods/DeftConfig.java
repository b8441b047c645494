package io.peft4j.methods;

import io.peft4j.core.peft.config.Bias;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.KeyFormat;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedBuilder;
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
 * @param fanInFanOut {@code fan_in_fan_out}: whether weights are stored [in, out]; a new adapter gets it by
 *     itself
 * @param dropout {@code deft_dropout}: probability that an element of x is dropped in training before R; default
 *     0
 * @param initWeights {@code init_weights}: whether R begins as {@code S^T W / s}, so that the model begins as the
 *     base; default true
 */
@PeftType(value = "DEFT", autoRateFactor = 2)
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
    public static Builder builder() {
        return ConfigBuilder.of(Builder.class, DeftConfig.class);
    }

    /** A builder with the values of this configuration. */
    public Builder toBuilder() {
        return ConfigBuilder.from(Builder.class, this);
    }

    /** Builds a {@link DeftConfig}, which says what each value means. */
    public interface Builder extends PlacedBuilder<DeftConfig, Builder> {
        /** The rank, at most out; default 8. */
        Builder rank(int value);

        /** How Q and S come from P; default RELU. */
        Builder decomposition(Decomposition value);

        /** Factor on the random start of R, where it has one; default 1. */
        Builder initScale(double value);

        /** The change put in is scaled by alpha / r; default 0: it is not scaled. */
        Builder alpha(double value);

        /** Whether only a part is taken away; default false. */
        Builder removalOnly(boolean value);

        /** Whether weights are stored [in, out]; a new adapter gets it by itself. */
        Builder fanInFanOut(boolean value);

        /** Probability that an element of x is dropped in training before R; default 0. */
        Builder dropout(double value);

        /** Whether R begins as {@code S^T W / s}, so that the model begins as the base; default true. */
        Builder initWeights(boolean value);

        /** Which biases of the base are trained; default none. */
        Builder bias(Bias value);
    }
}
