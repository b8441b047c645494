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
 * RandLoRA (<a href="https://arxiv.org/abs/2502.00987">2502.00987</a>): a change of full rank as a weighted sum of n =
 * ceil(min(in, out) / r) frozen random products of rank r, the same for all layers: {@code W + s * sum over j of B_j
 * diag(lambda_j) A diag(gamma_j)}, {@code s = alpha / r}: A [r, min], B_j [max, r], lambda [r, n], gamma [n, min], min
 * and max of in and out; transposed where out is the smaller. {@code n * (r + min)} trainable parameters a layer.
 *
 * <p>Made with {@link #builder()}; the names in {@code code} are the keys of {@code adapter_config.json}.
 *
 * @param common what every configuration holds
 * @param rank {@code r}: the rank of each product; default 32
 * @param alpha {@code randlora_alpha}: scales the change by alpha / r; default 640
 * @param dropout {@code randlora_dropout}: probability that an element of x is dropped in training; default 0
 * @param initWeights {@code init_weights}: whether the model begins as the base, with lambda = 0; otherwise lambda is
 *     normal; default true
 * @param sparse {@code sparse}: whether the random matrices hold -1, 0 and 1, a sixth of them each sign; default
 *     false
 * @param verySparse {@code very_sparse}: whether they hold fewer still, 1 / (2 sqrt(min)) each sign; default false
 * @param saveProjection {@code save_projection}: whether the random matrices are stored with the adapter; default
 *     true, and false is refused: no other library draws the same numbers from a seed as PyTorch does
 * @param projectionSeed {@code projection_prng_key}: seed of the random matrices in Hugging Face PEFT; kept, the
 *     matrices are read from the file; default 0
 * @param bias {@code bias}: which biases of the base are trained; default none
 * @param modules which layers are adapted, and which are trained as a whole; default what the architecture has
 *     ({@code q_proj} and {@code v_proj} for Llama)
 */
public record RandLoraConfig(CommonConfig common, int rank, double alpha, double dropout, boolean initWeights,
        boolean sparse, boolean verySparse, boolean saveProjection, long projectionSeed, Bias bias,
        ModuleSelector modules)
        implements PeftConfig {
    /** The method's id. */
    static final String PEFT_TYPE = "RANDLORA";
    /** The word for the biases of the adapted layers. */
    private static final String ADAPTED_ONLY = "randlora_only";

    /**
     * Checks ranges.
     *
     * @throws ConfigurationException when a value is out of range
     */
    public RandLoraConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(bias, "bias");
        Objects.requireNonNull(modules, "modules");
        Targets.require(rank > 0, "the rank (r) is " + rank + "; it must be at least 1");
        Targets.requireProbability("randlora_dropout", dropout);
        Targets.require(Double.isFinite(alpha), "alpha (randlora_alpha) is " + alpha + "; it must be a number");
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static RandLoraConfigBuilder builder() {
        return new RandLoraConfigBuilder();
    }

    /** A builder with the values of this configuration. */
    public RandLoraConfigBuilder toBuilder() {
        return new RandLoraConfigBuilder(this);
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
    public RandLoraConfig withCommon(CommonConfig other) {
        return toBuilder().common(other).build();
    }

    static RandLoraConfig read(ConfigReader reader) {
        RandLoraConfigBuilder builder = builder()
                .rank(reader.integer("r", 32, 1))
                .alpha(reader.number("randlora_alpha", 640))
                .dropout(reader.dropout("randlora_dropout", 0))
                .initWeights(reader.flag("init_weights", true))
                .sparse(reader.flag("sparse", false))
                .verySparse(reader.flag("very_sparse", false))
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
                .putNumber("randlora_alpha", alpha)
                .putDecimal("randlora_dropout", dropout)
                .put("init_weights", initWeights)
                .put("sparse", sparse)
                .put("very_sparse", verySparse)
                .put("save_projection", saveProjection)
                .putNumber("projection_prng_key", projectionSeed)
                .put("bias", bias.json(ADAPTED_ONLY));
        writer.putDefault("fan_in_fan_out", "false");
        return Targets.write(writer, modules, false).toJson();
    }
}
