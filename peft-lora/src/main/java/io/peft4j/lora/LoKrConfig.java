package io.peft4j.lora;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.ModuleSelector;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;

/**
 * LoKr (LyCORIS, <a href="https://arxiv.org/abs/2309.14859">2309.14859</a>): the change of a weight W [out, in] is a
 * Kronecker product, {@code y = x (W + s * (W1 x W2))^T}, {@code s = alpha / r}: W1 [a, c], W2 [b, d] with
 * {@code out = a b}, {@code in = c d}, each kept whole or as a product of rank r where that is smaller.
 *
 * <p>Made with {@link #builder()}; the names in {@code code} are the keys of {@code adapter_config.json}.
 *
 * @param common what every configuration holds
 * @param rank {@code r}: the rank; default 8
 * @param alpha {@code alpha}: scales the change by alpha / r; default 8
 * @param rankDropout {@code rank_dropout}: probability that an output feature of the change is left out in training;
 *     default 0
 * @param moduleDropout {@code module_dropout}: probability that the change of a layer is left out in training;
 *     default 0
 * @param initialization {@code init_weights}: how the factors begin; default {@link LoKrStart#ZERO_W1}
 * @param decomposeBoth {@code decompose_both}: whether W1 too is kept as a product of rank r where that is smaller;
 *     default false
 * @param decomposeFactor {@code decompose_factor}: wanted size of the smaller factors a and c; -1, the default, means
 *     near the square root
 * @param rankDropoutScale {@code rank_dropout_scale}: whether what rank dropout leaves is scaled up to the same mean;
 *     default false
 * @param rankPattern {@code rank_pattern}: other ranks, as in {@link LoraConfig}; default none
 * @param alphaPattern {@code alpha_pattern}: other alphas, as in {@link LoraConfig}; default none
 * @param modules which layers are adapted, and which are trained as a whole; default what the architecture has
 *     ({@code q_proj} and {@code v_proj} for Llama)
 */
public record LoKrConfig(CommonConfig common, int rank, double alpha, double rankDropout, double moduleDropout,
        LoKrStart initialization, boolean decomposeBoth, int decomposeFactor, boolean rankDropoutScale,
        Map<String, Integer> rankPattern, Map<String, Double> alphaPattern, ModuleSelector modules)
        implements PeftConfig {
    /** The method's id. */
    static final String PEFT_TYPE = "LOKR";

    /**
     * Checks ranges.
     *
     * @throws ConfigurationException when a value is out of range
     */
    public LoKrConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(initialization, "initialization");
        Objects.requireNonNull(modules, "modules");
        rankPattern = Collections.unmodifiableMap(new LinkedHashMap<>(rankPattern));
        alphaPattern = Collections.unmodifiableMap(new LinkedHashMap<>(alphaPattern));
        Targets.requireRanks(rankPattern);
        Targets.require(rank > 0, "the rank (r) is " + rank + "; it must be at least 1");
        Targets.require(Double.isFinite(alpha), "alpha is " + alpha + "; it must be a number");
        Targets.requireProbability("rank_dropout", rankDropout);
        Targets.requireProbability("module_dropout", moduleDropout);
        Targets.require(decomposeFactor == -1 || decomposeFactor > 0, "decompose_factor is " + decomposeFactor
                + "; it must be -1 or at least 1");
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static LoKrConfigBuilder builder() {
        return new LoKrConfigBuilder();
    }

    /** A builder with the values of this configuration. */
    public LoKrConfigBuilder toBuilder() {
        return new LoKrConfigBuilder(this);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public TargetModules targetModules() {
        return modules.targets();
    }

    @Override
    public LoKrConfig withCommon(CommonConfig other) {
        return toBuilder().common(other).build();
    }

    static LoKrConfig read(ConfigReader reader) {
        LoKrConfigBuilder builder = builder()
                .rank(reader.integer("r", 8, 1))
                .alpha(reader.number("alpha", 8))
                .rankDropout(reader.dropout("rank_dropout", 0))
                .moduleDropout(reader.dropout("module_dropout", 0))
                .initialization(LoKrStart.read(reader))
                .decomposeBoth(reader.flag("decompose_both", false))
                .decomposeFactor(reader.integer("decompose_factor", -1, -1))
                .rankDropoutScale(reader.flag("rank_dropout_scale", false))
                .rankPattern(reader.integers("rank_pattern"))
                .alphaPattern(reader.numbers("alpha_pattern"));
        builder.modules(Targets.read(reader, true));
        reader.requireOff("use_effective_conv2d", "the parameters for convolutions");
        builder.common(reader.common());
        return Targets.checked(reader, builder::build);
    }

    @Override
    public String toJson() {
        ConfigWriter writer = new ConfigWriter(PEFT_TYPE, common)
                .put("r", rank)
                .putNumber("alpha", alpha)
                .putDecimal("rank_dropout", rankDropout)
                .putDecimal("module_dropout", moduleDropout)
                .putJson("init_weights", initialization.json())
                .put("decompose_both", decomposeBoth)
                .put("decompose_factor", decomposeFactor)
                .put("rank_dropout_scale", rankDropoutScale)
                .put("rank_pattern", rankPattern)
                .put("alpha_pattern", alphaPattern);
        writer.putDefault("use_effective_conv2d", "false");
        return Targets.write(writer, modules, true).toJson();
    }
}
