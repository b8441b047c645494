package io.peft4j.lora;

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
import java.util.Map;

/**
 * LoKr (LyCORIS, <a href="https://arxiv.org/abs/2309.14859">2309.14859</a>): the change of a weight W [out, in] is a
 * Kronecker product, {@code y = x (W + s * (W1 x W2))^T}, {@code s = alpha / r}: W1 [a, c], W2 [b, d] with
 * {@code out = a b}, {@code in = c d}, each kept whole or as a product of rank r where that is smaller.
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
 * @param initialization {@code init_weights}: how the factors begin; default {@link Initialization#ZERO_W1}
 * @param decomposeBoth {@code decompose_both}: whether W1 too is kept as a product of rank r where that is smaller;
 *     default false
 * @param decomposeFactor {@code decompose_factor}: wanted size of the smaller factors a and c; -1, the default, means
 *     near the square root
 * @param rankDropoutScale {@code rank_dropout_scale}: whether what rank dropout leaves is scaled up to the same mean;
 *     default false
 * @param rankPattern {@code rank_pattern}: other ranks, as in {@link LoraConfig}; default none
 * @param alphaPattern {@code alpha_pattern}: other alphas, as in {@link LoraConfig}; default none
 */
@PeftType(value = "LOKR", name = "lokr",
        description = "a Kronecker product of small matrices as additive update",
        paper = "https://arxiv.org/abs/2309.14859", autoRateFactor = 3)
@UnusedKey(value = "use_effective_conv2d", fallback = "false", feature = "the parameters for convolutions")
public record LoKrConfig(CommonConfig common, @Group Placement placement, @Key(value = "r", fallback = "8") int rank,
        @Key(value = "alpha", fallback = "8", whole = true) double alpha, @Key("rank_dropout") double rankDropout,
        @Key("module_dropout") double moduleDropout,
        @Key(value = "init_weights", fallback = "true") Initialization initialization,
        @Key("decompose_both") boolean decomposeBoth,
        @Key(value = "decompose_factor", fallback = "-1") int decomposeFactor,
        @Key("rank_dropout_scale") boolean rankDropoutScale, @Key("rank_pattern") Map<String, Integer> rankPattern,
        @Key("alpha_pattern") Map<String, Double> alphaPattern) implements PlacedConfig {
    /** How the factors begin. What is not zero is uniform, as PyTorch begins a linear layer. */
    public enum Initialization {
        /** W1 zero: the model begins as the base. The default. */
        @KeyFormat.Named("true")
        ZERO_W1,
        /** W2 zero, as LyCORIS has it: the model begins as the base. */
        @KeyFormat.Named("\"lycoris\"")
        ZERO_W2,
        /** Both random: the model begins away from the base. For tests. */
        @KeyFormat.Named("false")
        RANDOM
    }

    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public LoKrConfig {
        rankPattern = Checks.positive("rank_pattern", rankPattern);
        alphaPattern = Checks.ordered(alphaPattern);
        Checks.rank("the rank (r)", rank);
        Checks.finite("alpha", alpha);
        Checks.probability("rank_dropout", rankDropout);
        Checks.probability("module_dropout", moduleDropout);
        Checks.require(decomposeFactor == -1 || decomposeFactor > 0, "decompose_factor is " + decomposeFactor
                + "; it must be -1 or at least 1");
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static LoKrConfigBuilder builder() {
        return ConfigBuilder.of(LoKrConfigBuilder.class, LoKrConfig.class);
    }

    /** A builder with the values of this configuration. */
    public LoKrConfigBuilder toBuilder() {
        return ConfigBuilder.from(LoKrConfigBuilder.class, this);
    }
}
