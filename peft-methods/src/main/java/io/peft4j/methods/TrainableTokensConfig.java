package io.peft4j.methods;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.TargetModules;
import java.util.HashSet;
import java.util.List;

/**
 * Trainable tokens: chosen rows of the input embedding are trained and replace those of the base, {@code k * H}
 * parameters for k tokens. Where the output layer is the embedding, the rows are replaced in both.
 *
 * @param common what every configuration holds
 * @param targetModules {@code target_modules}: the embedding; default the model's input embedding
 * @param tokenIndices {@code token_indices}: the ids of the tokens, each once
 * @param initWeights {@code init_weights}: whether the rows begin as the base's; otherwise normal, for tests; default
 *     true
 */
@PeftType(value = "TRAINABLE_TOKENS", name = "trainable-tokens", description = "chosen rows of the input embedding",
        paper = "https://huggingface.co/docs/peft/package_reference/trainable_tokens", autoRateFactor = 10)
public record TrainableTokensConfig(CommonConfig common, @Key("target_modules") TargetModules targetModules,
        @Key("token_indices") List<Integer> tokenIndices,
        @Key(value = "init_weights", fallback = "true") boolean initWeights) implements PeftConfig {
    /**
     * Checks the tokens.
     *
     * @throws io.peft4j.core.error.ConfigurationException when there is none, or one appears twice
     */
    public TrainableTokensConfig {
        tokenIndices = List.copyOf(tokenIndices);
        Checks.require(!tokenIndices.isEmpty(), "token_indices is empty; list the tokens to train");
        Checks.require(new HashSet<>(tokenIndices).size() == tokenIndices.size(),
                "token_indices " + tokenIndices + " contains a token twice");
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static TrainableTokensConfigBuilder builder() {
        return ConfigBuilder.of(TrainableTokensConfigBuilder.class, TrainableTokensConfig.class);
    }

    /** A builder with the values of this configuration. */
    public TrainableTokensConfigBuilder toBuilder() {
        return ConfigBuilder.from(TrainableTokensConfigBuilder.class, this);
    }
}
