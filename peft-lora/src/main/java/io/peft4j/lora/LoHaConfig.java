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
 * LoHa (FedPara, <a href="https://arxiv.org/abs/2108.06098">2108.06098</a>): the change of a weight W [out, in] is the
 * elementwise product of two matrices of rank r: {@code y = x (W + s * (A1 B1) * (A2 B2))^T}, {@code s = alpha / r}. It
 * reaches rank r^2 with {@code 2 * r * (in + out)} trainable parameters a layer.
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
 * @param initWeights {@code init_weights}: whether the model begins as the base; default true
 * @param rankPattern {@code rank_pattern}: other ranks, as in {@link LoraConfig}; default none
 * @param alphaPattern {@code alpha_pattern}: other alphas, as in {@link LoraConfig}; default none
 * @param modules which layers are adapted, and which are trained as a whole; default what the architecture has
 *     ({@code q_proj} and {@code v_proj} for Llama)
 */
public record LoHaConfig(CommonConfig common, int rank, double alpha, double rankDropout, double moduleDropout,
        boolean initWeights, Map<String, Integer> rankPattern, Map<String, Double> alphaPattern,
        ModuleSelector modules)
        implements PeftConfig {
    /** The method's id. */
    static final String PEFT_TYPE = "LOHA";

    /**
     * Checks ranges.
     *
     * @throws ConfigurationException when a value is out of range
     */
    public LoHaConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(modules, "modules");
        rankPattern = Collections.unmodifiableMap(new LinkedHashMap<>(rankPattern));
        alphaPattern = Collections.unmodifiableMap(new LinkedHashMap<>(alphaPattern));
        Targets.requireRanks(rankPattern);
        Targets.require(rank > 0, "the rank (r) is " + rank + "; it must be at least 1");
        Targets.require(Double.isFinite(alpha), "alpha is " + alpha + "; it must be a number");
        Targets.requireProbability("rank_dropout", rankDropout);
        Targets.requireProbability("module_dropout", moduleDropout);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static LoHaConfigBuilder builder() {
        return new LoHaConfigBuilder();
    }

    /** A builder with the values of this configuration. */
    public LoHaConfigBuilder toBuilder() {
        return new LoHaConfigBuilder(this);
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
    public LoHaConfig withCommon(CommonConfig other) {
        return toBuilder().common(other).build();
    }

    static LoHaConfig read(ConfigReader reader) {
        LoHaConfigBuilder builder = builder()
                .rank(reader.integer("r", 8, 1))
                .alpha(reader.number("alpha", 8))
                .rankDropout(reader.dropout("rank_dropout", 0))
                .moduleDropout(reader.dropout("module_dropout", 0))
                .initWeights(reader.flag("init_weights", true))
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
                .put("init_weights", initWeights)
                .put("rank_pattern", rankPattern)
                .put("alpha_pattern", alphaPattern);
        writer.putDefault("use_effective_conv2d", "false");
        return Targets.write(writer, modules, true).toJson();
    }
}
