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

/**
 * RandLoRA (<a href="https://arxiv.org/abs/2502.00987">2502.00987</a>): a change of full rank as a weighted sum of n =
 * ceil(min(in, out) / r) frozen random products of rank r, the same for all layers: {@code W + s * sum over j of B_j
 * diag(lambda_j) A diag(gamma_j)}, {@code s = alpha / r}: A [r, min], B_j [max, r], lambda [r, n], gamma [n, min], min
 * and max of in and out; transposed where out is the smaller. {@code n * (r + min)} trainable parameters a layer.
 *
 * <p>Made with {@link #builder()}; the names in {@code code} are the keys of {@code adapter_config.json}.
 *
 * @param common what every configuration holds
 * @param placement which layers are adapted, and what is trained as a whole beside them; default what the architecture
 *     has ({@code q_proj} and {@code v_proj} for Llama)
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
 */
@PeftType(value = "RANDLORA", name = "randlora",
        description = "coefficients of frozen random bases shared by all targets, of full rank in sum",
        paper = "https://arxiv.org/abs/2502.00987")
@UnusedKey(value = "fan_in_fan_out", fallback = "false")
public record RandLoraConfig(CommonConfig common,
        @Group(without = "exclude_modules", biasWord = "randlora_only") Placement placement,
        @Key(value = "r", fallback = "32") int rank,
        @Key(value = "randlora_alpha", fallback = "640", whole = true) double alpha,
        @Key("randlora_dropout") double dropout, @Key(value = "init_weights", fallback = "true") boolean initWeights,
        @Key("sparse") boolean sparse, @Key("very_sparse") boolean verySparse,
        @Key(value = "save_projection", fallback = "true") boolean saveProjection,
        @Key("projection_prng_key") long projectionSeed) implements PlacedConfig {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public RandLoraConfig {
        Checks.rank("the rank (r)", rank);
        Checks.probability("randlora_dropout", dropout);
        Checks.finite("alpha (randlora_alpha)", alpha);
        Checks.atLeast(0, "projection_prng_key", projectionSeed);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static RandLoraConfigBuilder builder() {
        return ConfigBuilder.of(RandLoraConfigBuilder.class, RandLoraConfig.class);
    }

    /** A builder with the values of this configuration. */
    public RandLoraConfigBuilder toBuilder() {
        return ConfigBuilder.from(RandLoraConfigBuilder.class, this);
    }
}
