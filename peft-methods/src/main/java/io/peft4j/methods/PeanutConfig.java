package io.peft4j.methods;

import io.peft4j.core.kernel.Activation;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;

/**
 * PEANuT (<a href="https://arxiv.org/abs/2410.01870">2410.01870</a>): the change of a weight W [out, in] is computed
 * from it by a small network: {@code D^T = s * h B^T}, {@code h = g(f(W^T A^T))}, A [r, out], B [out, r]. g is a
 * chain of d encoders {@code f(h E^T)} and d decoders {@code f(h F^T)}, E, F [r, r]; the i-th last decoder adds what
 * the i-th encoder got to its result. {@code 2 * r * out + 2 * d * r^2} parameters a layer.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param rank {@code r}: the rank; default 32
 * @param depth {@code depth}: d; default 0
 * @param activation {@code act_fn}: f, by its name in Transformers; default {@code relu}
 * @param scaling {@code scaling}: s; default 1
 * @param initWeights {@code init_weights}: whether the model begins as the base; default true
 */
@PeftType(value = "PEANUT", name = "peanut",
        description = "a small neural network that computes the update from the weight",
        paper = "https://arxiv.org/abs/2410.01870", autoRateFactor = 2)
public record PeanutConfig(CommonConfig common,
        @Group Placement placement,
        @Key(value = "r", fallback = "32") int rank,
        @Key("depth") int depth,
        @Key(value = "act_fn", fallback = "\"relu\"") String activation,
        @Key(value = "scaling", fallback = "1.0") double scaling,
        @Key(value = "init_weights", fallback = "true") boolean initWeights)
        implements
            PlacedConfig {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range, or the activation is unknown
     */
    public PeanutConfig {
        Checks.rank("the rank (r)", rank);
        Checks.atLeast(0, "depth", depth);
        Checks.finite("scaling", scaling);
        Activation.of(activation);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static PeanutConfigBuilder builder() {
        return ConfigBuilder.of(PeanutConfigBuilder.class, PeanutConfig.class);
    }

    /** A builder with the values of this configuration. */
    public PeanutConfigBuilder toBuilder() {
        return ConfigBuilder.from(PeanutConfigBuilder.class, this);
    }
}
