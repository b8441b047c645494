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
 * Uni-LoRA (<a href="https://arxiv.org/abs/2506.00799">2506.00799</a>): the low-rank matrices A [r, in] and B [out,
 * r] of all layers are filled from one trained vector t [d]: {@code y = base(x) + (dropout(x) A^T) B^T}, each element
 * {@code t_i / sqrt(n_i)} with i as a seed chooses it and n_i the number of elements with that i. d parameters in
 * all.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param rank {@code r}: the rank; default 4
 * @param seed {@code proj_seed}: chooses which element comes from which number; default 42
 * @param length {@code theta_d_length}: d; default 256
 * @param dropout {@code unilora_dropout}: probability that an element of x is dropped in training; default 0
 * @param fanInFanOut {@code fan_in_fan_out}: whether weights are stored [in, out]; a new adapter gets it
 *     automatically
 * @param initBound {@code init_theta_d_bound}: t begins uniform between minus this and this; default 0.02
 * @param initWeights {@code init_weights}: whether t begins so and not normal; the model never begins as the
 *     base; default true
 * @param saveIndices {@code save_indices}: whether the choice is in the file; otherwise it is drawn again;
 *     default false
 */
@PeftType(value = "UNILORA", name = "unilora",
        description = "one vector, projected onto the low-rank matrices of all targets",
        paper = "https://arxiv.org/abs/2506.00799", autoRateFactor = 20)
public record UniLoraConfig(CommonConfig common,
        @Group(without = "exclude_modules", biasWord = "unilora_only") Placement placement,
        @Key(value = "r", fallback = "4") int rank,
        @Key(value = "proj_seed", fallback = "42") long seed,
        @Key(value = "theta_d_length", fallback = "256") int length,
        @Key("unilora_dropout") double dropout,
        @Key("fan_in_fan_out") boolean fanInFanOut,
        @Key(value = "init_theta_d_bound", fallback = "0.02") double initBound,
        @Key(value = "init_weights", fallback = "true") boolean initWeights,
        @Key("save_indices") boolean saveIndices)
        implements
            PlacedConfig {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public UniLoraConfig {
        Checks.rank("the rank (r)", rank);
        Checks.atLeast(0, "proj_seed", seed);
        Checks.atLeast(1, "theta_d_length", length);
        Checks.probability("unilora_dropout", dropout);
        Checks.finite("init_theta_d_bound", initBound);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static UniLoraConfigBuilder builder() {
        return ConfigBuilder.of(UniLoraConfigBuilder.class, UniLoraConfig.class);
    }

    /** A builder with the values of this configuration. */
    public UniLoraConfigBuilder toBuilder() {
        return ConfigBuilder.from(UniLoraConfigBuilder.class, this);
    }
}
