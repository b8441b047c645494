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
 * Lily (<a href="https://arxiv.org/abs/2407.09946">2407.09946</a>): layers share low-rank matrices: {@code y = base(x)
 * + s h (sum of p_e B_e)}, {@code h = x A^T}, A [r, in] shared by neighbouring layers, B_e [r, out] by all layers of a
 * target, e from 1 to E. {@code p} is the mean of {@code softmax(h R^T)} over the tokens of a sequence, with a router R
 * [E, r] of each layer. {@code r * in} parameters for each group of layers, {@code E * r * out} for each target, and
 * {@code E * r} for each layer.
 *
 * <p>A token is read with those that follow it: in scores and trainings all of its sequence, in answers all of the
 * prompt, and each token of the answer alone, as Hugging Face PEFT does with one sequence at a time. There a sequence
 * in a batch is read with the others and their padding; here it is not.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param rank {@code r}: the rank; default 32
 * @param stride {@code stride_A}: how many layers of a target, one after the other, share an A; default 1
 * @param matrices {@code num_B}: E, at least 2; default 2
 * @param scaling {@code scaling}: s; default 1
 * @param initWeights {@code init_weights}: whether the model begins as the base; default true
 */
@PeftType(value = "LILY", name = "lily", description = "low-rank projections shared by layers, mixed by a router",
        paper = "https://arxiv.org/abs/2407.09946", autoRateFactor = 1.4)
public record LilyConfig(CommonConfig common,
        @Group Placement placement,
        @Key(value = "r", fallback = "32") int rank,
        @Key(value = "stride_A", fallback = "1") int stride,
        @Key(value = "num_B", fallback = "2") int matrices,
        @Key(value = "scaling", fallback = "1.0") double scaling,
        @Key(value = "init_weights", fallback = "true") boolean initWeights)
        implements
            PlacedConfig {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public LilyConfig {
        Checks.rank("the rank (r)", rank);
        Checks.atLeast(1, "stride_A", stride);
        Checks.atLeast(2, "num_B", matrices);
        Checks.finite("scaling", scaling);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static LilyConfigBuilder builder() {
        return ConfigBuilder.of(LilyConfigBuilder.class, LilyConfig.class);
    }

    /** A builder with the values of this configuration. */
    public LilyConfigBuilder toBuilder() {
        return ConfigBuilder.from(LilyConfigBuilder.class, this);
    }
}
