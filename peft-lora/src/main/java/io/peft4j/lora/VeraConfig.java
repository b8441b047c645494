package io.peft4j.lora;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.Bias;
import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.ModuleSelector;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import java.util.Objects;

/**
 * VeRA (<a href="https://arxiv.org/abs/2310.11454">2310.11454</a>): one pair of frozen random matrices A [r, largest
 * in] and B [largest out, r] for all layers, cut to the size of each; a layer trains two vectors d [r] and b [out]:
 * {@code y = x W^T + b * ((d * (dropout(x) A^T)) B^T)}. {@code r + out} trainable parameters a layer.
 *
 * <p>Made with {@link #builder()}; the names in {@code code} are the keys of {@code adapter_config.json}.
 *
 * @param common what every configuration holds
 * @param rank {@code r}: the rank; default 256
 * @param dropout {@code vera_dropout}: probability that an element of x is dropped in training; default 0
 * @param dInitial {@code d_initial}: first value of d; default 0.1
 * @param initWeights {@code init_weights}: whether the model begins as the base, with b = 0; otherwise b = 1 and d is
 *     normal; default true
 * @param saveProjection {@code save_projection}: whether the random matrices are stored with the adapter; default
 *     true, and false is refused: no other library draws the same numbers from a seed as PyTorch does
 * @param projectionSeed {@code projection_prng_key}: seed of the random matrices in Hugging Face PEFT; kept, the
 *     matrices are read from the file; default 0
 * @param bias {@code bias}: which biases of the base are trained; default none
 * @param modules which layers are adapted, and which are trained as a whole; default what the architecture has
 *     ({@code q_proj} and {@code v_proj} for Llama)
 */
public record VeraConfig(CommonConfig common, int rank, double dropout, double dInitial, boolean initWeights,
        boolean saveProjection, long projectionSeed, Bias bias, ModuleSelector modules)
        implements PeftConfig {
    /** The method's id. */
    static final String PEFT_TYPE = "VERA";
    /** The word for the biases of the adapted layers. */
    private static final String ADAPTED_ONLY = "vera_only";

    /**
     * Checks ranges.
     *
     * @throws ConfigurationException when a value is out of range
     */
    public VeraConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(bias, "bias");
        Objects.requireNonNull(modules, "modules");
        Targets.require(rank > 0, "the rank (r) is " + rank + "; it must be at least 1");
        Targets.requireProbability("vera_dropout", dropout);
        Targets.require(Double.isFinite(dInitial), "d_initial is " + dInitial + "; it must be a number");
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static VeraConfigBuilder builder() {
        return new VeraConfigBuilder();
    }

    /** A builder with the values of this configuration. */
    public VeraConfigBuilder toBuilder() {
        return new VeraConfigBuilder(this);
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
    public VeraConfig withCommon(CommonConfig other) {
        return toBuilder().common(other).build();
    }

    static VeraConfig read(ConfigReader reader) {
        VeraConfigBuilder builder = builder()
                .rank(reader.integer("r", 256, 1))
                .dropout(reader.dropout("vera_dropout", 0))
                .dInitial(reader.number("d_initial", 0.1))
                .initWeights(reader.flag("init_weights", true))
                .saveProjection(reader.flag("save_projection", true))
                .projectionSeed(reader.integer("projection_prng_key", 0, 0))
                .bias(Bias.read(reader, ADAPTED_ONLY));
        builder.modules(Targets.read(reader, false));
        reader.ignore("fan_in_fan_out");
        builder.common(reader.common());
        return Targets.checked(reader, builder::build);
    }

    @Override
    public String toJson() {
        ConfigWriter writer = new ConfigWriter(PEFT_TYPE, common)
                .put("r", rank)
                .putDecimal("vera_dropout", dropout)
                .putDecimal("d_initial", dInitial)
                .put("init_weights", initWeights)
                .put("save_projection", saveProjection)
                .putNumber("projection_prng_key", projectionSeed)
                .put("bias", bias.json(ADAPTED_ONLY));
        writer.putDefault("fan_in_fan_out", "false");
        return Targets.write(writer, modules, false).toJson();
    }
}
