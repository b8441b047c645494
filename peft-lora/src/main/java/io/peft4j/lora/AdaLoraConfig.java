package io.peft4j.lora;

import io.peft4j.core.peft.config.Bias;
import io.peft4j.core.peft.config.Checks;
import io.peft4j.core.peft.config.ConfigBuilder;
import io.peft4j.core.peft.config.Group;
import io.peft4j.core.peft.config.Key;
import io.peft4j.core.peft.config.PeftType;
import io.peft4j.core.peft.config.PlacedBuilder;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * AdaLoRA (<a href="https://arxiv.org/abs/2303.10512">2303.10512</a>): LoRA in the form of a singular value
 * decomposition, {@code y = x W^T + s * (dropout(x) (E A)^T) B^T}, {@code s = alpha / (init_r + 1e-5)}: E [r, 1] scales
 * the rows of A [r, in], B [out, r]. All layers begin with rank {@code init_r}; in the course of a training the values
 * in E that matter least are set to zero, until {@code target_r} a layer are left on average. A term of the loss,
 * {@code orth_reg_weight} times the mean of {@code |A A^T - I|} and {@code |B^T B - I|} over all layers, keeps rows and
 * columns orthogonal.
 *
 * <p>The budget after update t (from 0) of T: all ranks until {@code tinit}, the target from {@code T - tfinal} on, and
 * between them {@code target + (initial - target) * (1 - (t - tinit) / (T - tfinal - tinit))^3}, applied every
 * {@code deltaT} updates. What matters is a moving average of {@code |value * gradient|} times that of its uncertainty.
 *
 * @param lora what AdaLoRA has in common with LoRA; its rank, patterns, {@code use_rslora} and {@code lora_bias} have
 *     no place here
 * @param targetRank {@code target_r}: ranks that are left a layer, on average; default 8
 * @param initialRank {@code init_r}: ranks of each layer in the beginning; default 12
 * @param warmup {@code tinit}: updates before the first cut; default 0
 * @param finish {@code tfinal}: updates after the last cut; default 0
 * @param interval {@code deltaT}: updates from one cut to the next; default 1
 * @param beta1 {@code beta1}: weight of the past in the average of importance; default 0.85
 * @param beta2 {@code beta2}: weight of the past in the average of uncertainty; default 0.85
 * @param orthogonality {@code orth_reg_weight}: weight of the term of the loss; default 0.5
 * @param totalSteps {@code total_step}: updates that the schedule counts with; default those of the training
 * @param rankPattern {@code rank_pattern}: what was left, once it has been cut
 */
@PeftType(value = "ADALORA", name = "adalora",
        description = "an SVD-like low-rank update (P Λ Q) of each target, its rank budget allocated by importance",
        paper = "https://arxiv.org/abs/2303.10512", autoRateFactor = 3)
public record AdaLoraConfig(@Group(biasWord = "lora_only") LoraConfig lora,
        @Key(value = "target_r", fallback = "8") int targetRank,
        @Key(value = "init_r", fallback = "12", option = "rank") int initialRank, @Key("tinit") int warmup,
        @Key("tfinal") int finish, @Key(value = "deltaT", fallback = "1") int interval,
        @Key(value = "beta1", fallback = "0.85") double beta1, @Key(value = "beta2", fallback = "0.85") double beta2,
        @Key(value = "orth_reg_weight", fallback = "0.5") double orthogonality,
        @Key("total_step") OptionalInt totalSteps,
        @Key(value = "rank_pattern", format = RankPattern.Format.class) Optional<RankPattern> rankPattern)
        implements
            LoraBased {
    /**
     * Checks ranges and combinations.
     *
     * @throws io.peft4j.core.error.ConfigurationException when a value is out of range, or does not go with AdaLoRA
     */
    public AdaLoraConfig {
        Checks.rank("target_r", targetRank);
        Checks.rank("init_r", initialRank);
        Checks.require(warmup >= 0 && finish >= 0 && interval > 0, "tinit " + warmup + ", tfinal " + finish
                + " and deltaT " + interval + " must be at least 0, 0 and 1");
        Checks.require(beta1 > 0 && beta1 < 1 && beta2 > 0 && beta2 < 1, "beta1 " + beta1 + " and beta2 " + beta2
                + " must be between 0 and 1");
        Checks.require(orthogonality >= 0 && Double.isFinite(orthogonality), "orth_reg_weight is " + orthogonality
                + "; it must be at least 0");
        Checks.require(lora.alpha() > 0, "alpha (lora_alpha) is " + lora.alpha() + "; it must be above 0");
        Checks.require(!lora.dora() && !lora.loraBias() && lora.alphaPattern().isEmpty()
                && lora.rankPattern().isEmpty(),
                "AdaLoRA does not support use_dora, lora_bias, rank_pattern "
                        + "and alpha_pattern");
        Checks.require(lora.invocationTokens().isEmpty(), "AdaLoRA does not work with alora_invocation_tokens");
        Checks.require(LoraConfig.isDrawn(lora.initialization()),
                "AdaLoRA supports init_lora_weights true and false only");
        Checks.require(!lora.ensureWeightTying(), "AdaLoRA does not work with ensure_weight_tying");
        Checks.require(lora.kasa().isEmpty() && lora.blocks().isEmpty(),
                "AdaLoRA does not work with kasa_config and use_bdlora");
        if (totalSteps.isPresent()) {
            int total = totalSteps.getAsInt();
            Checks.require(total > 0 && warmup < total - finish, "tinit " + warmup + " and tfinal " + finish
                    + " leave no update of " + total + " (total_step) for pruning ranks; use smaller values");
        }
    }

    /** Ranks are cut along a schedule. */
    @Override
    public boolean countsUpdates() {
        return true;
    }

    /** A builder with Hugging Face PEFT's defaults. */
    public static Builder builder() {
        return ConfigBuilder.of(Builder.class, AdaLoraConfig.class);
    }

    /** A builder with the values of this configuration. */
    public Builder toBuilder() {
        return ConfigBuilder.from(Builder.class, this);
    }

    /** Builds an {@link AdaLoraConfig}, which says what each value means. */
    public interface Builder extends PlacedBuilder<AdaLoraConfig, Builder> {
        /** What AdaLoRA has in common with LoRA, all at once; its rank has no effect. */
        Builder lora(LoraConfig value);

        /** Scales the change by alpha / init_r; default 8. */
        Builder alpha(double value);

        /** Probability that an element of a layer's input is dropped in training; default 0. */
        Builder dropout(double value);

        /** Which biases of the base are trained; default none. */
        Builder bias(Bias value);

        /** Ranks that are left a layer, on average; default 8. */
        Builder targetRank(int value);

        /** Ranks of each layer in the beginning; default 12. */
        Builder initialRank(int value);

        /** Updates before the first cut; default 0. */
        Builder warmup(int value);

        /** Updates after the last cut; default 0. */
        Builder finish(int value);

        /** Updates from one cut to the next; default 1. */
        Builder interval(int value);

        /** Weight of the past in the average of importance; default 0.85. */
        Builder beta1(double value);

        /** Weight of the past in the average of uncertainty; default 0.85. */
        Builder beta2(double value);

        /** Weight of the term that keeps rows and columns orthogonal; default 0.5. */
        Builder orthogonality(double value);

        /** Updates that the schedule counts with; default those of the training. */
        Builder totalSteps(OptionalInt value);

        /** Updates that the schedule counts with. */
        default Builder totalSteps(int value) {
            return totalSteps(OptionalInt.of(value));
        }

        /** The ranks that are left; default all. */
        Builder rankPattern(Optional<RankPattern> value);
    }
}
