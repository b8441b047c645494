package io.peft4j.lora;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;
import io.peft4j.core.peft.config.UnusedKey;
import java.util.Map;

/**
 * LoHa (FedPara, <a href="https://arxiv.org/abs/2108.06098">2108.06098</a>): the change of a weight W [out, in] is the
 * elementwise product of two matrices of rank r: {@code y = x (W + s * (A1 B1) * (A2 B2))^T}, {@code s = alpha / r}. It
 * reaches rank r^2 with {@code 2 * r * (in + out)} trainable parameters a layer.
 *
 * <p>Made with {@link #builder()}; the names in {@code code} are the keys of {@code adapter_config.json}.
 *
 * @param common what every configuration holds
 * @param placement which layers are adapted, and what is trained as a whole beside them; default what the architecture
 *     has ({@code q_proj} and {@code v_proj} for Llama)
 * @param rank {@code r}: the rank; default 8
 * @param alpha {@code alpha}: scales the change by alpha / r; default 8
 * @param rankDropout {@code rank_dropout}: probability that an output feature of the change is left out in training;
 *     default 0
 * @param moduleDropout {@code module_dropout}: probability that the change of a layer is left out in training;
 *     default 0
 * @param initWeights {@code init_weights}: whether the model begins as the base; default true
 * @param rankPattern {@code rank_pattern}: other ranks, as in {@link LoraConfig}; default none
 * @param alphaPattern {@code alpha_pattern}: other alphas, as in {@link LoraConfig}; default none
 */
@PeftType(value = "LOHA", name = "loha",
        description = "a Hadamard product of two low-rank matrices as additive update",
        paper = "https://arxiv.org/abs/2108.06098", autoRateFactor = 2)
@UnusedKey(value = "use_effective_conv2d", fallback = "false", feature = "the parameters for convolutions")
public record LoHaConfig(CommonConfig common, @Group Placement placement, @Key(value = "r", fallback = "8") int rank,
        @Key(value = "alpha", fallback = "8", whole = true) double alpha, @Key("rank_dropout") double rankDropout,
        @Key("module_dropout") double moduleDropout,
        @Key(value = "init_weights", fallback = "true") boolean initWeights,
        @Key("rank_pattern") Map<String, Integer> rankPattern, @Key("alpha_pattern") Map<String, Double> alphaPattern)
        implements
            PlacedConfig {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public LoHaConfig {
        rankPattern = Checks.positive("rank_pattern", rankPattern);
        alphaPattern = Checks.ordered(alphaPattern);
        Checks.rank("the rank (r)", rank);
        Checks.finite("alpha", alpha);
        Checks.probability("rank_dropout", rankDropout);
        Checks.probability("module_dropout", moduleDropout);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static LoHaConfigBuilder builder() {
        return ConfigBuilder.of(LoHaConfigBuilder.class, LoHaConfig.class);
    }

    /** A builder with the values of this configuration. */
    public LoHaConfigBuilder toBuilder() {
        return ConfigBuilder.from(LoHaConfigBuilder.class, this);
    }
}
