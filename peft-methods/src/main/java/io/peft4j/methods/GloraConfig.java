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
 * GLoRA (<a href="https://arxiv.org/abs/2306.07967">2306.07967</a>): weight and bias are scaled and shifted: {@code
 * W' = W + W * A + B}, {@code b' = b + b * D + E + W C}, products with * element by element. A and B are [out, in],
 * of low rank, one value an output, one value, or nothing; C is [in, 1], D and E are [out], likewise. C, D and E are
 * used where the base has a bias. By default {@code 2 * r * (in + out)} parameters a layer, and with a bias {@code r
 * * (in + 1) + 2} more.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param rank {@code r}: the rank; default 8
 * @param weightForm {@code config_A_B}: what A and B are; default {@link Form#LORA}
 * @param couplingForm {@code config_C}: what C is, not {@link Form#CONSTANT}; default {@link Form#LORA}
 * @param biasForm {@code config_D_E}: what D and E are, not {@link Form#LORA}; default {@link Form#CONSTANT}
 * @param initWeights {@code init_weights}: whether the model begins as the base; default true
 */
@PeftType(value = "GLORA", name = "glora",
        description = "multiplicative and additive reparameterizations of weight and bias",
        paper = "https://arxiv.org/abs/2306.07967", autoRateFactor = 2)
public record GloraConfig(CommonConfig common,
        @Group(without = {
            "exclude_modules", "layers_to_transform", "layers_pattern"}, biasWord = "glora_only") Placement placement,
        @Key(value = "r", fallback = "8") int rank,
        @Key(value = "config_A_B", fallback = "\"lora\"") Form weightForm,
        @Key(value = "config_C", fallback = "\"lora\"") Form couplingForm,
        @Key(value = "config_D_E", fallback = "\"constant\"") Form biasForm,
        @Key(value = "init_weights", fallback = "true") boolean initWeights)
        implements
            PlacedConfig{
    /** What a matrix or vector is made of. */
    public enum Form {
        /** A product of two matrices of rank r. */
        @KeyFormat.Named("\"lora\"")
        LORA,
        /** One value a row. */
        @KeyFormat.Named("\"vector\"")
        VECTOR,
        /** One value. */
        @KeyFormat.Named("\"constant\"")
        CONSTANT,
        /** Zeros, not trained. */
        @KeyFormat.Named("\"none\"")
        NONE
    }

    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public GloraConfig {
        Checks.rank("the rank (r)", rank);
        Checks.require(couplingForm != Form.CONSTANT, "config_C is 'constant'; it must be 'lora', 'vector' or 'none'");
        Checks.require(biasForm != Form.LORA, "config_D_E is 'lora'; it must be 'vector', 'constant' or 'none'");
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static GloraConfigBuilder builder() {
        return ConfigBuilder.of(GloraConfigBuilder.class, GloraConfig.class);
    }

    /** A builder with the values of this configuration. */
    public GloraConfigBuilder toBuilder() {
        return ConfigBuilder.from(GloraConfigBuilder.class, this);
    }
}
