package io.peft4j.methods;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;
import java.util.Map;

/**
 * DeLoRA (<a href="https://arxiv.org/abs/2503.18225">2503.18225</a>): a change of low rank whose size is trained
 * apart from its direction: {@code y = base(x) + ((dropout(x) * n) A^T * s) B^T}, {@code s_k = l / r / (|A_k| |B^k|)}
 * with the norms of the rows of A [r, in] and of the columns of B [out, r], each at least 1e-4, and n [in], the norms
 * of the columns of W. {@code r * (in + out) + 1} parameters a layer.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param rank {@code r}: the rank; default 8
 * @param lambda {@code delora_lambda}: first value of l, which bounds the change; default 15
 * @param dropout {@code module_dropout}: probability that an element of x is dropped in training; default 0
 * @param initWeights {@code init_weights}: whether the model begins as the base; default true
 * @param rankPattern {@code rank_pattern}: other ranks by expressions for the end of a path; default none
 * @param lambdaPattern {@code lambda_pattern}: other bounds by expressions for the end of a path; default none
 */
@PeftType(value = "DELORA", name = "delora",
        description = "a low-rank update with normalized rank-one components, and its magnitude",
        paper = "https://arxiv.org/abs/2503.18225", autoRateFactor = 3)
public record DeloraConfig(CommonConfig common,
        @Group(biasWord = "delora_only") Placement placement,
        @Key(value = "r", fallback = "8") int rank,
        @Key(value = "delora_lambda", fallback = "15", whole = true) double lambda,
        @Key("module_dropout") double dropout,
        @Key(value = "init_weights", fallback = "true") boolean initWeights,
        @Key("rank_pattern") Map<String, Integer> rankPattern,
        @Key("lambda_pattern") Map<String, Double> lambdaPattern)
        implements
            PlacedConfig {
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range
     */
    public DeloraConfig {
        rankPattern = Checks.positive("rank_pattern", rankPattern);
        lambdaPattern = Checks.ordered(lambdaPattern);
        Checks.rank("the rank (r)", rank);
        Checks.finite("delora_lambda", lambda);
        Checks.probability("module_dropout", dropout);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static DeloraConfigBuilder builder() {
        return ConfigBuilder.of(DeloraConfigBuilder.class, DeloraConfig.class);
    }

    /** A builder with the values of this configuration. */
    public DeloraConfigBuilder toBuilder() {
        return ConfigBuilder.from(DeloraConfigBuilder.class, this);
    }
}
