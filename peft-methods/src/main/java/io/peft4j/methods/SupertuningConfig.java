package io.peft4j.methods;

import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.CommonConfig;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedConfig;
import io.peft4j.core.peft.config.Placement;

/**
 * Super-tuning (<a href="https://arxiv.org/abs/2607.09287">2607.09287</a>): the elements of a weight [out, in] that
 * are largest by amount, or smallest, are trained: {@code n = floor(out * in * (1 - sparsity))} parameters a layer;
 * where a rank is given, and a low-rank change beside them: {@code y = base(x) + x V^T + alpha / r * (dropout(x) A^T)
 * B^T}, {@code r * (in + out)} more.
 *
 * @param common what every configuration holds
 * @param placement the adapted linear layers and what is trained beside them; default as LoRA's
 * @param sparsity {@code sparsity}: part of the elements that is not trained; default 0.99
 * @param selectTop {@code select_top}: whether the largest elements are trained and not the smallest; default
 *     true
 * @param rank {@code r}: the rank of the change beside the elements; default 0: none
 * @param alpha {@code lora_alpha}: scales the low-rank change by alpha / r; default 2 r
 * @param dropout {@code lora_dropout}: probability that an element of x is dropped in training before the
 *     low-rank change; default 0
 * @param initWeights {@code init_weights}: whether the model begins as the base; default true
 * @param saveIndices {@code save_precomputed_indices}: whether the file says which elements are trained;
 *     otherwise they are found again from the weight; default true
 */
@PeftType(value = "SUPERTUNING", name = "supertuning",
        description = "a sparse update: the elements of largest magnitude",
        paper = "https://arxiv.org/abs/2607.09287")
public record SupertuningConfig(CommonConfig common,
        @Group(without = {
            "exclude_modules", "layers_to_transform", "layers_pattern"}) Placement placement,
        @Key(value = "sparsity", fallback = "0.99") double sparsity,
        @Key(value = "select_top", fallback = "true") boolean selectTop,
        @Key(value = "r", zeroIsNull = true) int rank,
        @Key(value = "lora_alpha", whole = true, zeroIsNull = true) double alpha,
        @Key("lora_dropout") double dropout,
        @Key(value = "init_weights", fallback = "true") boolean initWeights,
        @Key(value = "save_precomputed_indices", fallback = "true") boolean saveIndices)
        implements
            PlacedConfig{
    /**
     * Checks ranges.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range, or alpha is given without a
     * rank
     */
    public SupertuningConfig {
        Checks.require(sparsity >= 0 && sparsity < 1,
                "sparsity is " + sparsity + "; it must be at least 0 and below 1");
        Checks.require(rank == 0 || rank > 0 && rank <= 65_536,
                "r is " + rank + "; it must be an integer from 1 to 65536, or null");
        Checks.finite("lora_alpha", alpha);
        Checks.require(rank > 0 || alpha == 0, "lora_alpha is set but r is not; set r");
        alpha = alpha == 0 ? 2 * rank : alpha;
        Checks.probability("lora_dropout", dropout);
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static SupertuningConfigBuilder builder() {
        return ConfigBuilder.of(SupertuningConfigBuilder.class, SupertuningConfig.class);
    }

    /** A builder with the values of this configuration. */
    public SupertuningConfigBuilder toBuilder() {
        return ConfigBuilder.from(SupertuningConfigBuilder.class, this);
    }
}
