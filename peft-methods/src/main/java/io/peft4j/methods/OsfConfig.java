package io.peft4j.methods;

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
 * Orthogonal subspace fine-tuning (<a href="https://arxiv.org/abs/2504.07097">2504.07097</a>): the smallest singular
 * directions of a weight are trained, at right angles to the largest ones, which keep what the model knows: {@code y
 * = base(x) + x (U diag(s) V - U0 diag(s0) V0)^T}, U [out, k], s [k], V [k, in], which begin as the k smallest of
 * {@code W = U S V}. Gradients for U and V lose their parts along the other directions. {@code k * (in + out + 1)}
 * parameters a layer.
 *
 * <p>Of the file, U0, s0 and V0 are not part: they come from the weight again, in a product that does not depend on
 * their signs.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default all linear layers
 * @param keptRank {@code effective_rank}: how many directions are kept: a number, or below 1 a share of all; the
 *     others are the k that are trained; default 0: half of them
 * @param rankPattern {@code rank_pattern}: other values of it by expressions that a path contains; default none
 * @param initWeights {@code init_weights}: whether the model begins as the base; default true
 */
@PeftType(value = "OSF", name = "osf",
        description = "the smallest singular directions, orthogonal to the frozen leading subspace",
        paper = "https://arxiv.org/abs/2504.07097", autoRateFactor = 0.5)
@UnusedKey(value = "target_svd_config", because = "Hugging Face PEFT ignores it, too")
public record OsfConfig(CommonConfig common,
        @Group(without = {
            "exclude_modules", "layers_to_transform", "layers_pattern"}) Placement placement,
        @Key(value = "effective_rank", whole = true, zeroIsNull = true) double keptRank,
        @Key(value = "rank_pattern", zeroIsNull = true) Map<String, Double> rankPattern,
        @Key(value = "init_weights", fallback = "true") boolean initWeights)
        implements
            PlacedConfig{
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is not positive
     */
    public OsfConfig {
        rankPattern = Checks.ordered(rankPattern);
        Checks.require(keptRank >= 0, "effective_rank is " + keptRank + "; it must not be negative");
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static OsfConfigBuilder builder() {
        return ConfigBuilder.of(OsfConfigBuilder.class, OsfConfig.class);
    }

    /** A builder with the values of this configuration. */
    public OsfConfigBuilder toBuilder() {
        return ConfigBuilder.from(OsfConfigBuilder.class, this);
    }
}
