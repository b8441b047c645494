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
 * HRA (<a href="https://arxiv.org/abs/2405.17484">2405.17484</a>): a weight is multiplied by r Householder reflections,
 * {@code W' = W H_1 ... H_r}, whose normals [in, r] are trained: {@code r * in} parameters a layer.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param rank {@code r}: the number of reflections; default 8. An odd number does not begin as the base
 * @param gramSchmidt {@code apply_GS}: whether the normals are made orthogonal first; then they begin at random;
 *     default false
 * @param initWeights {@code init_weights}: whether normals begin in equal pairs, so that the model begins as the base;
 *     otherwise at random, for tests; default true
 */
@PeftType(value = "HRA", name = "hra", description = "an orthogonal transform of the input (Householder reflections)",
        paper = "https://arxiv.org/abs/2405.17484", autoRateFactor = 3)
public record HraConfig(CommonConfig common, @Group(biasWord = "hra_only") Placement placement,
        @Key(value = "r", fallback = "8") int rank, @Key("apply_GS") boolean gramSchmidt,
        @Key(value = "init_weights", fallback = "true") boolean initWeights) implements PlacedConfig {
    /**
     * Checks the rank.
     *
     * @throws io.peft4j.core.error.ConfigurationException when it is below 1
     */
    public HraConfig {
        Checks.rank("the number of reflections (r)", rank);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static HraConfigBuilder builder() {
        return ConfigBuilder.of(HraConfigBuilder.class, HraConfig.class);
    }

    /** A builder with the values of this configuration. */
    public HraConfigBuilder toBuilder() {
        return ConfigBuilder.from(HraConfigBuilder.class, this);
    }
}
