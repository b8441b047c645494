package io.peft4j.methods;

import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.peft.CommonConfig;
import io.peft4j.core.peft.ConfigReader;
import io.peft4j.core.peft.ConfigWriter;
import io.peft4j.core.peft.OneOrMany;
import io.peft4j.core.peft.PeftConfig;
import io.peft4j.core.peft.TargetModules;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * Trainable tokens: chosen rows of the input embedding are trained and replace those of the base, {@code k * H}
 * parameters for k tokens. Where the output layer is the embedding, the rows are replaced in both.
 *
 * @param common what every configuration holds
 * @param targetModules {@code target_modules}: the embedding; default the model's input embedding
 * @param tokenIndices {@code token_indices}: the ids of the tokens, each once
 * @param initWeights {@code init_weights}: whether the rows begin as the base's; otherwise normal, for tests; default
 * true
 */
public record TrainableTokensConfig(CommonConfig common, TargetModules targetModules, List<Integer> tokenIndices,
        boolean initWeights) implements PeftConfig {
    static final String PEFT_TYPE = "TRAINABLE_TOKENS";

    /**
     * Checks the tokens.
     *
     * @throws ConfigurationException when there is none, or one stands there twice
     */
    public TrainableTokensConfig {
        Objects.requireNonNull(common, "common");
        Objects.requireNonNull(targetModules, "targetModules");
        tokenIndices = List.copyOf(tokenIndices);
        PlacementJson.require(!tokenIndices.isEmpty(), "token_indices is empty; it names the tokens that are trained");
        PlacementJson.require(new HashSet<>(tokenIndices).size() == tokenIndices.size(),
                "token_indices " + tokenIndices + " names a token twice");
    }

    /** Tokens of the model's input embedding. */
    public static TrainableTokensConfig of(int... tokens) {
        return new TrainableTokensConfig(CommonConfig.defaults(), TargetModules.UNSET,
                IntStream.of(tokens).boxed().toList(), true);
    }

    /** The same with another beginning. */
    public TrainableTokensConfig withInitWeights(boolean asTheBase) {
        return new TrainableTokensConfig(common, targetModules, tokenIndices, asTheBase);
    }

    TrainableTokensConfig withTargets(TargetModules other) {
        return new TrainableTokensConfig(common, other, tokenIndices, initWeights);
    }

    @Override
    public String peftType() {
        return PEFT_TYPE;
    }

    @Override
    public TrainableTokensConfig withCommon(CommonConfig other) {
        return new TrainableTokensConfig(other, targetModules, tokenIndices, initWeights);
    }

    static TrainableTokensConfig read(ConfigReader reader) {
        TargetModules targets = reader.modules("target_modules");
        OneOrMany<Integer> tokens = reader.oneOrMoreIntegers("token_indices");
        boolean start = reader.flag("init_weights", true);
        CommonConfig common = reader.common();
        return PlacementJson.checked(reader, () -> new TrainableTokensConfig(common, targets, tokens.values(), start));
    }

    @Override
    public String toJson() {
        return new ConfigWriter(PEFT_TYPE, common)
                .put("target_modules", targetModules)
                .putList("token_indices", tokenIndices)
                .put("init_weights", initWeights)
                .toJson();
    }
}
